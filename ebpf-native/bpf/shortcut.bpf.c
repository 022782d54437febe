// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Leads bytes between the gateway's sockets and those of instances on this host past TCP.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include "weir_maps.h"
#include "weir_sockets.h"
#include "weir_pair.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

WEIR_MAP_INSTANCES;
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
	struct weir_pair pair, gateway;

	if (weir_pair_of_ops(ctx, &pair))
		return;
	weir_reverse(&pair, &gateway);
	if (!bpf_map_lookup_elem(&shortcuts, &gateway))
		return;
	insert(ctx, &pair, FUNCTION_END);
}

/* The gateway's end is gone. Both sockets leave the sockhash by themselves. */
weir_inline void closed(struct bpf_sock_ops *ctx)
{
	struct weir_pair pair;

	if (weir_pair_of_ops(ctx, &pair))
		return;
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
		if (ctx->args[1] == BPF_TCP_CLOSE)
			closed(ctx);
		break;
	}
	return 1;
}

SEC("sk_msg")
int weir_shortcut_send(struct sk_msg_md *ctx)
{
	struct weir_shortcut_settings *settings;
	struct weir_pair pair, peer;
	struct bpf_sock *sk = ctx->sk;
	struct weir_shortcut *shortcut;
	__u32 zero = 0, *end, to, size;

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
	shortcut->unanswered[!to] = 0;
	if (shortcut->way[to] == WEIR_WAY_TCP)
		return SK_PASS;
	size = ctx->size;
	if (sk->state == BPF_TCP_ESTABLISHED && size <= settings->budget &&
	    shortcut->unanswered[to] <= settings->budget - size &&
	    bpf_msg_redirect_hash(ctx, &shortcut_sockets, &peer, BPF_F_INGRESS) == SK_PASS) {
		shortcut->unanswered[to] += size;
		shortcut->direct[to]++;
		return SK_PASS;
	}
	shortcut->way[to] = WEIR_WAY_TCP;
	return SK_PASS;
}
