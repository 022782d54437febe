// SPDX-License-Identifier: EPL-2.0
/* Publishes readings, QoS 1 and 25 bytes each, as fast as they are dealt with.
 *
 *   sensor MQTT-PORT
 *
 * Prints the UDP port at which it hears of outcomes; then each line of standard input publishes COUNT messages, and is
 * answered by the microseconds until the last was dealt with and the median of one.
 *
 * "TOPIC COUNT": the broker acknowledges to a sender at once and says nothing of who listens; so every BATCH-th message
 * asks for an answer, and no more than two batches are on their way. The broker always has more than it may deliver, and
 * never more than it queues: how many are with the listener at a time is the listener's receive maximum. There is no
 * median, "-".
 *
 * "TOPIC COUNT WINDOW": at most WINDOW are on their way, as it does where nobody can be asked: whoever listens tells our
 * UDP port "TOPIC BODY" of each before it answers. A message takes from its PUBLISH until that. Where the broker may
 * deliver no more than WINDOW, the receipt of an earlier one is in that time, too.
 */
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
#define WIDEST 16
#define NUMBERS 900		/* of messages, 100 and up: three digits */
#define TOLD 128

static int mqtt, outcomes;
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

/* What the broker says; waits for it unless flags say otherwise. */
static void hear(int flags)
{
	struct pollfd ready = {.fd = mqtt, .events = POLLIN};
	int n, at = 0;

	if (!flags && poll(&ready, 1, PATIENCE_MS) != 1)
		die("nothing for 20 s");
	n = recv(mqtt, in + in_used, sizeof(in) - in_used, flags);
	if (n < 0 && errno == EAGAIN)
		return;
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

static unsigned char *reading(unsigned char *p, const char *topic, unsigned packet, int ask, int number)
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
	p[PAYLOAD - 4] = '0' + number / 100;
	p[PAYLOAD - 3] = '0' + number / 10 % 10;
	p[PAYLOAD - 2] = '0' + number % 10;
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
			p = reading(p, topic, sent % 60000 + 1, sent % BATCH == 0, 123);
		}
		if (p > packets)
			put(packets, p - packets);
		hear(0);
	}
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The number of the message that a datagram is about; 0: of something else, such as the function's first call. */
static int number_of(const char *told, unsigned length)
{
	const char *digits = told + length - 4;
	int number = length < PAYLOAD ? 0 : (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + digits[2] - '0';

	return number < 100 || number >= 100 + NUMBERS ? 0 : number;
}

/* Returns the median of what a message took. */
static double publish_told(const char *topic, long count, int window)
{
	static double since[100 + NUMBERS];
	static char told[WIDEST][TOLD];
	static long sequence;
	unsigned char packets[WIDEST * 128], *p;
	double *took = calloc(count, sizeof(*took)), median;
	struct mmsghdr messages[WIDEST];
	struct iovec places[WIDEST];
	long sent = 0, done = 0;
	int n, number;

	for (n = 0; n < WIDEST; n++) {
		places[n] = (struct iovec){told[n], TOLD};
		messages[n] = (struct mmsghdr){.msg_hdr = {.msg_iov = &places[n], .msg_iovlen = 1}};
	}
	while (done < count) {
		for (p = packets; sent < count && sent - done < window; sent++) {
			number = 100 + ++sequence % NUMBERS;
			since[number] = now_us();
			p = reading(p, topic, sequence % 60000 + 1, 0, number);
		}
		if (p > packets)
			put(packets, p - packets);
		n = recvmmsg(outcomes, messages, WIDEST, MSG_WAITFORONE, NULL);
		if (n <= 0)
			die("no outcome for 20 s");
		while (n-- > 0) {
			number = number_of(told[n], messages[n].msg_len);
			if (!number)
				continue;
			if (!since[number])
				die("an outcome came twice");
			took[done++] = now_us() - since[number];
			since[number] = 0;
		}
		hear(MSG_DONTWAIT);
	}
	qsort(took, count, sizeof(*took), by_value);
	median = took[count / 2];
	free(took);
	return median;
}

/* Any port of this machine, because listeners may be in networks of their own. */
static void open_outcomes(void)
{
	struct sockaddr_in here = {.sin_family = AF_INET};
	struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
	socklen_t size = sizeof(here);

	outcomes = socket(AF_INET, SOCK_DGRAM, 0);
	if (outcomes < 0 || bind(outcomes, (struct sockaddr *)&here, size) ||
	    setsockopt(outcomes, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    getsockname(outcomes, (struct sockaddr *)&here, &size))
		die("UDP");
	printf("%d\n", ntohs(here.sin_port));
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct sockaddr_in broker = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char line[128], topic[40];
	double from, median;
	int on = 1, window, words;
	long count;

	if (argc != 2)
		return 2;
	broker.sin_port = htons(atoi(argv[1]));
	mqtt = socket(AF_INET, SOCK_STREAM, 0);
	if (mqtt < 0 || connect(mqtt, (struct sockaddr *)&broker, sizeof(broker)))
		die("connect");
	setsockopt(mqtt, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	snprintf(response, sizeof(response), "bench/done/%d", getpid());
	greet();
	open_outcomes();
	while (fgets(line, sizeof(line), stdin) && (words = sscanf(line, "%39s %ld %d", topic, &count, &window)) >= 2) {
		from = now_us();
		if (words == 3) {
			if (window < 1 || window > WIDEST)
				die("WINDOW is not 1 to 16");
			median = publish_told(topic, count, window);
			printf("%.0f %.1f\n", now_us() - from, median);
		} else {
			publish(topic, count / BATCH * BATCH);
			printf("%.0f -\n", now_us() - from);
		}
		fflush(stdout);
	}
	return 0;
}
