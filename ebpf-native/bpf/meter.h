/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the meter remembers of a connection. Changing it needs another WEIR_VERSION: the map is pinned. */
#ifndef WEIR_METER_H
#define WEIR_METER_H

#include <linux/types.h>

enum conn_kind { LISTENER, HTTP, OPAQUE };

/*
 * Who writes what: packets come in on any CPU, while packets leave and states change under the socket's lock. So a
 * field belongs to one of the two sides, and a request is in flight while the sides' counts differ.
 */
struct conn {
	__u64 began_ns;		/* in: first byte of the request in flight */
	__u32 slot;
	__u32 generation;
	__u32 function;
	__u32 asked;		/* in */
	__u32 answered;		/* out */
	__u32 in_next;		/* in: sequence number after the last byte seen */
	__u32 out_next;		/* out: likewise */
	__u32 in_bytes;		/* in: not in the counters yet */
	__u32 out_bytes;	/* out: likewise */
	__u32 hole;		/* in: where bytes were skipped that may hold the beginning of a request */
	__u32 word;		/* in: the first word_length bytes of a request */
	__u8 word_length;
	__u8 has_hole;		/* in */
	__u8 started;		/* in: its protocol is known */
	__u8 closed;		/* out: no longer among the open connections */
	__u8 kind;
	__u8 line_length;	/* out: of line */
	__u8 line[16];		/* out: the first 12 bytes of a status line that comes in pieces */
	__u8 pad[2];
};
_Static_assert(sizeof(struct conn) == 80, "conn");

/* Pinned, so that connections keep their state when a new gateway replaces the programs. */
#define WEIR_MAP_CONNECTIONS						\
	struct {							\
		__uint(type, BPF_MAP_TYPE_SK_STORAGE);			\
		__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);	\
		__type(key, int);					\
		__type(value, struct conn);				\
		__uint(pinning, LIBBPF_PIN_BY_NAME);			\
	} connections SEC(".maps")

#endif
