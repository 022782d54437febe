/* A function for tests that has a state. HTTP/1.1 with keep-alive, a thread per connection.
 *
 *   /count  adds one to the key "count" of its state within the event, and answers "COUNT BODY"; with a body !NNN it
 *           adds one as well and answers NNN
 *   /ask    sends its body as a request to its state, with its own token if the body names none, and answers the answer
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define LARGEST (256 << 10)

struct request {
	char path[512], attempt[256];
	long length;
	char *body;
};

struct answer {
	int status;
	long length;		/* of all of it */
	char *text, *body;
};

static const char *field(const char *line, const char *name)
{
	size_t n = strlen(name);

	if (strncasecmp(line, name, n) || line[n] != ':')
		return NULL;
	for (line += n + 1; *line == ' '; line++)
		;
	return line;
}

static int receive(FILE *in, struct request *r)
{
	char line[4096];
	const char *value;
	int whole = 0;

	memset(r, 0, sizeof(*r));
	if (!fgets(line, sizeof(line), in) || sscanf(line, "%*s %511s", r->path) < 1)
		return 0;
	while (!whole && fgets(line, sizeof(line), in)) {
		whole = !strcmp(line, "\r\n");
		if ((value = field(line, "content-length")))
			r->length = atol(value);
		if ((value = field(line, "weir-attempt")))
			sscanf(value, "%255[^\r\n]", r->attempt);
	}
	if (!whole || r->length < 0 || r->length > LARGEST)
		return 0;
	r->body = calloc(1, r->length + 1);
	return fread(r->body, 1, r->length, in) == (size_t)r->length;
}

/* Sends a whole request to where the state is, and reads until the end; status 0: there is none. */
static struct answer ask(const char *request, long length)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	const char *url = getenv("WEIR_STATE_URL");
	struct answer a = { .text = calloc(1, LARGEST + 1) };
	char address[64] = "";
	int port = 0, fd, n;

	a.body = a.text;
	if (!url || sscanf(url, "http://%63[^:]:%d", address, &port) != 2 || inet_pton(AF_INET, address, &to.sin_addr) != 1)
		return a;
	to.sin_port = htons(port);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (!connect(fd, (struct sockaddr *)&to, sizeof(to)) && send(fd, request, length, 0) == length)
		while (a.length < LARGEST && (n = read(fd, a.text + a.length, LARGEST - a.length)) > 0)
			a.length += n;
	close(fd);
	sscanf(a.text, "HTTP/1.1 %d", &a.status);
	if ((a.body = strstr(a.text, "\r\n\r\n")))
		a.body += 4;
	else
		a.body = a.text;
	return a;
}

static const char *token(void)
{
	return getenv("WEIR_STATE_TOKEN") ? getenv("WEIR_STATE_TOKEN") : "";
}

/* Adds one; 0: that did not work. */
static long count(const struct request *r)
{
	char text[2048], fields[1024], value[32];
	struct answer a;
	long n;

	snprintf(fields, sizeof(fields), "Host: state\r\nAuthorization: Bearer %s\r\n%s%s%sConnection: close\r\n", token(),
		*r->attempt ? "Weir-Attempt: " : "", r->attempt, *r->attempt ? "\r\n" : "");
	a = ask(text, snprintf(text, sizeof(text), "GET /state/count HTTP/1.1\r\n%s\r\n", fields));
	n = a.status == 404 ? 1 : a.status == 200 ? atol(a.body) + 1 : 0;
	free(a.text);
	if (!n)
		return 0;
	snprintf(value, sizeof(value), "%ld", n);
	a = ask(text, snprintf(text, sizeof(text), "PUT /state/count HTTP/1.1\r\n%sContent-Length: %zu\r\n\r\n%s", fields,
		strlen(value), value));
	free(a.text);
	return a.status == 204 ? n : 0;
}

static void say(FILE *out, int status, const char *text, long length)
{
	fprintf(out, "HTTP/1.1 %d X\r\nContent-Type: text/plain\r\nContent-Length: %ld\r\n\r\n", status, length);
	fwrite(text, 1, length, out);
	fflush(out);
}

static void answer(FILE *out, const struct request *r)
{
	char *text = malloc(2 * LARGEST);
	int status = 200, head;
	struct answer a;
	long n;

	if (!strcmp(r->path, "/ask")) {
		head = strcspn(r->body, "\n") + 1;
		n = snprintf(text, 2 * LARGEST, "%.*s%s%s%s", head, r->body, strcasestr(r->body, "authorization:") ? "" :
			"Authorization: Bearer ", strcasestr(r->body, "authorization:") ? "" : token(),
			strcasestr(r->body, "authorization:") ? "" : "\r\n");
		memcpy(text + n, r->body + head, r->length - head);
		a = ask(text, n + r->length - head);
		say(out, 200, a.text, a.length);
		free(a.text);
	} else {
		n = count(r);
		sscanf(r->body, "!%d", &status);
		if (n)
			say(out, status, text, snprintf(text, 2 * LARGEST, "%ld %s", n, r->body));
		else
			say(out, 503, "no state", 8);
	}
	free(text);
}

static void *serve(void *arg)
{
	int fd = (int)(long)arg;
	FILE *in = fdopen(fd, "r"), *out = fdopen(dup(fd), "w");
	struct request r;

	for (; receive(in, &r); free(r.body))
		answer(out, &r);
	fclose(in);
	fclose(out);
	return NULL;
}

static void leave(int signal)
{
	(void)signal;
	_exit(0);
}

int main(void)
{
	struct sockaddr_in here = { .sin_family = AF_INET };
	const char *configured = getenv("PORT");
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
	pthread_t thread;

	signal(SIGTERM, leave);
	signal(SIGPIPE, SIG_IGN);
	here.sin_port = htons(configured ? atoi(configured) : 8080);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&here, sizeof(here)) || listen(fd, 64)) {
		perror("listen");
		return 1;
	}
	for (;;) {
		long client = accept(fd, NULL, NULL);

		if (client < 0)
			continue;
		setsockopt((int)client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (pthread_create(&thread, NULL, serve, (void *)client))
			close((int)client);
		else
			pthread_detach(thread);
	}
}
