// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Leads bytes between the gateway's sockets and those of instances on this host past TCP: weir_shortcut puts both ends of
 * a connection into a sockhash, weir_shortcut_send puts what one end sends into the receive queue of the other.
 *
 * Which connections: those opened in the gateway's network namespace to an address and port in map targets whose instance
 * is LIVE, with no NAT between (both ends must see the same pair of addresses; families may differ). All others are not
 * touched. What does not find its peer goes by TCP.
 *
 * When it is safe. A receiver reads what came directly before what came by TCP. So a direction may change from direct to
 * TCP at any time, and never back: nobody tells the sender when its bytes in the receive queue have been read. Each
 * direction therefore begins directly, if both ends are there at its first byte, and changes to TCP for good
 *  - when more than `budget` bytes would be unanswered: nothing limits what is queued directly, so large bodies need TCP's
 *    flow control. Unanswered is what went since the other side last sent something;
 *  - when the sender's socket is no longer ESTABLISHED: the peer has half-closed;
 *  - when the peer is not in the sockhash, or the instance's connections are over.
 * FIN and RST go by TCP and are read after what came directly. A connection that had a large body in one direction stays
 * with TCP in that direction; a gateway that minds closes it.
 *
 * What differs from TCP, on Linux 6.18: closing with unread direct bytes sends FIN, not RST; splice() from the socket does
 * not see direct bytes and waits for ever; recv() with MSG_WAITALL returns what there is. FIONREAD and MSG_PEEK see them
 * (not tried on older kernels). An unread answer survives a reset, and the end of both directions; kernels before 5.19 are
 * said to drop it then, so the gateway had better not half-close before it has read its answer.
 *
 * Counting: here, for both directions and whichever way the bytes go, by the meter's rules (an interim answer must have a
 * send to itself); the meter is told to leave the contents of the connection alone and keeps counting packets' bytes,
 * beginning and end.
 *
 * What the gateway does, in this order:
 *  1. attach weir_shortcut_send to map shortcut_sockets; weir_shortcut to its own cgroup and to the parent of the
 *     containers (once, if the one lies in the other).
 *  2. write shortcut_settings: netns = cookie of its namespace, budget (8192 was measured).
 *  3. per instance: after map instances, put address and port -> slot into map targets; before the slot changes hands,
 *     remove it. Connections that are open stay as they are.
 *  4. off: netns = 0. Open connections stay as they are.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include "weir_maps.h"
#include "weir_sockets.h"
#include "count.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

WEIR_MAP(targets, BPF_MAP_TYPE_HASH, struct weir_target, __u32 /* slot */, WEIR_INSTANCES, 0);
WEIR_MAP(shortcut_settings, BPF_MAP_TYPE_ARRAY, __u32, struct weir_shortcut_settings, 1, 0);
WEIR_MAP(shortcuts, BPF_MAP_TYPE_HASH, struct weir_pair, struct weir_shortcut, WEIR_SHORTCUTS, 0);
/* Both ends of each, by their own view. */
WEIR_MAP(shortcut_sockets, BPF_MAP_TYPE_SOCKHASH, struct weir_pair, __u64, 2 * WEIR_SHORTCUTS, 0);

enum { GATEWAY_END = 1, FUNCTION_END = 2 };

/* Which end of a connection a socket is. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u32);
} shortcut_ends SEC(".maps");

weir_inline int insert(struct bpf_sock_ops *ctx, struct weir_pair *pair, __u32 end)
{
	struct bpf_sock *sk = ctx->sk;
	__u32 *mark;

	if (!sk)
		return -1;
	mark = bpf_sk_storage_get(&shortcut_ends, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!mark)
		return -1;
	*mark = end;
	return bpf_sock_hash_update(ctx, &shortcut_sockets, pair, BPF_ANY);
}

/* The gateway has connected to an instance. */
weir_inline void connected(struct bpf_sock_ops *ctx)
{
	struct weir_shortcut_settings *settings;
	struct weir_shortcut made = {};
	struct weir_instance *instance;
	struct weir_target target;
	struct weir_pair pair;
	__u32 zero = 0, *slot;

	settings = bpf_map_lookup_elem(&shortcut_settings, &zero);
	if (!settings || !settings->netns || settings->netns != bpf_get_netns_cookie(ctx))
		return;
	if (weir_pair_of_ops(ctx, &pair))
		return;
	weir_target_of(&pair.remote, pair.remote_port, &target);
	slot = bpf_map_lookup_elem(&targets, &target);
	if (!slot)
		return;
	instance = bpf_map_lookup_elem(&instances, slot);
	if (!instance || !(instance->flags & WEIR_INSTANCE_LIVE))
		return;
	made.slot = *slot;
	made.generation = instance->generation;
	if (ctx->data_segs_out || ctx->data_segs_in)	/* TCP fast open: bytes are on their way already */
		return;
	if (bpf_map_update_elem(&shortcuts, &pair, &made, BPF_ANY))
		return;
	if (insert(ctx, &pair, GATEWAY_END)) {
		bpf_map_delete_elem(&shortcuts, &pair);
		return;
	}
	bpf_sock_ops_cb_flags_set(ctx, ctx->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG);
}

/* An instance has accepted; the gateway's end was there before, or this is none of ours. */
weir_inline void accepted(struct bpf_sock_ops *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct weir_pair pair, gateway;
	struct conn *conn;

	if (!sk || weir_pair_of_ops(ctx, &pair))
		return;
	weir_reverse(&pair, &gateway);
	if (!bpf_map_lookup_elem(&shortcuts, &gateway))
		return;
	if (insert(ctx, &pair, FUNCTION_END))
		return;
	bpf_sock_ops_cb_flags_set(ctx, ctx->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG);
	conn = bpf_sk_storage_get(&connections, sk, 0, 0);
	if (conn) {
		conn->kind = OPAQUE;		/* the meter goes on with its bytes and its end */
		conn->started = 1;
	}
}

/* One of the two ends goes. Both sockets leave the sockhash by themselves. */
weir_inline void changed(struct bpf_sock_ops *ctx, __u32 state)
{
	struct bpf_sock *sk = ctx->sk;
	struct weir_shortcut *shortcut;
	struct weir_pair pair, peer;
	__u32 *end;

	if (state != BPF_TCP_CLOSE && state != BPF_TCP_FIN_WAIT1 && state != BPF_TCP_LAST_ACK)
		return;
	if (!sk)
		return;
	end = bpf_sk_storage_get(&shortcut_ends, sk, 0, 0);
	if (!end || (*end == GATEWAY_END && state != BPF_TCP_CLOSE) || weir_pair_of_ops(ctx, &pair))
		return;
	if (*end == FUNCTION_END) {
		weir_reverse(&pair, &peer);
		pair = peer;
	}
	shortcut = bpf_map_lookup_elem(&shortcuts, &pair);
	if (!shortcut)
		return;
	if (shortcut->asked != shortcut->answered) {
		shortcut->answered = shortcut->asked;
		if (weir_instance_in(shortcut->slot, shortcut->generation))
			weir_count_aborts(shortcut->slot, 1);
	}
	if (*end == GATEWAY_END)
		bpf_map_delete_elem(&shortcuts, &pair);
}

SEC("sockops")
int weir_shortcut(struct bpf_sock_ops *ctx)
{
	switch (ctx->op) {
	case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
		connected(ctx);
		break;
	case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
		accepted(ctx);
		break;
	case BPF_SOCK_OPS_STATE_CB:
		changed(ctx, ctx->args[1]);
		break;
	}
	return 1;
}

/* ---- counting, whichever way the bytes go ---- */

weir_inline void count_request(struct sk_msg_md *ctx, struct weir_shortcut *shortcut, __u64 now)
{
	__u32 size = ctx->size, have = shortcut->word_length, word = shortcut->word, i;
	__u8 *data, *end;

	if (shortcut->opaque || shortcut->asked != shortcut->answered)
		return;
	if (weir_linear(ctx, size < 4 ? size : 4))
		return;
	data = ctx->data;
	end = ctx->data_end;
	for (i = 0; i < 4; i++) {
		if (have >= 4 || data + i + 1 > end)
			break;
		word = (have ? word : 0) | (__u32)data[i] << 8 * (have & 3);
		have++;
	}
	shortcut->word = word;
	shortcut->word_length = have & 3;
	if (have < 4 || !is_method(word))
		return;
	shortcut->began_ns = now;
	shortcut->asked = shortcut->answered + 1;
	weir_count_request(shortcut->slot, now);
}

weir_inline void count_answer(struct sk_msg_md *ctx, struct weir_shortcut *shortcut, __u32 function, __u64 now)
{
	__u32 size = ctx->size, have = shortcut->line_length, line[3], class, i;
	const __u64 begin = 0x2e312f50545448ULL;	/* "HTTP/1." */
	__u8 *data, *end;

	if (shortcut->opaque)
		return;
	if (weir_linear(ctx, size < STATUS_BYTES ? size : STATUS_BYTES))
		return;
	data = ctx->data;
	end = ctx->data_end;
	if (!have && data + STATUS_BYTES <= end) {
		__builtin_memcpy(line, data, STATUS_BYTES);
	} else {
		for (i = 0; i < STATUS_BYTES; i++) {
			__u32 at = have & 15;

			asm volatile("" : "+r"(at));	/* or the bound is dropped that the verifier wants to see */
			at &= 15;
			if (have >= STATUS_BYTES || data + i + 1 > end)
				break;
			if (at < 7 && data[i] != (__u8)(begin >> 8 * (at & 7))) {
				shortcut->line_length = 0;
				return;
			}
			shortcut->line[at] = data[i];
			have++;
		}
		shortcut->line_length = have < STATUS_BYTES ? have : 0;
		if (have < STATUS_BYTES)
			return;
		__builtin_memcpy(line, shortcut->line, STATUS_BYTES);
	}
	class = class_of(line);
	if (!class || class == INTERIM)
		return;
	if (class == WEIR_1XX)
		shortcut->opaque = 1;
	weir_count_answer(shortcut->slot, function, class, shortcut->asked != shortcut->answered ? shortcut->began_ns : 0, now);
	shortcut->answered = shortcut->asked;
}

/* ---- sending ---- */

SEC("sk_msg")
int weir_shortcut_send(struct sk_msg_md *ctx)
{
	struct weir_shortcut_settings *settings;
	struct bpf_sock *sk = ctx->sk;
	struct weir_shortcut *shortcut;
	struct weir_instance *instance;
	struct weir_pair pair, peer;
	__u32 zero = 0, *end, to, size = ctx->size;
	__u64 now;

	if (!sk)
		return SK_PASS;
	end = bpf_sk_storage_get(&shortcut_ends, sk, 0, 0);
	settings = bpf_map_lookup_elem(&shortcut_settings, &zero);
	if (!end || !settings || weir_pair_of_msg(ctx, &pair))
		return SK_PASS;
	weir_reverse(&pair, &peer);
	if (*end == GATEWAY_END) {
		to = WEIR_TO_FUNCTION;
		shortcut = bpf_map_lookup_elem(&shortcuts, &pair);
	} else {
		to = WEIR_TO_GATEWAY;
		shortcut = bpf_map_lookup_elem(&shortcuts, &peer);
	}
	if (!shortcut)
		return SK_PASS;
	now = bpf_ktime_get_ns();
	instance = weir_instance_in(shortcut->slot, shortcut->generation);
	if (instance) {
		if (to == WEIR_TO_GATEWAY)
			count_answer(ctx, shortcut, instance->function, now);
		else
			count_request(ctx, shortcut, now);
	}
	shortcut->unanswered[!to] = 0;
	if (shortcut->way[to] == WEIR_WAY_TCP)
		return SK_PASS;
	if (instance && sk->state == BPF_TCP_ESTABLISHED && size <= settings->budget &&
	    shortcut->unanswered[to] <= settings->budget - size &&
	    bpf_msg_redirect_hash(ctx, &shortcut_sockets, &peer, BPF_F_INGRESS) == SK_PASS) {
		if (to == WEIR_TO_FUNCTION && instance->flags & WEIR_INSTANCE_ASLEEP)
			weir_touch(shortcut->slot, instance, now);
		shortcut->unanswered[to] += size;
		shortcut->direct[to]++;
		weir_count_bytes(shortcut->slot, to == WEIR_TO_FUNCTION ? size : 0, to == WEIR_TO_GATEWAY ? size : 0);
		return SK_PASS;
	}
	shortcut->way[to] = WEIR_WAY_TCP;
	return SK_PASS;
}
