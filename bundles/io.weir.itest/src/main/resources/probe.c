/* A function for tests: echoes, and misbehaves on demand. HTTP/1.1 with keep-alive, a thread per connection.
 *
 *   BEHAVE=crash  says why, or $WORDS, and exits with 3   BEHAVE=deaf  runs but never listens
 *   POST /exit    exits in the middle of the call  POST /hog    takes memory until the kernel objects
 *   /status/NNN   answers NNN                      /sleep/MS    answers after MS milliseconds
 *   /count        answers how many requests it has got before this one
 *   /hang         is the last thing it hears      /spin         answers, and uses CPU time from then on
 *   /hold/MIB     holds so much memory from then on
 *   /dial/IP/PORT answers what comes of connecting there
 *   DIAL=IP/PORT  connects there before it does anything else; /dialled answers what came of it
 *   a body !NNN   answers NNN                      a body ~      is answered in chunks, in two pieces
 *   SINK=PORT     tells UDP port PORT of its network's gateway each "SUBJECT BODY" before it answers
 *   anything else answers the body, its topic in header X-Subject, the instance's host name in X-Host, and $NAME and
 *   $VERSION in X-Name and X-Version
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define LARGEST (8 << 20)

static char host[256];
static const char *name, *version, *dialled = "";
static volatile int hung;
static atomic_ulong count;

struct request {
	char method[16], path[512], subject[512];
	long length;
	int last;		/* of its connection */
	char *body;
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

/* Reads one request; 0 when the client is gone. Chunked bodies are the business of the echo example. */
static int receive(FILE *in, struct request *r)
{
	char line[4096], version[16] = "";
	const char *value;
	int whole = 0;

	memset(r, 0, sizeof(*r));
	if (!fgets(line, sizeof(line), in) || sscanf(line, "%15s %511s %15s", r->method, r->path, version) < 2)
		return 0;
	r->last = !strcmp(version, "HTTP/1.0");
	while (!whole && fgets(line, sizeof(line), in)) {
		whole = !strcmp(line, "\r\n");
		if ((value = field(line, "content-length")))
			r->length = atol(value);
		if ((value = field(line, "connection")))
			r->last = strncasecmp(value, "keep-alive", 10) && (r->last || !strncasecmp(value, "close", 5));
		if ((value = field(line, "ce-subject")))
			sscanf(value, "%511[^\r\n]", r->subject);
	}
	if (!whole || r->length < 0 || r->length > LARGEST)
		return 0;
	r->body = calloc(1, r->length + 1);
	return fread(r->body, 1, r->length, in) == (size_t)r->length;
}

static void hog(void)
{
	for (;;) {
		char *p = malloc(1 << 20);

		if (p)
			memset(p, 1, 1 << 20);
	}
}

static void *spin(void *arg)
{
	for (;;)
		arg = (void *)((long)arg + 1);
	return arg;
}

/* Where the route without a destination goes to. */
static in_addr_t gateway(void)
{
	FILE *routes = fopen("/proc/net/route", "r");
	unsigned destination, via = 0;
	char line[256];

	while (routes && fgets(line, sizeof(line), routes))
		if (sscanf(line, "%*s %x %x", &destination, &via) == 2 && !destination)
			break;
	if (routes)
		fclose(routes);
	return via;
}

static void tell(const struct request *r)
{
	static int sink = -1;
	struct sockaddr_in to = { .sin_family = AF_INET };
	char text[2048];
	int n;

	if (!getenv("SINK"))
		return;
	if (sink < 0)
		sink = socket(AF_INET, SOCK_DGRAM, 0);
	to.sin_port = htons(atoi(getenv("SINK")));
	to.sin_addr.s_addr = gateway();
	n = snprintf(text, sizeof(text), "%s %.1000s", r->subject, r->body);
	sendto(sink, text, n, 0, (struct sockaddr *)&to, sizeof(to));
}

static void hold(int mib)
{
	static char *held;

	free(held);
	held = malloc((size_t)mib << 20);
	if (held)
		memset(held, 1, (size_t)mib << 20);
}

/* What to say of an attempt to connect, for which half a second must do. */
static const char *dial(const char *address, int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct timeval limit = { .tv_usec = 500000 };
	int fd = socket(AF_INET, SOCK_STREAM, 0), failed;

	if (inet_pton(AF_INET, address, &to.sin_addr) != 1)
		return "no address";
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	failed = connect(fd, (struct sockaddr *)&to, sizeof(to)) ? errno : 0;
	close(fd);
	return failed ? strerror(failed) : "connected";
}

static void say(struct request *r, const char *text)
{
	free(r->body);
	r->body = strdup(text);
	r->length = strlen(text);
}

static void answer(FILE *out, struct request *r)
{
	int status = 200, ms, mib, port;
	unsigned long before = atomic_fetch_add(&count, 1);
	char number[32], address[64];
	pthread_t thread;

	if (!strcmp(r->path, "/hang"))
		hung = 1;
	while (hung)
		pause();
	if (!strcmp(r->path, "/spin"))
		pthread_create(&thread, NULL, spin, NULL);
	if (sscanf(r->path, "/hold/%d", &mib) == 1)
		hold(mib);
	if (!strcmp(r->path, "/exit"))
		exit(7);
	if (!strcmp(r->path, "/hog"))
		hog();
	if (!strcmp(r->path, "/count")) {
		snprintf(number, sizeof(number), "%lu", before);
		say(r, number);
	}
	if (sscanf(r->path, "/dial/%63[^/]/%d", address, &port) == 2)
		say(r, dial(address, port));
	if (!strcmp(r->path, "/dialled"))
		say(r, dialled);
	tell(r);
	sscanf(r->path, "/status/%d", &status);
	sscanf(r->body, "!%d", &status);
	if (sscanf(r->path, "/sleep/%d", &ms) == 1)
		usleep(ms * 1000);
	fprintf(out, "HTTP/1.1 %d X\r\nX-Host: %s\r\nX-Subject: %s\r\nX-Name: %s\r\nX-Version: %s\r\n", status, host,
		r->subject, name, version);
	if (status == 204) {
		fputs("\r\n", out);
	} else if (*r->body == '~') {
		fprintf(out, "Transfer-Encoding: chunked\r\n\r\n%lx\r\n%s\r\n", r->length, r->body);
		fflush(out);
		fputs("0\r\n\r\n", out);
	} else {
		fprintf(out, "Content-Type: text/plain\r\nContent-Length: %ld\r\n\r\n", r->length);
		fwrite(r->body, 1, r->length, out);
	}
	fflush(out);
}

static void *serve(void *arg)
{
	int fd = (int)(long)arg;
	FILE *in = fdopen(fd, "r"), *out = fdopen(dup(fd), "w");
	struct request r;

	for (r.last = 0; !r.last && receive(in, &r); free(r.body))
		answer(out, &r);
	fclose(in);
	fclose(out);
	return NULL;
}

/* Of both families where there are two. */
static int listener(int port)
{
	struct sockaddr_in6 both = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };
	int one = 1, fd = socket(AF_INET6, SOCK_STREAM, 0);

	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (!bind(fd, (struct sockaddr *)&both, sizeof(both)))
			return fd;
		close(fd);
	}
	fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return bind(fd, (struct sockaddr *)&four, sizeof(four)) ? -1 : fd;
}

static void leave(int signal)
{
	(void)signal;
	_exit(0);
}

int main(void)
{
	const char *behave = getenv("BEHAVE"), *configured = getenv("PORT");
	int one = 1, port = configured ? atoi(configured) : 8080, fd;
	pthread_attr_t detached;
	pthread_t thread;
	char address[64];

	if (getenv("DIAL") && sscanf(getenv("DIAL"), "%63[^/]/%d", address, &fd) == 2)
		dialled = dial(address, fd);
	signal(SIGTERM, leave);
	signal(SIGPIPE, SIG_IGN);
	gethostname(host, sizeof(host));
	name = getenv("NAME") ? getenv("NAME") : "";
	version = getenv("VERSION") ? getenv("VERSION") : "";
	if (behave && !strcmp(behave, "crash")) {
		fprintf(stderr, "%s\n", getenv("WORDS") ? getenv("WORDS") : "cannot find my database");
		return 3;
	}
	if (behave && !strcmp(behave, "deaf"))
		for (;;)
			pause();
	fd = listener(port);
	if (fd < 0 || listen(fd, 512)) {
		perror("listen");
		return 1;
	}
	printf("listening on %d\n", port);
	fflush(stdout);
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&detached, 64 << 10);
	for (;;) {
		long client = accept(fd, NULL, NULL);

		if (client < 0)
			continue;
		setsockopt((int)client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (pthread_create(&thread, &detached, serve, (void *)client))
			close((int)client);
	}
}
