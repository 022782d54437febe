// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Maps: single elements, and whole arrays with the values of all CPUs summed up. */
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "internal.h"
#include "weir_event.h"

#define CHUNK 64			/* elements read by one call */

int weir_map_open(const char *pin_dir, const char *map)
{
	char path[PATH_MAX];
	int err = weir_path(path, sizeof(path), pin_dir, "", map);

	return err ? err : bpf_obj_get(path);
}

int weir_close(int fd)
{
	return close(fd) ? -errno : 0;
}

int weir_map_put(int map, const void *key, const void *value, uint64_t flags)
{
	return bpf_map_update_elem(map, key, value, flags);
}

int weir_map_get(int map, const void *key, void *value)
{
	return bpf_map_lookup_elem(map, key, value);
}

int weir_map_delete(int map, const void *key)
{
	return bpf_map_delete_elem(map, key);
}

int weir_map_next(int map, const void *previous, void *next)
{
	return bpf_map_get_next_key(map, previous, next);
}

/* ---- arrays ---- */

struct shape {
	uint32_t value_size;
	uint32_t stride;		/* bytes of one CPU's value as the kernel copies it */
	uint32_t cpus;			/* 1 for an array that is not per CPU */
};

static int shape_of(int map, struct shape *shape)
{
	struct bpf_map_info info;
	uint32_t size = sizeof(info);
	int cpus;

	memset(&info, 0, sizeof(info));
	if (bpf_obj_get_info_by_fd(map, &info, &size))
		return -errno;
	if (info.type != BPF_MAP_TYPE_ARRAY && info.type != BPF_MAP_TYPE_PERCPU_ARRAY)
		return -EINVAL;
	shape->value_size = info.value_size;
	shape->stride = info.value_size;
	shape->cpus = 1;
	if (info.type == BPF_MAP_TYPE_PERCPU_ARRAY) {
		cpus = libbpf_num_possible_cpus();
		if (cpus < 0)
			return cpus;
		shape->cpus = cpus;
		shape->stride = (info.value_size + 7) & ~7u;
	}
	return 0;
}

/* Elements [first, first + count) as the kernel holds them; by one call where it can do that (per-CPU: from 5.13). */
static int read_elements(int map, const struct shape *shape, uint32_t first, uint32_t count, void *out)
{
	size_t element = (size_t) shape->stride * shape->cpus;
	uint32_t keys[CHUNK], last, got = count, previous = first - 1, i;
	int err;

	err = bpf_map_lookup_batch(map, first ? &previous : NULL, &last, keys, out, &got, NULL);
	if ((!err || err == -ENOENT) && got == count)
		return 0;
	for (i = 0; i < count; i++) {
		uint32_t key = first + i;

		err = bpf_map_lookup_elem(map, &key, (char *) out + i * element);
		if (err)
			return err;
	}
	return 0;
}

/* memcpy, because what Java gives need not be aligned. */
static void add_words(char *sum, const char *values, uint32_t size)
{
	uint32_t at;

	if (size % 8) {
		for (at = 0; at + 4 <= size; at += 4) {
			uint32_t a, b;

			memcpy(&a, sum + at, 4);
			memcpy(&b, values + at, 4);
			a += b;
			memcpy(sum + at, &a, 4);
		}
		return;
	}
	for (at = 0; at < size; at += 8) {
		uint64_t a, b;

		memcpy(&a, sum + at, 8);
		memcpy(&b, values + at, 8);
		a += b;
		memcpy(sum + at, &a, 8);
	}
}

int weir_map_read(int map, uint32_t first, uint32_t count, uint32_t value_size, void *out)
{
	struct shape shape;
	uint32_t done, part, i, cpu;
	char *buffer, *target = out;
	int err;

	err = shape_of(map, &shape);
	if (err)
		return err;
	if (value_size != shape.value_size || value_size % 4)
		return -EINVAL;
	buffer = malloc((size_t) shape.stride * shape.cpus * CHUNK);
	if (!buffer)
		return -ENOMEM;
	for (done = 0; !err && done < count; done += part) {
		const char *from = buffer;

		part = count - done < CHUNK ? count - done : CHUNK;
		err = read_elements(map, &shape, first + done, part, buffer);
		for (i = 0; !err && i < part; i++, target += value_size) {
			memset(target, 0, value_size);
			for (cpu = 0; cpu < shape.cpus; cpu++, from += shape.stride)
				add_words(target, from, value_size);
		}
	}
	free(buffer);
	return err;
}

int weir_map_histogram(int map, uint32_t function, uint64_t *out)
{
	struct weir_histogram *values;
	struct shape shape;
	uint32_t cpu, i;
	int err;

	err = shape_of(map, &shape);
	if (err)
		return err;
	if (shape.value_size != sizeof(*values))
		return -EINVAL;
	values = calloc(shape.cpus, sizeof(*values));
	if (!values)
		return -ENOMEM;
	err = bpf_map_lookup_elem(map, &function, values);
	if (!err) {
		memset(out, 0, (1 + WEIR_BUCKETS) * sizeof(*out));
		for (cpu = 0; cpu < shape.cpus; cpu++) {
			out[0] += values[cpu].sum_us;
			for (i = 0; i < WEIR_BUCKETS; i++)
				out[1 + i] += values[cpu].bucket[i];
		}
	}
	free(values);
	return err;
}

int weir_map_zero(int map, uint32_t index, uint32_t value_size)
{
	struct shape shape;
	void *zero;
	int err;

	err = shape_of(map, &shape);
	if (err)
		return err;
	if (value_size != shape.value_size)
		return -EINVAL;
	zero = calloc(shape.cpus, shape.stride);
	if (!zero)
		return -ENOMEM;
	err = bpf_map_update_elem(map, &index, zero, BPF_EXIST);
	free(zero);
	return err;
}

/* ---- the gateway's listener ---- */

static int is_loopback(const struct sockaddr_storage *address, uint16_t port)
{
	const struct sockaddr_in *four = (const void *) address;
	const struct sockaddr_in6 *six = (const void *) address;

	if (address->ss_family == AF_INET)
		return ntohs(four->sin_port) == port && four->sin_addr.s_addr == htonl(INADDR_LOOPBACK);
	if (address->ss_family != AF_INET6 || ntohs(six->sin6_port) != port)
		return 0;
	return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr) ||
	       (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr) && six->sin6_addr.s6_addr32[3] == htonl(INADDR_LOOPBACK));
}

static int listens(int fd, uint16_t port)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	int accepts = 0, type = 0;
	socklen_t int_size = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &int_size) || !accepts)
		return 0;
	int_size = sizeof(int);
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &int_size) || type != SOCK_STREAM)
		return 0;
	return !getsockname(fd, (struct sockaddr *) &address, &size) && is_loopback(&address, port);
}

int weir_map_listener(int map, uint16_t port)
{
	struct dirent *entry;
	uint32_t key = 0;
	int err = -ENOENT;
	DIR *fds;

	fds = opendir("/proc/self/fd");
	if (!fds)
		return -errno;
	while ((entry = readdir(fds))) {
		uint64_t fd = strtoul(entry->d_name, NULL, 10);

		if (entry->d_name[0] == '.' || !listens((int) fd, port))
			continue;
		err = bpf_map_update_elem(map, &key, &fd, BPF_ANY);
		break;
	}
	closedir(fds);
	return err;
}
