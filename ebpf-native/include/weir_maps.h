/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The maps that more than one program uses, one macro each: a program that uses a map writes its macro, so that every
 * object declares it alike. All are pinned by name: the objects share them, and a gateway that was killed finds them
 * again. Include after bpf_helpers.h.
 */
#ifndef WEIR_MAPS_H
#define WEIR_MAPS_H

#include "weir_event.h"

#define WEIR_MAP(name_, type_, key_, value_, entries_, flags_)		\
	struct {							\
		__uint(type, type_);					\
		__uint(max_entries, entries_);				\
		__uint(map_flags, flags_);				\
		__type(key, key_);					\
		__type(value, value_);					\
		__uint(pinning, LIBBPF_PIN_BY_NAME);			\
	} name_ SEC(".maps")

/* Who is where: written by the gateway. */
#define WEIR_MAP_SERVICES						\
	WEIR_MAP(services, BPF_MAP_TYPE_HASH, struct weir_service_key, struct weir_service, WEIR_SERVICES, 0)
#define WEIR_MAP_ADDRESSES						\
	WEIR_MAP(addresses, BPF_MAP_TYPE_HASH, struct weir_addr, __u32, 256, 0)
#define WEIR_MAP_INSTANCES						\
	WEIR_MAP(instances, BPF_MAP_TYPE_ARRAY, __u32, struct weir_instance, WEIR_INSTANCES, 0)
#define WEIR_MAP_CGROUPS						\
	WEIR_MAP(cgroups, BPF_MAP_TYPE_HASH, __u64, __u32 /* slot */, WEIR_INSTANCES, 0)
#define WEIR_MAP_HOMES							\
	WEIR_MAP(homes, BPF_MAP_TYPE_HASH, __u64 /* netns */, __u32 /* slot */, WEIR_INSTANCES, 0)

/* What happens: written by the programs. */
#define WEIR_MAP_LOADS							\
	WEIR_MAP(loads, BPF_MAP_TYPE_ARRAY, __u32, struct weir_load, WEIR_INSTANCES, 0)
#define WEIR_MAP_DEAF							\
	WEIR_MAP(deaf, BPF_MAP_TYPE_ARRAY, __u32, __u32, WEIR_INSTANCES, 0)
#define WEIR_MAP_COUNTERS						\
	WEIR_MAP(counters, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct weir_counters, WEIR_INSTANCES, 0)
#define WEIR_MAP_LATENCY						\
	WEIR_MAP(latency, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct weir_histogram, WEIR_SERVICES, 0)
#define WEIR_MAP_NOTES							\
	WEIR_MAP(notes, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, __u64, WEIR_NOTES, 0)
#define WEIR_MAP_SIGNALS						\
	struct {							\
		__uint(type, BPF_MAP_TYPE_RINGBUF);			\
		__uint(max_entries, 256 * 1024);			\
		__uint(pinning, LIBBPF_PIN_BY_NAME);			\
	} signals SEC(".maps")

/* The gateway's listener that holds connections: key 0. Empties itself when the gateway is gone. */
#define WEIR_MAP_LISTENER						\
	WEIR_MAP(listener, BPF_MAP_TYPE_SOCKMAP, __u32, __u64, 1, 0)

/* Policy. */
#define WEIR_MAP_SOURCES						\
	WEIR_MAP(sources, BPF_MAP_TYPE_LPM_TRIE, struct weir_prefix, __u32, 4096, BPF_F_NO_PREALLOC)
#define WEIR_MAP_EGRESS							\
	WEIR_MAP(egress, BPF_MAP_TYPE_LPM_TRIE, struct weir_prefix, struct weir_egress, 4096, BPF_F_NO_PREALLOC)

/* Counts one thing; needs WEIR_MAP_NOTES. */
#define weir_note(index_)						\
	do {								\
		__u32 note_key_ = (index_);				\
		__u64 *note_ = bpf_map_lookup_elem(&notes, &note_key_);	\
		if (note_)						\
			++*note_;					\
	} while (0)

#endif
