// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The pin directory, and objects loaded against it. */
#include <fcntl.h>
#include <mntent.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "internal.h"
#include "weir_event.h"

#define BPFFS_MAGIC 0xcafe4a11
#define MOUNT_SOURCE "weir"		/* by which a mount of ours is known */

static weir_log_fn logger;

static int forward(enum libbpf_print_level level, const char *format, va_list arguments)
{
	weir_log_fn log = __atomic_load_n(&logger, __ATOMIC_ACQUIRE);
	size_t length;
	char *text;

	if (!log || vasprintf(&text, format, arguments) < 0)
		return 0;
	length = strlen(text);
	if (length && text[length - 1] == '\n')
		text[length - 1] = 0;
	log(level == LIBBPF_WARN ? 0 : level == LIBBPF_INFO ? 1 : 2, text);
	free(text);
	return 0;
}

/* libbpf would print to the standard error output otherwise. */
__attribute__((constructor)) static void listen_to_libbpf(void)
{
	libbpf_set_print(forward);
}

int weir_ebpf_abi(void)
{
	return WEIR_EBPF_ABI;
}

void weir_ebpf_log(weir_log_fn log)
{
	__atomic_store_n(&logger, log, __ATOMIC_RELEASE);
}

int weir_path(char *path, size_t size, const char *dir, const char *prefix, const char *name)
{
	int length;

	if (!dir || !name || !*name || strchr(name, '/') || strchr(name, '.'))	/* a bpffs reserves the dot */
		return -EINVAL;
	length = snprintf(path, size, "%s/%s%s", dir, prefix, name);
	return length < 0 || (size_t) length >= size ? -ENAMETOOLONG : 0;
}

/* ---- the pin directory ---- */

static int make_directories(const char *path)
{
	char copy[PATH_MAX];
	char *slash;

	if (snprintf(copy, sizeof(copy), "%s", path) >= (int) sizeof(copy))
		return -ENAMETOOLONG;
	for (slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		if (mkdir(copy, 0755) && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return mkdir(copy, 0700) && errno != EEXIST ? -errno : 0;
}

static int is_bpffs(const char *path)
{
	struct statfs fs;

	if (statfs(path, &fs))
		return -errno;
	return (uint32_t) fs.f_type == BPFFS_MAGIC;
}

int weir_bpffs_mount(const char *path)
{
	int err;

	if (!path || path[0] != '/')
		return -EINVAL;
	err = make_directories(path);
	if (err)
		return err;
	err = is_bpffs(path);
	if (err)
		return err < 0 ? err : 0;
	return mount(MOUNT_SOURCE, path, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") ? -errno : 0;
}

static int mounted_by_us(const char *path)
{
	char real[PATH_MAX];
	struct mntent *entry;
	FILE *mounts;
	int found = 0;

	if (!realpath(path, real))
		return -errno;
	mounts = setmntent("/proc/self/mounts", "re");
	if (!mounts)
		return -errno;
	while ((entry = getmntent(mounts)))
		if (!strcmp(entry->mnt_dir, real))	/* the last one lies on top */
			found = !strcmp(entry->mnt_type, "bpf") && !strcmp(entry->mnt_fsname, MOUNT_SOURCE);
	endmntent(mounts);
	return found;
}

int weir_bpffs_unmount(const char *path)
{
	int ours;

	if (!path)
		return -EINVAL;
	ours = mounted_by_us(path);
	if (ours < 0)
		return ours == -ENOENT ? 0 : ours;
	if (ours && umount2(path, UMOUNT_NOFOLLOW))
		return -errno;
	return rmdir(path) && errno != ENOENT ? -errno : 0;
}

/* ---- objects ---- */

static int map_info(int fd, struct bpf_map_info *info)
{
	uint32_t size = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(fd, info, &size) ? -errno : 0;
}

/* A pinned map "layout" has as many entries as the layout has a version. */
static int check_layout(const char *pin_dir)
{
	LIBBPF_OPTS(bpf_map_create_opts, options);
	struct bpf_map_info info;
	char path[PATH_MAX];
	int fd, err;

	err = weir_path(path, sizeof(path), pin_dir, "", "layout");
	if (err)
		return err;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "weir_layout", 4, 4, WEIR_VERSION, &options);
	if (fd < 0)
		return fd;
	err = bpf_obj_pin(fd, path);
	close(fd);
	if (err != -EEXIST)
		return err;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return fd;
	err = map_info(fd, &info);
	close(fd);
	return err ? err : info.max_entries == WEIR_VERSION ? 0 : -EEXIST;
}

/* Whether the map can share what is pinned under its name. */
static int check_pinned(const struct bpf_map *map)
{
	const char *path = bpf_map__pin_path(map);
	struct bpf_map_info info;
	int fd, err;

	if (!path)
		return 0;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	err = map_info(fd, &info);
	close(fd);
	if (err)
		return err;
	return info.type == bpf_map__type(map) && info.key_size == bpf_map__key_size(map) &&
	       info.value_size == bpf_map__value_size(map) && info.max_entries == bpf_map__max_entries(map) &&
	       info.map_flags == bpf_map__map_flags(map) ? 0 : -EEXIST;
}

static int resize(struct bpf_map *map, uint32_t max_services, uint32_t max_instances)
{
	static const char *const by_service[] = { "services", "latency" };
	static const char *const by_instance[] = { "instances", "cgroups", "loads", "counters" };
	const char *name = bpf_map__name(map);
	size_t i;

	for (i = 0; max_services && i < sizeof(by_service) / sizeof(*by_service); i++)
		if (!strcmp(name, by_service[i]))
			return bpf_map__set_max_entries(map, max_services);
	for (i = 0; max_instances && i < sizeof(by_instance) / sizeof(*by_instance); i++)
		if (!strcmp(name, by_instance[i]))
			return bpf_map__set_max_entries(map, max_instances);
	return 0;
}

int weir_object_load(const char *elf, const char *pin_dir, uint32_t max_services, uint32_t max_instances,
		     struct weir_object **out)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .pin_root_path = pin_dir);
	struct weir_object *object;
	struct bpf_map *map;
	int err;

	if (!elf || !pin_dir || !out)
		return -EINVAL;
	err = check_layout(pin_dir);
	if (err)
		return err;
	object = calloc(1, sizeof(*object));
	if (!object)
		return -ENOMEM;
	object->bpf = bpf_object__open_file(elf, &options);
	if (!object->bpf) {
		err = -errno;
		goto free_object;
	}
	bpf_object__for_each_map(map, object->bpf) {
		err = resize(map, max_services, max_instances);
		if (!err)
			err = check_pinned(map);
		if (err)
			goto close_object;
	}
	err = bpf_object__load(object->bpf);
	if (err)
		goto close_object;
	*out = object;
	return 0;

close_object:
	bpf_object__close(object->bpf);
free_object:
	free(object);
	return err;
}

void weir_object_close(struct weir_object *object)
{
	if (!object)
		return;
	bpf_object__close(object->bpf);
	free(object);
}

int weir_object_map(struct weir_object *object, const char *map)
{
	struct bpf_map *found;

	if (!object || !map)
		return -EINVAL;
	found = bpf_object__find_map_by_name(object->bpf, map);
	return found ? bpf_map__fd(found) : -ENOENT;
}
