// SPDX-License-Identifier: EPL-2.0
// The function of the integration tests: one request per connection, and it tells what the sandbox lets it do.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static char answer[16384];

static void add(const char *format, const char *value)
{
	size_t used = strlen(answer);

	snprintf(answer + used, sizeof(answer) - used, format, value);
}

static const char *try_write(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	if (fd < 0)
		return strerror(errno);
	close(fd);
	unlink(path);
	return "writable";
}

static void add_limit(const char *name, int what)
{
	struct rlimit limit;
	char text[64];

	getrlimit(what, &limit);
	snprintf(text, sizeof(text), "%s %llu\n", name, (unsigned long long)limit.rlim_max);
	add("%s", text);
}

static void sandbox(void)
{
	static char status[8192];
	char ids[64];
	int fd = open("/proc/self/status", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, status, sizeof(status) - 1);

	close(fd);
	status[n > 0 ? n : 0] = 0;
	snprintf(ids, sizeof(ids), "%d:%d", (int)getuid(), (int)getgid());
	add("user %s\n", ids);
	add("root %s\n", try_write("/file"));
	add("tmp %s\n", try_write("/tmp/file"));
	add_limit("nofile", RLIMIT_NOFILE);
	add_limit("nproc", RLIMIT_NPROC);
	add("greeting %s\n", getenv("GREETING") ? getenv("GREETING") : "-");
	add("port %s\n", getenv("PORT") ? getenv("PORT") : "-");
	add("%s", status);
}

/* Takes memory until the kernel objects. */
static void eat(void)
{
	for (;;) {
		char *block = malloc(1 << 20);

		if (block)
			memset(block, 1, 1 << 20);
	}
}

static void serve(int client)
{
	static char request[4096];
	char head[128];
	ssize_t n = read(client, request, sizeof(request) - 1);

	if (n <= 0)
		return;
	request[n] = 0;
	answer[0] = 0;
	if (!strncmp(request, "GET /sandbox", 12)) {
		sandbox();
	} else if (!strncmp(request, "GET /exit", 9)) {
		fprintf(stderr, "leaving as asked\n");
		_exit(7);
	} else if (!strncmp(request, "GET /eat", 8)) {
		eat();
	} else {
		printf("served one\n");
		add("%s", "hello\n");
	}
	snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
		 strlen(answer));
	if (write(client, head, strlen(head)) < 0 || write(client, answer, strlen(answer)) < 0)
		perror("write");
}

int main(int argc, char **argv)
{
	struct sockaddr_in6 here = { .sin6_family = AF_INET6, .sin6_port = htons(8080) };
	int one = 1, listener = socket(AF_INET6, SOCK_STREAM, 0);	/* takes IPv4 as well */

	if (argc == 3 && !strcmp(argv[1], "--say")) {
		puts(argv[2]);
		return 0;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&here, sizeof(here)) || listen(listener, 64)) {
		perror("listen");
		return 1;
	}
	printf("listening\n");
	for (;;) {
		int client = accept(listener, NULL, NULL);

		if (client < 0)
			continue;
		serve(client);
		close(client);
	}
}
