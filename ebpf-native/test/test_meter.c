// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The meter's counts are those of the function, whatever the connection does. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "harness.h"
#include "http.h"

#define SLOT 3
#define FUNCTION 5

static struct function function;
static struct weir_object *meter;
static int counters, loads, latency;
static char place[300];
static uint64_t place_id;

/* What was counted since mark(). */
static struct weir_counters before;
static struct tally before_tally;

static struct weir_counters counted(void)
{
	struct weir_counters now;
	uint64_t *a = (uint64_t *) &now, *b = (uint64_t *) &before;
	size_t i;

	NEED(weir_map_read(counters, SLOT, 1, sizeof(now), &now));
	for (i = 0; i < sizeof(now) / 8; i++)
		a[i] -= b[i];
	return now;
}

static struct weir_load load_now(void)
{
	struct weir_load load;

	NEED(weir_map_read(loads, SLOT, 1, sizeof(load), &load));
	return load;
}

static uint64_t answers(const struct weir_counters *count)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < WEIR_STATUS_CLASSES; i++)
		sum += count->responses[i];
	return sum;
}

static void mark(const char *claim)
{
	test(claim);
	EVENTUALLY_EQ(load_now().connections, 0);
	memset(&before, 0, sizeof(before));
	before = counted();
	before_tally = *function.tally;
}

/* All requests came to an end, and both sides counted the same. */
static void agree(uint64_t expected)
{
	struct weir_counters count;

	EVENTUALLY_EQ(load_now().connections, 0);
	CHECK_EQ(load_now().in_flight, 0);
	count = counted();
	CHECK_EQ(count.requests, expected);
	CHECK_EQ(function.tally->requests - before_tally.requests, expected);
	EVENTUALLY_EQ(function.tally->connections - before_tally.connections, count.connections);
	EVENTUALLY_EQ(function.tally->answers - before_tally.answers, answers(&count));
	CHECK_EQ(answers(&count) + count.aborts, count.requests);
}

static void bring_up(void)
{
	put_instance(SLOT, FUNCTION, 1, WEIR_INSTANCE_LIVE, place_id);
	function_start(&function, place);
}

/* ---- what a good client does ---- */

static void keep_alive(int family, const char *claim)
{
	int fd, i;

	mark(claim);
	fd = dial(&function, family);
	for (i = 0; i < 200; i++)
		CHECK_EQ(get(fd, "/status/200"), 200);
	CHECK_EQ(load_now().connections, 1);
	close(fd);
	agree(200);
	CHECK_EQ(counted().responses[WEIR_2XX], 200);
	CHECK_EQ(counted().pipelined, 0);
}

static void new_connections(void)
{
	int i, fd;

	mark("counts requests that have a connection each");
	for (i = 0; i < 100; i++) {
		fd = dial(&function, i & 1 ? AF_INET : AF_INET6);
		CHECK_EQ(get(fd, "/status/200"), 200);
		close(fd);
	}
	agree(100);
}

static void early_requests(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = function.port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int i, fd, off = 0;

	mark("counts a request that comes with the end of the handshake, before it is answered");
	for (i = 0; i < 20; i++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		NEED(fd);
		setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof(off));	/* delays the handshake's last packet */
		NEED(connect(fd, (struct sockaddr *) &address, sizeof(address)));
		CHECK_EQ(get(fd, "/status/200"), 200);
		CHECK_EQ(get(fd, "/status/200"), 200);
		close(fd);
	}
	agree(40);
	CHECK_EQ(counted().pipelined, 0);
}

static void classes(void)
{
	static const int status[] = { 200, 204, 299, 301, 304, 404, 429, 500, 503, 599, 600, 999 };
	struct weir_counters count;
	char path[32];
	size_t i;
	int fd;

	mark("counts answers by the class of their status");
	fd = dial(&function, AF_INET);
	for (i = 0; i < sizeof(status) / sizeof(*status); i++) {
		snprintf(path, sizeof(path), "/status/%d", status[i]);
		CHECK_EQ(get(fd, path), status[i]);
	}
	close(fd);
	agree(12);
	count = counted();
	CHECK_EQ(count.responses[WEIR_1XX], 0);
	CHECK_EQ(count.responses[WEIR_2XX], 3);
	CHECK_EQ(count.responses[WEIR_3XX], 2);
	CHECK_EQ(count.responses[WEIR_4XX], 2);
	CHECK_EQ(count.responses[WEIR_5XX], 3);
	CHECK_EQ(count.responses[WEIR_OTHER], 2);
}

static void pipelining(void)
{
	int fd, i;

	mark("counts pipelined requests by their answers");
	fd = dial(&function, AF_INET);
	say(fd, "GET /status/200 HTTP/1.1\r\n\r\nGET /status/404 HTTP/1.1\r\n\r\nGET /status/500 HTTP/1.1\r\n\r\n");
	for (i = 0; i < 3; i++)
		CHECK(hear(fd) > 0);
	for (i = 0; i < 5; i++)
		say(fd, "GET /status/200 HTTP/1.1\r\n\r\n");
	for (i = 0; i < 5; i++)
		CHECK_EQ(hear(fd), 200);
	CHECK_EQ(get(fd, "/status/200"), 200);
	close(fd);
	agree(9);
	CHECK(counted().pipelined >= 2);
}

static void bodies(void)
{
	char request[128 * 1024];
	int fd, i;

	mark("counts a request once whatever its body looks like");
	fd = dial(&function, AF_INET6);
	say(fd, "POST /status/200 HTTP/1.1\r\nContent-Length: 60\r\n\r\n");
	for (i = 0; i < 3; i++) {
		settle(fd);
		say(fd, "GET / HTTP/1.1\r\n\r\n..");
	}
	CHECK_EQ(hear(fd), 200);
	memset(request, 'a', sizeof(request));
	memcpy(request, "POST /status/201 HTTP/1.1\r\nContent-Length: 100000\r\n\r\n", 53);
	request[53 + 100000] = 0;
	say(fd, request);
	CHECK_EQ(hear(fd), 201);
	CHECK_EQ(get(fd, "/status/200"), 200);
	close(fd);
	agree(3);
	CHECK_EQ(counted().pipelined, 0);

	mark("counts a request once whose answer came before its body ended");
	fd = dial(&function, AF_INET);
	say(fd, "POST /early HTTP/1.1\r\nContent-Length: 20\r\n\r\n0123456789");
	CHECK_EQ(hear(fd), 413);
	say(fd, "9876543210");
	settle(fd);
	CHECK_EQ(get(fd, "/status/200"), 200);
	close(fd);
	agree(2);
}

static void large_heads(void)
{
	char request[70 * 1024];
	int fd, i;

	mark("counts a request with 64 KiB of headers once");
	fd = dial(&function, AF_INET);
	for (i = 0; i < 3; i++) {
		memset(request, 'x', sizeof(request));
		memcpy(request, "GET /status/200 HTTP/1.1\r\nX: ", 29);
		strcpy(request + 64 * 1024, "\r\n\r\n");
		say(fd, request);
		CHECK_EQ(hear(fd), 200);
	}
	close(fd);
	agree(3);
}

static void split_requests(void)
{
	static const char request[] = "DELETE /status/200 HTTP/1.1\r\n\r\n";
	char piece[64];
	size_t at;
	int fd;

	mark("counts a request that is split anywhere, and one that comes byte by byte");
	fd = dial(&function, AF_INET);
	for (at = 1; at < sizeof(request) - 1; at++) {
		memcpy(piece, request, at);
		piece[at] = 0;
		say(fd, piece);
		settle(fd);
		say(fd, request + at);
		CHECK_EQ(hear(fd), 200);
	}
	close(fd);
	fd = dial(&function, AF_INET6);
	for (at = 0; at < sizeof(request) - 1; at++) {
		piece[0] = request[at];
		piece[1] = 0;
		say(fd, piece);
		settle(fd);
	}
	CHECK_EQ(hear(fd), 200);
	say(fd, "\r\n");
	settle(fd);
	say(fd, "\r\nGET /status/200 HTTP/1.1\r\n\r\n");
	CHECK_EQ(hear(fd), 200);
	close(fd);
	agree(sizeof(request));
	CHECK_EQ(counted().pipelined, 0);
	CHECK_EQ(counted().other, 0);
}

static void split_answers(void)
{
	int fd;

	mark("finds the status of an answer that comes byte by byte");
	fd = dial(&function, AF_INET);
	CHECK_EQ(get(fd, "/pieces"), 200);
	CHECK_EQ(get(fd, "/pieces"), 200);
	close(fd);
	agree(2);
	CHECK_EQ(counted().responses[WEIR_2XX], 2);
}

static void interim(void)
{
	struct weir_counters count;
	int fd;

	mark("takes no interim answer for a final one, also in the same packet");
	fd = dial(&function, AF_INET);
	CHECK_EQ(get(fd, "/interim"), 200);
	CHECK_EQ(get(fd, "/interims"), 201);
	CHECK_EQ(get(fd, "/status/204"), 204);
	close(fd);
	agree(3);
	count = counted();
	CHECK_EQ(count.responses[WEIR_2XX], 3);
	CHECK_EQ(count.pipelined, 0);
}

/* ---- what others do ---- */

static void upgrade(void)
{
	struct weir_counters count;
	char byte;
	int fd;

	mark("leaves a connection alone after 101");
	fd = dial(&function, AF_INET);
	CHECK_EQ(get(fd, "/upgrade"), 101);
	say(fd, "GET / HTTP/1.1\r\n\r\n");
	CHECK(recv(fd, &byte, 1, 0) == 1);
	close(fd);
	agree(1);
	count = counted();
	CHECK_EQ(count.responses[WEIR_1XX], 1);
}

static void other_protocols(void)
{
	struct weir_counters count;
	int fd;

	mark("counts HTTP/2 with prior knowledge by connection and bytes");
	fd = dial(&function, AF_INET);
	say(fd, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
	settle(fd);
	say(fd, "GET is what a frame may look like\r\n\r\n");
	settle(fd);
	close(fd);
	EVENTUALLY_EQ(load_now().connections, 0);
	count = counted();
	CHECK_EQ(count.http2, 1);
	CHECK_EQ(count.other, 0);
	CHECK_EQ(count.requests, 0);
	CHECK(count.bytes_in > 61);
	EVENTUALLY_EQ(function.tally->connections - before_tally.connections, 1);

	mark("counts what is no HTTP by connection and bytes");
	fd = dial(&function, AF_INET6);
	say(fd, "\x16\x03\x01\x02 this is TLS, say\r\n\r\n");
	settle(fd);
	say(fd, "GET / HTTP/1.1\r\n");
	settle(fd);
	close(fd);
	fd = dial(&function, AF_INET6);
	say(fd, "!");
	settle(fd);
	close(fd);
	EVENTUALLY_EQ(load_now().connections, 0);
	count = counted();
	CHECK_EQ(count.other, 2);
	CHECK_EQ(count.http2, 0);
	CHECK_EQ(count.requests, 0);
	CHECK_EQ(answers(&count), 0);
	CHECK_EQ(count.connections, 2);
	EVENTUALLY_EQ(function.tally->connections - before_tally.connections, 2);
}

static void silent(void)
{
	int fds[10], i;

	mark("knows open connections that say nothing");
	for (i = 0; i < 10; i++)
		fds[i] = dial(&function, AF_INET);
	EVENTUALLY_EQ(load_now().connections, 10);
	for (i = 0; i < 5; i++)
		close(fds[i]);
	EVENTUALLY_EQ(load_now().connections, 5);
	for (i = 5; i < 10; i++)
		slam(fds[i]);
	agree(0);
}

static void own_connections(void)
{
	struct function outside;
	char elsewhere[300];
	pid_t pid;
	int status;

	mark("does not count what the function asks others");
	make_cgroup("outside", elsewhere, sizeof(elsewhere));
	function_start(&outside, elsewhere);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		int fd;

		enter_cgroup(place);
		fd = dial(&outside, AF_INET);
		_exit(get(fd, "/status/200") == 200 ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	CHECK_EQ(status, 0);
	CHECK_EQ(outside.tally->requests, 1);
	function_kill(&outside);
	agree(0);
	CHECK_EQ(counted().bytes_in, 0);
}

/* ---- ends ---- */

static void aborts(void)
{
	uint64_t hanging;
	int fd;

	mark("keeps a request in flight that the client gave up, until it is answered");
	hanging = function.tally->hanging;
	fd = dial(&function, AF_INET);
	say(fd, "GET /hang HTTP/1.1\r\n\r\n");
	EVENTUALLY_EQ(function.tally->hanging, hanging + 1);
	CHECK_EQ(load_now().in_flight, 1);
	close(fd);
	CHECK_EQ(load_now().in_flight, 1);
	function_release(&function);
	agree(1);
	CHECK_EQ(counted().aborts, 0);

	mark("counts an abort when the client resets the connection");
	fd = dial(&function, AF_INET);
	say(fd, "GET /hang HTTP/1.1\r\n\r\n");
	EVENTUALLY_EQ(function.tally->hanging, hanging + 2);
	slam(fd);
	EVENTUALLY_EQ(load_now().in_flight, 0);
	CHECK_EQ(counted().aborts, 1);
	CHECK_EQ(counted().requests, 1);
	CHECK_EQ(load_now().connections, 0);
	function_release(&function);
	EVENTUALLY_EQ(function.tally->answers - before_tally.answers, 1);

	mark("counts an abort when the function closes or resets the connection");
	fd = dial(&function, AF_INET);
	CHECK_EQ(get(fd, "/close"), 0);
	close(fd);
	fd = dial(&function, AF_INET6);
	CHECK_EQ(get(fd, "/reset"), 0);
	close(fd);
	agree(2);
	CHECK_EQ(counted().aborts, 2);
}

static void killed(void)
{
	int fds[6], i;

	mark("lets nothing stay in flight or open when the function is killed");
	for (i = 0; i < 6; i++) {
		fds[i] = dial(&function, i & 1 ? AF_INET : AF_INET6);
		CHECK_EQ(get(fds[i], "/status/200"), 200);
		if (i < 3)
			say(fds[i], "GET /hang HTTP/1.1\r\n\r\n");
	}
	EVENTUALLY_EQ(load_now().in_flight, 3);
	CHECK_EQ(load_now().connections, 6);
	function_kill(&function);
	EVENTUALLY_EQ(load_now().in_flight, 0);
	EVENTUALLY_EQ(load_now().connections, 0);
	CHECK_EQ(counted().aborts, 3);
	CHECK_EQ(counted().requests, 9);
	for (i = 0; i < 6; i++) {
		CHECK_EQ(hear(fds[i]), 0);
		close(fds[i]);
	}
	function_start(&function, place);
}

static void vanished_client(void)
{
	uint64_t hanging;
	int fd;

	mark("lets nothing stay in flight or open when a connection dies without a packet");
	hanging = function.tally->hanging;
	fd = dial(&function, AF_INET);
	say(fd, "GET /watch HTTP/1.1\r\n\r\n");
	EVENTUALLY_EQ(function.tally->hanging, hanging + 1);
	shell("nft 'add table inet t; add chain inet t c { type filter hook input priority 0; }; "
	      "add rule inet t c meta l4proto tcp drop'");
	close(fd);
	EVENTUALLY_EQ(load_now().connections, 0);
	CHECK_EQ(load_now().in_flight, 0);
	CHECK_EQ(counted().aborts, 1);
	shell("nft delete table inet t");
	function_release(&function);
}

/* ---- loss ---- */

#define LOSSY_REQUESTS 250

static void *lossy_client(void *family)
{
	int fd = -1, i, kept = 0;

	for (i = 0; i < LOSSY_REQUESTS; i++) {
		if (kept == 25 || fd < 0) {
			if (fd >= 0)
				close(fd);
			fd = dial(&function, (int) (intptr_t) family);
			kept = 0;
		}
		kept++;
		if (i % 25 == 7) {
			say(fd, "POST /status/200 HTTP/1.1\r\nContent-Length: 10\r\n\r\n");
			settle(fd);
			say(fd, "0123456789");
			CHECK_EQ(hear(fd), 200);
		} else {
			CHECK_EQ(get(fd, i % 50 == 3 ? "/large" : "/status/200"), 200);
		}
	}
	close(fd);
	return NULL;
}

static long retransmits(void)
{
	FILE *snmp = popen("nstat -asz TcpRetransSegs | awk '/TcpRetransSegs/ { print $2 }'", "r");
	long count = -1;

	if (snmp) {
		if (fscanf(snmp, "%ld", &count) != 1)
			count = -1;
		pclose(snmp);
	}
	return count;
}

static void loss(void)
{
	pthread_t threads[8];
	long lost;
	size_t i;

	mark("counts exactly where every hundredth packet is lost");
	shell("ip route replace local 127.0.0.0/8 dev lo src 127.0.0.1 table local rto_min 5ms");
	shell("ip -6 route replace local ::1 dev lo table local rto_min 5ms");
	lost = retransmits();
	shell("nft 'add table inet t; add chain inet t c { type filter hook input priority 0; }; "
	      "add rule inet t c meta l4proto tcp tcp flags & syn == 0 numgen random mod 100 == 0 drop'");
	for (i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, lossy_client, (void *) (intptr_t) (i & 1 ? AF_INET : AF_INET6));
	for (i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	shell("nft delete table inet t");
	agree(8 * LOSSY_REQUESTS);
	lost = retransmits() - lost;
	printf("loss: %ld segments retransmitted, %ld requests found by their answer\n", lost,
	       (long) counted().pipelined);
	CHECK(lost > 0);
}

/* ---- figures ---- */

static void bytes(void)
{
	struct weir_counters count;
	int fd;

	mark("counts bytes in both directions");
	fd = dial(&function, AF_INET);
	CHECK_EQ(get(fd, "/large"), 200);
	close(fd);
	agree(1);
	count = counted();
	CHECK(count.bytes_out > 3145728 && count.bytes_out < 3145728 + 200000);
	CHECK(count.bytes_in > 80);
}

static void latencies(void)
{
	uint64_t first[1 + WEIR_BUCKETS], then[1 + WEIR_BUCKETS], samples = 0, hanging, slow = 0;
	int fd, i;

	mark("measures from the first byte of a request to the first of its answer");
	NEED(weir_map_histogram(latency, FUNCTION, first));
	fd = dial(&function, AF_INET);
	for (i = 0; i < 50; i++)
		get(fd, "/status/200");
	hanging = function.tally->hanging;
	say(fd, "GET /hang HTTP/1.1\r\n\r\n");
	EVENTUALLY_EQ(function.tally->hanging, hanging + 1);
	usleep(20000);			/* what is measured here is time */
	function_release(&function);
	CHECK_EQ(hear(fd), 200);
	close(fd);
	agree(51);
	NEED(weir_map_histogram(latency, FUNCTION, then));
	for (i = 1; i <= WEIR_BUCKETS; i++) {
		samples += then[i] - first[i];
		if (i - 1 >= 8 * (14 - 2))	/* 16 384 us and more */
			slow += then[i] - first[i];
	}
	CHECK_EQ(samples, 51);
	CHECK(slow >= 1);
	CHECK(then[0] - first[0] >= 20000);
}

/* ---- slots ---- */

static int signalled(struct weir_ring *ring, struct weir_signal *last)
{
	struct weir_signal all[64];
	int n = weir_ring_read(ring, all, 64, 0);

	if (n > 0)
		*last = all[n - 1];
	return n;
}

static void asleep(void)
{
	struct weir_signal signal = {0};
	struct weir_ring *ring;
	int signals = map("signals"), fd, i;
	uint64_t since;

	mark("signals a connection to or bytes for an instance that is asleep");
	NEED(weir_ring_open(signals, &ring));
	fd = dial(&function, AF_INET);
	CHECK_EQ(get(fd, "/status/200"), 200);
	CHECK_EQ(signalled(ring, &signal), 0);
	put_instance(SLOT, FUNCTION, 1, WEIR_INSTANCE_LIVE | WEIR_INSTANCE_ASLEEP, place_id);
	since = weir_clock();
	CHECK_EQ(get(fd, "/status/200"), 200);
	CHECK_EQ(signalled(ring, &signal), 1);
	CHECK_EQ(signal.kind, WEIR_TOUCHED);
	CHECK_EQ(signal.slot, SLOT);
	CHECK_EQ(signal.function, FUNCTION);
	CHECK_EQ(signal.generation, 1);
	CHECK(signal.at_ns >= since && signal.at_ns <= weir_clock());
	usleep(12000);			/* until the next signal may come */
	close(dial(&function, AF_INET6));
	CHECK_EQ(signalled(ring, &signal), 1);
	for (i = 0; i < 200; i++)
		get(fd, "/status/200");
	CHECK(signalled(ring, &signal) < 100);
	put_instance(SLOT, FUNCTION, 1, WEIR_INSTANCE_LIVE, place_id);
	close(fd);
	agree(202);
	weir_ring_close(ring);
	weir_close(signals);
}

static void other_hands(void)
{
	struct weir_load load = {0};
	uint32_t slot = SLOT, other = SLOT + 1;
	struct weir_counters count;
	int fd, cgroups = map("cgroups");

	mark("counts nothing for a slot that has changed hands, and follows the container to its new slot");
	fd = dial(&function, AF_INET);
	CHECK_EQ(get(fd, "/status/200"), 200);
	NEED(weir_map_delete(cgroups, &place_id));
	put_instance(SLOT, FUNCTION, 2, WEIR_INSTANCE_LIVE, 0);
	NEED(weir_map_put(loads, &slot, &load, 0));
	CHECK_EQ(get(fd, "/status/200"), 200);
	CHECK_EQ(counted().requests, 1);
	CHECK_EQ(load_now().connections, 0);
	put_instance(other, FUNCTION, 1, WEIR_INSTANCE_LIVE, place_id);
	CHECK_EQ(get(fd, "/status/200"), 200);
	NEED(weir_map_read(counters, other, 1, sizeof(count), &count));
	CHECK_EQ(count.requests, 1);
	NEED(weir_map_read(loads, other, 1, sizeof(load), &load));
	CHECK_EQ(load.connections, 1);
	close(fd);
	do
		NEED(weir_map_read(loads, other, 1, sizeof(load), &load));
	while (load.connections);
	CHECK_EQ(load.in_flight, 0);
	CHECK_EQ(counted().requests, 1);
	put_instance(SLOT, FUNCTION, 3, WEIR_INSTANCE_LIVE, place_id);
	weir_close(cgroups);

	mark("meters a container below the cgroup that it is known by");
	{
		char name[64], below[400];
		struct function nested;
		uint64_t requests;

		snprintf(name, sizeof(name), "%.50s/below", place + strlen(cgroup) + 1);
		make_cgroup(name, below, sizeof(below));
		function_start(&nested, below);
		requests = counted().requests;
		fd = dial(&nested, AF_INET);
		CHECK_EQ(get(fd, "/status/200"), 200);
		CHECK_EQ(counted().requests, requests + 1);
		close(fd);
		function_kill(&nested);
	}
}

/* ---- cost ---- */

struct cost {
	uint64_t ns;
	uint64_t runs;
};

static struct cost cost_of_program(int fd)
{
	struct bpf_prog_info program = {0};
	uint32_t size = sizeof(program);

	NEED(bpf_obj_get_info_by_fd(fd, &program, &size));
	return (struct cost) { program.run_time_ns, program.run_cnt };
}

static struct cost cost_of(const char *name)
{
	struct bpf_link_info link = {0};
	uint32_t size = sizeof(link);
	struct cost cost;
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/link-%s", pins, name);
	fd = bpf_obj_get(path);
	NEED(fd);
	NEED(bpf_obj_get_info_by_fd(fd, &link, &size));
	close(fd);
	fd = bpf_prog_get_fd_by_id(link.prog_id);
	NEED(fd);
	cost = cost_of_program(fd);
	close(fd);
	return cost;
}

/* What the kernel says of a program that does nothing: the price of measuring a run. */
static void say_measuring(void)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int program = bpf_prog_load(BPF_PROG_TYPE_CGROUP_SKB, "weir_nothing", "GPL", code, 2, NULL), directory, link, fd, i;
	struct cost cost;

	NEED(program);
	directory = open(place, O_RDONLY | O_DIRECTORY);
	NEED(directory);
	link = bpf_link_create(program, directory, BPF_CGROUP_INET_INGRESS, NULL);
	NEED(link);
	fd = dial(&function, AF_INET);
	for (i = 0; i < 5000; i++)
		get(fd, "/status/200");
	close(fd);
	cost = cost_of_program(program);
	printf("cost, a run of a program that does nothing: %.0f ns\n", (double) cost.ns / (double) cost.runs);
	close(link);
	close(directory);
	close(program);
}

/* Not a test: what the kernel says its runs took, a kept connection and new ones. */
static void say_cost(const char *what, int requests, int per_connection)
{
	static const char *const names[] = { "in", "out", "life" };
	struct cost cost[3], after;
	int i, fd = -1;

	for (i = 0; i < 3; i++)
		cost[i] = cost_of(names[i]);
	for (i = 0; i < requests; i++) {
		if (i % per_connection == 0) {
			if (fd >= 0)
				close(fd);
			fd = dial(&function, AF_INET);
		}
		get(fd, "/status/200");
	}
	close(fd);
	EVENTUALLY_EQ(load_now().connections, 0);
	printf("cost, %s:", what);
	for (i = 0; i < 3; i++) {
		after = cost_of(names[i]);
		cost[i].ns = after.ns - cost[i].ns;
		cost[i].runs = after.runs - cost[i].runs;
		printf(" %s %.0f ns in %.2f runs,", names[i], (double) cost[i].ns / requests,
		       (double) cost[i].runs / requests);
	}
	printf(" together %.0f ns\n", (double) (cost[0].ns + cost[1].ns + cost[2].ns) / requests);
}

static void costs(void)
{
	int stats = bpf_enable_stats(BPF_STATS_RUN_TIME), i;

	NEED(stats);
	say_measuring();
	for (i = 0; i < 3; i++)
		say_cost("per request on a kept connection", 20000, 20000);
	for (i = 0; i < 3; i++)
		say_cost("per request on a new connection", 1000, 1);
	close(stats);
}

int main(int argc, char **argv)
{
	char programs[256];

	snprintf(programs, sizeof(programs), "%.240s/bpf", argc > 1 ? argv[1] : "target");
	setup(programs);
	meter = load("meter");
	NEED(weir_attach_cgroup(meter, "weir_meter_in", cgroup, pins, "in"));
	NEED(weir_attach_cgroup(meter, "weir_meter_out", cgroup, pins, "out"));
	NEED(weir_attach_cgroup(meter, "weir_meter_life", cgroup, pins, "life"));
	counters = map("counters");
	loads = map("loads");
	latency = map("latency");
	place_id = make_cgroup("function", place, sizeof(place));
	bring_up();

	keep_alive(AF_INET, "counts requests on one connection over IPv4");
	keep_alive(AF_INET6, "counts requests on one connection over IPv6");
	new_connections();
	early_requests();
	classes();
	pipelining();
	bodies();
	large_heads();
	split_requests();
	split_answers();
	interim();
	upgrade();
	other_protocols();
	silent();
	own_connections();
	aborts();
	killed();
	vanished_client();
	loss();
	bytes();
	latencies();
	asleep();
	other_hands();
	costs();
	function_kill(&function);
	weir_object_close(meter);
	return finish();
}
