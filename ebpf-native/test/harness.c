// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <mntent.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

char pins[128], cgroup[256];

static const char *programs;
static const char *current;
static int failed_here, passed, failed;
static pid_t owner;

/* Cgroups go from the leaves up; a process that is ending may keep one for a moment. */
static void remove_tree(const char *path)
{
	char child[512];
	struct dirent *entry;
	DIR *directory = opendir(path);
	int tries = 60000;

	if (!directory)
		return;
	while ((entry = readdir(directory)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.') {
			snprintf(child, sizeof(child), "%s/%s", path, entry->d_name);
			remove_tree(child);
		}
	closedir(directory);
	while (rmdir(path) && errno == EBUSY && --tries)
		usleep(1000);
}

static void unlink_all(const char *path)
{
	char file[512];
	struct dirent *entry;
	DIR *directory = opendir(path);

	while (directory && (entry = readdir(directory))) {
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		if (!strncmp(entry->d_name, "link-", 5))
			weir_detach(path, entry->d_name + 5);
		else
			unlink(file);
	}
	if (directory)
		closedir(directory);
}

/* A test that stops in the middle leaves children in its cgroups. */
static void kill_all(void)
{
	char file[300];
	int fd;

	snprintf(file, sizeof(file), "%s/cgroup.kill", cgroup);
	fd = open(file, O_WRONLY);
	if (fd < 0)
		return;
	if (write(fd, "1", 1) != 1)
		perror(file);
	close(fd);
}

static void clean_up(void)
{
	if (getpid() != owner)
		return;
	kill_all();
	unlink_all(pins);
	weir_bpffs_unmount(pins);
	remove_tree(cgroup);
}

static void print_log(int level, const char *text)
{
	if (level == 0 && getenv("VERBOSE"))
		fprintf(stderr, "%s\n", text);
}

static void ended(int signal)
{
	(void) signal;
	fail(__FILE__, __LINE__, "ended before its time");
	exit(finish());
}

void setup(const char *program_directory)
{
	const char *tmp = getenv("TMPDIR");
	struct mntent *entry;
	FILE *mounts;

	if (getuid()) {
		fprintf(stderr, "needs root\n");
		exit(2);
	}
	programs = program_directory;
	owner = getpid();
	setvbuf(stdout, NULL, _IOLBF, 0);
	weir_ebpf_log(print_log);
	NEED(unshare(CLONE_NEWNET | CLONE_NEWNS));
	NEED(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	shell("ip link set lo up");
	mounts = setmntent("/proc/self/mounts", "re");
	while (mounts && (entry = getmntent(mounts)))
		if (!strcmp(entry->mnt_type, "cgroup2"))
			snprintf(cgroup, sizeof(cgroup), "%.200s/weir-test-%d", entry->mnt_dir, owner);
	endmntent(mounts);
	NEED(cgroup[0] ? 0 : -ENOENT);
	snprintf(pins, sizeof(pins), "%.60s/weir-test-%d", tmp ? tmp : "/tmp", owner);
	atexit(clean_up);
	signal(SIGTERM, ended);
	signal(SIGINT, ended);
	signal(SIGPIPE, SIG_IGN);
	NEED(mkdir(cgroup, 0755));
	NEED(weir_bpffs_mount(pins));
}

static void conclude(void)
{
	if (!current)
		return;
	printf("%s %s\n", failed_here ? "FAILED" : "passed", current);
	*(failed_here ? &failed : &passed) += 1;
	failed_here = 0;
	current = NULL;
}

void test(const char *claim)
{
	conclude();
	current = claim;
}

void fail(const char *file, int line, const char *format, ...)
{
	va_list arguments;

	failed_here++;
	printf("%s:%d: ", file, line);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
}

int finish(void)
{
	conclude();
	printf("= %d passed, %d failed\n", passed, failed);
	return failed != 0;
}

struct weir_object *load(const char *name)
{
	struct weir_object *object = NULL;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s.bpf.o", programs, name);
	NEED(weir_object_load(path, pins, 0, 0, &object));
	return object;
}

int map(const char *name)
{
	int fd = weir_map_open(pins, name);

	NEED(fd);
	return fd;
}

uint64_t make_cgroup(const char *name, char *path, size_t size)
{
	uint64_t id;

	snprintf(path, size, "%s/%s", cgroup, name);
	NEED(mkdir(path, 0755));
	NEED(weir_cgroup_id(path, &id));
	return id;
}

void enter_cgroup(const char *path)
{
	char file[512];
	int fd;

	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	fd = open(file, O_WRONLY);
	NEED(fd);
	NEED(write(fd, "0", 1));
	close(fd);
}

void put_instance(uint32_t slot, uint32_t function, uint32_t generation, uint32_t flags, uint64_t cgroup_id)
{
	struct weir_instance instance = {
		.cgroup = cgroup_id,
		.function = function,
		.flags = flags,
		.generation = generation,
	};
	int instances = map("instances"), cgroups = map("cgroups");

	NEED(weir_map_put(instances, &slot, &instance, 0));
	if (cgroup_id)
		NEED(weir_map_put(cgroups, &cgroup_id, &slot, 0));
	weir_close(instances);
	weir_close(cgroups);
}

void shell(const char *format, ...)
{
	char command[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	NEED(system(command) ? -EINVAL : 0);
}
