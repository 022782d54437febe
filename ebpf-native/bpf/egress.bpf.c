// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What functions may connect and send to: their own loopback, and what map egress lists for them. Attached once to the
 * parent cgroup of all containers, in which nobody else lives: a process that is of no known instance reaches nothing.
 * An instance is known by its network namespace before it has a cgroup, so that it has its rights when it begins.
 * IPv4 addresses in IPv6 clothes count as IPv4.
 *
 * The longest prefix decides alone: the gateway repeats in it the ports that shorter ones allow.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "weir_maps.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define LEVELS 8			/* of cgroups that a container may have below the cgroup it is known by */
#define ALLOW 1
#define DENY 0				/* EPERM */

WEIR_MAP_INSTANCES;
WEIR_MAP_CGROUPS;
WEIR_MAP_HOMES;
WEIR_MAP_EGRESS;
WEIR_MAP_NOTES;

/* The instance this process belongs to, also from a cgroup below the instance's; NULL: none. */
static __always_inline struct weir_instance *caller(struct bpf_sock_addr *ctx)
{
	__u64 id = bpf_get_current_cgroup_id(), netns;
	__u32 *slot = bpf_map_lookup_elem(&cgroups, &id);
	int level;

	for (level = 1; !slot && level <= LEVELS; level++) {
		id = bpf_get_current_ancestor_cgroup_id(level);
		if (!id)
			break;
		slot = bpf_map_lookup_elem(&cgroups, &id);
	}
	if (!slot) {
		netns = bpf_get_netns_cookie(ctx);
		slot = bpf_map_lookup_elem(&homes, &netns);
	}
	return slot ? bpf_map_lookup_elem(&instances, slot) : NULL;
}

static __always_inline int verdict(struct bpf_sock_addr *ctx, const __u32 *address, __be16 port)
{
	struct weir_instance *instance = caller(ctx);
	struct weir_egress *allowed;
	struct weir_prefix key;
	int i;

	if (!instance)
		goto deny;
	key.length = 32 + 128;
	key.function = bpf_htonl(instance->function);
	__builtin_memcpy(&key.address, address, sizeof(key.address));
	allowed = bpf_map_lookup_elem(&egress, &key);
	if (allowed) {
		if (!allowed->port[0])
			return ALLOW;
		for (i = 0; i < WEIR_EGRESS_PORTS; i++)
			if (allowed->port[i] && allowed->port[i] == port)
				return ALLOW;
	}
deny:
	weir_note(WEIR_NOTE_DENIED_EGRESS);
	return DENY;
}

/* To 0.0.0.0 is to oneself, too. */
static __always_inline int verdict4(struct bpf_sock_addr *ctx, __u32 ip, __u32 port)
{
	const __u32 address[4] = { 0, 0, bpf_htonl(0xffff), ip };

	if (!ip || bpf_ntohl(ip) >> 24 == 127)
		return ALLOW;
	return verdict(ctx, address, port);
}

static __always_inline int verdict6(struct bpf_sock_addr *ctx)
{
	const __u32 address[4] = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3] };

	if (!address[0] && !address[1]) {
		if (address[2] == bpf_htonl(0xffff))
			return verdict4(ctx, address[3], ctx->user_port);
		if (!address[2] && (!address[3] || address[3] == bpf_htonl(1)))
			return ALLOW;
	}
	return verdict(ctx, address, ctx->user_port);
}

SEC("cgroup/connect4")
int weir_egress_connect4(struct bpf_sock_addr *ctx)
{
	return verdict4(ctx, ctx->user_ip4, ctx->user_port);
}

SEC("cgroup/sendmsg4")
int weir_egress_sendmsg4(struct bpf_sock_addr *ctx)
{
	return verdict4(ctx, ctx->user_ip4, ctx->user_port);
}

SEC("cgroup/connect6")
int weir_egress_connect6(struct bpf_sock_addr *ctx)
{
	return verdict6(ctx);
}

SEC("cgroup/sendmsg6")
int weir_egress_sendmsg6(struct bpf_sock_addr *ctx)
{
	return verdict6(ctx);
}
