/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What Weir's programs in the kernel and the gateway tell each other: the keys and values of the maps, and the signals.
 *
 * Fixed-width types, explicit padding, no pointers: the same bytes on every architecture. Ports are in network byte
 * order. Addresses have 16 bytes; an IPv4 address is written as ::ffff:a.b.c.d.
 */
#ifndef WEIR_EVENT_H
#define WEIR_EVENT_H

#include <linux/types.h>

#define WEIR_VERSION 3		/* of this layout; a pinned map of another one is not taken up */

#define WEIR_SERVICES 1024	/* service addresses; likewise functions */
#define WEIR_INSTANCES 1024	/* slots for instances */
#define WEIR_FLOWS 65536	/* connections that the route keeps on their instance; least recently used go first */
#define WEIR_FANOUT 16		/* instances of one function that the kernel chooses from */

#define WEIR_NO_SLOT 0xffffffffU

struct weir_addr {
	__u8 bytes[16];
};

/* ---- services: which function an address and port of the gateway belong to ---- */

struct weir_service_key {
	__be16 port;
	__u8 protocol;			/* IPPROTO_TCP; UDP is left for later */
	__u8 pad;
};

enum weir_service_flags {
	WEIR_SERVICE_FILTERED = 1,	/* only sources in map sources */
	WEIR_SERVICE_LIMITED = 2,	/* at most rate new connections a second from one client */
};

struct weir_service {
	__u32 function;			/* index, below WEIR_SERVICES */
	__u32 flags;
	__u32 rate;			/* new connections per second and client */
	__u32 burst;			/* at once */
	__u32 count;			/* valid entries of slot; 0: nobody is there, the gateway holds the connection */
	__u32 slot[WEIR_FANOUT];	/* instances that take new connections */
	__u32 pad;
};

/* Addresses that are the gateway's own and on which services may be reached: struct weir_addr -> __u32 1. */

/* ---- instances: where an instance is; written by the gateway only ---- */

enum weir_instance_flags {
	WEIR_INSTANCE_LIVE = 1,		/* unset: its connections are over, packets of theirs are answered by a reset */
	WEIR_INSTANCE_ASLEEP = 2,	/* frozen, or about to be: the next packet for it is signalled (WEIR_TOUCHED) */
	WEIR_INSTANCE_IPV6 = 4,		/* listens on IPv6, too */
};

struct weir_instance {
	__u64 container;		/* the first 16 hex digits of its id */
	__u64 cgroup;			/* inode of its cgroup v2 directory; 0: not metered */
	struct weir_addr address4;	/* IPv4-mapped */
	struct weir_addr address6;	/* all zero: none */
	__u32 function;
	__u32 flags;
	__u32 generation;		/* grows whenever the slot changes hands; connections of an older one are over */
	__u32 ifindex;			/* the host's end of its veth pair; 0: not known, then TC does not route to it */
	__u32 limit;			/* requests in flight from which new connections are held instead; 0: none */
	__be16 port;
	__u8 pad[2];
	__u64 asleep_ns;		/* CLOCK_MONOTONIC when it was last put to rest */
};

/* What an instance has to do now; written by the programs only, atomically. By slot. */
struct weir_load {
	__s64 in_flight;		/* requests that came and are not answered */
	__s64 connections;		/* open */
	__u64 last_ns;			/* CLOCK_MONOTONIC of the last request or answer */
	__u64 signalled_ns;		/* of the last WEIR_TOUCHED */
};

/*
 * Whether anybody listens in an instance, so that one whose process died gets no connection before the gateway knows of it.
 *
 * homes: the instance's network namespace (__u64, its cookie) -> __u32 slot; written by the gateway.
 * listeners: how many sockets listen on a port; written by listen.
 * deaf: slot -> __u32, 1 + the generation in which the last of them was closed; 0: none was. Written by listen.
 */
struct weir_listener_key {
	__u64 netns;
	__be16 port;
	__u8 pad[6];
};

/* ---- meter ---- */

enum weir_status_class { WEIR_OTHER, WEIR_1XX, WEIR_2XX, WEIR_3XX, WEIR_4XX, WEIR_5XX, WEIR_STATUS_CLASSES };

/*
 * Per slot and CPU; only ever grow while the slot keeps its generation. When nothing is in flight, requests equals the
 * sum of responses and aborts.
 */
struct weir_counters {
	__u64 requests;
	__u64 responses[WEIR_STATUS_CLASSES];	/* final ones by class; of 1xx only 101 is final */
	__u64 aborts;			/* connections that ended with a request in flight, each request counts */
	__u64 connections;
	__u64 http2;			/* connections that began with HTTP/2 prior knowledge; no requests are counted in them */
	__u64 other;			/* connections that began with something that is no HTTP/1 request */
	__u64 pipelined;		/* requests of requests that were found by their answer only */
	__u64 bytes_in;			/* of IP packets; a connection holds up to 64 KiB back until its next request or end */
	__u64 bytes_out;
};

/*
 * Latency from a request's first byte to its answer's first byte, in microseconds, per function and CPU. Log-linear as
 * in HdrHistogram: values below 8 have a bucket each; from there on each power of two has 8 equal buckets. Bucket of v
 * with e = floor(log2 v) >= 3: 8 * (e - 2) + ((v >> (e - 3)) & 7). The last bucket also holds all that is longer.
 */
#define WEIR_BUCKETS 208		/* 8 * 26: up to 2^28 us, 268 s */

struct weir_histogram {
	__u64 sum_us;
	__u32 bucket[WEIR_BUCKETS];
};

/* ---- signals ---- */

enum weir_signal_kind {
	WEIR_WANTED = 1,		/* a connection to a service that has no instance: function */
	WEIR_TOUCHED = 2,		/* a packet for an instance that is asleep: function, slot, generation */
	WEIR_LISTENS = 3,		/* a process listens: netns, cgroup (0 where the kernel does not tell), port, family,
				   everywhere */
};

struct weir_signal {
	__u64 at_ns;			/* CLOCK_MONOTONIC */
	__u64 netns;			/* cookie of the network namespace */
	__u64 cgroup;
	__u32 kind;
	__u32 function;
	__u32 slot;
	__u32 generation;
	__be16 port;
	__u16 family;			/* AF_INET or AF_INET6 */
	__u32 everywhere;		/* 1: at every IPv4 address of its namespace; 0: who wants to know must try */
};

/* ---- what took the slow path or was refused, per CPU; index into map notes ---- */

enum weir_note {
	WEIR_NOTE_SIGNAL_LOST,		/* the ring was full */
	WEIR_NOTE_FLOW_LOST,		/* no entry for a connection could be made; it was held instead */
	WEIR_NOTE_HELD,			/* connections handed to the gateway's listener */
	WEIR_NOTE_NO_LISTENER,		/* nobody was there to hold it */
	WEIR_NOTE_ROUTED,		/* connections led to an instance by TC */
	WEIR_NOTE_LOCAL,		/* connections led to an instance in connect() */
	WEIR_NOTE_DENIED_SOURCE,	/* connections from a source that is not allowed */
	WEIR_NOTE_DENIED_RATE,		/* connections above a client's rate */
	WEIR_NOTE_DENIED_EGRESS,	/* connections out of a function that are not allowed */
	WEIR_NOTE_MALFORMED,		/* packets whose headers lie */
	WEIR_NOTE_STALE,		/* packets of connections whose instance is gone */
	WEIR_NOTE_UNKNOWN,		/* packets of connections that were forgotten for want of room, or never were */
	WEIR_NOTE_HANDED_OVER,		/* lanes of the adaptor on which an answer was none that the kernel can take */
	WEIR_NOTES
};

/* ---- policy ---- */

struct weir_prefix {			/* key of the LPM trie maps sources and egress */
	__u32 length;			/* in bits: 32 for function, then those of the network */
	__be32 function;
	struct weir_addr address;
};

#define WEIR_EGRESS_PORTS 4

struct weir_egress {			/* the longest prefix decides alone, so it repeats the ports of shorter ones */
	__be16 port[WEIR_EGRESS_PORTS];	/* the first one 0: every port; later ones 0: none */
};

#define WEIR_ASSERT_SIZE(type, size) _Static_assert(sizeof(struct type) == (size), #type)
WEIR_ASSERT_SIZE(weir_service_key, 4);
WEIR_ASSERT_SIZE(weir_service, 88);
WEIR_ASSERT_SIZE(weir_instance, 80);
WEIR_ASSERT_SIZE(weir_load, 32);
WEIR_ASSERT_SIZE(weir_listener_key, 16);
WEIR_ASSERT_SIZE(weir_counters, 112);
WEIR_ASSERT_SIZE(weir_histogram, 840);
WEIR_ASSERT_SIZE(weir_signal, 48);
WEIR_ASSERT_SIZE(weir_prefix, 24);
WEIR_ASSERT_SIZE(weir_egress, 8);

#endif
