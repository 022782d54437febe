// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What functions may reach, and that they are heard when they listen. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "harness.h"

#define SLOT 2
#define FUNCTION 9

static char place[300];

static void allow(uint32_t function, const char *address, uint32_t bits, uint16_t first, uint16_t second)
{
	struct weir_prefix key = { .length = 32 + bits, .function = htonl(function) };
	struct weir_egress value = { .port = { htons(first), htons(second) } };
	int egress = map("egress");

	NEED(inet_pton(AF_INET6, address, &key.address) == 1 ? 0 : -EINVAL);
	NEED(weir_map_put(egress, &key, &value, 0));
	weir_close(egress);
}

/* What connect (or sendto) says in a process of its own inside the cgroup where: 0 or errno. */
static int attempt(const char *where, int type, const char *address, uint16_t port)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };
	int is_four = inet_pton(AF_INET, address, &four.sin_addr) == 1, status;
	struct sockaddr *to = is_four ? (struct sockaddr *) &four : (struct sockaddr *) &six;
	socklen_t size = is_four ? sizeof(four) : sizeof(six);
	pid_t pid;

	if (!is_four)
		NEED(inet_pton(AF_INET6, address, &six.sin6_addr) == 1 ? 0 : -EINVAL);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		int fd, err;

		enter_cgroup(where);	/* before there is a socket, because that stays where it was made */
		fd = socket(is_four ? AF_INET : AF_INET6, type == SOCK_RAW ? SOCK_DGRAM : type, 0);
		if (type == SOCK_DGRAM)
			err = sendto(fd, "x", 1, 0, to, size) < 0 ? errno : 0;
		else			/* SOCK_RAW stands for a connected datagram socket here */
			err = connect(fd, to, size) ? errno : 0;
		_exit(err);
	}
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static uint64_t denied(void)
{
	int notes = map("notes");
	uint64_t count;

	NEED(weir_map_read(notes, WEIR_NOTE_DENIED_EGRESS, 1, sizeof(count), &count));
	weir_close(notes);
	return count;
}

static void egress(void)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_RAW };
	char free_place[300], below[400];
	uint32_t slot = SLOT;
	uint64_t before, netns;
	int homes = map("homes");
	size_t i;

	test("denies a function everything by default, over TCP and UDP, IPv4 and IPv6");
	before = denied();
	for (i = 0; i < 3; i++) {
		CHECK_EQ(attempt(place, types[i], "10.1.0.1", 80), EPERM);
		CHECK_EQ(attempt(place, types[i], "fd00::1", 80), EPERM);
		CHECK_EQ(attempt(place, types[i], "::ffff:10.1.0.1", 80), EPERM);
	}
	CHECK_EQ(denied(), before + 9);

	test("allows a function its own loopback");
	CHECK_EQ(attempt(place, SOCK_STREAM, "127.0.0.1", 1), ECONNREFUSED);
	CHECK_EQ(attempt(place, SOCK_STREAM, "127.1.2.3", 1), ECONNREFUSED);
	CHECK_EQ(attempt(place, SOCK_STREAM, "0.0.0.0", 1), ECONNREFUSED);
	CHECK_EQ(attempt(place, SOCK_STREAM, "::1", 1), ECONNREFUSED);
	CHECK_EQ(attempt(place, SOCK_STREAM, "::", 1), ECONNREFUSED);
	CHECK_EQ(attempt(place, SOCK_STREAM, "::ffff:127.0.0.1", 1), ECONNREFUSED);
	CHECK_EQ(attempt(place, SOCK_DGRAM, "127.0.0.1", 1), 0);

	test("allows what is listed for the function, in IPv6 clothes, too");
	allow(FUNCTION, "::ffff:10.0.0.0", 96 + 8, 0, 0);
	allow(FUNCTION, "::ffff:192.168.1.10", 128, 443, 8443);
	allow(FUNCTION, "fd00::", 16, 0, 0);
	allow(FUNCTION + 1, "::", 0, 0, 0);
	CHECK_EQ(attempt(place, SOCK_STREAM, "10.1.0.1", 80), ECONNREFUSED);
	CHECK_EQ(attempt(place, SOCK_STREAM, "::ffff:10.1.0.1", 80), ECONNREFUSED);
	CHECK_EQ(attempt(place, SOCK_DGRAM, "10.1.0.1", 80), 0);
	CHECK_EQ(attempt(place, SOCK_STREAM, "fd00::1", 80), ECONNREFUSED);
	CHECK_EQ(attempt(place, SOCK_STREAM, "192.168.1.10", 443), ECONNREFUSED);
	CHECK_EQ(attempt(place, SOCK_STREAM, "192.168.1.10", 8443), ECONNREFUSED);
	CHECK_EQ(attempt(place, SOCK_STREAM, "192.168.1.10", 80), EPERM);
	CHECK_EQ(attempt(place, SOCK_STREAM, "192.168.1.11", 443), EPERM);

	test("denies as much to processes below a function's");
	make_cgroup("function/below", below, sizeof(below));
	CHECK_EQ(attempt(below, SOCK_STREAM, "192.168.1.11", 443), EPERM);

	test("denies a process of no known instance everything but loopback");
	before = denied();
	make_cgroup("free", free_place, sizeof(free_place));
	CHECK_EQ(attempt(free_place, SOCK_STREAM, "10.1.0.1", 80), EPERM);
	CHECK_EQ(attempt(free_place, SOCK_DGRAM, "fd00::1", 80), EPERM);
	CHECK_EQ(attempt(free_place, SOCK_STREAM, "127.0.0.1", 1), ECONNREFUSED);
	CHECK_EQ(denied(), before + 2);

	test("knows an instance by its network namespace before it has a cgroup");
	NEED(weir_netns_cookie(NULL, &netns));
	NEED(weir_map_put(homes, &netns, &slot, 0));
	CHECK_EQ(attempt(free_place, SOCK_STREAM, "10.1.0.1", 80), ECONNREFUSED);
	CHECK_EQ(attempt(free_place, SOCK_STREAM, "192.168.1.11", 443), EPERM);
	NEED(weir_map_delete(homes, &netns));
	CHECK_EQ(attempt(free_place, SOCK_STREAM, "10.1.0.1", 80), EPERM);
	weir_close(homes);

	test("allows everything with one entry");
	allow(FUNCTION, "::", 0, 0, 0);
	CHECK_EQ(attempt(place, SOCK_STREAM, "192.168.1.11", 443), ECONNREFUSED);
}

static void listens(int family, struct weir_ring *ring)
{
	struct weir_signal signal = {0};
	uint16_t port[1];
	uint64_t cookie;
	int told[2];

	NEED(pipe(told));
	NEED(weir_netns_cookie(NULL, &cookie));
	fflush(stdout);
	if (!fork()) {
		struct sockaddr_in6 address = { .sin6_family = (sa_family_t) family };
		socklen_t size = sizeof(address);
		int fd;

		enter_cgroup(place);
		fd = socket(family, SOCK_STREAM, 0);
		NEED(bind(fd, (struct sockaddr *) &address, size));
		NEED(listen(fd, 1));
		NEED(getsockname(fd, (struct sockaddr *) &address, &size));
		NEED(write(told[1], &address.sin6_port, 2));
		_exit(0);
	}
	NEED(read(told[0], port, 2));
	wait(NULL);
	CHECK_EQ(weir_ring_read(ring, &signal, 1, 10000), 1);
	CHECK_EQ(signal.kind, WEIR_LISTENS);
	CHECK_EQ(signal.port, port[0]);
	CHECK_EQ(signal.family, family);
	CHECK_EQ(signal.netns, cookie);
	CHECK(signal.at_ns && signal.at_ns <= weir_clock());
	CHECK_EQ(weir_ring_read(ring, &signal, 1, 0), 0);
	close(told[0]);
	close(told[1]);
}

int main(int argc, char **argv)
{
	static const char *const hooks[] = { "connect4", "connect6", "sendmsg4", "sendmsg6" };
	struct weir_object *object, *listener;
	struct weir_ring *ring;
	char programs[256], name[64];
	uint64_t id;
	size_t i;

	snprintf(programs, sizeof(programs), "%.200s/bpf", argc > 1 ? argv[1] : "target");
	setup(programs);
	shell("for a in 10.1.0.1/32 192.168.1.10/32 192.168.1.11/32; do ip addr add $a dev lo; done; "
	      "ip -6 addr add fd00::1/128 dev lo nodad");
	object = load("egress");
	for (i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "weir_egress_%s", hooks[i]);
		NEED(weir_attach_cgroup(object, name, cgroup, pins, hooks[i]));
	}
	id = make_cgroup("function", place, sizeof(place));
	put_instance(SLOT, FUNCTION, 1, WEIR_INSTANCE_LIVE, id);
	egress();

	test("says where a process listens, once");
	listener = load("listen");
	NEED(weir_attach_cgroup(listener, "weir_listen", cgroup, pins, "listen"));
	NEED(weir_ring_open(map("signals"), &ring));
	listens(AF_INET, ring);
	listens(AF_INET6, ring);
	weir_ring_close(ring);
	weir_object_close(listener);
	weir_object_close(object);
	return finish();
}
