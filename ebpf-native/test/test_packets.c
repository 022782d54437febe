// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The meter's programs on single packets, sound and mad ones, by BPF_PROG_TEST_RUN. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>

#include "../bpf/meter.h"
#include "harness.h"
#include "internal.h"

#define SLOT 1
#define ROUNDS 20000

static struct weir_object *meter;
static int in, out, seed, counters, loads, notes;

struct packet {
	size_t length;
	unsigned char bytes[2048];
};

static void put_conn(const struct conn *conn)
{
	uint32_t zero = 0;

	NEED(weir_map_put(seed, &zero, conn, 0));
}

static uint32_t run(int program, const struct packet *packet)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet->bytes, .data_size_in = (uint32_t) packet->length,
		    .repeat = 1);

	if (bpf_prog_test_run_opts(program, &options))
		return 1000;		/* the kernel refuses packets that are too short for their kind */
	return options.retval;
}

/* An Ethernet header, which the kernel takes off, then IP and TCP. */
static void make(struct packet *packet, int family, size_t extension, const char *payload)
{
	unsigned char *at = packet->bytes;
	size_t length = strlen(payload);
	struct tcphdr *tcp;

	memset(packet, 0, sizeof(*packet));
	at[12] = family == AF_INET ? 0x08 : 0x86;
	at[13] = family == AF_INET ? 0x00 : 0xdd;
	at += 14;
	if (family == AF_INET) {
		struct iphdr *ip = (struct iphdr *) at;

		ip->version = 4;
		ip->ihl = (unsigned int) (5 + extension / 4) & 15;
		ip->protocol = IPPROTO_TCP;
		ip->tot_len = htons((uint16_t) (20 + extension + 20 + length));
		at += 20 + extension;
	} else {
		struct ip6_hdr *ip = (struct ip6_hdr *) at;

		ip->ip6_vfc = 6 << 4;
		ip->ip6_nxt = extension ? IPPROTO_DSTOPTS : IPPROTO_TCP;
		ip->ip6_plen = htons((uint16_t) (extension + 20 + length));
		at += 40;
		if (extension) {
			at[0] = IPPROTO_TCP;
			at[1] = (unsigned char) (extension / 8 - 1);
			at += extension;
		}
	}
	tcp = (struct tcphdr *) at;
	tcp->seq = htonl(1000);
	tcp->doff = 5;
	tcp->ack = 1;
	memcpy(at + 20, payload, length);
	packet->length = (size_t) (at - packet->bytes) + 20 + length;
}

static struct weir_counters count(void)
{
	struct weir_counters now;

	NEED(weir_map_read(counters, SLOT, 1, sizeof(now), &now));
	return now;
}

static uint64_t malformed(void)
{
	uint64_t value;

	NEED(weir_map_read(notes, WEIR_NOTE_MALFORMED, 1, sizeof(value), &value));
	return value;
}

static const struct conn open_conn = {
	.slot = SLOT, .generation = 1, .kind = HTTP, .in_next = 1000, .out_next = 1000,
};

/* How many requests a packet that came in counts. */
static long requests(int family, size_t extension, const char *payload, const struct conn *conn)
{
	struct packet packet;
	uint64_t before = count().requests;

	put_conn(conn);
	make(&packet, family, extension, payload);
	CHECK_EQ(run(in, &packet), 1);
	return (long) (count().requests - before);
}

static void sound(void)
{
	struct conn conn = open_conn;
	uint64_t before;

	test("finds a request behind every kind of header");
	CHECK_EQ(requests(AF_INET, 0, "GET / HTTP/1.1\r\n\r\n", &conn), 1);
	CHECK_EQ(requests(AF_INET, 40, "POST / HTTP/1.1\r\n\r\n", &conn), 1);
	CHECK_EQ(requests(AF_INET6, 0, "PUT / HTTP/1.1\r\n\r\n", &conn), 1);
	CHECK_EQ(requests(AF_INET6, 8, "PATCH / HTTP/1.1\r\n\r\n", &conn), 1);
	CHECK_EQ(requests(AF_INET6, 64, "OPTIONS * HTTP/1.1\r\n\r\n", &conn), 1);
	CHECK_EQ(malformed(), 0);

	test("counts nothing for an acknowledgement, a retransmission, a body or another protocol");
	CHECK_EQ(requests(AF_INET, 0, "", &conn), 0);
	conn.in_next = 1014;
	conn.started = 1;
	CHECK_EQ(requests(AF_INET, 0, "GET / HTTP/1.1", &conn), 0);
	conn = open_conn;
	conn.asked = 1;
	CHECK_EQ(requests(AF_INET, 0, "GET / HTTP/1.1", &conn), 0);
	conn = open_conn;
	conn.kind = OPAQUE;
	CHECK_EQ(requests(AF_INET, 0, "GET / HTTP/1.1", &conn), 0);
	conn = open_conn;
	before = count().other;
	CHECK_EQ(requests(AF_INET, 0, "get / HTTP/1.1", &conn), 0);
	CHECK_EQ(count().other, before + 1);

	test("finds a request that begins in the middle of what was seen, or fills a hole");
	conn = open_conn;
	conn.in_next = 1002;
	conn.started = 1;
	CHECK_EQ(requests(AF_INET, 0, "}}GET / HTTP/1.1", &conn), 1);
	conn.in_next = 5000;
	conn.has_hole = 1;
	conn.hole = 1000;
	CHECK_EQ(requests(AF_INET, 0, "GET / HTTP/1.1", &conn), 1);
}

static void lies(void)
{
	struct packet packet;
	uint64_t before;
	size_t at;

	test("notes headers that lie, and lets the packet pass");
	put_conn(&open_conn);
	before = malformed();
	make(&packet, AF_INET, 0, "GET / HTTP/1.1");
	packet.bytes[14 + 20 + 12] = 0x40;		/* a TCP header of 16 bytes */
	CHECK_EQ(run(in, &packet), 1);
	packet.bytes[14 + 20 + 12] = 0xf0;		/* and one beyond the packet's end */
	CHECK_EQ(run(in, &packet), 1);
	CHECK_EQ(run(out, &packet), 1);
	make(&packet, AF_INET, 0, "GET / HTTP/1.1");
	packet.bytes[14] = 0x44;			/* an IP header of 16 bytes */
	CHECK_EQ(run(in, &packet), 1);
	make(&packet, AF_INET6, 8, "GET / HTTP/1.1");
	packet.bytes[14 + 41] = 255;			/* an extension beyond the packet's end */
	CHECK_EQ(run(in, &packet), 1);
	packet.bytes[14 + 40] = 200;			/* and one that nobody knows */
	CHECK_EQ(run(out, &packet), 1);
	CHECK_EQ(malformed(), before + 6);

	test("survives a packet cut off anywhere");
	for (at = 14 + 20; at < 14 + 40 + 40; at++) {
		make(&packet, AF_INET6, 8, "GET / HTTP/1.1\r\n\r\n");
		packet.length = at;
		put_conn(&open_conn);
		run(in, &packet);
		run(out, &packet);
	}
	CHECK(malformed() > before + 6);
}

/* ---- madness ---- */

static uint64_t state = 88172645463325252ull;

static uint32_t chance(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t) (state >> 16) % below;
}

static void random_conn(struct conn *conn)
{
	unsigned char *bytes = (unsigned char *) conn;
	size_t i;

	for (i = 0; i < sizeof(*conn); i++)
		bytes[i] = (unsigned char) chance(256);
	conn->slot = chance(8) ? SLOT : chance(2) ? 0xffffffff : chance(2000);
	conn->generation = chance(4) ? 1 : chance(1000);
	conn->kind = (unsigned char) (chance(4) ? HTTP : chance(256));
	if (chance(2))
		conn->in_next = conn->out_next = 1000 + chance(40) - 20;
	if (chance(2))
		conn->answered = conn->asked;
	if (chance(2))
		conn->word_length = conn->line_length = 0;
}

static void random_packet(struct packet *packet)
{
	static const char *const payloads[] = {
		"", "G", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.", "HTTP/1.1 1", "HTTP/1.1 100 \r\n\r\n\r\n\r\n\r\nHTTP/1.1 1", "PRI * HTTP/2.0\r\n\r\n", "\r\n\r\nPOST", "\r\n",
		"HTTP/1.1 101 Switching\r\n\r\n", "\x16\x03\x01", "PRIPOSTGET", "HTTP/1.1 \xff\xff\xff\xff",
	};
	int changes = (int) chance(6);

	make(packet, chance(2) ? AF_INET : AF_INET6, chance(2) ? 8 * chance(5) : 0,
	     payloads[chance(sizeof(payloads) / sizeof(*payloads))]);
	while (changes--)
		packet->bytes[14 + chance((uint32_t) packet->length - 14)] = (unsigned char) chance(256);
	if (!chance(8))
		packet->length = 34 + chance((uint32_t) packet->length);
}

static void madness(void)
{
	struct weir_counters first = count(), last;
	struct weir_load load = {0}, mark = { .in_flight = 1000000, .connections = 1000000 };
	struct packet packet;
	struct conn conn;
	uint32_t slot = SLOT, other, i, odd = 0;
	uint64_t answers = 0;

	test("lets every packet pass and counts nothing senseless, whatever packet meets whatever state");
	NEED(weir_map_put(loads, &slot, &mark, 0));
	for (i = 0; i < ROUNDS; i++) {
		uint32_t verdict;

		random_conn(&conn);
		random_packet(&packet);
		put_conn(&conn);
		verdict = run(i & 1 ? in : out, &packet);
		odd += verdict != 1 && verdict != 1000;
	}
	CHECK_EQ(odd, 0);
	last = count();
	for (i = 0; i < WEIR_STATUS_CLASSES; i++)
		answers += last.responses[i] - first.responses[i];
	CHECK(last.requests > first.requests && last.requests - first.requests < ROUNDS);
	CHECK(answers > 0 && answers < ROUNDS);
	CHECK(last.aborts - first.aborts < ROUNDS);
	NEED(weir_map_read(loads, SLOT, 1, sizeof(load), &load));
	CHECK(load.in_flight > 1000000 - ROUNDS && load.in_flight < 1000000 + ROUNDS);
	for (other = 0; other < WEIR_INSTANCES; other++) {
		if (other == SLOT)
			continue;
		NEED(weir_map_read(counters, other, 1, sizeof(last), &last));
		CHECK_EQ(last.requests + last.aborts, 0);
	}
	printf("random packets: %d, of which malformed: %llu\n", ROUNDS, (unsigned long long) malformed());
}

int main(int argc, char **argv)
{
	char programs[256];

	snprintf(programs, sizeof(programs), "%.200s/test", argc > 1 ? argv[1] : "target");
	setup(programs);
	meter = load("meter_seeded");
	in = bpf_program__fd(bpf_object__find_program_by_name(meter->bpf, "weir_meter_in"));
	out = bpf_program__fd(bpf_object__find_program_by_name(meter->bpf, "weir_meter_out"));
	seed = weir_object_map(meter, "seed");
	counters = map("counters");
	loads = map("loads");
	notes = map("notes");
	put_instance(SLOT, 0, 1, WEIR_INSTANCE_LIVE, 0);
	sound();
	lies();
	madness();
	weir_object_close(meter);
	return finish();
}
