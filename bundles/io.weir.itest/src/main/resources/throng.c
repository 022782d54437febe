/* throng HOST PORT CONNECTIONS: opens so many, and has each answered twice while all are open. Prints how many were. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static const char get[] = "GET / HTTP/1.1\r\nHost: throng\r\n\r\n";

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct timeval limit = { .tv_sec = 20 };
	int count = argc == 4 ? atoi(argv[3]) : 0, *fds = calloc(count + 1, sizeof(*fds)), i, turn, answered = 0;
	struct rlimit files;

	if (!count || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
		return 2;
	to.sin_port = htons(atoi(argv[2]));
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	for (i = 0; i < count; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
		if (fds[i] < 0)
			fail("socket");
		setsockopt(fds[i], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		setsockopt(fds[i], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
		if (connect(fds[i], (struct sockaddr *)&to, sizeof(to)))
			fail("connect");
	}
	for (turn = 0; turn < 2; turn++) {
		for (i = 0; i < count; i++)
			if (send(fds[i], get, sizeof(get) - 1, MSG_NOSIGNAL) != sizeof(get) - 1)
				fail("send");
		for (i = 0; i < count; i++) {
			char buffer[256] = "";
			ssize_t have = 0, got;

			while (have < 3 || memcmp(buffer + have - 2, "ok", 2)) {
				got = recv(fds[i], buffer + have, sizeof(buffer) - 1 - have, 0);
				if (got <= 0)
					fail("recv");
				have += got;
			}
			answered++;
		}
	}
	printf("%d", answered);
	return 0;
}
