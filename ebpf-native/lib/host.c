// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What the host is asked: time, namespaces, cgroups. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "internal.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

uint64_t weir_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
}

struct errand {
	const char *path;
	int (*work)(void *argument);
	void *argument;
	int result;
};

static void *run(void *context)
{
	struct errand *errand = context;
	int fd;

	if (!errand->path) {
		errand->result = unshare(CLONE_NEWNET) ? -errno : errand->work(errand->argument);
		return NULL;
	}
	fd = open(errand->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		errand->result = -errno;
	else
		errand->result = errand->work(errand->argument);
	if (fd >= 0)
		close(fd);
	return NULL;
}

int weir_in_netns(const char *path, int (*work)(void *argument), void *argument)
{
	struct errand errand = { .path = path, .work = work, .argument = argument };
	pthread_t thread;
	int err;

	err = pthread_create(&thread, NULL, run, &errand);
	if (err)
		return -err;
	pthread_join(thread, NULL);
	return errand.result;
}

static int own_cookie(void *cookie)
{
	socklen_t size = sizeof(uint64_t);
	int fd, err;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	err = getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, cookie, &size) ? -errno : 0;
	close(fd);
	return err;
}

int weir_netns_cookie(const char *path, uint64_t *cookie)
{
	return path ? weir_in_netns(path, own_cookie, cookie) : own_cookie(cookie);
}

/* The file handle, because on 32-bit machines an inode number is only half of the id. */
int weir_cgroup_id(const char *path, uint64_t *id)
{
	struct {
		struct file_handle handle;
		unsigned char bytes[sizeof(uint64_t)];
	} file = { .handle.handle_bytes = sizeof(uint64_t) };
	struct stat status;
	int mount;

	if (!path)
		return -EINVAL;
	if (!name_to_handle_at(AT_FDCWD, path, &file.handle, &mount, 0) &&
	    file.handle.handle_bytes == sizeof(uint64_t)) {
		memcpy(id, file.handle.f_handle, sizeof(*id));
		return 0;
	}
	if (stat(path, &status))
		return -errno;
	*id = status.st_ino;
	return 0;
}
