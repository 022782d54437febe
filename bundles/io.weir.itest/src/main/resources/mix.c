/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * mix HOST PORT REQUESTS: requests of every kind that a meter might miscount, in turn on one connection after the other:
 * kept connections, new ones, slow bodies, method and head split over segments, pipelining, clients that go away while
 * they wait, and such that go away in the middle of their head. Prints how many of each, and how many requests a server
 * gets to see whole:
 *
 *   kept N new N slow N split N pipelined N gone N broken N whole N
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEPT 50			/* requests on a kept connection */
#define DEPTH 4			/* requests in one segment when pipelining */

static struct sockaddr_in server = { .sin_family = AF_INET };
static unsigned long kept, fresh, slow, split, pipelined, gone, broken;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int connected(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	struct timeval limit = { .tv_sec = 20 };

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&server, sizeof(server)))
		fail("connect");
	return fd;
}

static void put(int fd, const char *text)
{
	size_t length = strlen(text);

	if (send(fd, text, length, MSG_NOSIGNAL) != (ssize_t)length)
		fail("send");
}

/* Reads so many answers; they have a Content-Length and their bodies are short. */
static void take(int fd, int answers)
{
	char buffer[8192];
	size_t have = 0;

	while (answers > 0) {
		ssize_t got = recv(fd, buffer + have, sizeof(buffer) - 1 - have, 0);
		char *end;

		if (got <= 0)
			fail("recv");
		have += got;
		buffer[have] = 0;
		while (answers > 0 && (end = strstr(buffer, "\r\n\r\n"))) {
			char *length = strcasestr(buffer, "\ncontent-length:");
			size_t size = end + 4 - buffer + (length && length < end ? strtoul(length + 16, NULL, 10) : 0);

			if (size > have)
				break;
			if (strncmp(buffer, "HTTP/1.1 200", 12)) {
				fprintf(stderr, "answer: %.80s\n", buffer);
				exit(1);
			}
			have -= size;
			memmove(buffer, buffer + size, have + 1);
			answers--;
		}
	}
}

/* Ends a connection by a reset. */
static void cut(int fd)
{
	struct linger now = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

static void pause_ms(int ms)
{
	usleep(ms * 1000);
}

int main(int argc, char **argv)
{
	static const char get[] = "GET / HTTP/1.1\r\nHost: mix\r\n\r\n";
	static const char head[] = "POST / HTTP/1.1\r\nHost: mix\r\nContent-Length: 8\r\n\r\n";
	unsigned long total, i;
	int fd, n;

	if (argc != 4 || inet_pton(AF_INET, argv[1], &server.sin_addr) != 1) {
		fprintf(stderr, "usage: mix HOST PORT REQUESTS\n");
		return 2;
	}
	server.sin_port = htons(atoi(argv[2]));
	total = strtoul(argv[3], NULL, 10);
	for (i = 0; kept + fresh + slow + split + pipelined + gone < total; i++) {
		fd = connected();
		for (n = 0; n < KEPT; n++, kept++) {
			put(fd, n % 2 ? get : head);
			if (n % 2 == 0)
				put(fd, "12345678");
			take(fd, 1);
		}
		close(fd);

		for (n = 0; n < 5; n++, fresh++) {
			fd = connected();
			put(fd, get);
			take(fd, 1);
			close(fd);
		}

		fd = connected();
		for (n = 0; n < 5; n++, pipelined += DEPTH) {
			char many[DEPTH * sizeof(get)] = "";
			int k;

			for (k = 0; k < DEPTH; k++)
				strcat(many, get);
			put(fd, many);
			take(fd, DEPTH);
		}
		close(fd);

		if (i % 20)
			continue;
		fd = connected();
		for (n = 1; n <= 12; n++, split++) {
			char part[sizeof(get)] = "";

			memcpy(part, get, n);
			put(fd, part);
			pause_ms(1);
			put(fd, get + n);
			take(fd, 1);
		}
		put(fd, head);
		for (n = 0; n < 8; n++) {
			put(fd, "x");
			pause_ms(1);
		}
		take(fd, 1);
		slow++;
		close(fd);

		fd = connected();
		put(fd, "GET /sleep/50 HTTP/1.1\r\nHost: mix\r\n\r\n");
		pause_ms(5);
		cut(fd);
		gone++;

		fd = connected();
		put(fd, "GET / HTTP/1.1\r\nHost: m");
		pause_ms(5);
		cut(fd);
		broken++;
	}
	printf("kept %lu new %lu slow %lu split %lu pipelined %lu gone %lu broken %lu whole %lu\n", kept, fresh, slow, split,
	       pipelined, gone, broken, kept + fresh + slow + split + pipelined + gone);
	return 0;
}
