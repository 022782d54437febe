// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "http.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "harness.h"

static struct tally *tally;
static int hold;			/* the reading end that those who hang wait for */

/* ---- the function ---- */

struct stream {
	int fd;
	size_t have;
	char bytes[128 * 1024];
};

static void add(uint64_t *count)
{
	__atomic_add_fetch(count, 1, __ATOMIC_SEQ_CST);
}

static int fill(struct stream *stream)
{
	ssize_t n = read(stream->fd, stream->bytes + stream->have, sizeof(stream->bytes) - 1 - stream->have);

	if (n <= 0)
		return -1;
	stream->have += (size_t) n;
	stream->bytes[stream->have] = 0;
	return 0;
}

static void drop(struct stream *stream, size_t length)
{
	stream->have -= length;
	memmove(stream->bytes, stream->bytes + length, stream->have + 1);
}

static int put(int fd, const char *text, size_t length)
{
	while (length) {
		ssize_t n = send(fd, text, length, MSG_NOSIGNAL);

		if (n <= 0)
			return -1;
		text += n;
		length -= (size_t) n;
	}
	return 0;
}

static int reply(int fd, int status)
{
	char text[128];

	snprintf(text, sizeof(text), "HTTP/1.1 %d Whatever\r\nContent-Length: 3\r\n\r\nyes", status);
	add(&tally->answers);
	return put(fd, text, strlen(text));
}

static int body(struct stream *stream, size_t length)
{
	while (length) {
		size_t part = stream->have < length ? stream->have : length;

		drop(stream, part);
		length -= part;
		if (length && fill(stream))
			return -1;
	}
	return 0;
}

static void wait_for_release(void)
{
	char byte;

	add(&tally->hanging);
	if (read(hold, &byte, 1) != 1)
		_exit(0);
}

static int act(struct stream *stream, const char *path, size_t length)
{
	static const char zeros[64 * 1024];
	static const char large[] = "HTTP/1.1 200 OK\r\nContent-Length: 3145728\r\n\r\n";
	static const char hello[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	int fd = stream->fd, one = 1, i;

	if (!strcmp(path, "/early")) {
		return reply(fd, 413) || body(stream, length);
	} else if (body(stream, length)) {
		return -1;
	} else if (!strncmp(path, "/status/", 8)) {
		return reply(fd, atoi(path + 8));
	} else if (!strcmp(path, "/interim")) {
		return put(fd, "HTTP/1.1 100 Continue\r\n\r\n", 25) || reply(fd, 200);
	} else if (!strcmp(path, "/interims")) {
		const char *text = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
				   "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";

		add(&tally->answers);
		return put(fd, text, strlen(text));
	} else if (!strcmp(path, "/pieces")) {
		add(&tally->answers);
		for (i = 0; hello[i]; i++)
			if (put(fd, hello + i, 1))
				return -1;
		return 0;
	} else if (!strcmp(path, "/large")) {
		add(&tally->answers);
		if (put(fd, large, strlen(large)))
			return -1;
		for (i = 0; i < 48; i++)
			if (put(fd, zeros, sizeof(zeros)))
				return -1;
		return 0;
	} else if (!strcmp(path, "/hang")) {
		wait_for_release();
		return reply(fd, 200);
	} else if (!strcmp(path, "/watch")) {
		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
		setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &one, sizeof(one));
		setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &one, sizeof(one));
		setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &one, sizeof(one));
		wait_for_release();
		return -1;
	} else if (!strcmp(path, "/close")) {
		return -1;
	} else if (!strcmp(path, "/reset")) {
		slam(dup(fd));
		return -1;
	} else if (!strcmp(path, "/upgrade")) {
		add(&tally->answers);
		if (put(fd, "HTTP/1.1 101 Switching Protocols\r\n\r\n", 36))
			return -1;
		while (!fill(stream)) {
			if (put(fd, stream->bytes, stream->have))
				return -1;
			drop(stream, stream->have);
		}
		return -1;
	}
	return reply(fd, 404);
}

static void *serve(void *context)
{
	struct stream *stream = context;

	for (;;) {
		char *end, *length, path[64] = "";
		size_t head;

		for (;;) {
			while (!strncmp(stream->bytes, "\r\n", 2))
				drop(stream, 2);
			end = strstr(stream->bytes, "\r\n\r\n");
			if (end)
				break;
			if (fill(stream))
				goto out;
		}
		head = (size_t) (end - stream->bytes) + 4;
		if (stream->bytes[0] < 'A' || stream->bytes[0] > 'Z' || !strncmp(stream->bytes, "PRI", 3)) {
			drop(stream, head);
			continue;
		}
		*end = 0;
		sscanf(stream->bytes, "%*s %63s", path);
		length = strstr(stream->bytes, "Content-Length: ");
		add(&tally->requests);
		{
			size_t bytes = length ? strtoul(length + 16, NULL, 10) : 0;

			drop(stream, head);
			if (act(stream, path, bytes))
				break;
		}
	}
out:
	close(stream->fd);
	free(stream);
	return NULL;
}

static void run(int listener)
{
	for (;;) {
		int fd = accept(listener, NULL, NULL), one = 1;
		struct stream *stream;
		pthread_t thread;

		if (fd < 0)
			_exit(0);
		add(&tally->connections);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		stream = calloc(1, sizeof(*stream));
		stream->fd = fd;
		pthread_create(&thread, NULL, serve, stream);
		pthread_detach(thread);
	}
}

void function_start(struct function *function, const char *where)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6 };
	int release[2], ready[2], listener, off = 0;

	function->tally = mmap(NULL, sizeof(struct tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(pipe(release));
	NEED(pipe(ready));
	fflush(stdout);
	function->pid = fork();
	NEED(function->pid);
	if (!function->pid) {
		socklen_t size = sizeof(address);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		enter_cgroup(where);
		tally = function->tally;
		hold = release[0];
		close(release[1]);
		listener = socket(AF_INET6, SOCK_STREAM, 0);
		setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
		NEED(bind(listener, (struct sockaddr *) &address, sizeof(address)));
		NEED(listen(listener, 1024));
		NEED(getsockname(listener, (struct sockaddr *) &address, &size));
		NEED(write(ready[1], &address.sin6_port, 2));
		run(listener);
	}
	close(release[0]);
	close(ready[1]);
	function->release = release[1];
	NEED(read(ready[0], &function->port, 2) == 2 ? 0 : -EPIPE);
	close(ready[0]);
}

void function_kill(struct function *function)
{
	kill(function->pid, SIGKILL);
	waitpid(function->pid, NULL, 0);
	close(function->release);
}

void function_release(struct function *function)
{
	NEED(write(function->release, "x", 1));
}

/* ---- the client ---- */

int dial(const struct function *function, int family)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = function->port, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = function->port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = 60 };
	int fd = socket(family, SOCK_STREAM, 0), one = 1;

	NEED(fd);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	NEED(family == AF_INET ? connect(fd, (struct sockaddr *) &four, sizeof(four))
			       : connect(fd, (struct sockaddr *) &six, sizeof(six)));
	return fd;
}

void say(int fd, const char *text)
{
	CHECK(!put(fd, text, strlen(text)));
}

void settle(int fd)
{
	int queued, tries = 600000;

	while (!ioctl(fd, SIOCOUTQ, &queued) && queued && --tries)
		usleep(100);
	CHECK(tries);
}

/* Byte by byte up to the end of the head, so that nothing of the next answer is taken. */
int hear(int fd)
{
	char head[1024], junk[65536], *length;
	size_t have = 0, rest;
	int status;

	do {
		if (have + 1 == sizeof(head) || recv(fd, head + have, 1, 0) != 1)
			return 0;
		head[++have] = 0;
	} while (have < 4 || memcmp(head + have - 4, "\r\n\r\n", 4));
	status = atoi(head + 9);
	if (status < 200 && status != 101)
		return hear(fd);
	length = strstr(head, "Content-Length: ");
	for (rest = length ? strtoul(length + 16, NULL, 10) : 0; rest;) {
		ssize_t n = recv(fd, junk, rest < sizeof(junk) ? rest : sizeof(junk), 0);

		if (n <= 0)
			return 0;
		rest -= (size_t) n;
	}
	return status;
}

int get(int fd, const char *path)
{
	char text[256];

	snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: here\r\n\r\n", path);
	say(fd, text);
	return hear(fd);
}

void slam(int fd)
{
	struct linger linger = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	shutdown(fd, SHUT_RD);
	close(fd);
}
