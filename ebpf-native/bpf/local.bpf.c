// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * local: a process in the gateway's network namespace that connects to a service is connected to an instance instead.
 * It costs once per connection and nothing per packet. getpeername() still tells the service's address.
 *
 * Left alone, and so held by wake when they are for a service: sockets bound to an address or an interface (they could
 * not reach the instance), and everything for which there is no instance.
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "weir_maps.h"
#include "weir_route.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

WEIR_MAP_SERVICES;
WEIR_MAP_ADDRESSES;
WEIR_MAP_INSTANCES;
WEIR_MAP_LOADS;
WEIR_MAP_DEAF;
WEIR_MAP_NOTES;
WEIR_MAP_CONFIG;

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct weir_peer);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} peers SEC(".maps");

#define WEIR_WITH_CHOICE
#include "choose.h"

/* Whether this socket could reach an instance at all. */
static __always_inline int weir_is_free(struct bpf_sock *socket, int ipv6)
{
	if (socket->bound_dev_if)
		return 0;
	if (!ipv6)
		return !socket->src_ip4;
	return !socket->src_ip6[0] && !socket->src_ip6[1] && !socket->src_ip6[2] && !socket->src_ip6[3];
}

/* Where a connection to meant goes; 0: where it was going. */
static __always_inline int weir_lead(struct bpf_sock_addr *ctx, const struct weir_peer *meant, int ipv6,
				     struct weir_peer *instead)
{
	struct weir_service_key key = { .port = meant->port, .protocol = IPPROTO_TCP };
	struct weir_instance *instance;
	struct weir_service *service;
	struct weir_config *told;
	struct weir_peer *peer;
	__u32 zero = 0, slot;

	if (ctx->protocol != IPPROTO_TCP || !ctx->sk)
		return 0;
	told = bpf_map_lookup_elem(&config, &zero);
	if (!told || bpf_get_netns_cookie(ctx) != told->netns)
		return 0;
	bpf_sk_storage_delete(&peers, ctx->sk);		/* of an earlier connect() of this socket */
	service = bpf_map_lookup_elem(&services, &key);
	if (!service)
		return 0;
	if (!weir_is_loopback(&meant->address) && !bpf_map_lookup_elem(&addresses, &meant->address))
		return 0;
	if (!weir_is_free(ctx->sk, ipv6))
		return 0;
	slot = weir_choose(service, WEIR_INSTANCE_LIVE);
	instance = bpf_map_lookup_elem(&instances, &slot);
	if (!instance)
		return 0;
	if (!weir_is4(&meant->address) && instance->flags & WEIR_INSTANCE_IPV6)
		instead->address = instance->address6;
	else
		instead->address = instance->address4;
	instead->port = instance->port;
	peer = bpf_sk_storage_get(&peers, ctx->sk, (void *)meant, BPF_SK_STORAGE_GET_F_CREATE);
	if (!peer)
		return 0;
	weir_note(WEIR_NOTE_LOCAL);
	return 1;
}

SEC("cgroup/connect4")
int weir_connect4(struct bpf_sock_addr *ctx)
{
	struct weir_peer meant = { .port = ctx->user_port }, instead;

	weir_map4(&meant.address, ctx->user_ip4);
	if (weir_lead(ctx, &meant, 0, &instead)) {
		ctx->user_ip4 = weir_ip4(&instead.address);
		ctx->user_port = instead.port;
	}
	return 1;
}

SEC("cgroup/connect6")
int weir_connect6(struct bpf_sock_addr *ctx)
{
	struct weir_peer meant = { .port = ctx->user_port }, instead;
	__u32 words[4] = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3] };

	__builtin_memcpy(&meant.address, words, sizeof(words));
	if (weir_lead(ctx, &meant, 1, &instead)) {
		__builtin_memcpy(words, &instead.address, sizeof(words));
		ctx->user_ip6[0] = words[0];
		ctx->user_ip6[1] = words[1];
		ctx->user_ip6[2] = words[2];
		ctx->user_ip6[3] = words[3];
		ctx->user_port = instead.port;
	}
	return 1;
}

SEC("cgroup/getpeername4")
int weir_getpeername4(struct bpf_sock_addr *ctx)
{
	struct weir_peer *peer = ctx->sk ? bpf_sk_storage_get(&peers, ctx->sk, 0, 0) : 0;

	if (peer) {
		ctx->user_ip4 = weir_ip4(&peer->address);
		ctx->user_port = peer->port;
	}
	return 1;
}

SEC("cgroup/getpeername6")
int weir_getpeername6(struct bpf_sock_addr *ctx)
{
	struct weir_peer *peer = ctx->sk ? bpf_sk_storage_get(&peers, ctx->sk, 0, 0) : 0;
	__u32 words[4];

	if (peer) {
		__builtin_memcpy(words, &peer->address, sizeof(words));
		ctx->user_ip6[0] = words[0];
		ctx->user_ip6[1] = words[1];
		ctx->user_ip6[2] = words[2];
		ctx->user_ip6[3] = words[3];
		ctx->user_port = peer->port;
	}
	return 1;
}
