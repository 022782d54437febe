// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Attaching and detaching: links pinned by name, and clsact filters where the kernel has no links for that. */
#include <fcntl.h>
#include <linux/pkt_sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "internal.h"

#define LINK_PREFIX "link-"
#define CLSACT_PRIORITY 0x5745		/* "WE" */

static int program_fd(struct weir_object *object, const char *name, struct bpf_program **program)
{
	if (!object || !name)
		return -EINVAL;
	*program = bpf_object__find_program_by_name(object->bpf, name);
	return *program ? bpf_program__fd(*program) : -ENOENT;
}

/* ---- links ---- */

/* What a link hangs on: enough to tell whether a pinned one can be updated to do what is asked. */
struct place {
	uint32_t type;			/* enum bpf_link_type */
	uint32_t attach_type;
	uint64_t target;		/* cgroup id, inode of the network namespace, index of the interface */
};

/* The kernel's struct bpf_link_info, of which older headers lack tcx: two words, as for netns. */
static int place_of(int link, struct place *place)
{
	struct bpf_link_info info;
	uint32_t size = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (bpf_obj_get_info_by_fd(link, &info, &size))
		return -errno;
	place->type = info.type;
	if (info.type == BPF_LINK_TYPE_CGROUP) {
		place->target = info.cgroup.cgroup_id;
		place->attach_type = info.cgroup.attach_type;
	} else {
		place->target = info.netns.netns_ino;
		place->attach_type = info.netns.attach_type;
	}
	return 0;
}

static int same_place(const struct place *a, const struct place *b)
{
	return a->type == b->type && a->attach_type == b->attach_type && a->target == b->target;
}

/* Takes the link off at once; a pinned one lives on for a moment after its pin is gone. */
static void drop(int link)
{
	bpf_link_detach(link);
	close(link);
}

static int create_link(int program, int target, uint32_t attach_type)
{
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = program;
	attr.link_create.target_fd = target;	/* or, in the same place, the index of an interface */
	attr.link_create.attach_type = attach_type;
	fd = syscall(__NR_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
	if (fd < 0)
		return -errno;
	return fd;
}

/*
 * Makes the pinned link run program: by an update where it hangs on the same place, so that no packet misses it, else
 * by a new one that takes over the pin.
 */
static int attach_link(int program, int target, const struct place *place, const char *pin_dir, const char *name)
{
	char path[PATH_MAX], fresh[PATH_MAX];
	struct place there = {0};
	int old, link, err;

	err = weir_path(path, sizeof(path), pin_dir, LINK_PREFIX, name);
	if (!err)
		err = weir_path(fresh, sizeof(fresh), pin_dir, "new-", name);
	if (err)
		return err;
	old = bpf_obj_get(path);
	if (old < 0 && old != -ENOENT)
		return old;
	if (old >= 0 && !place_of(old, &there) && same_place(&there, place) && !bpf_link_update(old, program, NULL)) {
		close(old);
		return 0;
	}
	link = create_link(program, target, place->attach_type);
	if (link < 0) {
		err = link;
		goto close_old;
	}
	unlink(fresh);
	err = bpf_obj_pin(link, fresh);
	if (!err && rename(fresh, path)) {
		err = -errno;
		unlink(fresh);
	}
	if (err)
		drop(link);
	else
		close(link);
close_old:
	if (old >= 0) {
		if (err)
			close(old);
		else
			drop(old);
	}
	return err;
}

int weir_attach_cgroup(struct weir_object *object, const char *program, const char *cgroup, const char *pin_dir,
		       const char *name)
{
	struct place place = { .type = BPF_LINK_TYPE_CGROUP };
	struct bpf_program *which;
	int fd, directory, err;

	fd = program_fd(object, program, &which);
	if (fd < 0)
		return fd;
	place.attach_type = bpf_program__expected_attach_type(which);
	err = weir_cgroup_id(cgroup, &place.target);
	if (err)
		return err;
	directory = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return -errno;
	err = attach_link(fd, directory, &place, pin_dir, name);
	close(directory);
	return err;
}

int weir_attach_netns(struct weir_object *object, const char *program, const char *pin_dir, const char *name)
{
	struct place place = { .type = BPF_LINK_TYPE_NETNS, .attach_type = BPF_SK_LOOKUP };
	struct bpf_program *which;
	struct stat netns;
	int fd, target, err;

	fd = program_fd(object, program, &which);
	if (fd < 0)
		return fd;
	target = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (target < 0)
		return -errno;
	if (fstat(target, &netns)) {
		err = -errno;
	} else {
		place.target = netns.st_ino;
		err = attach_link(fd, target, &place, pin_dir, name);
	}
	close(target);
	return err;
}

int weir_attach_map(struct weir_object *object, const char *program, const char *map)
{
	struct bpf_program *which;
	enum bpf_attach_type type;
	int fd, target;

	fd = program_fd(object, program, &which);
	if (fd < 0)
		return fd;
	target = weir_object_map(object, map);
	if (target < 0)
		return target;
	type = bpf_program__expected_attach_type(which);
	if (bpf_program__type(which) == BPF_PROG_TYPE_SK_SKB && !type)
		type = BPF_SK_SKB_VERDICT;	/* libbpf 1.1 has no section name for it */
	return bpf_prog_attach(fd, target, type, 0) ? -errno : 0;
}

int weir_detach(const char *pin_dir, const char *name)
{
	char path[PATH_MAX];
	int link, err;

	err = weir_path(path, sizeof(path), pin_dir, LINK_PREFIX, name);
	if (err)
		return err;
	link = bpf_obj_get(path);
	if (link < 0)
		return link == -ENOENT ? 0 : link;
	drop(link);
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

/* ---- interfaces ---- */

int weir_attach_tcx(int program, uint32_t ifindex, int ingress, const char *pin_dir, const char *name)
{
	struct place place = {
		.type = WEIR_LINK_TYPE_TCX,
		.attach_type = ingress ? WEIR_TCX_INGRESS : WEIR_TCX_EGRESS,
		.target = ifindex,
	};

	return attach_link(program, ifindex, &place, pin_dir, name);
}

/* The same for the same gateway after a restart, another for another gateway on this host. */
static uint32_t handle_of(const char *pin_dir)
{
	uint32_t hash = 2166136261u;

	for (; *pin_dir; pin_dir++)
		hash = (hash ^ (unsigned char) *pin_dir) * 16777619u;
	return hash ? hash : 1;
}

static struct bpf_tc_hook hook_of(uint32_t ifindex, int ingress)
{
	return (struct bpf_tc_hook) {
		.sz = sizeof(struct bpf_tc_hook),
		.ifindex = ifindex,
		.attach_point = ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS,
	};
}

int weir_attach_clsact(int program, uint32_t ifindex, int ingress, const char *pin_dir)
{
	struct bpf_tc_hook hook = hook_of(ifindex, ingress);
	LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = program, .flags = BPF_TC_F_REPLACE,
		    .handle = handle_of(pin_dir), .priority = CLSACT_PRIORITY);
	int err;

	err = bpf_tc_hook_create(&hook);
	if (err && err != -EEXIST)
		return err;
	return bpf_tc_attach(&hook, &options);
}

static int is_ours(uint32_t program_id)
{
	struct bpf_prog_info info;
	uint32_t size = sizeof(info);
	int fd, err;

	fd = bpf_prog_get_fd_by_id(program_id);
	if (fd < 0)
		return fd;
	memset(&info, 0, sizeof(info));
	err = bpf_obj_get_info_by_fd(fd, &info, &size) ? -errno : 0;
	close(fd);
	return err ? err : !strncmp(info.name, "weir_", 5);
}

int weir_detach_clsact(uint32_t ifindex, int ingress, const char *pin_dir)
{
	struct bpf_tc_hook hook = hook_of(ifindex, ingress);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = handle_of(pin_dir), .priority = CLSACT_PRIORITY);
	int err;

	err = bpf_tc_query(&hook, &options);
	if (err)	/* no filter, no clsact, no such interface, no clsact in this kernel */
		return err == -ENOENT || err == -EINVAL || err == -ENODEV || err == -EOPNOTSUPP ? 0 : err;
	err = is_ours(options.prog_id);
	if (err <= 0)
		return err;
	options.prog_id = options.prog_fd = options.flags = 0;
	err = bpf_tc_detach(&hook, &options);
	return err == -ENOENT ? 0 : err;
}

int weir_attach_tc(struct weir_object *object, const char *program, uint32_t ifindex, int ingress, const char *pin_dir,
		   const char *name)
{
	struct bpf_program *which;
	int fd, err;

	fd = program_fd(object, program, &which);
	if (fd < 0)
		return fd;
	err = weir_attach_tcx(fd, ifindex, ingress, pin_dir, name);
	if (!err)
		return 1;
	if (err != -EINVAL && err != -EOPNOTSUPP)	/* of an attach type that the kernel does not know: -EINVAL */
		return err;
	err = weir_attach_clsact(fd, ifindex, ingress, pin_dir);
	return err ? err : 2;
}

int weir_detach_tc(uint32_t ifindex, int ingress, const char *pin_dir, const char *name)
{
	int err = weir_detach(pin_dir, name);

	return err ? err : weir_detach_clsact(ifindex, ingress, pin_dir);
}
