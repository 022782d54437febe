/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * pace HOST PORT RATE CONNECTIONS SECONDS: HTTP requests at a fixed rate, whatever the answers do (open loop), over
 * keep-alive connections. Latency counts from the moment a request was due, so that a stall shows in every request it
 * delays. Prints "p50_us p99_us max_us answers".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define MOST_DUE 1024

struct connection {
	int fd;
	unsigned int head, tail;	/* due times of the requests in flight */
	uint64_t due[MOST_DUE];
	size_t length;
	char buffer[16384];
};

static uint64_t *latencies;
static size_t answers;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void send_request(struct connection *c, uint64_t due)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: pace\r\n\r\n";

	if (c->head - c->tail == MOST_DUE) {
		fprintf(stderr, "%d requests of one connection are not answered\n", MOST_DUE);
		exit(1);
	}
	c->due[c->head++ % MOST_DUE] = due;
	if (send(c->fd, request, sizeof(request) - 1, MSG_NOSIGNAL) != sizeof(request) - 1)
		fail("send");
}

/* Bytes of the first whole answer in the buffer; 0 if there is none. */
static size_t whole(struct connection *c)
{
	char *end, *length;
	size_t size;

	c->buffer[c->length] = 0;
	end = strstr(c->buffer, "\r\n\r\n");
	if (!end)
		return 0;
	if (strncmp(c->buffer, "HTTP/1.1 200", 12)) {
		fprintf(stderr, "answer: %.60s\n", c->buffer);
		exit(1);
	}
	length = strcasestr(c->buffer, "\ncontent-length:");
	size = end + 4 - c->buffer + (length && length < end ? strtoul(length + 16, NULL, 10) : 0);
	return size <= c->length ? size : 0;
}

static void receive(struct connection *c)
{
	ssize_t got = recv(c->fd, c->buffer + c->length, sizeof(c->buffer) - 1 - c->length, MSG_DONTWAIT);
	size_t size;

	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0)
		fail("recv");
	c->length += got;
	while ((size = whole(c))) {
		latencies[answers++] = now() - c->due[c->tail++ % MOST_DUE];
		c->length -= size;
		memmove(c->buffer, c->buffer + size, c->length);
	}
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	struct sockaddr_in server = { .sin_family = AF_INET };
	int rate, n, one = 1, epoll, timer, i;
	struct connection *all;
	uint64_t began, sent = 0, total;

	if (argc != 6 || inet_pton(AF_INET, argv[1], &server.sin_addr) != 1) {
		fprintf(stderr, "usage: pace HOST PORT RATE CONNECTIONS SECONDS\n");
		return 2;
	}
	server.sin_port = htons(atoi(argv[2]));
	rate = atoi(argv[3]);
	n = atoi(argv[4]);
	total = (uint64_t)rate * atoi(argv[5]);
	all = calloc(n, sizeof(*all));
	latencies = calloc(total, sizeof(*latencies));
	epoll = epoll_create1(0);
	for (i = 0; i < n; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };

		all[i].fd = socket(AF_INET, SOCK_STREAM, 0);
		setsockopt(all[i].fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (connect(all[i].fd, (struct sockaddr *)&server, sizeof(server)))
			fail("connect");
		epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event);
	}
	timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &(struct epoll_event){ .events = EPOLLIN, .data.u32 = UINT32_MAX });
	began = now();
	while (answers < total) {
		struct epoll_event events[64];
		uint64_t next = began + sent * 1000000000 / rate;
		int got;

		for (; sent < total && next <= now(); next = began + sent * 1000000000 / rate) {
			send_request(&all[sent % n], next);
			sent++;
		}
		if (sent < total) {
			struct itimerspec at = { .it_value = { next / 1000000000, next % 1000000000 } };

			timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
		}
		got = epoll_wait(epoll, events, 64, 10000);
		if (got <= 0) {
			fprintf(stderr, "no answer for 10 s after %zu\n", answers);
			return 1;
		}
		for (i = 0; i < got; i++) {
			if (events[i].data.u32 == UINT32_MAX) {
				uint64_t expired;

				if (read(timer, &expired, sizeof(expired)) < 0 && errno != EAGAIN)
					fail("timer");
			} else {
				receive(&all[events[i].data.u32]);
			}
		}
	}
	qsort(latencies, answers, sizeof(*latencies), by_value);
	printf("%.1f %.1f %.1f %zu\n", latencies[answers / 2] / 1e3, latencies[answers * 99 / 100] / 1e3,
	       latencies[answers - 1] / 1e3, answers);
	return 0;
}
