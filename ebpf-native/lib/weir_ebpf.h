/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the gateway needs of libbpf, with a C ABI that is easy to bind: integers, strings, byte buffers.
 *
 * Every function returns 0 (or what it says) on success and -errno on failure. Nothing is printed; libbpf's words go to the
 * log callback. Functions on different objects may be called from different threads at the same time.
 *
 * Everything that stays in the kernel is pinned in one directory of a bpffs, the "pin directory": maps by their name,
 * links as "link-NAME", and a map "layout" that says which version of weir_event.h they follow. Whoever finds the directory finds everything; unpinning removes everything, except clsact
 * filters (kernels before 6.6), which are known by their fixed handle, priority and program name.
 */
#ifndef WEIR_EBPF_H
#define WEIR_EBPF_H

#include <stdint.h>

#define WEIR_API __attribute__((visibility("default")))

/* Grows with each incompatible change of this file. */
#define WEIR_EBPF_ABI 1
WEIR_API int weir_ebpf_abi(void);

/* level: 0 warning, 1 information, 2 debugging. Called on the thread that called the library. */
typedef void (*weir_log_fn)(int level, const char *text);
WEIR_API void weir_ebpf_log(weir_log_fn log);

/* ---- the pin directory ---- */

/* Mounts a bpffs at path if there is none; creates the directory. */
WEIR_API int weir_bpffs_mount(const char *path);
/* Unmounts what weir_bpffs_mount mounted. */
WEIR_API int weir_bpffs_unmount(const char *path);

/* ---- objects ---- */

struct weir_object;

/*
 * Opens an ELF object and loads its programs; its maps are shared with those of that name in pin_dir, or pinned there.
 * -EEXIST: what is pinned has another layout or other sizes; remove it (and the links) to start anew. max_services and max_instances change the sizes of the maps; 0 keeps them.
 */
WEIR_API int weir_object_load(const char *elf, const char *pin_dir, uint32_t max_services, uint32_t max_instances,
			      struct weir_object **out);
/* Closes the handles; what is pinned stays. */
WEIR_API void weir_object_close(struct weir_object *object);

/* ---- attaching: replaces atomically what is pinned under the same name ---- */

/* program on a cgroup v2 directory. */
WEIR_API int weir_attach_cgroup(struct weir_object *object, const char *program, const char *cgroup, const char *pin_dir,
				const char *name);
/* program on this network namespace (sk_lookup). */
WEIR_API int weir_attach_netns(struct weir_object *object, const char *program, const char *pin_dir, const char *name);
/*
 * program on an interface: tcx where the kernel has it, else a clsact filter with the fixed handle and priority.
 * Returns 1 for tcx, 2 for clsact. The qdisc clsact is left on the interface; others may use it.
 */
WEIR_API int weir_attach_tc(struct weir_object *object, const char *program, uint32_t ifindex, int ingress,
			    const char *pin_dir, const char *name);
/* program on a sockmap or sockhash (sk_msg, sk_skb verdict). */
WEIR_API int weir_attach_map(struct weir_object *object, const char *program, const char *map);
/* Detaches and unpins; not there is fine. */
WEIR_API int weir_detach(const char *pin_dir, const char *name);
WEIR_API int weir_detach_tc(uint32_t ifindex, int ingress, const char *pin_dir, const char *name);

/* ---- maps ---- */

/* A descriptor of a pinned map; close with weir_close. */
WEIR_API int weir_map_open(const char *pin_dir, const char *map);
/* A descriptor of an object's map that need not be pinned; owned by the object. */
WEIR_API int weir_object_map(struct weir_object *object, const char *map);
WEIR_API int weir_close(int fd);
WEIR_API int weir_map_put(int map, const void *key, const void *value, uint64_t flags);
WEIR_API int weir_map_get(int map, const void *key, void *value);
WEIR_API int weir_map_delete(int map, const void *key);
/* previous NULL: the first key. -ENOENT: there is no next. */
WEIR_API int weir_map_next(int map, const void *previous, void *next);
/*
 * The values [first, first + count) of an array, per-CPU values summed up word by word: words of 8 bytes, or of 4 where
 * value_size is no multiple of 8; out has room for count values of one CPU. For mixed widths (weir_histogram) see weir_map_histogram.
 */
WEIR_API int weir_map_read(int map, uint32_t first, uint32_t count, uint32_t value_size, void *out);
/* The histogram of a function over all CPUs: sum_us and then WEIR_BUCKETS counts, 64 bits each. */
WEIR_API int weir_map_histogram(int map, uint32_t function, uint64_t *out);
/* Zeroes an element on all CPUs. */
WEIR_API int weir_map_zero(int map, uint32_t index, uint32_t value_size);
/* Puts the socket that listens on 127.0.0.1 or ::1 at this port of this process into a sockmap at key 0. */
WEIR_API int weir_map_listener(int map, uint16_t port);

/* ---- signals ---- */

struct weir_ring;
WEIR_API int weir_ring_open(int map, struct weir_ring **out);
/*
 * Waits at most timeout_ms (-1: for ever) and copies whole struct weir_signal into out. Returns how many, 0 after
 * weir_ring_wake or the timeout. One thread at a time.
 */
WEIR_API int weir_ring_read(struct weir_ring *ring, void *out, uint32_t most, int timeout_ms);
/* Makes a waiting weir_ring_read return; from any thread. */
WEIR_API int weir_ring_wake(struct weir_ring *ring);
WEIR_API void weir_ring_close(struct weir_ring *ring);

/* ---- the host ---- */

/* CLOCK_MONOTONIC, in nanoseconds. */
WEIR_API uint64_t weir_clock(void);
/* Cookie of a network namespace; path NULL: this one. */
WEIR_API int weir_netns_cookie(const char *path, uint64_t *cookie);
/* The id of a cgroup v2 directory that programs see; on 64-bit machines its inode. */
WEIR_API int weir_cgroup_id(const char *path, uint64_t *id);
/*
 * Tries one thing that the kernel may or may not do, leaving nothing behind; what is one of the words listed in
 * weir_probe_names. 0: it does. cgroup is a directory to try attachments on.
 */
WEIR_API int weir_probe(const char *what, const char *cgroup);
/* The words, separated by spaces: the program types, attachments, map types and helpers Weir's programs use. */
WEIR_API const char *weir_probe_names(void);

#endif
