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
	__u32 slot;
	__u32 generation;
	__u32 way[2];			/* by direction */
	__u32 unanswered[2];		/* bytes that went directly since something came the other way */
	__u64 direct[2];		/* messages that went directly, for tests and doctors */
	__u64 since_ns;			/* of the first byte of the request in flight */
	__u32 in_flight;
	__u32 pending;			/* requests in flight that the packet meter has not been told of */
};

WEIR_ASSERT_SIZE(weir_pair, 36);
WEIR_ASSERT_SIZE(weir_target, 20);
WEIR_ASSERT_SIZE(weir_shortcut_settings, 16);
WEIR_ASSERT_SIZE(weir_shortcut, 56);

#endif
