// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Says when a process in a function's container begins to listen: readiness without polling. And notes when the last
 * socket that listened on the function's port is closed, which is the first that is seen of a process that was killed: no
 * new connection is led there from then on, those that exist go on.
 *
 * Attached once to the parent cgroup of all containers; who it is follows from the network namespace's cookie, since a
 * sock_ops program is told the cgroup only by later kernels. Whether a socket for IPv6 takes IPv4 as well no program is
 * told.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "weir_maps.h"

#define WEIR_LISTENERS 4096		/* forgotten, oldest first, when their namespaces are gone */
#define WEIR_AF_INET 2

char LICENSE[] SEC("license") = "Dual BSD/GPL";

WEIR_MAP_NOTES;
WEIR_MAP_SIGNALS;
WEIR_MAP_INSTANCES;
WEIR_MAP_HOMES;
WEIR_MAP_DEAF;
WEIR_MAP(listeners, BPF_MAP_TYPE_LRU_HASH, struct weir_listener_key, __u32, WEIR_LISTENERS, 0);

static __always_inline void weir_tell(struct bpf_sock_ops *ctx, const struct weir_listener_key *key)
{
	struct weir_signal *signal = bpf_ringbuf_reserve(&signals, sizeof(*signal), 0);

	if (!signal) {
		weir_note(WEIR_NOTE_SIGNAL_LOST);
		return;
	}
	*signal = (struct weir_signal) {
		.at_ns = bpf_ktime_get_ns(),
		.netns = key->netns,
		.kind = WEIR_LISTENS,
		.function = WEIR_NO_SLOT,
		.slot = WEIR_NO_SLOT,
		.port = key->port,
		.family = ctx->family,
		.everywhere = ctx->family == WEIR_AF_INET && !ctx->local_ip4,
	};
	bpf_ringbuf_submit(signal, 0);
}

/* Marks the instance whose listeners these are, if that is known, as one that hears or does not. */
static __always_inline void weir_mark(const struct weir_listener_key *key, int hears)
{
	__u32 *slot = bpf_map_lookup_elem(&homes, &key->netns), *closed;
	struct weir_instance *instance;

	if (!slot)
		return;
	instance = bpf_map_lookup_elem(&instances, slot);
	closed = bpf_map_lookup_elem(&deaf, slot);
	if (instance && closed && instance->port == key->port)
		*closed = hears ? 0 : instance->generation + 1;
}

/* One more. Of those that find no room it is not heard when they close. */
static __always_inline void weir_opened(struct bpf_sock_ops *ctx, const struct weir_listener_key *key)
{
	__u32 *count = bpf_map_lookup_elem(&listeners, key), none = 0;

	if (!count) {
		bpf_map_update_elem(&listeners, key, &none, BPF_NOEXIST);	/* unless another processor just did */
		count = bpf_map_lookup_elem(&listeners, key);
	}
	if (!count || bpf_sock_ops_cb_flags_set(ctx, ctx->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG))
		return;
	__sync_fetch_and_add(count, 1);
	weir_mark(key, 1);
}

/* One less; processes that listen side by side, or one after the other, leave some. */
static __always_inline void weir_closed(const struct weir_listener_key *key)
{
	__u32 *count = bpf_map_lookup_elem(&listeners, key);

	if (!count)
		return;
	__sync_fetch_and_add(count, -1);
	if (*count)
		return;
	weir_mark(key, 0);
	if (*count)
		weir_mark(key, 1);	/* somebody began just now, and may have marked it before we did */
}

SEC("sockops")
int weir_listen(struct bpf_sock_ops *ctx)
{
	struct weir_listener_key key = {};

	if (ctx->op != BPF_SOCK_OPS_TCP_LISTEN_CB &&
	    (ctx->op != BPF_SOCK_OPS_STATE_CB || ctx->args[0] != BPF_TCP_LISTEN))
		return 1;
	key.netns = bpf_get_netns_cookie(ctx);
	key.port = bpf_htons(ctx->local_port);
	if (ctx->op == BPF_SOCK_OPS_TCP_LISTEN_CB) {
		weir_opened(ctx, &key);
		weir_tell(ctx, &key);
	} else {
		weir_closed(&key);
	}
	return 1;
}
