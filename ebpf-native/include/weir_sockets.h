/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The keys and values of the maps that lead bytes from socket to socket (shortcut.bpf.c, adapt.bpf.c). As weir_event.h:
 * fixed widths, explicit padding, ports in network byte order, addresses of 16 bytes with IPv4 written as ::ffff:a.b.c.d,
 * whatever family the socket has.
 */
#ifndef WEIR_SOCKETS_H
#define WEIR_SOCKETS_H

#include "weir_event.h"

/* A connection as one of its two sockets sees it. */
struct weir_pair {
	struct weir_addr local;
	struct weir_addr remote;
	__be16 local_port;
	__be16 remote_port;
};

/* Where an instance listens. */
struct weir_target {
	struct weir_addr address;
	__be16 port;
	__u8 pad[2];
};

/* ---- shortcut ---- */

#define WEIR_SHORTCUTS 4096		/* connections at a time; above it they go the normal way */

/* Map shortcut_settings, one element, written by the gateway. */
struct weir_shortcut_settings {
	__u64 netns;			/* cookie of the gateway's network namespace; 0: nothing is cut short */
	__u32 budget;			/* bytes in one direction without an answer; one byte more and it goes by TCP */
	__u32 pad;
};

enum weir_shortcut_way {
	WEIR_WAY_DIRECT,		/* from socket to socket */
	WEIR_WAY_TCP,			/* by TCP, until the connection ends */
};

enum weir_shortcut_direction { WEIR_TO_FUNCTION, WEIR_TO_GATEWAY };

/* Map shortcuts, written by the program: one for each connection, by the gateway's view of it. */
struct weir_shortcut {
	__u64 began_ns;			/* of the request in flight */
	__u64 direct[2];		/* messages that went directly, by direction */
	__u32 slot;
	__u32 generation;
	__u32 way[2];
	__u32 unanswered[2];		/* bytes that went directly since something came the other way */
	__u32 asked;			/* by the sends to the function; a request is in flight while it differs from */
	__u32 answered;			/* this one, by the sends to the gateway */
	__u32 word;			/* the first word_length bytes of a request that comes in pieces */
	__u8 word_length;
	__u8 line_length;		/* likewise of an answer's first line */
	__u8 opaque;			/* no HTTP any more: an answer was a 101 */
	__u8 pad;
	__u8 line[16];
};

WEIR_ASSERT_SIZE(weir_pair, 36);
WEIR_ASSERT_SIZE(weir_target, 20);
WEIR_ASSERT_SIZE(weir_shortcut_settings, 16);
WEIR_ASSERT_SIZE(weir_shortcut, 80);

/* ---- adapt ---- */

#define WEIR_SUBSCRIPTIONS 16		/* connections of the gateway to the bundled broker for triggers with fast: kernel */
#define WEIR_LANES 256			/* connections of the gateway to functions for them; one at least for each topic's order */
#define WEIR_DEPTH 64			/* requests on a lane that are not answered */
#define WEIR_TOPIC 64			/* bytes of a topic */
#define WEIR_HEAD 512			/* bytes of a request's head */
#define WEIR_MESSAGE 16384		/* bytes of a PUBLISH packet; larger ones go the slow way */

enum weir_adapt_role { WEIR_ADAPT_CLIENT = 1, WEIR_ADAPT_BROKER, WEIR_ADAPT_FUNCTION };

/* Map adapt_wanted: struct weir_pair -> this, before the connection is opened: which socket to take up, once. */
struct weir_adapt_end {
	__u64 netns;			/* cookie of the socket's network namespace; 0: any */
	__u32 role;
	__u32 index;			/* of the subscription or of the lane */
};

/* Map adapt_subscriptions, by the gateway. */
struct weir_adapt_subscription {
	__u64 confirmed;		/* bytes from the broker that the gateway has read and is done with */
	__u64 wall_ns;			/* what to add to CLOCK_MONOTONIC for the time since 1970 */
	__u32 version;			/* of MQTT: 4 or 5; 0: off */
	__u32 pad;
};

/* Map adapt_passed, by the program. */
struct weir_adapt_passed {
	__u64 bytes;			/* from the broker that went, or will go, to the gateway */
	__u64 packets;			/* sends that went to the gateway */
};

/* Key of map adapt_templates. */
struct weir_adapt_topic {
	__u32 subscription;
	__u8 topic[WEIR_TOPIC];		/* filled with zeros, which no topic contains */
};

/*
 * Value of map adapt_templates: the head of a request up to and with the empty line, of a length that is a multiple of 64
 * (spaces at the end of a header's value are harmless). The program writes at the given places, 0 meaning nowhere:
 */
struct weir_adapt_template {
	__u32 lane;
	__u16 head_length;
	__u16 length_at;		/* Content-Length, 5 digits */
	__u16 id_at;			/* ce-id, 16 hexadecimal digits */
	__u16 time_at;			/* ce-time, yyyy-mm-ddThh:mm:ss.mmmZ */
	__u32 pad;
	__u8 head[WEIR_HEAD];
};

/* Map adapt_lanes, by the gateway, while no socket is in the lane. */
struct weir_adapt_lane {
	__u32 enabled;
	__u32 subscription;
	__u32 slot;			/* of the instance, for the meter */
	__u32 generation;
	__u32 depth;			/* at most WEIR_DEPTH */
	__u32 pad;
	__u64 first_id;			/* ce-id of the first message; counts up */
};

/* Map adapt_flights, by the program; zeroed by the gateway before it opens a lane. */
struct weir_adapt_flight {
	__u32 sent;			/* requests, modulo 2^32 */
	__u32 answered;			/* by the kernel; the next to be answered is id[answered % WEIR_DEPTH] */
	__u32 handed;			/* enum weir_adapt_reason: from now on every answer goes to the gateway; open a new lane */
	__u32 skip;			/* bytes of the current answer's body that are still to come */
	__u64 acked;			/* PUBACKs sent */
	__u32 alive;			/* the function's socket is there */
	__u32 counted;			/* answers that the meter knows of; after a handing over more than answered */
	__u64 sent_ns[WEIR_DEPTH];
	__u16 id[WEIR_DEPTH];		/* packet identifier; 0: QoS 0 */
};

enum weir_adapt_reason {
	WEIR_HANDED_NOT = 0,
	WEIR_HANDED_STATUS,		/* not 2xx */
	WEIR_HANDED_FRAMING,		/* an end that is not known, a head in pieces, two answers in one send */
	WEIR_HANDED_UNASKED,		/* an answer without a request */
	WEIR_HANDED_MEMORY,
};

WEIR_ASSERT_SIZE(weir_adapt_end, 16);
WEIR_ASSERT_SIZE(weir_adapt_subscription, 24);
WEIR_ASSERT_SIZE(weir_adapt_passed, 16);
WEIR_ASSERT_SIZE(weir_adapt_topic, 68);
WEIR_ASSERT_SIZE(weir_adapt_template, 528);
WEIR_ASSERT_SIZE(weir_adapt_lane, 32);
WEIR_ASSERT_SIZE(weir_adapt_flight, 672);

#endif
