/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the programs that lead connections (route, local, wake) keep for themselves, and the one thing they must be told.
 * Everything is in network byte order or of the machine's, as the types say; see weir_event.h.
 */
#ifndef WEIR_ROUTE_H
#define WEIR_ROUTE_H

#include "weir_event.h"

#define WEIR_BUCKETS_OF_CLIENTS 16384	/* (function, client) pairs whose rate is remembered */
#define WEIR_STALE 4096			/* connections whose packets are about to be answered by a reset */
#define WEIR_FRAGMENTS 1024		/* packets of which fragments are still to come */
#ifndef WEIR_ROUTE_FLOWS
#define WEIR_ROUTE_FLOWS WEIR_FLOWS	/* a test makes it small */
#endif

/* ---- config: key 0; written by the gateway before it attaches anything ---- */

enum weir_config_flags {
	/*
	 * Take VLAN-tagged frames as they come on an interface, although the host has no interface for that VLAN; answers
	 * get the same tag. Unset: such frames go to the host, which leads them to its VLAN's interface or drops them.
	 */
	WEIR_CONFIG_TAGGED = 1,
};

struct weir_config {
	__u64 netns;			/* cookie of the gateway's network namespace; 0: no local caller is led anywhere */
	__u32 flags;
	__u32 bridge;			/* 0: into the instance's veth (redirect_peer); else by neighbour to this ifindex */
};

/* ---- connections ---- */

struct weir_flow_key {
	struct weir_addr client;
	struct weir_addr server;	/* in flows the service's, in returns the instance's */
	__be16 client_port;
	__be16 server_port;
	__u32 pad;
};

/* What a client's packets to a service are led by. */
struct weir_flow {
	__u32 slot;			/* WEIR_NO_SLOT: the gateway holds it */
	__u32 generation;
	__u32 isn;			/* of the SYN that made this entry */
	__u8 client_fin;		/* one byte each, so that two processors cannot undo each other's */
	__u8 server_fin;
	__u8 reset;
	__u8 pad;
	__u64 checked_ns;		/* when the way back was last seen to be there; at most a second old while packets come */
};

/* What an instance's packets to a client are led by. */
struct weir_return {
	struct weir_addr service;
	__be16 port;
	__u16 vlan_tci;			/* 0: none */
	__u32 slot;
	__u32 generation;
	__u32 ifindex;			/* of the LAN interface that the client's packets come from */
	__u8 ethernet[12];		/* the client's (or its router's) address, then ours */
	__be16 vlan_protocol;
	__u16 pad;
};

/* Fragments after the first have no ports: where the first went. IPv4 only, where TCP still meets them. */
struct weir_fragment_key {
	__be32 source;
	__be32 target;
	__be16 id;
	__u16 pad;
};

struct weir_fragment {
	__u64 at_ns;
	__u32 slot;
	__u32 generation;
};

/* Generic cell rate algorithm: one number is the whole state. */
struct weir_bucket_key {
	struct weir_addr client;	/* IPv6: its /64 */
	__u32 function;
	__u32 pad;
};

struct weir_bucket {
	__u64 due_ns;			/* when the next connection would be on time */
};

/* The address that a local caller meant. */
struct weir_peer {
	struct weir_addr address;
	__be16 port;
	__u8 pad[6];
};

WEIR_ASSERT_SIZE(weir_config, 16);
WEIR_ASSERT_SIZE(weir_flow_key, 40);
WEIR_ASSERT_SIZE(weir_flow, 24);
WEIR_ASSERT_SIZE(weir_return, 48);
WEIR_ASSERT_SIZE(weir_fragment_key, 12);
WEIR_ASSERT_SIZE(weir_fragment, 16);
WEIR_ASSERT_SIZE(weir_bucket_key, 24);
WEIR_ASSERT_SIZE(weir_peer, 24);

#define WEIR_MAP_CONFIG WEIR_MAP(config, BPF_MAP_TYPE_ARRAY, __u32, struct weir_config, 1, 0)
#define WEIR_MAP_FLOWS WEIR_MAP(flows, BPF_MAP_TYPE_LRU_HASH, struct weir_flow_key, struct weir_flow, WEIR_ROUTE_FLOWS, 0)
#define WEIR_MAP_RETURNS \
	WEIR_MAP(returns, BPF_MAP_TYPE_LRU_HASH, struct weir_flow_key, struct weir_return, WEIR_ROUTE_FLOWS, 0)
#define WEIR_MAP_FRAGMENTS \
	WEIR_MAP(fragments, BPF_MAP_TYPE_LRU_HASH, struct weir_fragment_key, struct weir_fragment, WEIR_FRAGMENTS, 0)
#define WEIR_MAP_BUCKETS \
	WEIR_MAP(buckets, BPF_MAP_TYPE_LRU_HASH, struct weir_bucket_key, struct weir_bucket, WEIR_BUCKETS_OF_CLIENTS, 0)
/* Keeps a packet of a connection that is over from being taken for a new one by wake: the time it was seen. */
#define WEIR_MAP_STALE WEIR_MAP(stale, BPF_MAP_TYPE_LRU_HASH, struct weir_flow_key, __u64, WEIR_STALE, 0)
/* When a function was last signalled as wanted. */
#define WEIR_MAP_WANTED WEIR_MAP(wanted, BPF_MAP_TYPE_ARRAY, __u32, __u64, WEIR_SERVICES, 0)

#endif
