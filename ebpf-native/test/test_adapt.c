// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Scenarios and figures of adapt.bpf.c with a real broker: "test_adapt OUT [bench]", with the broker in
 * the environment variable MOSQUITTO.
 *
 * Four processes: the broker, a function (HTTP server), an adaptor, and this one, which publishes and judges. The adaptor
 * is a good one without the kernel's help (epoll, keep-alive connections, one write per message), and with it the same
 * code is the slow path.
 */
#include "bed.h"
#include <sys/epoll.h>
#include <sys/mman.h>

#define MESSAGES 400000
#define TOPICS 16
#define BUFFER (1 << 20)

enum style { ONE_SEND, TWO_SENDS, NO_CONTENT, INTERIM_APART, INTERIM_TOGETHER, CHUNKED, CHUNKED_IN_PIECES, SPLIT_HEAD, LONG_BODY };

/* What the processes tell each other. */
static struct shared {
	volatile uint32_t style, fail_at, fail_status, hold, die_at, received, wrong, reordered, repeated, stop, listening;
	volatile uint32_t ready;		/* the adaptor is subscribed */
	volatile uint32_t idle;			/* 1: we ask whether it has nothing left to do; 2: so it is */
	volatile uint32_t slow, slow_failed, handed, reconnects, acks_by_user;
	volatile uint32_t reason[8];
	volatile uint32_t last[TOPICS];
	volatile uint8_t seen[MESSAGES];
} *shared;

static uint32_t *epochs;
static struct bpf_object *object;
static char broker_conf[96];
static int mqtt_port, http_port = 8080, notify[2], version = 4, lanes = 1, use_kernel, notify_on;
static pid_t broker_pid, function_pid, adaptor_pid;
static const char *mosquitto;

/* ---- bytes ---- */

static int put_all(int fd, const void *data, size_t size)
{
	const char *p = data;

	while (size) {
		ssize_t n = send(fd, p, size, MSG_NOSIGNAL);

		if (n <= 0)
			return -1;
		p += n;
		size -= n;
	}
	return 0;
}

/* Payload number `sequence` on a topic: 16 digits and a pattern. */
static int payload(uint8_t *to, uint32_t sequence, uint32_t topic, uint32_t size)
{
	char head[32];

	if (size < 17)
		size = 17;
	snprintf(head, sizeof(head), "%08u%02u%07u", sequence, topic, size);
	memcpy(to, head, 17);
	for (uint32_t i = 17; i < size; i++)
		to[i] = sequence * 31 + i * 7;
	return size;
}

static void judge(const uint8_t *body, uint32_t size)
{
	static uint8_t expected[BUFFER];
	uint32_t sequence, topic, length;
	char head[18] = {0};

	memcpy(head, body, size < 17 ? size : 17);
	if (size < 17 || sscanf(head, "%8u%2u%7u", &sequence, &topic, &length) != 3 || length != size ||
	    sequence >= MESSAGES || topic >= TOPICS) {
		shared->wrong++;
		return;
	}
	payload(expected, sequence, topic, size);
	if (memcmp(expected, body, size))
		shared->wrong++;
	if (shared->seen[sequence])
		shared->repeated++;
	else if (sequence < shared->last[topic])
		shared->reordered++;
	if (sequence > shared->last[topic])
		shared->last[topic] = sequence;
	shared->seen[sequence]++;
	shared->received++;
}

static long content_length(const char *head, const char *end)
{
	for (const char *p = head; p < end; p++)
		if (*p == '\n' && !strncasecmp(p + 1, "content-length:", 15))
			return strtol(p + 16, NULL, 10);
	return -1;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* ---- the function ---- */

struct connection {
	int fd;
	size_t have;
	uint8_t *data;
};

static void answer(int fd, uint32_t sequence)
{
	static const char *const no_content[] = {
		"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 204\r\n\r\n",
		"HTTP/1.1 204 No Content\r\nDate: Sun, 22 Nov 2026 06:00:00 GMT\r\nContent-Length: 0\r\n\r\n",
	};
	static const char *const chunked[] = {
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\ntransfer-encoding:Chunked\r\nServer: test\r\n\r\n1a\r\n0\r\n\r\n0\r\n\r\n0\r\n\r\n0\r\n\r\n0\r\n\r\nx"
		"\r\nB\r\nhello world\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	};
	static char text[8192];
	int n;

	if (shared->fail_at && sequence == shared->fail_at && shared->seen[sequence] == 1) {
		n = sprintf(text, "HTTP/1.1 %u Sorry\r\nContent-Length: 5\r\n\r\nsorry", shared->fail_status);
		put_all(fd, text, n);
		return;
	}
	switch (shared->style) {
	case TWO_SENDS:
		put_all(fd, "HTTP/1.1 200 OK\r\nServer: test\r\ncontent-length:2\r\n\r\n", 51);
		put_all(fd, "ok", 2);
		break;
	case NO_CONTENT:
		put_all(fd, no_content[sequence % 3], strlen(no_content[sequence % 3]));
		break;
	case INTERIM_APART:
		put_all(fd, "HTTP/1.1 102 Processing\r\n\r\n", 27);
		put_all(fd, "HTTP/1.1 204 No Content\r\n\r\n", 27);
		break;
	case INTERIM_TOGETHER:
		put_all(fd, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
			    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 105);
		break;
	case CHUNKED:
		put_all(fd, chunked[sequence % 3], strlen(chunked[sequence % 3]));
		break;
	case CHUNKED_IN_PIECES:
		put_all(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", 54);
		put_all(fd, "0\r\n\r\n", 5);
		break;
	case SPLIT_HEAD:
		put_all(fd, "HTTP/1.1 200 OK\r\nContent-", 25);
		put_all(fd, "Length: 2\r\n\r\nok", 15);
		break;
	case LONG_BODY:
		n = sprintf(text, "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 06:00:00 GMT\r\nContent-Length: 7000\r\n\r\n");
		memset(text + n, 'x', 7000);
		put_all(fd, text, n + 3000);
		put_all(fd, text + n, 4000);
		break;
	default:
		put_all(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok", 66);
	}
}

/* Serves the requests that are whole. */
static void requests(struct connection *c)
{
	size_t at = 0;

	while (c->have > at && !shared->hold) {
		char *end = memmem(c->data + at, c->have - at, "\r\n\r\n", 4), *head = (char *)c->data + at;
		uint32_t sequence = 0;
		long length;

		if (!end)
			break;
		length = content_length(head, end);
		if (length < 0 || memcmp(head, "POST /in HTTP/1.1\r\n", 19) || !memmem(head, end - head, "\nce-subject: t/", 15)) {
			shared->wrong++;
			_exit(1);
		}
		end += 4;
		if ((size_t)(end - (char *)c->data) + length > c->have)
			break;
		sscanf(end, "%8u", &sequence);
		if (shared->die_at && sequence == shared->die_at) {
			shared->die_at = 0;
			kill(getpid(), SIGKILL);
		}
		judge((uint8_t *)end, length);
		at = end - (char *)c->data + length;
		answer(c->fd, sequence);
		if (notify_on && write(notify[1], "", 1) != 1)
			_exit(2);
	}
	memmove(c->data, c->data + at, c->have - at);
	c->have -= at;
}

static void function_runs(void)
{
	struct epoll_event event, events[32];
	struct connection *all[64] = {0};
	int listener, poll_fd = epoll_create1(0), one = 1;

	pin(1);
	enter(bed.function_ns);
	listener = tcp_socket(AF_INET6, NULL, http_port);
	listen(listener, 64);
	shared->listening = 1;
	event = (struct epoll_event){.events = EPOLLIN, .data.ptr = NULL};
	epoll_ctl(poll_fd, EPOLL_CTL_ADD, listener, &event);
	for (;;) {
		int n = epoll_wait(poll_fd, events, 32, shared->hold ? 10 : 1000);

		for (int i = 0; i < n; i++) {
			struct connection *c = events[i].data.ptr;
			ssize_t got;

			if (!c) {
				c = calloc(1, sizeof(*c));
				c->data = malloc(BUFFER);
				c->fd = accept(listener, NULL, NULL);
				setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
				for (int k = 0; k < 64; k++)
					if (!all[k]) {
						all[k] = c;
						break;
					}
				event = (struct epoll_event){.events = EPOLLIN, .data.ptr = c};
				epoll_ctl(poll_fd, EPOLL_CTL_ADD, c->fd, &event);
				continue;
			}
			got = recv(c->fd, c->data + c->have, BUFFER - c->have, 0);
			if (got <= 0) {
				close(c->fd);
				for (int k = 0; k < 64; k++)
					if (all[k] == c)
						all[k] = NULL;
				free(c->data);
				free(c);
				continue;
			}
			c->have += got;
			requests(c);
		}
		if (!n && !shared->hold)
			for (int k = 0; k < 64; k++)
				if (all[k] && all[k]->have)
					requests(all[k]);
	}
}

static void function_up(void)
{
	shared->listening = 0;
	function_pid = fork();
	if (!function_pid)
		function_runs();
	if (!eventually(shared->listening))
		die("function");
}

/* ---- MQTT ---- */

static int mqtt_string(uint8_t *to, const char *text)
{
	int n = strlen(text);

	to[0] = n >> 8;
	to[1] = n;
	memcpy(to + 2, text, n);
	return n + 2;
}

static int mqtt_length(uint8_t *to, uint32_t n)
{
	int i = 0;

	do {
		to[i] = n & 127;
		n >>= 7;
		if (n)
			to[i] |= 128;
		i++;
	} while (n);
	return i;
}

static int mqtt_connect(int fd, const char *client, int v)
{
	uint8_t body[128], packet[160], reply[64];
	int n = 0;

	n += mqtt_string(body, "MQTT");
	body[n++] = v;
	body[n++] = 0;			/* keep the session */
	body[n++] = 0;
	body[n++] = 0;
	if (v == 5) {
		memcpy(body + n, "\x05\x11\x00\x00\x0e\x10", 6);
		n += 6;
	}
	n += mqtt_string(body + n, client);
	packet[0] = 0x10;
	packet[1] = n;
	memcpy(packet + 2, body, n);
	if (put_all(fd, packet, n + 2) || recv(fd, reply, 2, MSG_WAITALL) != 2 || reply[0] != 0x20 ||
	    recv(fd, reply + 2, reply[1], MSG_WAITALL) != reply[1] || reply[3])
		return -1;
	return 2 + reply[1];
}

static int mqtt_subscribe(int fd, const char *filter, int qos, int v)
{
	uint8_t packet[160];
	int n = 2;

	packet[0] = 0x82;
	packet[n++] = 0;
	packet[n++] = 1;
	if (v == 5)
		packet[n++] = 0;
	n += mqtt_string(packet + n, filter);
	packet[n++] = qos;
	packet[1] = n - 2;
	return put_all(fd, packet, n);
}

static int publish_packet(uint8_t *to, const char *topic, int qos, uint16_t id, int retain, const void *data, uint32_t size, int v)
{
	int length = 2 + strlen(topic) + (qos ? 2 : 0) + (v == 5) + size, n = 0;

	to[n++] = 0x30 | qos << 1 | retain;
	n += mqtt_length(to + n, length);
	n += mqtt_string(to + n, topic);
	if (qos) {
		to[n++] = id >> 8;
		to[n++] = id;
	}
	if (v == 5)
		to[n++] = 0;
	memcpy(to + n, data, size);
	return n + size;
}

/* ---- the adaptor ---- */

struct lane {
	int fd, kernel;
	uint32_t index, head, tail;
	uint16_t id[65536];		/* Mosquitto 2.0.11 sends far more at a time than it should */
	size_t have;
	uint8_t *data;
};

static struct {
	int fd, poll_fd, reopen;
	uint32_t epoch, busy, subscribed, pinging;
	uint64_t total, confirmed;
	size_t have;
	uint8_t *data;
	struct lane user[TOPICS], kernel[TOPICS];
} adaptor;

static void want(int fd, const char *local, const char *remote, int remote_port, int reversed, uint32_t role, uint32_t index)
{
	struct weir_adapt_end end = {.role = role, .index = index};
	struct weir_pair pair, turned;

	memset(&pair, 0, sizeof(pair));
	mapped(&pair.local, local);
	mapped(&pair.remote, remote);
	pair.local_port = htons(local_port(fd));
	pair.remote_port = htons(remote_port);
	turned = (struct weir_pair){pair.remote, pair.local, pair.remote_port, pair.local_port};
	if (bpf_map_update_elem(map_of(object, "adapt_wanted"), reversed ? &turned : &pair, &end, 0))
		die("adapt_wanted");
}

static void confirm(void)
{
	struct timespec wall;
	struct weir_adapt_subscription subscription = {0};
	uint32_t index = adaptor.epoch % WEIR_SUBSCRIPTIONS;

	if (!use_kernel || adaptor.have || adaptor.busy)
		return;
	clock_gettime(CLOCK_REALTIME, &wall);
	subscription.confirmed = adaptor.total;
	subscription.wall_ns = wall.tv_sec * 1000000000ULL + wall.tv_nsec - now_ns();
	subscription.version = version;
	bpf_map_update_elem(map_of(object, "adapt_subscriptions"), &index, &subscription, 0);
}

static int head_for(char *to, int topic, int kernel)
{
	int n = sprintf(to, "POST /in HTTP/1.1\r\nHost: function\r\nContent-Length: 00000\r\nce-specversion: 1.0\r\n"
			"ce-id: 0000000000000000\r\nce-source: /weir/mqtt\r\nce-type: io.weir.mqtt.message\r\n"
			"ce-subject: t/%d\r\nce-time: 0000-00-00T00:00:00.000Z", topic);

	while (kernel && (n + 4) % 64)
		to[n++] = ' ';
	return n + sprintf(to + n, "\r\n\r\n");
}

static void watch(int fd, void *data)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = data};

	epoll_ctl(adaptor.poll_fd, EPOLL_CTL_ADD, fd, &event);
}

static void lane_open(struct lane *lane, int kernel, uint32_t number)
{
	struct weir_adapt_lane entry = {.enabled = 1, .depth = 32};
	struct weir_adapt_flight flight = {0};

	if (lane->fd > 0)
		close(lane->fd);
	lane->kernel = kernel;
	lane->head = lane->tail = lane->have = 0;
	if (!lane->data)
		lane->data = malloc(BUFFER);
	for (int i = 0; i < 6000; i++) {
		lane->fd = tcp_socket(AF_INET6, GATEWAY_IP, 0);
		if (kernel) {
			lane->index = (adaptor.epoch * TOPICS + number) % WEIR_LANES;
			entry.subscription = adaptor.epoch % WEIR_SUBSCRIPTIONS;
			entry.first_id = (uint64_t)adaptor.epoch << 32;
			bpf_map_update_elem(map_of(object, "adapt_flights"), &lane->index, &flight, 0);
			bpf_map_update_elem(map_of(object, "adapt_lanes"), &lane->index, &entry, 0);
			want(lane->fd, GATEWAY_IP, FUNCTION_IP, http_port, 1, WEIR_ADAPT_FUNCTION, lane->index);
		}
		if (!tcp_connect(lane->fd, AF_INET6, FUNCTION_IP, http_port)) {
			watch(lane->fd, lane);
			return;
		}
		close(lane->fd);
		usleep(10000);
	}
	die("function");
}

static void adaptor_open(void)
{
	struct weir_adapt_topic key, next;
	struct weir_adapt_passed passed = {0};
	struct weir_adapt_subscription off = {0};
	uint32_t index;
	int n = 0;

	if (adaptor.fd > 0) {
		close(adaptor.fd);
		shared->reconnects++;
	}
	adaptor.epoch = ++*epochs;		/* broker and function may still have sockets of the last ones */
	adaptor.have = adaptor.busy = adaptor.total = adaptor.reopen = adaptor.subscribed = adaptor.pinging = shared->ready = 0;
	index = adaptor.epoch % WEIR_SUBSCRIPTIONS;
	if (use_kernel) {
		while (!bpf_map_get_next_key(map_of(object, "adapt_templates"), NULL, &next))
			bpf_map_delete_elem(map_of(object, "adapt_templates"), &next);
		bpf_map_update_elem(map_of(object, "adapt_passed"), &index, &passed, 0);
		bpf_map_update_elem(map_of(object, "adapt_subscriptions"), &index, &off, 0);
	}
	for (int i = 0; i < lanes; i++) {
		lane_open(&adaptor.user[i], 0, i);
		if (use_kernel)
			lane_open(&adaptor.kernel[i], 1, i);
	}
	for (int i = 0; i < 6000; i++) {
		adaptor.fd = tcp_socket(AF_INET, GATEWAY_IP, 0);
		if (use_kernel) {
			want(adaptor.fd, GATEWAY_IP, GATEWAY_IP, mqtt_port, 0, WEIR_ADAPT_CLIENT, index);
			want(adaptor.fd, GATEWAY_IP, GATEWAY_IP, mqtt_port, 1, WEIR_ADAPT_BROKER, index);
		}
		if (!tcp_connect(adaptor.fd, AF_INET, GATEWAY_IP, mqtt_port) &&
		    (n = mqtt_connect(adaptor.fd, "adaptor", version)) > 0)
			break;
		close(adaptor.fd);
		usleep(10000);
	}
	adaptor.total = n;
	mqtt_subscribe(adaptor.fd, "t/#", 2, version);
	watch(adaptor.fd, &adaptor);
	if (use_kernel)
		for (int t = 0; t < TOPICS - 1; t++) {		/* the last topic has no template */
			struct weir_adapt_template template = {.lane = adaptor.kernel[t % lanes].index};

			memset(&key, 0, sizeof(key));
			key.subscription = index;
			sprintf((char *)key.topic, "t/%d", t);
			template.head_length = head_for((char *)template.head, t, 1);
			template.length_at = strstr((char *)template.head, "00000") - (char *)template.head;
			template.id_at = strstr((char *)template.head, "ce-id: ") + 7 - (char *)template.head;
			template.time_at = strstr((char *)template.head, "ce-time: ") + 9 - (char *)template.head;
			bpf_map_update_elem(map_of(object, "adapt_templates"), &key, &template, 0);
		}
}

static void puback(uint16_t id)
{
	uint8_t packet[4] = {0x40, 2, id >> 8, id};

	if (id && put_all(adaptor.fd, packet, 4))
		adaptor.reopen = 1;
	shared->acks_by_user++;
}

/* A PUBLISH whose bytes are all there. */
static void post(const uint8_t *packet, uint32_t header, uint32_t size)
{
	static char out[BUFFER + 1024];
	uint32_t at = header, length = packet[at] << 8 | packet[at + 1], n, topic;
	int qos = packet[0] >> 1 & 3;
	char digits[8];
	struct lane *lane;
	uint16_t id = 0;

	topic = atoi(memcpy(memset(digits, 0, 8), packet + at + 4, length - 2 > 7 ? 7 : length - 2));
	at += 2 + length;
	if (qos) {
		id = packet[at] << 8 | packet[at + 1];
		at += 2;
	}
	if (version == 5)
		at += 1 + packet[at];
	n = head_for(out, topic, 0);
	snprintf(digits, sizeof(digits), "%05u", size - at);
	if (size - at > 99999)
		n = sprintf(out, "POST /in HTTP/1.1\r\nContent-Length: %u\r\nce-subject: t/%u\r\n\r\n", size - at, topic);
	else
		memcpy(strstr(out, "00000"), digits, 5);
	memcpy(out + n, packet + at, size - at);
	lane = &adaptor.user[topic % lanes];
	lane->id[lane->tail++ % 65536] = qos == 2 ? 0 : id;
	if (qos == 2) {
		uint8_t pubrec[4] = {0x50, 2, id >> 8, id};

		put_all(adaptor.fd, pubrec, 4);
	}
	adaptor.busy++;
	shared->slow++;
	if (put_all(lane->fd, out, n + size - at))
		adaptor.reopen = 1;
}

/* Whether every message that came on this connection has its receipt, or needs none. */
static int idle(void)
{
	struct weir_adapt_flight flight;

	if (!adaptor.subscribed || adaptor.reopen || adaptor.busy)
		return 0;
	if (!use_kernel)
		return 1;
	for (int i = 0; i < lanes; i++) {
		bpf_map_lookup_elem(map_of(object, "adapt_flights"), &adaptor.kernel[i].index, &flight);
		if (flight.answered + adaptor.kernel[i].head != flight.sent)
			return 0;
	}
	return 1;
}

static void from_broker(void)
{
	ssize_t got = recv(adaptor.fd, adaptor.data + adaptor.have, 4 * BUFFER - adaptor.have, 0);
	size_t at = 0;

	if (got <= 0) {
		adaptor.reopen = 1;
		return;
	}
	adaptor.total += got;
	adaptor.have += got;
	while (adaptor.have - at >= 2) {
		uint8_t *p = adaptor.data + at;
		uint32_t length = 0, header = 1, shift = 0;

		do {
			if (at + header >= adaptor.have)
				goto more;
			length |= (p[header] & 127) << shift;
			shift += 7;
		} while (p[header++] & 128);
		if (adaptor.have - at < header + length)
			break;
		if (p[0] >> 4 == 3) {
			post(p, header, header + length);
		} else if (p[0] >> 4 == 9) {
			adaptor.subscribed = 1;
		} else if (p[0] >> 4 == 13) {
			adaptor.pinging = 0;
			if (idle() && shared->idle == 1)
				shared->idle = 2;
		} else if (p[0] >> 4 == 6) {
			uint8_t pubcomp[4] = {0x70, 2, p[2], p[3]};

			put_all(adaptor.fd, pubcomp, 4);
		}
		at += header + length;
	}
more:
	memmove(adaptor.data, adaptor.data + at, adaptor.have - at);
	adaptor.have -= at;
	confirm();
	if (adaptor.subscribed)
		shared->ready = 1;
}

/* The next answer of a lane, whichever of us sent the request. */
static int next_id(struct lane *lane, uint16_t *id)
{
	struct weir_adapt_flight flight;

	if (!lane->kernel) {
		if (lane->head == lane->tail)
			return -1;
		*id = lane->id[lane->head++ % 65536];
		adaptor.busy--;
		return 0;
	}
	bpf_map_lookup_elem(map_of(object, "adapt_flights"), &lane->index, &flight);
	if (!lane->head && flight.handed) {
		shared->handed++;
		shared->reason[flight.handed & 7]++;
	}
	if (flight.answered + lane->head == flight.sent)
		return -1;
	*id = flight.id[(flight.answered + lane->head++) % WEIR_DEPTH];
	return 0;
}

static void from_function(struct lane *lane)
{
	ssize_t got = recv(lane->fd, lane->data + lane->have, BUFFER - lane->have, 0);
	size_t at = 0;

	if (got <= 0) {
		adaptor.reopen = 1;		/* what is not acknowledged comes again */
		return;
	}
	lane->have += got;
	for (;;) {
		char *head = (char *)lane->data + at, *end = memmem(head, lane->have - at, "\r\n\r\n", 4);
		uint16_t id;
		size_t whole;
		long length;

		if (!end)
			break;
		length = content_length(head, end);
		if (length < 0) {
			char *last = memmem(end, lane->data + lane->have - (uint8_t *)end, "\r\n0\r\n\r\n", 7);

			if (!last)
				break;
			whole = last + 7 - head;
		} else {
			whole = end + 4 - head + length;
		}
		if (at + whole > lane->have)
			break;
		at += whole;
		if (next_id(lane, &id))
			break;
		if (head[9] == '2') {
			puback(id);
		} else {
			shared->slow_failed++;
			adaptor.reopen = 1;
		}
	}
	memmove(lane->data, lane->data + at, lane->have - at);
	lane->have -= at;
	if (lane->kernel && !adaptor.reopen) {
		struct weir_adapt_flight flight;

		bpf_map_lookup_elem(map_of(object, "adapt_flights"), &lane->index, &flight);
		if (flight.handed && flight.answered + lane->head == flight.sent)
			adaptor.reopen = 1;	/* the lane is spent; the simplest way to a new one */
	}
	confirm();
}

static void adaptor_runs(void)
{
	struct epoll_event events[64];

	pin(1);
	enter(bed.gateway_ns);
	adaptor.poll_fd = epoll_create1(0);
	adaptor.data = malloc(4 * BUFFER);
	adaptor_open();
	while (!shared->stop) {
		int n = epoll_wait(adaptor.poll_fd, events, 64, 20);

		for (int i = 0; i < n && !adaptor.reopen; i++)
			if (events[i].data.ptr == &adaptor)
				from_broker();
			else
				from_function(events[i].data.ptr);
		if (adaptor.reopen)
			adaptor_open();
		if (!n && shared->idle == 1 && !adaptor.pinging && idle()) {	/* its answer comes after all that we said */
			adaptor.pinging = 1;
			put_all(adaptor.fd, "\xc0\0", 2);
		}
	}
	_exit(0);
}

static void adaptor_up(void)
{
	shared->ready = shared->stop = 0;
	adaptor_pid = fork();
	if (!adaptor_pid)
		adaptor_runs();
	if (!eventually(shared->ready))
		die("adaptor");
}

static void adaptor_down(void)
{
	shared->stop = 1;
	waitpid(adaptor_pid, NULL, 0);
}

/* ---- the broker ---- */

static void broker_up(void)
{
	FILE *file;

	snprintf(broker_conf, sizeof(broker_conf), "%s.conf", bed.bpffs);
	file = fopen(broker_conf, "w");
	fprintf(file, "listener %d " GATEWAY_IP "\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n"
		"max_queued_messages 100000\nlog_type none\n", mqtt_port);
	fclose(file);
	broker_pid = fork();
	if (!broker_pid) {
		pin(0);
		enter(bed.gateway_ns);
		execlp(mosquitto, mosquitto, "-c", broker_conf, NULL);
		_exit(1);
	}
}

static void stop_process(pid_t *pid)
{
	kill(*pid, SIGKILL);
	waitpid(*pid, NULL, 0);
	*pid = 0;
}

/* ---- the publisher ---- */

static int publisher = -1;
static uint32_t sequence;

static void publisher_up(void)
{
	publisher = tcp_socket(AF_INET, NULL, 0);
	for (int i = 0; i < 3000 && tcp_connect(publisher, AF_INET, GATEWAY_IP, mqtt_port); i++) {
		close(publisher);
		usleep(20000);
		publisher = tcp_socket(AF_INET, NULL, 0);
	}
	if (mqtt_connect(publisher, "publisher", 4) < 0)
		die("publisher");
}

static void drain(void)
{
	char buffer[65536];

	while (recv(publisher, buffer, sizeof(buffer), MSG_DONTWAIT) > 0)
		;
}

static void publish(int topic, int qos, uint32_t size, int retain)
{
	static uint8_t data[BUFFER], packet[BUFFER + 256];
	char name[32];
	int n;

	sequence++;
	n = payload(data, sequence, topic, size);
	snprintf(name, sizeof(name), "t/%d", topic);
	n = publish_packet(packet, name, qos, sequence % 65000 + 1, retain, data, n, 4);
	put_all(publisher, packet, n);
	if (qos == 2) {
		uint8_t rel[4] = {0x62, 2, packet[n > 130 ? 0 : 0], 0};
		uint16_t id = sequence % 65000 + 1;

		rel[2] = id >> 8;
		rel[3] = id;
		usleep(2000);
		put_all(publisher, rel, 4);
	}
	drain();
}

static void await(uint32_t count)
{
	check(eventually(shared->received >= count), "%u of %u messages came", shared->received, count);
}

static void fresh(void)
{
	memset(shared, 0, sizeof(*shared));
	sequence = 0;
}

static struct weir_adapt_flight sum(uint64_t *sent)
{
	struct weir_adapt_flight flight, total = {0};

	*sent = 0;
	for (uint32_t i = 0; i < WEIR_LANES; i++) {
		bpf_map_lookup_elem(map_of(object, "adapt_flights"), &i, &flight);
		*sent += flight.sent;
		total.acked += flight.acked;
		total.answered += flight.answered;
	}
	return total;
}

static void forget_flights(void)
{
	struct weir_adapt_flight none = {0};

	for (uint32_t i = 0; i < WEIR_LANES; i++)
		bpf_map_update_elem(map_of(object, "adapt_flights"), &i, &none, 0);
}

/* Takes up the adaptor's session: what was not acknowledged comes again, before the answer to a ping. Returns how many. */
static int unacknowledged(void)
{
	static uint8_t packet[4 * BUFFER];
	int fd = tcp_socket(AF_INET, NULL, 0), n = 0, got, have = 0, at = 0, pinged = 0;

	if (tcp_connect(fd, AF_INET, GATEWAY_IP, mqtt_port) || mqtt_connect(fd, "adaptor", version) < 0 ||
	    put_all(fd, "\xc0\0", 2))
		return -1;
	while (!pinged) {
		struct pollfd wait = {fd, POLLIN, 0};

		if (poll(&wait, 1, 60000) != 1 || (got = recv(fd, packet + have, sizeof(packet) - have, 0)) <= 0)
			return -1;
		have += got;
		while (at + 2 <= have) {
			int length = 0, header = 1, shift = 0;

			do {
				length |= (packet[at + header] & 127) << shift;
				shift += 7;
			} while (packet[at + header++] & 128 && at + header < have);
			if (at + header + length > have)
				break;
			n += packet[at] >> 4 == 3;
			pinged |= packet[at] >> 4 == 13;
			at += header + length;
		}
	}
	close(fd);
	return n;
}

static long long load_now(void)
{
	struct weir_load load;
	uint32_t slot = 0;

	bpf_map_lookup_elem(map_of(object, "loads"), &slot, &load);
	return load.in_flight;
}

static void report(const char *name, uint32_t expected, uint32_t fast_at_least, uint32_t fast_at_most, int may_repeat)
{
	uint64_t sent;
	struct weir_adapt_flight total;
	uint32_t missing = 0;
	int left;

	await(expected);
	for (uint32_t i = 1; i <= sequence; i++)
		missing += !eventually(shared->seen[i]);
	/* each message was sent once at least, so what is not acknowledged is with the adaptor, or in the kernel */
	shared->idle = 1;
	check(eventually(shared->idle == 2), "the adaptor does not come to an end");
	total = sum(&sent);
	adaptor_down();
	left = unacknowledged();
	check(!missing, "%u messages did not arrive", missing);
	check(!shared->wrong, "%u wrong", shared->wrong);
	check(!shared->reordered, "%u out of order", shared->reordered);
	check(may_repeat || !shared->repeated, "%u repeated", shared->repeated);
	check(!left, "%d messages are not acknowledged", left);
	check(load_now() == 0, "%lld requests are in flight by the meter", load_now());
	check(sent >= fast_at_least && sent <= fast_at_most, "%llu went through the kernel", (unsigned long long)sent);
	printf("%s %s: %u received, kernel %llu sent %u answered %llu acked, user space %u (%u failed), handed %u "
	       "[%u %u %u %u], reconnects %u, repeated %u\n", tested() ? "ok    " : "FAILED", name, shared->received,
	       (unsigned long long)sent, total.answered, (unsigned long long)total.acked, shared->slow, shared->slow_failed,
	       shared->handed, shared->reason[1], shared->reason[2], shared->reason[3], shared->reason[4], shared->reconnects,
	       shared->repeated);
	forget_flights();
	fresh();
	adaptor_up();
}

static void paced(int count, int topics, int qos, uint32_t size)
{
	for (int i = 0; i < count; i++) {
		publish(i % topics, qos, size, 0);
		if (i % 16 == 15)
			await(sequence > 16 ? sequence - 16 : 0);
	}
}

static void scenarios(void)
{
	uint32_t n = 10000;

	adaptor_up();
	paced(n, 1, 1, 25);
	report("QoS 1, one topic", n, n - 100, n, 0);
	paced(n, 1, 0, 25);
	report("QoS 0, one topic", n, n - 100, n, 0);
	paced(n, TOPICS - 1, 1, 200);
	report("QoS 1, 15 topics", n, n - 100, n, 0);
	for (int i = 0; i < 3000; i++)
		publish(i % 3, 1, 17 + i % 3000, 0);
	report("QoS 1, unpaced, 17 to 3017 bytes", 3000, 1, 3000, 0);
	for (int i = 0; i < 2000; i++) {
		static const uint32_t sizes[] = {20, 100, 5000, 16000, 16200, 20000, 100000, 500000};

		publish(i % 4, 1, sizes[i % 40 < 8 ? i % 8 : i % 2], 0);
		if (i % 8 == 7)
			await(sequence);
	}
	report("QoS 1, small and large mixed", 2000, 1, 1999, 0);
	if (version == 5) {		/* what else there is does not depend on it */
		adaptor_down();
		return;
	}
	for (int i = 0; i < 1000; i++) {
		publish(i % 3 ? 0 : TOPICS - 1, 1, 30, 0);
		if (i % 10 == 9)
			await(sequence);
	}
	report("a topic without a template between", 1000, 1, 700, 0);
	for (int i = 0; i < 300; i++)
		publish(0, i % 10 ? 1 : 2, 30, 0);
	report("QoS 2 between", 300, 0, 270, 0);
	shared->style = TWO_SENDS;
	paced(1000, 1, 1, 25);
	report("answer in two sends", 1000, 900, 1000, 0);
	shared->style = LONG_BODY;
	paced(500, 1, 1, 25);
	report("answer of 7000 bytes in two sends", 500, 400, 500, 0);
	shared->style = NO_CONTENT;
	paced(1000, 1, 1, 25);
	report("answers without content", 1000, 900, 1000, 0);
	shared->style = INTERIM_APART;
	paced(500, 1, 1, 25);
	report("interim answers in sends of their own", 500, 400, 500, 0);
	shared->style = INTERIM_TOGETHER;
	paced(500, 1, 1, 25);
	report("interim answers in one send with the final one", 500, 400, 500, 0);
	shared->style = CHUNKED;
	paced(500, 1, 1, 25);
	report("chunked answers", 500, 400, 500, 0);
	shared->style = CHUNKED_IN_PIECES;
	paced(100, 1, 1, 25);
	report("chunked answers in pieces", 100, 1, 100, 1);
	shared->style = SPLIT_HEAD;
	paced(100, 1, 1, 25);
	report("heads split over sends", 100, 1, 100, 1);
	shared->fail_at = 500;
	shared->fail_status = 500;
	paced(1000, 1, 1, 25);
	report("one answer is a 500", 1001, 300, 1000, 1);
	shared->die_at = 500;
	for (int i = 0; i < 1000; i++) {
		publish(0, 1, 25, 0);
		if (i == 520) {
			waitpid(function_pid, NULL, 0);
			function_up();
		}
		if (i % 16 == 15)
			await(sequence > 40 ? sequence - 40 : 0);
	}
	report("the function dies", 1000, 300, 1000, 1);

	/* nothing is acknowledged before the answer */
	shared->hold = 1;
	for (int i = 0; i < 10; i++)
		publish(0, 1, 25, 0);
	{
		uint64_t sent;
		struct weir_adapt_flight total;

		eventually((total = sum(&sent), sent == 10));
		usleep(100000);			/* for what must not happen */
		total = sum(&sent);

		check(sent == 10 && !total.acked && !shared->acks_by_user, "%llu sent, %llu acknowledged without an answer",
		      (unsigned long long)sent, (unsigned long long)total.acked);
	}
	shared->hold = 0;
	report("held answers", 10, 10, 10, 0);
	shared->hold = 1;
	for (int i = 0; i < 10; i++)
		publish(0, 1, 25, 0);
	{
		uint64_t sent;

		eventually((sum(&sent), sent == 10));
	}
	adaptor_down();
	check(unacknowledged() == 10, "messages without an answer are not sent again");
	shared->hold = 0;
	adaptor_up();
	report("adaptor gone and back while answers are held", 10, 0, 20, 1);

	/* the broker dies; without persistence its queue is gone, what comes after must go through */
	paced(200, 1, 1, 25);
	await(200);
	stop_process(&broker_pid);
	close(publisher);
	broker_up();
	check(eventually(shared->reconnects && shared->ready), "the adaptor does not come back");
	publisher_up();
	paced(200, 1, 1, 25);
	report("the broker dies between", 400, 300, 400, 1);
	adaptor_down();
}

/* ---- lying packets: a sender of our own takes the broker's place ---- */

static void lies(void)
{
	static const struct {
		const char *name;
		uint8_t bytes[16];
		int size;
	} cases[] = {
		{"remaining length too long", {0x30, 0x7f, 0, 3, 't', '/', '0', 'x'}, 8},
		{"remaining length too short", {0x30, 0x03, 0, 3, 't', '/', '0', 'x'}, 8},
		{"remaining length of five bytes", {0x30, 0x86, 0x80, 0x80, 0x00, 0, 3, 't', '/', '0', 'x'}, 11},
		{"topic longer than the packet", {0x30, 0x06, 0, 9, 't', '/', '0', 'x'}, 8},
		{"topic of 2^16 - 1 bytes", {0x30, 0x06, 0xff, 0xff, 't', '/', '0', 'x'}, 8},
		{"topic to the end, no packet identifier", {0x32, 0x05, 0, 3, 't', '/', '0'}, 7},
		{"packet identifier cut", {0x32, 0x06, 0, 3, 't', '/', '0', 1}, 8},
		{"packet identifier 0", {0x32, 0x08, 0, 3, 't', '/', '0', 0, 0, 'x'}, 10},
		{"empty topic", {0x30, 0x03, 0, 0, 'x'}, 5},
		{"QoS 3", {0x36, 0x08, 0, 3, 't', '/', '0', 0, 1, 'x'}, 10},
		{"duplicate", {0x3a, 0x08, 0, 3, 't', '/', '0', 0, 1, 'x'}, 10},
		{"retained", {0x33, 0x08, 0, 3, 't', '/', '0', 0, 1, 'x'}, 10},
		{"two packets", {0x30, 0x06, 0, 3, 't', '/', '0', 'x', 0x30, 0x06, 0, 3, 't', '/', '0', 'y'}, 16},
		{"one byte", {0x30}, 1},
	};
	struct weir_adapt_subscription subscription = {.version = 4};
	struct weir_adapt_passed passed = {0};
	struct weir_adapt_topic key = {.subscription = 3, .topic = "t/0"};
	struct weir_adapt_template template = {0};
	struct timeval patience = {.tv_sec = 60};
	uint32_t index = 3;
	int listener = tcp_socket(AF_INET, GATEWAY_IP, 0), client = tcp_socket(AF_INET, GATEWAY_IP, 0), sender;
	uint64_t sent;

	adaptor_up();
	listen(listener, 1);
	template.head_length = head_for((char *)template.head, 0, 1);
	bpf_map_update_elem(map_of(object, "adapt_templates"), &key, &template, 0);
	bpf_map_update_elem(map_of(object, "adapt_passed"), &index, &passed, 0);
	want(client, GATEWAY_IP, GATEWAY_IP, local_port(listener), 1, WEIR_ADAPT_BROKER, index);
	tcp_connect(client, AF_INET, GATEWAY_IP, local_port(listener));
	sender = accept(listener, NULL, NULL);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t got[32];
		ssize_t n;

		subscription.confirmed = passed.bytes;
		bpf_map_update_elem(map_of(object, "adapt_subscriptions"), &index, &subscription, 0);
		put_all(sender, cases[i].bytes, cases[i].size);
		setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		n = recv(client, got, cases[i].size, MSG_WAITALL);
		check(n == cases[i].size && !memcmp(got, cases[i].bytes, n), "%s: %zd of %d bytes passed", cases[i].name, n, cases[i].size);
		bpf_map_lookup_elem(map_of(object, "adapt_passed"), &index, &passed);
	}
	sum(&sent);
	check(!sent, "%llu lies became requests", (unsigned long long)sent);
	printf("%s lying packets\n", tested() ? "ok    " : "FAILED");
	close(sender);
	close(client);
	close(listener);
	adaptor_down();
	forget_flights();
	fresh();
}

/* ---- figures ---- */

static uint64_t cpu_ns(pid_t pid)
{
	char path[64];
	uint64_t ns = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	file = fopen(path, "r");
	if (file) {
		if (fscanf(file, "%lu", &ns) != 1)
			ns = 0;
		fclose(file);
	}
	return ns;
}

static uint64_t kernel_threads_ns(void)
{
	FILE *list = popen("grep -lE '^(kworker|ksoftirqd)' /proc/[0-9]*/comm 2>/dev/null", "r");
	uint64_t ns = 0;
	char line[64];
	int pid;

	while (fgets(line, sizeof(line), list))
		if (sscanf(line, "/proc/%d", &pid) == 1)
			ns += cpu_ns(pid);
	pclose(list);
	return ns;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

struct figures {
	double broker, function, gateway, threads, publisher, total, p50, rate, p99, most;
};

static struct figures measure(int kernel, int window, int topics, int count, int qos)
{
	static double took[MESSAGES];
	uint64_t at[5], start, began;
	struct figures f;
	int done = 0, sent = 0;
	char bytes[64];
	double scale = 1e5 / count / 1e9;

	fresh();
	forget_flights();
	use_kernel = kernel;
	lanes = topics;
	adaptor_up();
	for (int i = 0; i < 200; i++) {				/* warm */
		publish(i % topics, qos, 25, 0);
		if (read(notify[0], bytes, 1) != 1)
			die("pipe");
	}
	at[0] = cpu_ns(broker_pid);
	at[1] = cpu_ns(function_pid);
	at[2] = cpu_ns(adaptor_pid);
	at[3] = kernel_threads_ns();
	at[4] = cpu_ns(getpid());
	began = now_ns();
	while (done < count) {
		ssize_t n;

		start = now_ns();
		while (sent < count && sent - done < window)
			publish(sent++ % topics, qos, 25, 0);
		n = read(notify[0], bytes, sizeof(bytes));
		if (n <= 0)
			die("pipe");
		done += n;
		took[done - 1] = (now_ns() - start) / 1e3;
	}
	f.rate = count / ((now_ns() - began) / 1e9);
	f.publisher = (cpu_ns(getpid()) - at[4]) * scale;
	usleep(50000);
	f.broker = (cpu_ns(broker_pid) - at[0]) * scale;
	f.function = (cpu_ns(function_pid) - at[1]) * scale;
	f.gateway = (cpu_ns(adaptor_pid) - at[2]) * scale;
	f.threads = (kernel_threads_ns() - at[3]) * scale;
	f.total = f.broker + f.function + f.gateway + f.threads;
	qsort(took, count, sizeof(double), by_value);
	f.p50 = took[count / 2];
	f.p99 = took[count / 100 * 99];
	f.most = took[count - 1];
	check(!shared->wrong && !shared->reordered && !shared->repeated, "wrong in bench");
	adaptor_down();
	return f;
}

static void figures(int window, int topics, int qos, int rounds)
{
	struct figures all[2][16];

	for (int i = 0; i < 2 * rounds; i++)
		all[i % 2][i / 2] = measure(i % 2, window, topics, 20000, qos);
	printf("QoS %d, %d in flight, %d topics and lanes; CPU-s per 100 000, medians of %d\n", qos, window, topics, rounds);
	for (int k = 0; k < 2; k++) {
		double column[10][16];

		for (int r = 0; r < rounds; r++)
			for (int c = 0; c < 10; c++)
				column[c][r] = ((double *)&all[k][r])[c];
		for (int c = 0; c < 10; c++)
			qsort(column[c], rounds, sizeof(double), by_value);
#define M(c_) column[c_][rounds / 2]
		printf("  %s broker %.2f function %.2f gateway %.2f threads %.2f = %.2f (publisher %.2f), p50 %.0f p99 %.0f most %.0f us, %.0f/s\n",
		       k ? "kernel" : "user  ", M(0), M(1), M(2), M(3), M(5), M(4), M(6), M(8), M(9), M(7));
	}
}

static void all_down(void)
{
	if (getpid() != bed.owner)
		return;
	unlink(broker_conf);
	shared->stop = 1;
	if (broker_pid > 0)
		stop_process(&broker_pid);
	if (function_pid > 0)
		stop_process(&function_pid);
	if (adaptor_pid > 0) {
		kill(adaptor_pid, SIGKILL);
		waitpid(adaptor_pid, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	int bench = argc > 2 && !strcmp(argv[2], "bench");
	struct weir_instance instance = {.flags = WEIR_INSTANCE_LIVE};
	uint32_t slot = 0;

	if (argc < 2)
		return 2;
	mosquitto = getenv("MOSQUITTO");
	if (!mosquitto || access(mosquitto, X_OK)) {
		printf("no broker at %s: build io.weir.broker, or set MOSQUITTO\n= 0 passed, 1 failed\n", mosquitto ?: "''");
		return 1;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	epochs = mmap(NULL, sizeof(*epochs), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bed_up();
	atexit(all_down);
	mqtt_port = 20000 + getpid() % 10000;
	object = load(argv[1], "adapt");
	attach(object, "weir_adapt", bed.cgroup, BPF_CGROUP_SOCK_OPS, BPF_F_ALLOW_MULTI);
	attach(object, "weir_adapt_up", map_of(object, "adapt_clients"), BPF_SK_MSG_VERDICT, 0);
	attach(object, "weir_adapt_publish", map_of(object, "adapt_brokers"), BPF_SK_MSG_VERDICT, 0);
	attach(object, "weir_adapt_answer", map_of(object, "adapt_functions"), BPF_SK_MSG_VERDICT, 0);
	bpf_map_update_elem(map_of(object, "instances"), &slot, &instance, 0);
	if (pipe(notify))
		die("pipe");
	notify_on = bench;
	broker_up();
	function_up();
	enter(bed.gateway_ns);
	publisher_up();
	if (bench) {
		pin(0);
		if (getenv("STATISTICS")) {		/* what the programs themselves take; costs everyone a little */
			struct bpf_program *program;
			int fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
			struct figures f = measure(1, atoi(getenv("STATISTICS")), 1, 20000, 1);

			bpf_object__for_each_program(program, object) {
				struct bpf_prog_info info = {0};
				uint32_t length = sizeof(info);

				bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &length);
				printf("%s: %llu runs, %.0f ns each\n", info.name, (unsigned long long)info.run_cnt,
				       info.run_cnt ? (double)info.run_time_ns / info.run_cnt : 0.);
			}
			printf("total %.2f, p50 %.0f p99 %.0f most %.0f\n", f.total, f.p50, f.p99, f.most);
			close(fd);
			return 0;
		}
		figures(1, 1, 1, 3);
		figures(16, 1, 1, 3);
		figures(16, 16 - 1, 1, 3);
		figures(16, 1, 0, 3);
	} else {
		use_kernel = 1;
		for (version = 4; version <= 5; version++) {
			printf("MQTT %s\n", version == 4 ? "3.1.1" : "5");
			scenarios();
		}
		version = 4;
		lies();
	}
	printf("= %d passed, %d failed\n", passed, failures);
	return failures != 0;
}
