// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * wake: a connection to a service that nobody took before (no instance, or none that can take it) goes to the gateway's
 * one listener, whatever address and port it was made to, and the gateway is told which function is wanted.
 *
 * Runs for every TCP packet that belongs to no socket, not only for SYNs, and is not told which of them it is. What
 * route_in has seen on its way is in flows (held) and stale (over).
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "weir_maps.h"
#include "weir_route.h"

#define WEIR_AF_INET6 10
#define WEIR_QUIET_NS 100000000ULL	/* between two signals of the same function */

char LICENSE[] SEC("license") = "Dual BSD/GPL";

WEIR_MAP_SERVICES;
WEIR_MAP_ADDRESSES;
WEIR_MAP_NOTES;
WEIR_MAP_SIGNALS;
WEIR_MAP_LISTENER;
WEIR_MAP_SOURCES;
WEIR_MAP_FLOWS;
WEIR_MAP_BUCKETS;
WEIR_MAP_STALE;
WEIR_MAP_WANTED;

#define WEIR_WITH_POLICY
#include "choose.h"

static __always_inline void weir_tell(__u32 function, __be16 port, __u32 family)
{
	__u64 now = bpf_ktime_get_ns(), *last = bpf_map_lookup_elem(&wanted, &function);
	struct weir_signal *signal;

	if (last && *last && now - *last < WEIR_QUIET_NS)
		return;
	signal = bpf_ringbuf_reserve(&signals, sizeof(*signal), 0);
	if (!signal) {
		weir_note(WEIR_NOTE_SIGNAL_LOST);
		return;
	}
	__builtin_memset(signal, 0, sizeof(*signal));
	signal->at_ns = now;
	signal->kind = WEIR_WANTED;
	signal->function = function;
	signal->slot = WEIR_NO_SLOT;
	signal->port = port;
	signal->family = family;
	bpf_ringbuf_submit(signal, 0);
	if (last)
		*last = now;
}

/* A caller on this host: from loopback, or from the very addresses that services have. */
static __always_inline int weir_is_local(const struct weir_addr *client)
{
	return weir_is_loopback(client) || bpf_map_lookup_elem(&addresses, client);
}

SEC("sk_lookup")
int weir_wake(struct bpf_sk_lookup *ctx)
{
	struct weir_service_key service_key = { .protocol = IPPROTO_TCP };
	struct weir_flow_key key = {};
	struct weir_service *service;
	struct weir_flow *flow;
	struct bpf_sock *socket;
	__u32 zero = 0;
	__u64 *seen;
	long failed;

	if (ctx->protocol != IPPROTO_TCP)
		return SK_PASS;
	service_key.port = bpf_htons(ctx->local_port);
	service = bpf_map_lookup_elem(&services, &service_key);
	if (!service)
		return SK_PASS;

	if (ctx->family == WEIR_AF_INET6) {
		__u32 words[4] = { ctx->local_ip6[0], ctx->local_ip6[1], ctx->local_ip6[2], ctx->local_ip6[3] };

		__builtin_memcpy(&key.server, words, sizeof(words));
		words[0] = ctx->remote_ip6[0];
		words[1] = ctx->remote_ip6[1];
		words[2] = ctx->remote_ip6[2];
		words[3] = ctx->remote_ip6[3];
		__builtin_memcpy(&key.client, words, sizeof(words));
	} else {
		weir_map4(&key.server, ctx->local_ip4);
		weir_map4(&key.client, ctx->remote_ip4);
	}
	if (!weir_is_loopback(&key.server) && !bpf_map_lookup_elem(&addresses, &key.server))
		return SK_PASS;
	key.client_port = ctx->remote_port;
	key.server_port = service_key.port;

	seen = bpf_map_lookup_elem(&stale, &key);
	if (seen && bpf_ktime_get_ns() - *seen < WEIR_SECOND)
		return SK_PASS;			/* no socket: the kernel answers with a reset */
	flow = bpf_map_lookup_elem(&flows, &key);
	/* a flow that is held has passed route_in, which asked already */
	if (!(flow && flow->slot == WEIR_NO_SLOT) && !weir_is_local(&key.client) && !weir_allowed(service, &key.client))
		return SK_DROP;

	socket = bpf_map_lookup_elem(&listener, &zero);
	if (!socket) {
		weir_note(WEIR_NOTE_NO_LISTENER);
		return SK_PASS;
	}
	failed = bpf_sk_assign(ctx, socket, 0);
	bpf_sk_release(socket);
	if (failed) {
		weir_note(WEIR_NOTE_NO_LISTENER);
		return SK_PASS;
	}
	weir_note(WEIR_NOTE_HELD);
	weir_tell(service->function, service_key.port, ctx->family);
	return SK_PASS;
}
