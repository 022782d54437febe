// SPDX-License-Identifier: EPL-2.0
/* The least that brings MQTT messages to a function: what Weir's adaptor is measured against.
 *
 *   adaptor MQTT-PORT TOPIC-FILTER HOST:PORT WINDOW
 *
 * Subscribes with QoS 1 (MQTT 5), sends each message as one POST in one write on a keep-alive connection, WINDOW of them at
 * a time, and acknowledges once a 2xx has come; receipts of one round leave in one write. One thread, epoll. Prints READY;
 * ends with its standard input. It has no retries, no deadlines and no reconnection: everything unexpected ends it. The one
 * answer it knows is none: to a message with a response topic, nothing is published there.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST 256		/* connections, and the receive maximum */
#define ROOM (64 << 10)

struct http {
	int fd, busy, used;
	unsigned packet;
	char tell[128];			/* response topic */
	char answer[ROOM];
};

static struct http connections[MOST];
static struct http *idle[MOST];
static int idles, opened, window;
static struct sockaddr_in function;
static int mqtt, poll_fd;
static unsigned char in[ROOM], out[(4 + 2 + 130 + 1) * MOST];
static int in_used, out_used;
static unsigned long sequence;

static void die(const char *what)
{
	fprintf(stderr, "adaptor: %s: %s\n", what, errno ? strerror(errno) : "unexpected");
	exit(1);
}

static int dial(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof(*to)))
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static void watch(int fd, void *of)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = of};

	if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event))
		die("epoll_ctl");
}

static void put(int fd, const void *bytes, size_t n)
{
	if (write(fd, bytes, n) != (ssize_t)n)
		die("write");
}

static void greet(const char *filter)
{
	unsigned char packet[512];
	unsigned n = strlen(filter);
	char id[32];
	unsigned m = snprintf(id, sizeof(id), "adaptor-%d", getpid());
	unsigned char *p = packet;

	*p++ = 0x10;			/* CONNECT, clean start, keep-alive 0, receive maximum */
	*p++ = 10 + 1 + 3 + 2 + m;
	memcpy(p, "\0\4MQTT\5\2\0\0\3\41", 12), p += 12;
	*p++ = window >> 8, *p++ = window & 255;
	*p++ = 0, *p++ = m;
	memcpy(p, id, m), p += m;
	*p++ = 0x82;			/* SUBSCRIBE 1, QoS 1 */
	*p++ = 2 + 1 + 2 + n + 1;
	*p++ = 0, *p++ = 1, *p++ = 0, *p++ = 0, *p++ = n;
	memcpy(p, filter, n), p += n;
	*p++ = 1;
	put(mqtt, packet, p - packet);
}

static struct http *forward(unsigned packet, const char *topic, int topic_length, const unsigned char *payload, int length)
{
	char request[ROOM];
	struct timespec now;
	struct tm utc;
	char time[40];
	struct http *c;
	int n;

	if (!idles) {
		if (opened == MOST)
			die("too many connections");
		c = &connections[opened++];
		c->fd = dial(&function);
		watch(c->fd, c);
		idle[idles++] = c;
	}
	c = idle[--idles];
	c->busy = 1;
	c->packet = packet;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%S", &utc);
	/* The same head as Weir's, so that the function has the same to read. */
	n = snprintf(request, sizeof(request),
		"POST / HTTP/1.1\r\nce-specversion: 1.0\r\nce-id: %016lx-%lu\r\nce-source: /weir/mqtt\r\n"
		"ce-type: io.weir.mqtt.message\r\nce-subject: %.*s\r\nce-time: %s.%06ldZ\r\nHost: adaptor\r\n"
		"Accept-Encoding: identity\r\nUser-Agent: weir\r\nContent-Length: %d\r\n\r\n",
		0x9e3779b97f4a7c15ul, ++sequence, topic_length, topic, time, now.tv_nsec / 1000, length);
	if (n + length > ROOM)
		die("message too large");
	memcpy(request + n, payload, length);
	put(c->fd, request, n + length);
	c->tell[0] = 0;
	return c;
}

static void publish(const unsigned char *p, int n)
{
	int qos = p[0] >> 1 & 3, at = 1, topic, after, properties;
	struct http *c;

	while (p[at++] & 128)
		;
	topic = p[at] << 8 | p[at + 1];
	after = at + 2 + topic;
	properties = after + 3 <= n ? p[after + 2] : 128;
	if (qos != 1 || properties > 127 || after + 3 + properties > n)
		die("a message of another kind");
	c = forward(p[after] << 8 | p[after + 1], (const char *)p + at + 2, topic, p + after + 3 + properties,
		n - after - 3 - properties);
	if (properties > 3 && p[after + 3] == 8)
		memcpy(c->tell, p + after + 6, properties - 3), c->tell[properties - 3] = 0;
}

/* What is there, as far as the window allows. */
static void parse(void)
{
	int at = 0;

	for (;;) {
		int length = 0, shift = 0, head = at + 1;

		do {
			if (head >= in_used)
				goto rest;
			length |= (in[head] & 127) << shift;
			shift += 7;
		} while (in[head++] & 128);
		if (head + length > in_used)
			goto rest;
		if (in[at] >> 4 == 3) {
			if (opened - idles >= window)
				goto rest;
			publish(in + at, head + length - at);
		} else if (in[at] == 0x90) {
			puts("READY"), fflush(stdout);
		}
		at = head + length;
	}
rest:
	if (at)
		memmove(in, in + at, in_used - at);
	in_used -= at;
}

static void hear(void)
{
	int n = read(mqtt, in + in_used, sizeof(in) - in_used);

	if (n <= 0)
		die("the broker has gone");
	in_used += n;
	parse();
}

static void answered(struct http *c)
{
	int n = read(c->fd, c->answer + c->used, sizeof(c->answer) - 1 - c->used);
	char *end, *length;

	if (n <= 0 || !c->busy)
		die("the function has gone");
	c->used += n;
	c->answer[c->used] = 0;
	end = strstr(c->answer, "\r\n\r\n");
	if (!end)
		return;
	*end = 0;
	length = strcasestr(c->answer, "\r\ncontent-length:");
	*end = '\r';
	if (c->used < end + 4 - c->answer + (length ? atoi(length + 17) : 0))
		return;
	if (strncmp(c->answer, "HTTP/1.1 2", 10))
		die("the function refuses");
	out[out_used++] = 0x40, out[out_used++] = 2;
	out[out_used++] = c->packet >> 8, out[out_used++] = c->packet;
	if (c->tell[0]) {
		n = strlen(c->tell);
		out[out_used++] = 0x30, out[out_used++] = 2 + n + 1;
		out[out_used++] = 0, out[out_used++] = n;
		memcpy(out + out_used, c->tell, n), out_used += n;
		out[out_used++] = 0;
	}
	c->used = 0;
	c->busy = 0;
	idle[idles++] = c;
}

int main(int argc, char **argv)
{
	struct sockaddr_in broker = {.sin_family = AF_INET};
	struct epoll_event events[MOST];
	char *port;

	if (argc != 5 || !(port = strchr(argv[3], ':'))) {
		fprintf(stderr, "usage: adaptor MQTT-PORT TOPIC-FILTER HOST:PORT WINDOW\n");
		return 2;
	}
	*port++ = 0;
	window = atoi(argv[4]);
	if (window < 1 || window > MOST)
		die("WINDOW is not 1 to 256");
	function.sin_family = AF_INET;
	function.sin_port = htons(atoi(port));
	inet_pton(AF_INET, argv[3], &function.sin_addr);
	broker.sin_port = htons(atoi(argv[1]));
	broker.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	poll_fd = epoll_create1(0);
	mqtt = dial(&broker);
	watch(mqtt, &mqtt);
	watch(0, &poll_fd);
	greet(argv[2]);
	for (;;) {
		int n = epoll_wait(poll_fd, events, MOST, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == &mqtt)
				hear();
			else if (events[i].data.ptr == &poll_fd)
				return 0;
			else
				answered(events[i].data.ptr);
		}
		if (out_used)
			put(mqtt, out, out_used), out_used = 0;
		if (in_used)
			parse();
	}
}
