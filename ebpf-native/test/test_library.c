// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Every entry point of the library against this kernel. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "harness.h"
#include "internal.h"

static struct weir_object *parts;
static char out[240];

static void load_parts(void)
{
	char path[256];

	snprintf(path, sizeof(path), "%.200s/test/parts.bpf.o", out);
	NEED(weir_object_load(path, pins, 0, 0, &parts));
}

static int program(const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(parts->bpf, name));
}

static uint64_t note(enum weir_note which)
{
	uint64_t count;
	int notes = map("notes");

	NEED(weir_map_read(notes, which, 1, sizeof(count), &count));
	weir_close(notes);
	return count;
}

static int exists(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", pins, name);
	return !access(path, F_OK);
}

/* A datagram to oneself: one packet through lo and into this cgroup. */
static void ping(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char byte;

	NEED(bind(fd, (struct sockaddr *) &address, sizeof(address)));
	NEED(getsockname(fd, (struct sockaddr *) &address, &size));
	NEED(sendto(fd, "x", 1, 0, (struct sockaddr *) &address, size));
	NEED(recv(fd, &byte, 1, 0));
	close(fd);
}

/* ---- objects ---- */

static int logged;
static char last_log[256];

static void keep_log(int level, const char *text)
{
	(void) level;
	logged++;
	snprintf(last_log, sizeof(last_log), "%s", text);
}

static void objects(void)
{
	struct weir_object *object;
	char path[256], fresh[192];
	struct stat status;

	test("loads an object and pins its maps by name");
	CHECK_EQ(weir_ebpf_abi(), WEIR_EBPF_ABI);
	load_parts();
	CHECK(exists("notes") && exists("counters") && exists("layout"));
	CHECK(weir_object_map(parts, "notes") >= 0);
	CHECK_EQ(weir_object_map(parts, "nothing"), -ENOENT);
	CHECK_EQ(weir_map_open(pins, "nothing"), -ENOENT);
	CHECK_EQ(weir_map_open(pins, "../x"), -EINVAL);

	test("says why an object cannot be loaded");
	weir_ebpf_log(keep_log);
	CHECK_EQ(weir_object_load("/nowhere.bpf.o", pins, 0, 0, &object), -ENOENT);
	CHECK(logged > 0);
	CHECK(strlen(last_log) && last_log[strlen(last_log) - 1] != '\n');
	weir_ebpf_log(NULL);
	CHECK_EQ(weir_object_load("/nowhere.bpf.o", pins, 0, 0, &object), -ENOENT);

	test("shares maps of the same layout only");
	snprintf(path, sizeof(path), "%.200s/test/parts.bpf.o", out);
	NEED(weir_object_load(path, pins, 0, 0, &object));
	weir_object_close(object);
	CHECK_EQ(weir_object_load(path, pins, 0, 16, &object), -EEXIST);
	CHECK_EQ(weir_object_load(path, pins, 16, 0, &object), -EEXIST);

	test("changes the sizes of maps in a pin directory of its own, and removes that");
	snprintf(fresh, sizeof(fresh), "%s-small", pins);
	CHECK_EQ(weir_bpffs_mount(fresh), 0);
	CHECK_EQ(weir_bpffs_mount(fresh), 0);
	NEED(weir_object_load(path, fresh, 8, 16, &object));
	{
		struct weir_load load;
		int loads = weir_map_open(fresh, "loads");

		CHECK_EQ(weir_map_read(loads, 15, 1, sizeof(load), &load), 0);
		CHECK_EQ(weir_map_read(loads, 16, 1, sizeof(load), &load), -ENOENT);
		weir_close(loads);
	}
	weir_object_close(object);
	CHECK_EQ(weir_bpffs_unmount(fresh), 0);
	CHECK(stat(fresh, &status) && errno == ENOENT);
	CHECK_EQ(weir_bpffs_unmount(fresh), 0);

	test("needs no mount of its own inside a bpffs");
	snprintf(fresh, sizeof(fresh), "%s/inner", pins);
	CHECK_EQ(weir_bpffs_mount(fresh), 0);
	CHECK_EQ(weir_bpffs_unmount(fresh), 0);
	CHECK_EQ(weir_bpffs_mount("relative"), -EINVAL);
}

/* ---- attaching ---- */

static void cgroups(void)
{
	char here[300], there[300];
	uint64_t id, before;
	struct stat status;

	test("attaches to a cgroup and replaces the program in place");
	id = make_cgroup("here", here, sizeof(here));
	make_cgroup("there", there, sizeof(there));
	CHECK(!stat(here, &status) && (uint64_t) status.st_ino == id);
	CHECK_EQ(weir_cgroup_id("/nowhere", &id), -ENOENT);
	CHECK_EQ(weir_attach_cgroup(parts, "weir_test_in", here, pins, "in"), 0);
	CHECK(exists("link-in"));
	fflush(stdout);
	if (!fork()) {
		enter_cgroup(here);
		ping();
		NEED(weir_attach_cgroup(parts, "weir_test_in_again", here, pins, "in"));
		ping();
		_exit(0);
	}
	wait(NULL);
	CHECK_EQ(note(WEIR_NOTE_HELD), 1);
	CHECK_EQ(note(WEIR_NOTE_STALE), 1);

	test("moves to another cgroup under the same name, also when the first one is gone");
	CHECK_EQ(weir_attach_cgroup(parts, "weir_test_in", there, pins, "in"), 0);
	CHECK_EQ(rmdir(here), 0);
	before = note(WEIR_NOTE_HELD);
	fflush(stdout);
	if (!fork()) {
		enter_cgroup(there);
		ping();
		_exit(0);
	}
	wait(NULL);
	CHECK_EQ(note(WEIR_NOTE_HELD), before + 1);
	while (rmdir(there) && errno == EBUSY)
		usleep(1000);
	make_cgroup("here", here, sizeof(here));
	CHECK_EQ(weir_attach_cgroup(parts, "weir_test_in", here, pins, "in"), 0);
	CHECK_EQ(weir_detach(pins, "in"), 0);
	CHECK(!exists("link-in"));
	CHECK_EQ(weir_detach(pins, "in"), 0);
	CHECK_EQ(weir_attach_cgroup(parts, "nothing", here, pins, "in"), -ENOENT);
	CHECK_EQ(weir_attach_cgroup(parts, "weir_test_in", "/nowhere", pins, "in"), -ENOENT);
	CHECK_EQ(weir_attach_cgroup(parts, "weir_test_in", "/proc", pins, "in"), -EBADF);
	CHECK(!exists("link-in") && !exists("new-in"));
}

static void interfaces(void)
{
	uint32_t lo = if_nametoindex("lo");
	struct bpf_tc_hook hook = { .sz = sizeof(hook), .ifindex = (int) lo, .attach_point = BPF_TC_INGRESS };
	uint64_t first, second;
	int way;

	test("attaches to an interface and replaces the program in place");
	way = weir_attach_tc(parts, "weir_test_tc", lo, 1, pins, "lo");
	CHECK(way == 1 || way == 2);
	first = note(WEIR_NOTE_ROUTED);
	ping();
	CHECK_EQ(note(WEIR_NOTE_ROUTED), first + 1);
	CHECK_EQ(weir_attach_tc(parts, "weir_test_tc_again", lo, 1, pins, "lo"), way);
	second = note(WEIR_NOTE_LOCAL);
	ping();
	CHECK_EQ(note(WEIR_NOTE_ROUTED), first + 1);
	CHECK_EQ(note(WEIR_NOTE_LOCAL), second + 1);
	CHECK_EQ(weir_attach_tc(parts, "weir_test_tc", lo, 0, pins, "lo-out"), way);
	ping();
	CHECK_EQ(note(WEIR_NOTE_ROUTED), first + 2);
	CHECK_EQ(weir_detach_tc(lo, 1, pins, "lo"), 0);
	CHECK_EQ(weir_detach_tc(lo, 0, pins, "lo-out"), 0);
	CHECK_EQ(weir_detach_tc(lo, 0, pins, "lo-out"), 0);
	ping();
	CHECK_EQ(note(WEIR_NOTE_ROUTED), first + 2);
	CHECK_EQ(note(WEIR_NOTE_LOCAL), second + 2);
	CHECK(weir_attach_tc(parts, "weir_test_tc", 0x7ffffff0, 1, pins, "none") < 0);

	test("takes up the name of an interface that is gone");
	shell("ip link add weirtest0 type veth peer name weirtest1");
	way = weir_attach_tc(parts, "weir_test_tc", if_nametoindex("weirtest0"), 1, pins, "veth");
	CHECK(way > 0);
	shell("ip link del weirtest0");
	CHECK_EQ(weir_attach_tc(parts, "weir_test_tc", lo, 1, pins, "veth"), way);
	CHECK_EQ(weir_detach_tc(lo, 1, pins, "veth"), 0);

	test("uses clsact where there is no tcx, and leaves the filters of others alone");
	{
		LIBBPF_OPTS(bpf_tc_opts, other, .handle = 7, .priority = 7);
		LIBBPF_OPTS(bpf_tc_opts, query, .handle = 7, .priority = 7);
		int tc = program( "weir_test_tc"), again = program( "weir_test_tc_again");

		CHECK_EQ(weir_attach_clsact(tc, lo, 1, pins), 0);
		other.prog_fd = tc;
		CHECK_EQ(bpf_tc_attach(&hook, &other), 0);
		CHECK_EQ(weir_attach_clsact(again, lo, 1, pins), 0);
		second = note(WEIR_NOTE_LOCAL);
		ping();
		CHECK_EQ(note(WEIR_NOTE_LOCAL), second + 1);
		CHECK_EQ(weir_detach_tc(lo, 1, pins, "none"), 0);
		ping();
		CHECK_EQ(note(WEIR_NOTE_LOCAL), second + 1);
		CHECK_EQ(bpf_tc_query(&hook, &query), 0);
		CHECK_EQ(weir_detach_clsact(lo, 1, pins), 0);
	}
}

static void *connect_anywhere(void *argument)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(4711), .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*(int *) argument = connect(fd, (struct sockaddr *) &address, sizeof(address)) ? -errno : 0;
	close(fd);
	return NULL;
}

static void namespaces(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0), result = -1, sockmap = map("listener");
	uint64_t mine = 0, same = 0;
	char path[64], byte;
	pthread_t thread;
	int ready[2];
	pid_t other;

	test("steers connections to the listener in the sockmap");
	NEED(bind(listener, (struct sockaddr *) &address, sizeof(address)));
	NEED(listen(listener, 8));
	NEED(getsockname(listener, (struct sockaddr *) &address, &size));
	CHECK_EQ(weir_map_listener(sockmap, 1), -ENOENT);
	CHECK_EQ(weir_map_listener(sockmap, ntohs(address.sin_port)), 0);
	CHECK_EQ(weir_attach_netns(parts, "weir_test_lookup", pins, "lookup"), 0);
	CHECK_EQ(weir_attach_netns(parts, "weir_test_lookup", pins, "lookup"), 0);
	pthread_create(&thread, NULL, connect_anywhere, &result);
	pthread_join(thread, NULL);
	CHECK_EQ(result, 0);
	CHECK_EQ(weir_detach(pins, "lookup"), 0);
	connect_anywhere(&result);
	CHECK_EQ(result, -ECONNREFUSED);
	close(listener);
	weir_close(sockmap);

	test("attaches a verdict to a sockmap");
	CHECK_EQ(weir_attach_map(parts, "weir_test_verdict", "listener"), 0);
	CHECK_EQ(weir_attach_map(parts, "weir_test_verdict", "nothing"), -ENOENT);

	test("tells network namespaces by their cookie");
	CHECK_EQ(weir_netns_cookie(NULL, &mine), 0);
	CHECK_EQ(weir_netns_cookie("/proc/thread-self/ns/net", &same), 0);
	CHECK(mine && mine == same);
	NEED(pipe(ready));
	fflush(stdout);
	other = fork();
	if (!other) {
		NEED(unshare(CLONE_NEWNET));
		NEED(write(ready[1], "x", 1));
		pause();
	}
	NEED(read(ready[0], &byte, 1));
	snprintf(path, sizeof(path), "/proc/%d/ns/net", other);
	CHECK_EQ(weir_netns_cookie(path, &same), 0);
	CHECK(mine != same);
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	CHECK_EQ(weir_netns_cookie("/nowhere", &same), -ENOENT);
	CHECK(weir_clock() > 0);
}

/* ---- maps ---- */

static void maps(void)
{
	struct weir_service_key key = { .port = htons(9000), .protocol = IPPROTO_TCP }, other = key, next;
	struct weir_service service = { .function = 7, .count = 1 }, got;
	int services = map("services"), fd = map("counters"), histograms = map("latency"), notes = map("notes");
	int cpus = libbpf_num_possible_cpus(), cpu;
	struct weir_counters *each = calloc((size_t) cpus, sizeof(*each)), all[WEIR_INSTANCES];
	struct weir_histogram *histogram = calloc((size_t) cpus, sizeof(*histogram));
	uint64_t sums[1 + WEIR_BUCKETS];
	uint32_t index;

	test("puts, gets, walks and deletes");
	CHECK_EQ(weir_map_put(services, &key, &service, 0), 0);
	CHECK_EQ(weir_map_put(services, &key, &service, BPF_NOEXIST), -EEXIST);
	CHECK_EQ(weir_map_get(services, &key, &got), 0);
	CHECK_EQ(got.function, 7);
	other.port = htons(9001);
	CHECK_EQ(weir_map_get(services, &other, &got), -ENOENT);
	CHECK_EQ(weir_map_next(services, NULL, &next), 0);
	CHECK_EQ(next.port, key.port);
	CHECK_EQ(weir_map_next(services, &key, &next), -ENOENT);
	CHECK_EQ(weir_map_delete(services, &key), 0);
	CHECK_EQ(weir_map_delete(services, &key), -ENOENT);

	test("sums up what every CPU counted");
	for (index = 0; index < WEIR_INSTANCES; index += 333) {
		for (cpu = 0; cpu < cpus; cpu++)
			each[cpu] = (struct weir_counters) { .requests = index + 1, .bytes_out = 1ull << 40 };
		NEED(weir_map_put(fd, &index, each, 0));
	}
	CHECK_EQ(weir_map_read(fd, 0, WEIR_INSTANCES, sizeof(*all), all), 0);
	CHECK_EQ(all[0].requests, cpus);
	CHECK_EQ(all[333].requests, 334 * cpus);
	CHECK_EQ(all[999].bytes_out, (uint64_t) cpus << 40);
	CHECK_EQ(all[998].bytes_out, 0);
	memset(all, 0xff, sizeof(all));
	CHECK_EQ(weir_map_read(fd, 990, 34, sizeof(*all), all), 0);
	CHECK_EQ(all[9].requests, 1000 * cpus);
	CHECK_EQ(all[33].requests, 0);
	CHECK_EQ(all[34].requests, (uint64_t) -1);
	CHECK_EQ(weir_map_read(fd, 1000, 100, sizeof(*all), all), -ENOENT);
	CHECK_EQ(weir_map_read(fd, 0, 1, 8, all), -EINVAL);
	CHECK_EQ(weir_map_read(services, 0, 1, sizeof(service), all), -EINVAL);

	test("sums up a histogram and zeroes elements");
	index = 999;
	for (cpu = 0; cpu < cpus; cpu++)
		histogram[cpu] = (struct weir_histogram) { .sum_us = 1000, .bucket[3] = 0xffffffff, .bucket[207] = 2 };
	NEED(weir_map_put(histograms, &index, histogram, 0));
	CHECK_EQ(weir_map_histogram(histograms, 999, sums), 0);
	CHECK_EQ(sums[0], 1000 * cpus);
	CHECK_EQ(sums[1 + 3], 0xffffffffll * cpus);
	CHECK_EQ(sums[1 + 207], 2 * cpus);
	CHECK_EQ(weir_map_histogram(fd, 0, sums), -EINVAL);
	CHECK_EQ(weir_map_zero(histograms, 999, sizeof(*histogram)), 0);
	CHECK_EQ(weir_map_zero(fd, 999, sizeof(*all)), 0);
	CHECK_EQ(weir_map_zero(fd, 999, 8), -EINVAL);
	CHECK_EQ(weir_map_zero(fd, WEIR_INSTANCES, sizeof(*all)), -E2BIG);
	CHECK_EQ(weir_map_histogram(histograms, 999, sums), 0);
	CHECK_EQ(sums[0] + sums[1 + 3], 0);
	CHECK_EQ(weir_map_read(fd, 999, 1, sizeof(*all), all), 0);
	CHECK_EQ(all[0].requests, 0);
	CHECK_EQ(weir_close(notes), 0);
	CHECK_EQ(weir_close(notes), -EBADF);
	weir_close(services);
	weir_close(fd);
	weir_close(histograms);
	free(each);
	free(histogram);
}

/* ---- the ring ---- */

static void *wake_later(void *ring)
{
	usleep(20000);			/* so that the other thread is likely to wait by then; right either way */
	CHECK_EQ(weir_ring_wake(ring), 0);
	return NULL;
}

static void *ping_later(void *unused)
{
	(void) unused;
	usleep(20000);
	ping();
	return NULL;
}

static void ring(void)
{
	struct weir_signal got[8];
	int signals = map("signals"), i, n, sum = 0;
	uint32_t lo = if_nametoindex("lo");
	struct weir_ring *ring;
	pthread_t thread;
	uint64_t start;

	test("reads signals in order, as many as fit");
	CHECK_EQ(weir_ring_open(signals, &ring), 0);
	CHECK_EQ(weir_ring_read(ring, got, 8, 0), 0);
	CHECK_EQ(weir_ring_read(ring, got, 0, 0), -EINVAL);
	CHECK(weir_attach_tc(parts, "weir_test_signal", lo, 1, pins, "signal") > 0);
	for (i = 0; i < 10; i++)
		ping();
	CHECK_EQ(weir_ring_read(ring, got, 4, -1), 4);
	CHECK(got[0].at_ns <= got[3].at_ns);
	CHECK_EQ(got[3].kind, WEIR_WANTED);
	CHECK_EQ(weir_ring_read(ring, got, 8, -1), 6);

	test("waits for a signal, for a call, or for the end of its time");
	pthread_create(&thread, NULL, ping_later, NULL);
	CHECK_EQ(weir_ring_read(ring, got, 8, 10000), 1);
	pthread_join(thread, NULL);
	pthread_create(&thread, NULL, wake_later, ring);
	CHECK_EQ(weir_ring_read(ring, got, 8, -1), 0);
	pthread_join(thread, NULL);
	start = weir_clock();
	CHECK_EQ(weir_ring_read(ring, got, 8, 15), 0);
	CHECK(weir_clock() - start >= 15000000);

	test("loses signals with a note when nobody reads them");
	for (i = 0; i < 5000; i++)
		ping();
	CHECK(note(WEIR_NOTE_SIGNAL_LOST) > 0);
	while ((n = weir_ring_read(ring, got, 8, 0)) > 0)
		sum += n;
	CHECK_EQ(sum + note(WEIR_NOTE_SIGNAL_LOST), 5000);
	CHECK_EQ(weir_detach_tc(lo, 1, pins, "signal"), 0);
	weir_ring_close(ring);
	weir_close(signals);
}

static void probes(void)
{
	char names[2048], *name, *rest = names;
	int err;

	test("can say of everything whether this kernel does it");
	snprintf(names, sizeof(names), "%s", weir_probe_names());
	while ((name = strsep(&rest, " "))) {
		err = weir_probe(name, cgroup);
		if (err)
			printf("not here: %s (%s)\n", name, strerror(-err));
		CHECK(err <= 0);
	}
	CHECK_EQ(weir_probe("nothing", cgroup), -ENOENT);
	CHECK_EQ(weir_probe("attach_cgroup_skb", "/nowhere"), -ENOENT);
	CHECK_EQ(weir_probe("attach_cgroup_skb", cgroup), 0);
}

int main(int argc, char **argv)
{
	char programs[256];

	snprintf(out, sizeof(out), "%s", argc > 1 ? argv[1] : "target");
	snprintf(programs, sizeof(programs), "%s/bpf", out);
	setup(programs);
	objects();
	cgroups();
	interfaces();
	namespaces();
	maps();
	ring();
	probes();
	weir_object_close(parts);
	weir_object_close(NULL);
	return finish();
}
