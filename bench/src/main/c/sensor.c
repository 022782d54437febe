// SPDX-License-Identifier: EPL-2.0
/* Publishes readings, QoS 1 and 25 bytes each, as fast as they are dealt with.
 *
 *   sensor MQTT-PORT
 *
 * Each line of standard input, "TOPIC COUNT", publishes COUNT messages and prints the microseconds until the last was
 * dealt with. The broker acknowledges to a sender at once and says nothing of who listens; so every BATCH-th message asks
 * for an answer, and no more than two batches are on their way. The broker always has more than it may deliver, and never
 * more than it queues: how many are with the listener at a time is the listener's receive maximum.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 200
#define UNRECEIPTED 16		/* Mosquitto takes 20 */
#define PAYLOAD 25
#define ROOM (64 << 10)
#define PATIENCE_MS 20000

static int mqtt;
static unsigned char in[ROOM];
static int in_used;
static long receipts, answers;
static char response[64];

static void die(const char *what)
{
	fprintf(stderr, "sensor: %s: %s\n", what, errno ? strerror(errno) : "unexpected");
	exit(1);
}

static void put(const void *bytes, size_t n)
{
	if (write(mqtt, bytes, n) != (ssize_t)n)
		die("write");
}

static void hear(void)
{
	struct pollfd ready = {.fd = mqtt, .events = POLLIN};
	int n, at = 0;

	if (poll(&ready, 1, PATIENCE_MS) != 1)
		die("nothing for 20 s");
	n = read(mqtt, in + in_used, sizeof(in) - in_used);
	if (n <= 0)
		die("the broker has gone");
	in_used += n;
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
		if (in[at] == 0x40) {
			receipts++;
		} else if (in[at] >> 4 == 3) {
			int qos = in[at] >> 1 & 3, id = head + 2 + (in[head] << 8 | in[head + 1]);
			unsigned char ack[] = {0x40, 2, in[id], in[id + 1]};

			answers++;
			if (qos == 1)
				put(ack, sizeof(ack));
		}
		at = head + length;
	}
rest:
	memmove(in, in + at, in_used - at);
	in_used -= at;
}

static void greet(void)
{
	unsigned char packet[256], *p = packet;
	unsigned n = strlen(response), m;
	char id[32];

	m = snprintf(id, sizeof(id), "sensor-%d", getpid());
	*p++ = 0x10;			/* CONNECT, clean start, no keep-alive */
	*p++ = 10 + 1 + 2 + m;
	memcpy(p, "\0\4MQTT\5\2\0\0\0", 11), p += 11;
	*p++ = 0, *p++ = m;
	memcpy(p, id, m), p += m;
	*p++ = 0x82;			/* SUBSCRIBE 1, QoS 1 */
	*p++ = 2 + 1 + 2 + n + 1;
	*p++ = 0, *p++ = 1, *p++ = 0, *p++ = 0, *p++ = n;
	memcpy(p, response, n), p += n;
	*p++ = 1;
	put(packet, p - packet);
}

static unsigned char *reading(unsigned char *p, const char *topic, unsigned packet, int ask)
{
	unsigned n = strlen(topic), r = strlen(response), properties = ask ? 3 + r : 0;

	*p++ = 0x32;
	*p++ = 2 + n + 2 + 1 + properties + PAYLOAD;
	*p++ = 0, *p++ = n;
	memcpy(p, topic, n), p += n;
	*p++ = packet >> 8, *p++ = packet;
	*p++ = properties;
	if (ask) {
		*p++ = 8, *p++ = 0, *p++ = r;
		memcpy(p, response, r), p += r;
	}
	memcpy(p, "{\"celsius\":21.50,\"n\":123}", PAYLOAD);
	return p + PAYLOAD;
}

static void publish(const char *topic, long count)
{
	unsigned char packets[UNRECEIPTED * 128], *p;
	long sent = 0;

	receipts = answers = 0;
	while (answers * BATCH < count) {
		p = packets;
		while (sent < count && sent - receipts < UNRECEIPTED && sent - answers * BATCH < 2 * BATCH) {
			sent++;
			p = reading(p, topic, sent % 60000 + 1, sent % BATCH == 0);
		}
		if (p > packets)
			put(packets, p - packets);
		hear();
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in broker = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timespec from, to;
	char topic[40];
	long count;
	int on = 1;

	if (argc != 2)
		return 2;
	broker.sin_port = htons(atoi(argv[1]));
	mqtt = socket(AF_INET, SOCK_STREAM, 0);
	if (mqtt < 0 || connect(mqtt, (struct sockaddr *)&broker, sizeof(broker)))
		die("connect");
	setsockopt(mqtt, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	snprintf(response, sizeof(response), "bench/done/%d", getpid());
	greet();
	while (scanf("%39s %ld", topic, &count) == 2) {
		clock_gettime(CLOCK_MONOTONIC, &from);
		publish(topic, count / BATCH * BATCH);
		clock_gettime(CLOCK_MONOTONIC, &to);
		printf("%ld\n", (to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000);
		fflush(stdout);
	}
	return 0;
}
