// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Scenarios of shortcut.bpf.c; "test_shortcut OUT [bench]". */
#include "bed.h"
#include <sys/ioctl.h>
#include <sys/mman.h>

enum kind {
	ANSWER,			/* read the request, answer */
	ANSWER_CLOSE,		/* the same, then close at once */
	ANSWER_LAST,		/* read until the end of the stream, then answer and close */
	ANSWER_EARLY,		/* answer before the request's body is read */
	CLOSE_UNREAD,		/* close with the body unread */
	RESET,			/* answer half and reset */
	DIE,			/* answer half and be killed */
	HALF_CLOSE,		/* answer, shut the sending side down, keep reading to the end */
};

struct order {
	uint32_t kind, chunk, nap_us, nonblocking;
	uint64_t request, answer, seed;
};

static struct bpf_object *object;
static int port = 8080, http;

static uint8_t byte_at(uint64_t seed, uint64_t i)
{
	uint64_t x = (seed + i) * 0x9e3779b97f4a7c15ULL;

	return x >> 56;
}

static int send_all(int fd, const void *data, size_t size)
{
	const char *p = data;

	while (size) {
		ssize_t n = send(fd, p, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd wait = {fd, POLLOUT, 0};

			poll(&wait, 1, 60000);
			continue;
		}
		if (n <= 0)
			return -1;
		p += n;
		size -= n;
	}
	return 0;
}

/* 1: whole; 0: the stream ended before; -1: an error. */
static int read_all(int fd, void *data, size_t size)
{
	char *p = data;

	while (size) {
		ssize_t n = recv(fd, p, size, 0);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd wait = {fd, POLLIN, 0};

			if (poll(&wait, 1, 60000) != 1)
				return -2;
			continue;
		}
		if (n <= 0)
			return n;
		p += n;
		size -= n;
	}
	return 1;
}

static int send_pattern(int fd, uint64_t seed, uint64_t size, uint32_t chunk)
{
	static char buffer[1 << 20];
	uint64_t done = 0;

	while (done < size) {
		uint64_t n = size - done < chunk ? size - done : chunk;

		for (uint64_t i = 0; i < n; i++)
			buffer[i] = byte_at(seed, done + i);
		if (send_all(fd, buffer, n))
			return -1;
		done += n;
	}
	return 0;
}

static int read_pattern(int fd, uint64_t seed, uint64_t size, uint64_t *got)
{
	static uint8_t buffer[1 << 16];
	uint64_t done = 0;

	while (done < size) {
		uint64_t n = size - done < sizeof(buffer) ? size - done : sizeof(buffer);
		ssize_t r = recv(fd, buffer, n, 0);

		if (r < 0 && errno == EAGAIN) {
			struct pollfd wait = {fd, POLLIN, 0};

			if (poll(&wait, 1, 60000) != 1)
				return -2;
			continue;
		}
		if (r <= 0)
			return r;
		for (ssize_t i = 0; i < r; i++)
			if (buffer[i] != byte_at(seed, done + i))
				return -3;
		done += r;
		if (got)
			*got = done;
	}
	return 1;
}

static void serve_http(int fd);

static void serve(int fd)
{
	struct order order;
	char rest[4096];
	struct linger now = {1, 0};

	while (read_all(fd, &order, sizeof(order)) == 1) {
		fcntl(fd, F_SETFL, order.nonblocking ? O_NONBLOCK : 0);
		if (order.kind == CLOSE_UNREAD) {
			usleep(order.nap_us);
			break;
		}
		if (order.kind == ANSWER_EARLY && send_pattern(fd, order.seed, order.answer, order.chunk))
			break;
		if (order.nap_us)
			usleep(order.nap_us);
		if (read_pattern(fd, order.seed, order.request, NULL) != 1)
			_exit(3);
		if (order.kind == ANSWER_EARLY)
			continue;
		if (order.kind == ANSWER_LAST)
			while (recv(fd, rest, sizeof(rest), 0) > 0)
				;
		if (order.kind == RESET || order.kind == DIE) {
			send_pattern(fd, order.seed, order.answer / 2, order.chunk);
			if (order.kind == DIE)
				kill(getpid(), SIGKILL);
			usleep(order.nap_us);
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
			break;
		}
		if (send_pattern(fd, order.seed, order.answer, order.chunk))
			break;
		if (order.kind == ANSWER_CLOSE || order.kind == ANSWER_LAST)
			break;
		if (order.kind == HALF_CLOSE)
			shutdown(fd, SHUT_WR);
	}
	close(fd);
	_exit(0);
}

static pid_t server(int family)
{
	pid_t pid = fork();
	int listener;

	if (pid)
		return pid;
	enter(bed.function_ns);
	signal(SIGCHLD, SIG_IGN);
	listener = tcp_socket(family, NULL, port);
	listen(listener, 512);
	for (;;) {
		int fd = accept(listener, NULL, NULL), one = 1;

		if (fd < 0)
			_exit(1);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (!fork()) {
			close(listener);
			if (http)
				serve_http(fd);
			serve(fd);
		}
		close(fd);
	}
}

static int dial(int family)
{
	int fd = tcp_socket(family, NULL, 0);

	for (int i = 0; i < 6000; i++) {
		if (!tcp_connect(fd, family, FUNCTION_IP, port))
			return fd;
		usleep(10000);
		close(fd);
		fd = tcp_socket(family, NULL, 0);
	}
	die("connect");
}

/* What the kernel knows of a connection of the gateway; 0 if nothing. */
static int state_of(int fd, struct weir_shortcut *state)
{
	struct weir_pair pair;

	memset(&pair, 0, sizeof(pair));
	mapped(&pair.local, GATEWAY_IP);
	mapped(&pair.remote, FUNCTION_IP);
	pair.local_port = htons(local_port(fd));
	pair.remote_port = htons(port);
	return !bpf_map_lookup_elem(map_of(object, "shortcuts"), &pair, state);
}

static void expect_direct(int fd, int to, int wanted, const char *what)
{
	struct weir_shortcut state;

	if (!state_of(fd, &state)) {
		check(0, "%s: the connection is not known", what);
		return;
	}
	check((state.way[to] == WEIR_WAY_DIRECT) == wanted, "%s: way %u after %llu direct messages", what, state.way[to],
	      (unsigned long long)state.direct[to]);
}

static int talk(int fd, struct order *order)
{
	if (send_all(fd, order, sizeof(*order)) ||
	    send_pattern(fd, order->seed, order->request, order->chunk))
		return -1;
	return read_pattern(fd, order->seed, order->answer, NULL);
}

static uint64_t entries(const char *map)
{
	struct weir_pair key, next;
	int fd = map_of(object, map), any = 0;
	uint64_t n = 0;

	while (!bpf_map_get_next_key(fd, any ? &key : NULL, &next)) {
		key = next;
		any = 1;
		n++;
	}
	return n;
}

static void set(uint64_t netns, uint32_t budget)
{
	struct weir_shortcut_settings settings = {.netns = netns, .budget = budget};
	uint32_t zero = 0;

	bpf_map_update_elem(map_of(object, "shortcut_settings"), &zero, &settings, 0);
}

static uint64_t cookie(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	uint64_t value = 0;
	socklen_t length = sizeof(value);

	getsockopt(fd, SOL_SOCKET, 71 /* SO_NETNS_COOKIE */, &value, &length);
	close(fd);
	return value;
}

static void keep_alive(int family, int count)
{
	int fd = dial(family);
	struct order order = {.kind = ANSWER, .chunk = 65536};
	struct weir_shortcut state;

	for (int i = 0; i < count; i++) {
		order.seed = i;
		order.request = i % 97;
		order.answer = 1 + i % 331;
		order.nonblocking = i / 1000 % 2;
		if (talk(fd, &order) != 1) {
			check(0, "keep-alive request %d", i);
			break;
		}
	}
	expect_direct(fd, WEIR_TO_FUNCTION, 1, "keep-alive request");
	expect_direct(fd, WEIR_TO_GATEWAY, 1, "keep-alive answer");
	if (state_of(fd, &state))
		printf("  keep-alive: %llu and %llu direct messages\n", (unsigned long long)state.direct[0],
		       (unsigned long long)state.direct[1]);
	close(fd);
}

static void large(int family, uint64_t size, int nonblocking)
{
	struct order order = {.kind = ANSWER, .chunk = 1 << 20, .seed = 7, .request = size, .answer = 10, .nonblocking = nonblocking};
	int fd = dial(family);

	check(talk(fd, &order) == 1, "%llu bytes up", (unsigned long long)size);
	expect_direct(fd, WEIR_TO_FUNCTION, 0, "large request");
	expect_direct(fd, WEIR_TO_GATEWAY, 1, "small answer to a large request");
	order.request = 10;
	order.answer = size;
	check(talk(fd, &order) == 1, "%llu bytes down", (unsigned long long)size);
	expect_direct(fd, WEIR_TO_GATEWAY, 0, "large answer");
	order.answer = 20;
	for (int i = 0; i < 100; i++)
		check(talk(fd, &order) == 1, "small after large");
	close(fd);
}

/* Sizes around the budget in random order, readers that lag: nothing may overtake. */
static void mixed(int family, unsigned seed, int count)
{
	static const uint64_t sizes[] = {1, 100, 4000, 8191, 8192, 8193, 16000, 65536, 300000};
	int fd = dial(family);

	for (int i = 0; i < count; i++) {
		struct order order = {.kind = rand_r(&seed) % 2 ? ANSWER : ANSWER_EARLY, .chunk = 1 + rand_r(&seed) % 20000,
				      .nap_us = rand_r(&seed) % 4 ? 0 : rand_r(&seed) % 3000,
				      .nonblocking = rand_r(&seed) % 2, .seed = rand_r(&seed),
				      .request = sizes[rand_r(&seed) % 9], .answer = sizes[rand_r(&seed) % (i < count / 2 ? 4 : 9)]};
		int result = talk(fd, &order);

		if (result != 1) {
			check(0, "mixed %d: result %d, request %llu answer %llu chunk %u", i, result,
			      (unsigned long long)order.request, (unsigned long long)order.answer, order.chunk);
			break;
		}
	}
	close(fd);
}

static void parallel(int family, int connections)
{
	pid_t pids[128];
	int status;

	for (int i = 0; i < connections; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			mixed(family, 1000 + i, 20);
			_exit(failures != 0);
		}
	}
	for (int i = 0; i < connections; i++) {
		waitpid(pids[i], &status, 0);
		check(!status, "parallel connection %d", i);
	}
}

static void ends(int family)
{
	struct order order = {.chunk = 65536, .seed = 3, .request = 500, .answer = 6000};
	uint64_t got;
	char one;
	int fd, result;

	/* the function closes with its answer unread */
	fd = dial(family);
	order.kind = ANSWER_CLOSE;
	send_all(fd, &order, sizeof(order));
	send_pattern(fd, order.seed, order.request, order.chunk);
	usleep(50000);
	check(read_pattern(fd, order.seed, order.answer, NULL) == 1, "answer before close");
	check(recv(fd, &one, 1, 0) == 0, "end after the answer");
	close(fd);

	/* the gateway half-closes after its request, the function answers then */
	fd = dial(family);
	order.kind = ANSWER_LAST;
	send_all(fd, &order, sizeof(order));
	send_pattern(fd, order.seed, order.request, order.chunk);
	shutdown(fd, SHUT_WR);
	usleep(50000);
	check(read_pattern(fd, order.seed, order.answer, NULL) == 1, "answer after half-close");
	check(recv(fd, &one, 1, 0) == 0, "end after the answer to a half-close");
	close(fd);

	/* the gateway half-closes while the answer is unread and the function has closed */
	fd = dial(family);
	order.kind = ANSWER_CLOSE;
	send_all(fd, &order, sizeof(order));
	send_pattern(fd, order.seed, order.request, order.chunk);
	usleep(50000);
	shutdown(fd, SHUT_WR);
	usleep(50000);
	got = 0;
	result = read_pattern(fd, order.seed, order.answer, &got);
	printf("  half-close over an unread answer: result %d, %llu of %llu bytes\n", result, (unsigned long long)got,
	       (unsigned long long)order.answer);
	close(fd);

	/* the same the other way round: half-close first, the answer comes by a race */
	for (int i = 0, lost = 0; i < 200; i++) {
		fd = dial(family);
		send_all(fd, &order, sizeof(order));
		send_pattern(fd, order.seed, order.request, order.chunk);
		shutdown(fd, SHUT_WR);
		usleep(i % 2 * 500);
		lost += read_pattern(fd, order.seed, order.answer, NULL) != 1;
		close(fd);
		if (i == 199)
			printf("  half-close racing with answer and close: %d of 200 answers lost\n", lost);
	}

	/* the function half-closes after its answer */
	fd = dial(family);
	order.kind = HALF_CLOSE;
	send_all(fd, &order, sizeof(order));
	send_pattern(fd, order.seed, order.request, order.chunk);
	usleep(20000);
	check(read_pattern(fd, order.seed, order.answer, NULL) == 1, "answer before the function's half-close");
	check(recv(fd, &one, 1, 0) == 0, "end by the function's half-close");
	close(fd);

	/* reset, with half the answer sent */
	for (int nap = 0; nap < 2; nap++) {
		fd = dial(family);
		order.kind = RESET;
		order.nap_us = nap * 20000;
		send_all(fd, &order, sizeof(order));
		send_pattern(fd, order.seed, order.request, order.chunk);
		usleep(10000);
		got = 0;
		result = read_pattern(fd, order.seed, order.answer, &got);
		check(result == 0 || (result == -1 && errno == ECONNRESET), "reset: result %d errno %d", result, errno);
		check(got <= order.answer / 2, "more than was sent before the reset");
		printf("  reset %s: result %d, %llu bytes of %llu\n", nap ? "while reading" : "before reading", result,
		       (unsigned long long)got, (unsigned long long)order.answer / 2);
		close(fd);
	}

	/* killed in the middle of an answer */
	fd = dial(family);
	order.kind = DIE;
	send_all(fd, &order, sizeof(order));
	send_pattern(fd, order.seed, order.request, order.chunk);
	usleep(20000);
	got = 0;
	result = read_pattern(fd, order.seed, order.answer, &got);
	check(result == 0 && got == order.answer / 2, "killed: result %d, %llu bytes", result, (unsigned long long)got);
	close(fd);

	/* the function closes with the request unread; then we send on */
	fd = dial(family);
	order.kind = CLOSE_UNREAD;
	order.nap_us = 20000;
	send_all(fd, &order, sizeof(order));
	send_pattern(fd, order.seed, order.request, order.chunk);
	result = recv(fd, &one, 1, 0);
	check(result == 0 || errno == ECONNRESET, "closed unread: result %d errno %d", result, errno);
	check(eventually(send_pattern(fd, 1, 10, 10)), "no error from sending to a closed connection");
	close(fd);

	/* the gateway closes while the function still has to read all of it */
	order.kind = ANSWER;
	order.nap_us = 20000;
	for (int i = 0; i < 20; i++) {
		fd = dial(family);
		send_all(fd, &order, sizeof(order));
		send_pattern(fd, order.seed, order.request, order.chunk);
		close(fd);
	}

	/* reset by the gateway */
	fd = dial(family);
	send_all(fd, &order, sizeof(order));
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
	close(fd);
	eventually(!entries("shortcuts") && !entries("shortcut_sockets"));
	check(entries("shortcuts") == 0, "%llu connections remembered after their end", (unsigned long long)entries("shortcuts"));
	check(entries("shortcut_sockets") == 0, "sockets left in the sockhash");
}

/* What other ways of reading see of bytes that came directly; said, not judged: the kernel decides. */
static void other_readers(int family)
{
	struct order order = {.kind = ANSWER, .chunk = 100, .request = 10, .answer = 200};
	int fd = dial(family), unread = -1, pipes[2];
	char data[200];
	ssize_t peeked, spliced, whole;

	if (pipe(pipes))
		die("pipe");
	send_all(fd, &order, sizeof(order));
	send_pattern(fd, order.seed, order.request, order.chunk);
	usleep(20000);
	ioctl(fd, FIONREAD, &unread);
	peeked = recv(fd, data, sizeof(data), MSG_PEEK);
	fcntl(fd, F_SETFL, O_NONBLOCK);		/* or splice waits for ever */
	spliced = splice(fd, NULL, pipes[1], NULL, 200, SPLICE_F_NONBLOCK);
	fcntl(fd, F_SETFL, 0);
	if (spliced > 0)
		check(read(pipes[0], data, spliced) == spliced, "spliced");
	whole = spliced > 0 ? 200 - spliced : recv(fd, data, 200, MSG_WAITALL);
	printf("  other readers: FIONREAD %d, MSG_PEEK %zd, splice %zd, MSG_WAITALL %zd of 200\n", unread, peeked, spliced, whole);
	order.nap_us = 5000;
	order.answer = 100;
	send_all(fd, &order, sizeof(order));
	send_pattern(fd, order.seed, order.request, order.chunk);
	order.seed++;
	send_all(fd, &order, sizeof(order));
	send_pattern(fd, order.seed, order.request, order.chunk);
	whole = recv(fd, data, 200, MSG_WAITALL);
	printf("  MSG_WAITALL over two messages that come 5 ms apart: %zd of 200\n", whole);
	close(pipes[0]);
	close(pipes[1]);
	close(fd);
}

static void first_byte_race(int family, int count)
{
	struct order order = {.kind = ANSWER, .chunk = 100, .request = 10, .answer = 10};
	struct weir_shortcut state;
	int missed = 0;

	for (int i = 0; i < count; i++) {
		int fd = dial(family);

		check(talk(fd, &order) == 1, "first request");
		if (!state_of(fd, &state) || state.way[0] || state.way[1])
			missed++;
		close(fd);
	}
	printf("  of %d new connections %d went by TCP\n", count, missed);
}

/* ---- HTTP, for the counts ---- */

static struct counted {
	volatile uint32_t requests, answers;
} *counted;

/* Answers with as many bytes as header x-answer says and by status x-status; 0: closes without an answer. */
static void serve_http(int fd)
{
	static char data[1 << 20], out[1 << 20];
	size_t have = 0;

	for (;;) {
		char *end = memmem(data, have, "\r\n\r\n", 4), *p;
		long body = 0, size, status;
		ssize_t n;

		if (end) {
			p = memmem(data, end - data, "content-length: ", 16);
			body = p ? atol(p + 16) : 0;
		}
		if (!end || have < (size_t)(end + 4 - data) + body) {
			n = recv(fd, data + have, sizeof(data) - have, 0);
			if (n <= 0)
				break;
			have += n;
			continue;
		}
		__sync_fetch_and_add(&counted->requests, 1);
		p = memmem(data, end - data, "x-answer: ", 10);
		size = atol(p + 10);
		p = memmem(data, end - data, "x-status: ", 10);
		status = atol(p + 10);
		have -= end + 4 + body - data;
		memmove(data, end + 4 + body, have);
		if (!status)
			break;
		if (status == 201)
			send_all(fd, "HTTP/1.1 100 Continue\r\n\r\n", 25);
		n = sprintf(out, "HTTP/1.1 %ld Fine\r\ncontent-length: %ld\r\n\r\n", status, size);
		memset(out + n, 'a', size);
		if (status == 202) {		/* a status line in pieces */
			send_all(fd, out, 5);
			send_all(fd, out + 5, n - 5);
			send_all(fd, out + n, size);
		} else {
			send_all(fd, out, n + size);
		}
		__sync_fetch_and_add(&counted->answers, 1);
	}
	close(fd);
	_exit(0);
}

static int ask(int fd, const char *method, uint32_t body, uint32_t answer, int status, int pieces)
{
	static char data[1 << 20];
	int n = sprintf(data, "%s / HTTP/1.1\r\ncontent-length: %u\r\nx-answer: %u\r\nx-status: %d\r\n\r\n", method, body, answer, status);
	size_t have = 0;

	/* a body that would be taken for requests */
	if (pieces == 2) {
		send_all(fd, data, 2);
		send_all(fd, data + 2, n - 2);
	} else {
		send_all(fd, data, n);
	}
	for (uint32_t sent = 0; sent < body;) {
		char chunk[4000] = "GET / HTTP/1.1\r\n\r\nPOST ";
		uint32_t size = body - sent < sizeof(chunk) ? body - sent : sizeof(chunk);

		if (send_all(fd, chunk, size))
			return -1;
		sent += size;
	}
	for (;;) {
		ssize_t r = recv(fd, data + have, sizeof(data) - have, 0);
		char *end;

		if (r <= 0)
			return status ? -1 : 0;
		have += r;
		data[have] = 0;
		if (!strncmp(data, "HTTP/1.1 100", 12) && (end = memmem(data, have, "\r\n\r\n", 4))) {
			have -= end + 4 - data;
			memmove(data, end + 4, have);
		}
		end = memmem(data, have, "\r\n\r\n", 4);
		if (end && have >= (size_t)(end + 4 - data) + answer)
			return 0;
	}
}

static void count_of(uint32_t slot, struct weir_counters *total)
{
	int cpus = libbpf_num_possible_cpus(), fd = map_of(object, "counters");
	struct weir_counters each[cpus];

	memset(total, 0, sizeof(*total));
	bpf_map_lookup_elem(fd, &slot, each);
	for (int c = 0; c < cpus; c++)
		for (unsigned w = 0; w < sizeof(*total) / 8; w++)
			((uint64_t *)total)[w] += ((uint64_t *)&each[c])[w];
}

/* What the meter says after requests that went directly, by TCP, and both, is what the function says. */
static void counts(const char *out)
{
	struct bpf_object *meter = load(out, "meter");
	struct weir_counters total;
	struct weir_load now = {0};
	struct stat inode;
	uint32_t slot = 5;
	uint64_t id;
	pid_t pid;
	int fd = -1, old = port;

	attach(meter, "weir_meter_in", bed.cgroup, BPF_CGROUP_INET_INGRESS, BPF_F_ALLOW_MULTI);
	attach(meter, "weir_meter_out", bed.cgroup, BPF_CGROUP_INET_EGRESS, BPF_F_ALLOW_MULTI);
	attach(meter, "weir_meter_life", bed.cgroup, BPF_CGROUP_SOCK_OPS, BPF_F_ALLOW_MULTI);
	fstat(bed.cgroup, &inode);
	id = inode.st_ino;
	bpf_map_update_elem(map_of(meter, "cgroups"), &id, &slot, 0);
	counted = mmap(NULL, sizeof(*counted), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	http = 1;
	pid = server(AF_INET6);
	count_of(slot, &total);
	check(!total.requests, "%llu requests counted where there were none", (unsigned long long)total.requests);
	for (int direct = 0; direct < 2; direct++) {
		set(direct ? cookie() : 0, 8192);
		for (int i = 0; i < 600; i++) {
			if (i % 50 == 0) {
				if (fd >= 0)
					close(fd);
				fd = dial(i % 100 ? AF_INET : AF_INET6);
			}
			check(!ask(fd, i % 3 ? "POST" : "GET", i % 50 == 40 ? 100000 : i % 7 * 900, i % 50 == 45 ? 50000 : i % 11 * 500,
				   i % 10 == 3 ? 404 : i % 10 == 5 ? 201 : i % 10 == 7 ? 202 : 200, 1 + (i % 4 == 1)), "request %d", i);
		}
		for (int i = 0; i < 10; i++) {
			close(fd);
			fd = dial(AF_INET);
			check(!ask(fd, "POST", i * 3000, 10, 0, 1), "aborted request %d", i);
		}
	}
	close(fd);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	eventually(!bpf_map_lookup_elem(map_of(object, "loads"), &slot, &now) && !now.connections);
	count_of(slot, &total);
	check(total.requests == counted->requests, "%llu requests of %u", (unsigned long long)total.requests, counted->requests);
	check(total.responses[WEIR_2XX] + total.responses[WEIR_4XX] == counted->answers && total.responses[WEIR_4XX] == 120,
	      "%llu and %llu answers of %u", (unsigned long long)total.responses[WEIR_2XX],
	      (unsigned long long)total.responses[WEIR_4XX], counted->answers);
	check(total.aborts == 20, "%llu aborts", (unsigned long long)total.aborts);
	check(!now.in_flight && !now.connections, "%lld in flight, %lld connections", (long long)now.in_flight, (long long)now.connections);
	check(!total.pipelined && !total.other, "%llu pipelined, %llu other", (unsigned long long)total.pipelined,
	      (unsigned long long)total.other);
	printf("  counts: %llu requests, %llu aborts, %llu bytes in, %llu out\n", (unsigned long long)total.requests,
	       (unsigned long long)total.aborts, (unsigned long long)total.bytes_in, (unsigned long long)total.bytes_out);
	port = old;
	http = 0;
	tested();
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* Answers each 100 bytes by 100 bytes, on all connections, until they are closed. */
static pid_t bench_server(int connections)
{
	struct pollfd fds[64];
	pid_t pid = fork();
	char buffer[256];
	int listener, open = connections;

	if (pid)
		return pid;
	pin(1);
	enter(bed.function_ns);
	listener = tcp_socket(AF_INET6, NULL, port);
	listen(listener, 512);
	for (int i = 0; i < connections; i++) {
		int one = 1;

		fds[i] = (struct pollfd){accept(listener, NULL, NULL), POLLIN, 0};
		setsockopt(fds[i].fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	}
	while (open && poll(fds, connections, -1) > 0)
		for (int i = 0; i < connections; i++) {
			if (!fds[i].revents)
				continue;
			if (recv(fds[i].fd, buffer, sizeof(buffer), 0) <= 0) {
				close(fds[i].fd);
				fds[i].fd = -1;
				open--;
			} else {
				send_all(fds[i].fd, buffer, 100);
			}
		}
	_exit(0);
}

/* CPU seconds of both sides for 100 000 requests; as many in flight as there are connections. */
static double bench(int connections, int count, double *mean_us)
{
	struct rusage before, after, child;
	char buffer[256] = {0};
	int fds[64];
	uint64_t start;
	pid_t pid = bench_server(connections);

	for (int i = 0; i < connections; i++)
		fds[i] = dial(AF_INET6);
	getrusage(RUSAGE_SELF, &before);
	start = now_ns();
	for (int i = 0; i < count; i += connections) {
		for (int c = 0; c < connections; c++)
			send_all(fds[c], buffer, 100);
		for (int c = 0; c < connections; c++)
			read_all(fds[c], buffer, 100);
	}
	*mean_us = (now_ns() - start) / 1e3 / count * connections;
	getrusage(RUSAGE_SELF, &after);
	for (int i = 0; i < connections; i++)
		close(fds[i]);
	wait4(pid, NULL, 0, &child);
	return (cpu_of(&after) - cpu_of(&before) + cpu_of(&child)) * 1e5 / count;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void compare(int connections, int rounds)
{
	double cpu[2][16], mean[2][16];

	for (int i = 0; i < 2 * rounds; i++) {
		set(i % 2 ? cookie() : 0, 8192);
		cpu[i % 2][i / 2] = bench(connections, 48000, &mean[i % 2][i / 2]);
	}
	for (int on = 0; on < 2; on++) {
		qsort(cpu[on], rounds, sizeof(double), by_value);
		qsort(mean[on], rounds, sizeof(double), by_value);
	}
	printf("%d connections: TCP %.2f CPU-s/100k, %.1f us; direct %.2f CPU-s/100k, %.1f us; ratio %.2f\n", connections,
	       cpu[0][rounds / 2], mean[0][rounds / 2], cpu[1][rounds / 2], mean[1][rounds / 2],
	       cpu[1][rounds / 2] / cpu[0][rounds / 2]);
}

int main(int argc, char **argv)
{
	struct weir_instance instance = {.flags = WEIR_INSTANCE_LIVE, .generation = 3};
	static const int families[][2] = {{AF_INET, AF_INET}, {AF_INET6, AF_INET6}, {AF_INET6, AF_INET}, {AF_INET, AF_INET6}};
	struct weir_target target = {0};
	uint32_t slot = 5;

	if (argc < 2)
		return 2;
	bed_up();
	object = load(argv[1], "shortcut");
	attach(object, "weir_shortcut", bed.cgroup, BPF_CGROUP_SOCK_OPS, BPF_F_ALLOW_MULTI);
	attach(object, "weir_shortcut_send", map_of(object, "shortcut_sockets"), BPF_SK_MSG_VERDICT, 0);
	bpf_map_update_elem(map_of(object, "instances"), &slot, &instance, 0);
	mapped(&target.address, FUNCTION_IP);
	target.port = htons(port);
	bpf_map_update_elem(map_of(object, "targets"), &target, &slot, 0);
	enter(bed.gateway_ns);
	set(cookie(), 8192);
	if (argc > 2 && !strcmp(argv[2], "bench")) {
		pin(0);
		compare(1, 5);
		compare(16, 5);
		return 0;
	}
	for (int f = 0; f < 4; f++) {
		int client = families[f][0];
		pid_t pid = server(families[f][1]);

		printf("gateway %s, function %s\n", client == AF_INET ? "IPv4" : "IPv6", families[f][1] == AF_INET ? "IPv4" : "IPv6");
		keep_alive(client, f ? 2000 : 100000);
		tested();
		large(client, 1 << 20, 0);
		large(client, 10 << 20, 1);
		tested();
		for (int i = 0; i < 5; i++)
			mixed(client, i, 100);
		tested();
		if (f < 2) {
			parallel(client, 100);
			tested();
		}
		ends(client);
		tested();
		first_byte_race(client, 300);
		if (!f)
			other_readers(client);
		tested();
		kill(pid, SIGTERM);
		waitpid(pid, NULL, 0);
	}
	counts(argv[1]);
	printf("= %d passed, %d failed\n", passed, failures);
	return failures != 0;
}
