/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A test bed: two network namespaces ("gateway" and "function") with a veth between them, a cgroup v2 directory, and a
 * bpffs that only this process sees. Names carry the process id; bed_down removes what bed_up made.
 */
#ifndef WEIR_TEST_BED_H
#define WEIR_TEST_BED_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "weir_sockets.h"

#define GATEWAY_IP "10.213.7.1"
#define FUNCTION_IP "10.213.7.2"

static struct {
	pid_t owner;
	int gateway_ns, function_ns, home_ns, cgroup;
	char cgroup_dir[128], cgroup_home[256], bpffs[64];
} bed;

#define die(...)							\
	do {								\
		fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);		\
		fprintf(stderr, __VA_ARGS__);				\
		fprintf(stderr, " (%s)\n", strerror(errno));		\
		exit(1);						\
	} while (0)

static int failures, failures_before, passed;

/* What was checked since the last call is one test. */
static __attribute__((unused)) int tested(void)
{
	int fine = failures == failures_before;

	passed += fine;
	failures_before = failures;
	return fine;
}

#define check(truth_, ...)						\
	do {								\
		if (!(truth_)) {					\
			failures++;					\
			printf("FAILED %s:%d: ", __FILE__, __LINE__);	\
			printf(__VA_ARGS__);				\
			printf("\n");					\
		}							\
	} while (0)

/* What another process or the kernel does in its own time: looked at every millisecond, for a minute or so. */
#define eventually(truth_)						\
	({								\
		int tries_ = 60000;					\
									\
		while (!(truth_) && --tries_)				\
			usleep(1000);					\
		tries_ > 0;						\
	})

__attribute__((format(printf, 1, 2))) static __attribute__((unused)) int run(const char *format, ...)
{
	char command[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	return system(command);
}

static __attribute__((unused)) void put_text(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die("cannot write %s to %s", text, file);
	close(fd);
}

static __attribute__((unused)) void bed_down(void)
{
	char pid[16], procs[300];

	if (getpid() != bed.owner)
		return;
	setns(bed.home_ns, CLONE_NEWNET);
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", bed.cgroup_home);
	snprintf(pid, sizeof(pid), "%d", getpid());
	put_text(procs, pid);
	run("ip netns del wt%dg 2>/dev/null; ip netns del wt%df 2>/dev/null", bed.owner, bed.owner);
	for (int i = 0; i < 3000 && rmdir(bed.cgroup_dir) && errno == EBUSY; i++)
		usleep(20000);
	umount2(bed.bpffs, MNT_DETACH);
	rmdir(bed.bpffs);
	bed.owner = 0;
}

static __attribute__((unused)) void bed_stop(int signal)
{
	(void)signal;
	exit(1);
}

static __attribute__((unused)) int ns_of(const char *suffix)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/wt%d%s", bed.owner, suffix);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die("no %s", path);
	return fd;
}

static __attribute__((unused)) void bed_up(void)
{
	char root[128] = "", line[512], own[128] = "";
	FILE *file;
	int p;

	setvbuf(stdout, NULL, _IOLBF, 0);
	bed.owner = p = getpid();
	bed.home_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	file = fopen("/proc/mounts", "r");
	while (file && fgets(line, sizeof(line), file)) {
		char where[128], type[32];

		if (sscanf(line, "%*s %127s %31s", where, type) == 2 && !strcmp(type, "cgroup2"))
			strcpy(root, where);
	}
	fclose(file);
	file = fopen("/proc/self/cgroup", "r");
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "0::%127s", own);
	fclose(file);
	if (!root[0] || !own[0])
		die("no cgroup v2");
	snprintf(bed.cgroup_home, sizeof(bed.cgroup_home), "%s%s", root, own);
	snprintf(bed.cgroup_dir, sizeof(bed.cgroup_dir), "%s/weir-test-%d", root, p);
	snprintf(bed.bpffs, sizeof(bed.bpffs), "/tmp/weir-test-%d", p);
	atexit(bed_down);
	signal(SIGINT, bed_stop);
	signal(SIGTERM, bed_stop);
	signal(SIGPIPE, SIG_IGN);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL))
		die("no mount namespace");
	mkdir(bed.bpffs, 0700);
	if (mount("bpf", bed.bpffs, "bpf", 0, NULL))
		die("no bpffs");
	if (mkdir(bed.cgroup_dir, 0755))
		die("no cgroup %s", bed.cgroup_dir);
	snprintf(line, sizeof(line), "%s/cgroup.procs", bed.cgroup_dir);
	snprintf(own, sizeof(own), "%d", p);
	put_text(line, own);
	bed.cgroup = open(bed.cgroup_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (run("ip netns add wt%dg && ip netns add wt%df && ip -n wt%dg link add wt0 type veth peer name wt1 netns wt%df && "
		"ip -n wt%dg addr add " GATEWAY_IP "/24 dev wt0 && ip -n wt%df addr add " FUNCTION_IP "/24 dev wt1 && "
		"ip -n wt%dg link set wt0 up && ip -n wt%df link set wt1 up && ip -n wt%dg link set lo up && "
		"ip -n wt%df link set lo up", p, p, p, p, p, p, p, p, p, p))
		die("no network namespaces");
	bed.gateway_ns = ns_of("g");
	bed.function_ns = ns_of("f");
}

static __attribute__((unused)) void enter(int ns)
{
	if (setns(ns, CLONE_NEWNET))
		die("setns");
}

__attribute__((format(printf, 2, 0))) static __attribute__((unused)) int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (level == LIBBPF_DEBUG)
		return 0;
	return vfprintf(stderr, format, arguments);
}

static __attribute__((unused)) struct bpf_object *load(const char *out, const char *name)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .pin_root_path = bed.bpffs);
	struct bpf_object *object;
	char file[256];

	snprintf(file, sizeof(file), "%s/bpf/%s.bpf.o", out, name);

	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	libbpf_set_print(quiet);
	object = bpf_object__open_file(file, &options);
	if (!object || bpf_object__load(object))
		die("cannot load %s", file);
	return object;
}

static __attribute__((unused)) int map_of(struct bpf_object *object, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(object, name);

	if (fd < 0)
		die("no map %s", name);
	return fd;
}

static __attribute__((unused)) int program_of(struct bpf_object *object, const char *name)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, name);

	if (!program)
		die("no program %s", name);
	return bpf_program__fd(program);
}

static __attribute__((unused)) void mapped(struct weir_addr *to, const char *ip)
{
	memset(to, 0, sizeof(*to));
	to->bytes[10] = to->bytes[11] = 0xff;
	inet_pton(AF_INET, ip, to->bytes + 12);
}

static __attribute__((unused)) void attach(struct bpf_object *object, const char *program, int to, enum bpf_attach_type type, int flags)
{
	if (bpf_prog_attach(program_of(object, program), to, type, flags))
		die("cannot attach %s", program);
}

static __attribute__((unused)) uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static __attribute__((unused)) double cpu_of(const struct rusage *usage)
{
	return usage->ru_utime.tv_sec + usage->ru_stime.tv_sec +
	       (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e6;
}

/* A socket of the given family that talks IPv4, mapped if the family is AF_INET6; bound to ip (NULL: any) and port. */
static __attribute__((unused)) int tcp_socket(int family, const char *ip, int port)
{
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, off = 0;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (family == AF_INET6) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
		if (ip) {
			a6.sin6_addr.s6_addr[10] = a6.sin6_addr.s6_addr[11] = 0xff;
			inet_pton(AF_INET, ip, a6.sin6_addr.s6_addr + 12);
		}
		if (bind(fd, (void *)&a6, sizeof(a6)))
			die("bind");
	} else {
		if (ip)
			inet_pton(AF_INET, ip, &a4.sin_addr);
		if (bind(fd, (void *)&a4, sizeof(a4)))
			die("bind");
	}
	return fd;
}

static __attribute__((unused)) int tcp_connect(int fd, int family, const char *ip, int port)
{
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = htons(port)};

	if (family == AF_INET6) {
		a6.sin6_addr.s6_addr[10] = a6.sin6_addr.s6_addr[11] = 0xff;
		inet_pton(AF_INET, ip, a6.sin6_addr.s6_addr + 12);
		return connect(fd, (void *)&a6, sizeof(a6));
	}
	inet_pton(AF_INET, ip, &a4.sin_addr);
	return connect(fd, (void *)&a4, sizeof(a4));
}

static __attribute__((unused)) int local_port(int fd)
{
	struct sockaddr_in6 a;
	socklen_t length = sizeof(a);

	getsockname(fd, (void *)&a, &length);
	return ntohs(a.sin6_port);		/* at the same place for both families */
}

#endif
