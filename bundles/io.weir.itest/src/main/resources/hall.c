/* A function for tests that thousands of connections stay open to: one thread, epoll, "ok" for each request without a body. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

static void leave(int signal)
{
	(void)signal;
	_exit(0);
}

int main(void)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_port = htons(8080) };
	int listener = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0), poll = epoll_create1(0), one = 1;
	struct epoll_event all[64], wanted = { .events = EPOLLIN, .data.fd = listener };
	struct rlimit files;

	signal(SIGTERM, leave);
	signal(SIGPIPE, SIG_IGN);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) || listen(listener, 4096)) {
		perror("listen");
		return 1;
	}
	epoll_ctl(poll, EPOLL_CTL_ADD, listener, &wanted);
	for (;;) {
		int n = epoll_wait(poll, all, 64, -1), i;

		for (i = 0; i < n; i++) {
			int fd = all[i].data.fd;
			char buffer[2048];
			ssize_t got;

			if (fd == listener) {
				while ((wanted.data.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
					epoll_ctl(poll, EPOLL_CTL_ADD, wanted.data.fd, &wanted);
				continue;
			}
			got = read(fd, buffer, sizeof(buffer));
			if (got <= 0)
				close(fd);
			else if (got >= 4 && !memcmp(buffer + got - 4, "\r\n\r\n", 4))
				write(fd, ok, sizeof(ok) - 1);
		}
	}
}
