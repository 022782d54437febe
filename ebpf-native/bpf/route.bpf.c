// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * route: leads packets between clients on the LAN and instances, by rewriting address and port, past the bridge,
 * netfilter and every process.
 *
 * weir_route_in, ingress of each LAN interface: what is for a service goes straight into an instance's veth.
 * weir_route_out, ingress of the host's end of each instance's veth: what belongs to such a connection goes straight out
 * of the interface its client's packets came from, to the Ethernet address they came from, with their VLAN tag.
 * Fragments and a router's word that a packet is too big go with their connection. Whatever is not understood or has no
 * instance goes on to the host's stack, untouched.
 *
 * The TTL stays as it is: to the client the service is an address of the gateway, not a host behind it, and no loop can
 * come of it because the packet is put where its address is local.
 *
 * A packet that is passed on gets TC_ACT_UNSPEC, not TC_ACT_OK, so that other people's programs on the interface run.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <stddef.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "weir_maps.h"
#include "weir_route.h"

#define WEIR_PASS TC_ACT_UNSPEC
#define WEIR_VLAN_ID 0x0fff
#define WEIR_REASSEMBLY (30 * WEIR_SECOND)
#define WEIR_TIME_WAIT (60 * WEIR_SECOND)

#define WEIR_FIN 0x01
#define WEIR_SYN 0x02
#define WEIR_RST 0x04
#define WEIR_ACK 0x10

char LICENSE[] SEC("license") = "Dual BSD/GPL";

WEIR_MAP_SERVICES;
WEIR_MAP_ADDRESSES;
WEIR_MAP_INSTANCES;
WEIR_MAP_LOADS;
WEIR_MAP_DEAF;
WEIR_MAP_NOTES;
WEIR_MAP_SOURCES;
WEIR_MAP_CONFIG;
WEIR_MAP_FLOWS;
WEIR_MAP_RETURNS;
WEIR_MAP_BUCKETS;
WEIR_MAP_STALE;
WEIR_MAP_FRAGMENTS;

#define WEIR_WITH_CHOICE
#define WEIR_WITH_POLICY
#include "choose.h"

struct weir_packet {
	struct weir_addr source;
	struct weir_addr target;
	__be16 source_port;
	__be16 target_port;
	__u32 tcp;			/* offset of its header */
	__u32 length;			/* of it and what follows, as the IP header says */
	__u32 sequence;
	__u8 ipv6;
	__u8 flags;
	__u8 lies;			/* its lengths contradict each other */
	__u8 icmp;			/* not TCP, but what goes with it */
	__u8 fragment;			/* enum weir_part */
	__be16 id;			/* of the whole, if it is a fragment */
};

enum weir_part { WEIR_WHOLE, WEIR_FIRST, WEIR_LATER };

/* Whether it is TCP or ICMP over plain IPv4 or IPv6: options and extension headers are left to the stack. */
static __always_inline int weir_read_ip(struct __sk_buff *ctx, struct weir_packet *packet)
{
	__be16 type;

	if (bpf_skb_load_bytes(ctx, offsetof(struct ethhdr, h_proto), &type, sizeof(type)) || type != ctx->protocol)
		return 0;
	if (type == bpf_htons(ETH_P_IP)) {
		struct iphdr ip;
		__u32 total;

		if (bpf_skb_load_bytes(ctx, ETH_HLEN, &ip, sizeof(ip)))
			return 0;
		if (ip.version != 4 || ip.ihl != 5)
			return 0;
		if (ip.protocol != IPPROTO_TCP && ip.protocol != IPPROTO_ICMP)
			return 0;
		packet->icmp = ip.protocol == IPPROTO_ICMP;
		weir_map4(&packet->source, ip.saddr);
		weir_map4(&packet->target, ip.daddr);
		packet->ipv6 = 0;
		packet->tcp = ETH_HLEN + sizeof(ip);
		total = bpf_ntohs(ip.tot_len);
		packet->length = total - sizeof(ip);
		packet->lies = total < sizeof(ip) + sizeof(struct tcphdr) || ETH_HLEN + total > ctx->len;
		packet->id = ip.id;
		if (ip.frag_off & bpf_htons(0x1fff))
			packet->fragment = WEIR_LATER;
		else if (ip.frag_off & bpf_htons(0x2000))
			packet->fragment = WEIR_FIRST;
		return 1;
	}
	if (type == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr ip;

		if (bpf_skb_load_bytes(ctx, ETH_HLEN, &ip, sizeof(ip)))
			return 0;
		if (ip.version != 6 || (ip.nexthdr != IPPROTO_TCP && ip.nexthdr != IPPROTO_ICMPV6))
			return 0;
		packet->icmp = ip.nexthdr == IPPROTO_ICMPV6;
		__builtin_memcpy(&packet->source, &ip.saddr, sizeof(packet->source));
		__builtin_memcpy(&packet->target, &ip.daddr, sizeof(packet->target));
		packet->ipv6 = 1;
		packet->tcp = ETH_HLEN + sizeof(ip);
		packet->length = bpf_ntohs(ip.payload_len);
		packet->lies = packet->length < sizeof(struct tcphdr) || packet->tcp + packet->length > ctx->len;
		return 1;
	}
	return 0;
}

static __always_inline int weir_read_tcp(struct __sk_buff *ctx, struct weir_packet *packet)
{
	struct {
		__be16 source_port;
		__be16 target_port;
		__be32 sequence;
		__be32 acknowledged;
		__u8 offset;
		__u8 flags;
		__be16 window;
	} tcp;

	if (bpf_skb_load_bytes(ctx, packet->tcp, &tcp, sizeof(tcp)))
		return 0;
	packet->source_port = tcp.source_port;
	packet->target_port = tcp.target_port;
	packet->sequence = bpf_ntohl(tcp.sequence);
	packet->flags = tcp.flags;
	if (tcp.offset >> 4 < 5 || (__u32)(tcp.offset >> 4) * 4 > packet->length)
		packet->lies = 1;
	return 1;
}

/* Puts another address and port at the given offsets and mends the checksums. Not 0: the packet is spoilt. */
static __always_inline int weir_rewrite(struct __sk_buff *ctx, const struct weir_packet *packet,
					__u32 address_at, const struct weir_addr *was, const struct weir_addr *is,
					__u32 port_at, __be16 port_was, __be16 port_is)
{
	__u32 check = packet->tcp + offsetof(struct tcphdr, check);

	if (packet->ipv6) {
		__be32 from[4], to[4];
		__s64 difference;

		__builtin_memcpy(from, was, sizeof(from));
		__builtin_memcpy(to, is, sizeof(to));
		difference = bpf_csum_diff(from, sizeof(from), to, sizeof(to), 0);
		if (difference < 0 || bpf_l4_csum_replace(ctx, check, 0, difference, BPF_F_PSEUDO_HDR))
			return 1;
		/*
		 * IPv6 has no checksum that the change of address would cancel out against, but that helper behaves as if:
		 * the sum that a network card made over the whole packet must be put right again. Does nothing elsewhere.
		 */
		bpf_csum_update(ctx, difference);
		if (bpf_skb_store_bytes(ctx, address_at, is, sizeof(*is), 0))
			return 1;
	} else {
		__be32 from = weir_ip4(was), to = weir_ip4(is);

		if (bpf_l4_csum_replace(ctx, check, from, to, BPF_F_PSEUDO_HDR | sizeof(to)) ||
		    bpf_l3_csum_replace(ctx, ETH_HLEN + offsetof(struct iphdr, check), from, to, sizeof(to)) ||
		    bpf_skb_store_bytes(ctx, address_at, &to, sizeof(to), 0))
			return 1;
	}
	return bpf_l4_csum_replace(ctx, check, port_was, port_is, sizeof(port_is)) ||
	       bpf_skb_store_bytes(ctx, port_at, &port_is, sizeof(port_is), 0);
}

/* An instance as a connection needs it. */
static __always_inline const struct weir_addr *weir_address(const struct weir_instance *instance, int ipv6)
{
	return ipv6 ? &instance->address6 : &instance->address4;
}

/* Whether an interface is still there. */
static __always_inline int weir_exists(struct __sk_buff *ctx, __u32 ifindex)
{
	__u32 length = 0;

	return bpf_check_mtu(ctx, ifindex, &length, 0, 0) >= 0;
}

/* The instance of a connection, unless it is over. */
static __always_inline struct weir_instance *weir_live(struct __sk_buff *ctx, __u32 slot, __u32 generation)
{
	struct weir_instance *instance = bpf_map_lookup_elem(&instances, &slot);

	if (!instance || instance->generation != generation || !(instance->flags & WEIR_INSTANCE_LIVE))
		return 0;
	return instance->ifindex && weir_exists(ctx, instance->ifindex) ? instance : 0;
}

static __always_inline void weir_return_key(struct weir_flow_key *back, const struct weir_flow_key *key,
					    const struct weir_instance *instance, int ipv6)
{
	__builtin_memset(back, 0, sizeof(*back));
	back->client = key->client;
	back->client_port = key->client_port;
	back->server = *weir_address(instance, ipv6);
	back->server_port = instance->port;
}

/* What the way back needs of a packet on the way in. */
static __always_inline int weir_describe(struct __sk_buff *ctx, const struct weir_flow_key *key, __u32 slot,
					 __u32 generation, struct weir_return *way)
{
	__builtin_memset(way, 0, sizeof(*way));
	way->service = key->server;
	way->port = key->server_port;
	way->slot = slot;
	way->generation = generation;
	way->ifindex = ctx->ifindex;
	if (ctx->vlan_present && ctx->vlan_tci & WEIR_VLAN_ID) {
		way->vlan_tci = ctx->vlan_tci;
		way->vlan_protocol = ctx->vlan_proto;
	}
	/* their source is our target, and the other way round */
	return bpf_skb_load_bytes(ctx, ETH_ALEN, way->ethernet, ETH_ALEN) ||
	       bpf_skb_load_bytes(ctx, 0, way->ethernet + ETH_ALEN, ETH_ALEN);
}

/* memcmp, which the compiler would call. */
static __always_inline int weir_same(const void *one, const void *other, __u32 bytes)
{
	const __u64 *a = one, *b = other;
	__u64 differ = 0;
	__u32 i;

	for (i = 0; i < bytes / sizeof(*a); i++)
		differ |= a[i] ^ b[i];
	return !differ;
}

/*
 * Whether the way back from an instance to a client is taken by a connection of that client through another address or
 * port of the gateway: the instance could not tell the two apart. TIME_WAIT counts.
 */
static __always_inline int weir_taken(const struct weir_flow_key *back, const struct weir_flow_key *key)
{
	struct weir_return *way = bpf_map_lookup_elem(&returns, back);
	struct weir_instance *instance;
	struct weir_flow_key other = *key;
	struct weir_flow *flow;
	__u32 slot;

	if (!way)
		return 0;
	other.server = way->service;
	other.server_port = way->port;
	if (weir_same(&other, key, sizeof(other)))
		return 0;
	slot = way->slot;
	instance = bpf_map_lookup_elem(&instances, &slot);
	if (!instance || instance->generation != way->generation)
		return 0;
	flow = bpf_map_lookup_elem(&flows, &other);
	if (!flow || flow->slot != way->slot || flow->generation != way->generation)
		return 0;
	return !(flow->reset || (flow->client_fin && flow->server_fin)) ||
	       bpf_ktime_get_ns() - flow->checked_ns < WEIR_TIME_WAIT;
}

/* Remembers that the gateway holds this connection, so that a SYN sent again does not go elsewhere. */
static __always_inline void weir_hold(const struct weir_flow_key *key, __u32 isn)
{
	struct weir_flow flow = { .slot = WEIR_NO_SLOT, .isn = isn };

	bpf_map_update_elem(&flows, key, &flow, BPF_ANY);
	bpf_map_delete_elem(&stale, key);
}

/* Not a new connection, and nobody's: the stack resets it. To lead it anywhere would be to the wrong one, mostly. */
static __always_inline void weir_reset(const struct weir_flow_key *key, __u8 flags, __u32 note)
{
	__u64 now = bpf_ktime_get_ns();

	bpf_map_update_elem(&stale, key, &now, BPF_ANY);
	if (!(flags & WEIR_RST))
		weir_note(note);
}

/* Out of here, into the instance whose veth this is. */
static __always_inline int weir_redirect(struct __sk_buff *ctx, __u32 ifindex)
{
	__u32 zero = 0;
	struct weir_config *told = bpf_map_lookup_elem(&config, &zero);

	/* there are no VLANs inside */
	if (ctx->vlan_present && bpf_skb_vlan_pop(ctx))
		return TC_ACT_SHOT;
	if (told && told->bridge)
		return bpf_redirect_neigh(told->bridge, 0, 0, 0);
	return bpf_redirect_peer(ifindex, 0);
}

/* Puts the packet into the instance. */
static __always_inline int weir_enter(struct __sk_buff *ctx, const struct weir_packet *packet,
				      const struct weir_instance *instance)
{
	struct weir_addr address = *weir_address(instance, packet->ipv6);
	__u32 at = packet->ipv6 ? ETH_HLEN + offsetof(struct ipv6hdr, daddr) : ETH_HLEN + offsetof(struct iphdr, daddr);
	__u32 ifindex = instance->ifindex;

	if (weir_rewrite(ctx, packet, at, &packet->target, &address, packet->tcp + offsetof(struct tcphdr, dest),
			 packet->target_port, instance->port))
		return TC_ACT_SHOT;
	return weir_redirect(ctx, ifindex);
}

/* A new connection: to whom. 0: to nobody, and then the packet's fate is *verdict. */
static __always_inline struct weir_instance *weir_begin(struct __sk_buff *ctx, const struct weir_packet *packet,
							const struct weir_flow_key *key,
							const struct weir_service *service,
							const struct weir_flow *old, int *verdict)
{
	__u32 flags = WEIR_INSTANCE_LIVE | (packet->ipv6 ? WEIR_INSTANCE_IPV6 : 0);
	struct weir_instance *instance;
	struct weir_flow flow = {};
	struct weir_flow_key back;
	struct weir_return way;

	if (!weir_allowed(service, &key->client)) {
		*verdict = TC_ACT_SHOT;
		return 0;
	}
	flow.slot = weir_choose(service, flags | WEIR_ROUTED);
	instance = bpf_map_lookup_elem(&instances, &flow.slot);
	if (!instance || !instance->ifindex || !weir_exists(ctx, instance->ifindex))
		goto hold;
	flow.generation = instance->generation;
	flow.isn = packet->sequence;
	flow.checked_ns = bpf_ktime_get_ns();

	if (old && old->slot != WEIR_NO_SLOT && old->slot != flow.slot) {
		/* late packets of the connection that had these ports before must not come back as this one's */
		__u32 slot = old->slot;
		struct weir_instance *before = bpf_map_lookup_elem(&instances, &slot);

		if (before) {
			weir_return_key(&back, key, before, packet->ipv6);
			bpf_map_delete_elem(&returns, &back);
		}
	}
	weir_return_key(&back, key, instance, packet->ipv6);
	/* the way back first: an answer must not find the way in alone */
	if (weir_taken(&back, key) || weir_describe(ctx, key, flow.slot, flow.generation, &way) ||
	    bpf_map_update_elem(&returns, &back, &way, BPF_ANY))
		goto lost;
	if (bpf_map_update_elem(&flows, key, &flow, BPF_ANY)) {
		bpf_map_delete_elem(&returns, &back);
		goto lost;
	}
	weir_note(WEIR_NOTE_ROUTED);
	return instance;

lost:
	weir_note(WEIR_NOTE_FLOW_LOST);
hold:
	weir_hold(key, packet->sequence);
	return 0;
}

/* Remembers where the fragments after this one have to go. */
static __always_inline void weir_expect(const struct weir_packet *packet, const struct weir_flow *flow, __u64 now)
{
	struct weir_fragment_key key = {
		.source = weir_ip4(&packet->source), .target = weir_ip4(&packet->target), .id = packet->id,
	};
	struct weir_fragment first = { .at_ns = now, .slot = flow->slot, .generation = flow->generation };

	bpf_map_update_elem(&fragments, &key, &first, BPF_ANY);
}

/* Leads a fragment after the one that had the ports. One that overtook it goes to the stack, and TCP sends it again. */
static __always_inline int weir_follow(struct __sk_buff *ctx, const struct weir_packet *packet)
{
	struct weir_fragment_key key = {
		.source = weir_ip4(&packet->source), .target = weir_ip4(&packet->target), .id = packet->id,
	};
	struct weir_fragment *first = bpf_map_lookup_elem(&fragments, &key);
	struct weir_instance *instance;
	__be32 to;

	if (packet->icmp || !first || bpf_ktime_get_ns() - first->at_ns > WEIR_REASSEMBLY)
		return WEIR_PASS;
	instance = weir_live(ctx, first->slot, first->generation);
	if (!instance)
		return WEIR_PASS;
	to = weir_ip4(&instance->address4);
	if (bpf_l3_csum_replace(ctx, ETH_HLEN + offsetof(struct iphdr, check), key.target, to, sizeof(to)) ||
	    bpf_skb_store_bytes(ctx, ETH_HLEN + offsetof(struct iphdr, daddr), &to, sizeof(to), 0))
		return TC_ACT_SHOT;
	return weir_redirect(ctx, instance->ifindex);
}

/*
 * A router on the way to a client says that a packet was too big. It says so to the service's address; the instance has
 * to hear it, or it would send the same again for ever. Inside is the head of that packet, as it left weir_route_out.
 */
static __attribute__((noinline)) int weir_too_big(struct __sk_buff *ctx)
{
	struct weir_flow_key key = {};
	struct weir_instance *instance;
	__u32 inner, check, ports_at;
	struct weir_flow *flow;
	__be16 ports[2];
	__u8 icmp[2];
	int ipv6 = ctx->protocol == bpf_htons(ETH_P_IPV6);

	inner = ETH_HLEN + (ipv6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr));
	if (bpf_skb_load_bytes(ctx, inner, icmp, sizeof(icmp)))
		return WEIR_PASS;
	check = inner + 2;
	inner += 8;
	if (ipv6) {
		struct ipv6hdr ip;

		if (icmp[0] != 2 || bpf_skb_load_bytes(ctx, inner, &ip, sizeof(ip)) || ip.nexthdr != IPPROTO_TCP)
			return WEIR_PASS;
		__builtin_memcpy(&key.server, &ip.saddr, sizeof(key.server));
		__builtin_memcpy(&key.client, &ip.daddr, sizeof(key.client));
		ports_at = inner + sizeof(ip);
	} else {
		struct iphdr ip;

		if (icmp[0] != 3 || icmp[1] != 4 || bpf_skb_load_bytes(ctx, inner, &ip, sizeof(ip)) || ip.ihl != 5 ||
		    ip.protocol != IPPROTO_TCP || ip.frag_off & bpf_htons(0x1fff))
			return WEIR_PASS;
		weir_map4(&key.server, ip.saddr);
		weir_map4(&key.client, ip.daddr);
		ports_at = inner + sizeof(ip);
	}
	if (bpf_skb_load_bytes(ctx, ports_at, ports, sizeof(ports)))
		return WEIR_PASS;
	key.server_port = ports[0];
	key.client_port = ports[1];
	flow = bpf_map_lookup_elem(&flows, &key);
	if (!flow || flow->slot == WEIR_NO_SLOT)
		return WEIR_PASS;
	instance = weir_live(ctx, flow->slot, flow->generation);
	if (!instance)
		return WEIR_PASS;

	if (ipv6) {
		struct weir_addr address = instance->address6;
		__be32 from[4], to[4];
		__s64 difference;

		__builtin_memcpy(from, &key.server, sizeof(from));
		__builtin_memcpy(to, &address, sizeof(to));
		difference = bpf_csum_diff(from, sizeof(from), to, sizeof(to), 0);
		/* the address is summed up twice: of the whole, and inside */
		if (difference < 0 || bpf_l4_csum_replace(ctx, check, 0, difference, 0) ||
		    bpf_l4_csum_replace(ctx, check, 0, difference, 0) ||
		    bpf_skb_store_bytes(ctx, ETH_HLEN + offsetof(struct ipv6hdr, daddr), &address, sizeof(address), 0) ||
		    bpf_skb_store_bytes(ctx, inner + offsetof(struct ipv6hdr, saddr), &address, sizeof(address), 0))
			return TC_ACT_SHOT;
	} else {
		__be32 from = weir_ip4(&key.server), to = weir_ip4(&instance->address4);

		/* inside, address and header checksum cancel out */
		if (bpf_l3_csum_replace(ctx, ETH_HLEN + offsetof(struct iphdr, check), from, to, sizeof(to)) ||
		    bpf_skb_store_bytes(ctx, ETH_HLEN + offsetof(struct iphdr, daddr), &to, sizeof(to), 0) ||
		    bpf_l3_csum_replace(ctx, inner + offsetof(struct iphdr, check), from, to, sizeof(to)) ||
		    bpf_skb_store_bytes(ctx, inner + offsetof(struct iphdr, saddr), &to, sizeof(to), 0))
			return TC_ACT_SHOT;
	}
	if (bpf_l4_csum_replace(ctx, check, ports[0], instance->port, sizeof(ports[0])) ||
	    bpf_skb_store_bytes(ctx, ports_at, &instance->port, sizeof(instance->port), 0))
		return TC_ACT_SHOT;
	return weir_redirect(ctx, instance->ifindex);
}

/*
 * Once a second and connection: the two maps forget independently, and clients move to other interfaces, VLANs and
 * routers.
 */
static __always_inline void weir_check(struct __sk_buff *ctx, const struct weir_packet *packet,
				       const struct weir_flow_key *key, struct weir_flow *flow,
				       const struct weir_instance *instance, __u64 now)
{
	struct weir_flow_key back;
	struct weir_return *way, fresh;

	flow->checked_ns = now;
	weir_return_key(&back, key, instance, packet->ipv6);
	if (weir_describe(ctx, key, flow->slot, flow->generation, &fresh))
		return;
	way = bpf_map_lookup_elem(&returns, &back);
	if (!way || !weir_same(way, &fresh, sizeof(fresh)))
		bpf_map_update_elem(&returns, &back, &fresh, BPF_ANY);
}

/* Whether a frame's VLAN, if any, is one we may take it from. */
static __always_inline int weir_is_welcome(struct __sk_buff *ctx)
{
	struct weir_config *told;
	__u32 zero = 0;

	if (!ctx->vlan_present || !(ctx->vlan_tci & WEIR_VLAN_ID))
		return 1;
	told = bpf_map_lookup_elem(&config, &zero);
	return told && told->flags & WEIR_CONFIG_TAGGED;
}

SEC("tc")
int weir_route_in(struct __sk_buff *ctx)
{
	struct weir_service_key service_key = { .protocol = IPPROTO_TCP };
	struct weir_packet packet = {};
	struct weir_instance *instance = 0;
	struct weir_service *service;
	struct weir_flow_key key = {};
	struct weir_flow *flow;
	int verdict = WEIR_PASS;
	__u64 now;

	if (ctx->pkt_type != PACKET_HOST || !weir_read_ip(ctx, &packet))
		return WEIR_PASS;
	if (!bpf_map_lookup_elem(&addresses, &packet.target))
		return WEIR_PASS;
	if (packet.fragment == WEIR_LATER)
		return weir_is_welcome(ctx) ? weir_follow(ctx, &packet) : WEIR_PASS;
	if (packet.icmp)
		return weir_is_welcome(ctx) ? weir_too_big(ctx) : WEIR_PASS;
	if (!weir_read_tcp(ctx, &packet))
		return WEIR_PASS;
	service_key.port = packet.target_port;
	service = bpf_map_lookup_elem(&services, &service_key);
	if (!service)
		return WEIR_PASS;
	if (packet.lies) {
		weir_note(WEIR_NOTE_MALFORMED);
		return WEIR_PASS;
	}
	if (!weir_is_welcome(ctx))
		return WEIR_PASS;

	key.client = packet.source;
	key.server = packet.target;
	key.client_port = packet.source_port;
	key.server_port = packet.target_port;
	flow = bpf_map_lookup_elem(&flows, &key);

	if (flow && flow->slot != WEIR_NO_SLOT)
		instance = weir_live(ctx, flow->slot, flow->generation);

	if ((packet.flags & (WEIR_SYN | WEIR_ACK | WEIR_RST | WEIR_FIN)) == WEIR_SYN) {
		if (packet.fragment)
			return WEIR_PASS;		/* nobody means well who cuts a SYN */
		/*
		 * While the connection that has these ports is not over, its instance is asked, as it would be without us: a
		 * client that really began anew is told so and comes back, anybody else's SYN does no harm.
		 */
		if (!flow || !instance || flow->reset || (flow->client_fin && flow->server_fin)) {
			if (flow && flow->slot == WEIR_NO_SLOT && flow->isn == packet.sequence)
				return WEIR_PASS;	/* sent again */
			instance = weir_begin(ctx, &packet, &key, service, flow, &verdict);
		}
		return instance ? weir_enter(ctx, &packet, instance) : verdict;
	}

	if (flow && flow->slot == WEIR_NO_SLOT)
		return WEIR_PASS;
	if (!flow || !instance) {
		__u32 note = flow ? WEIR_NOTE_STALE : WEIR_NOTE_UNKNOWN;

		bpf_map_delete_elem(&flows, &key);
		weir_reset(&key, packet.flags, note);
		return WEIR_PASS;
	}
	if (packet.flags & WEIR_FIN)
		flow->client_fin = 1;
	if (packet.flags & WEIR_RST)
		flow->reset = 1;
	now = bpf_ktime_get_ns();
	if (now - flow->checked_ns > WEIR_SECOND)
		weir_check(ctx, &packet, &key, flow, instance, now);
	if (packet.fragment == WEIR_FIRST)
		weir_expect(&packet, flow, now);
	return weir_enter(ctx, &packet, instance);
}

/* Notes in flows that an instance ended its half. */
static __always_inline void weir_end(const struct weir_flow_key *back, const struct weir_return *way, __u8 flags)
{
	struct weir_flow_key key = *back;
	struct weir_flow *flow;

	key.server = way->service;
	key.server_port = way->port;
	flow = bpf_map_lookup_elem(&flows, &key);
	if (!flow || flow->slot != way->slot || flow->generation != way->generation)
		return;
	if (flags & WEIR_RST)
		flow->reset = 1;
	else
		flow->server_fin = 1;
}

SEC("tc")
int weir_route_out(struct __sk_buff *ctx)
{
	struct weir_packet packet = {};
	struct weir_flow_key back = {};
	struct weir_instance *instance;
	struct weir_return *way;
	__u32 at, slot, ifindex;
	__u8 ethernet[12];
	__u16 tci;
	__be16 protocol;

	if (!weir_read_ip(ctx, &packet) || packet.icmp || packet.fragment || !weir_read_tcp(ctx, &packet) || packet.lies)
		return WEIR_PASS;
	back.client = packet.target;
	back.server = packet.source;
	back.client_port = packet.target_port;
	back.server_port = packet.source_port;
	way = bpf_map_lookup_elem(&returns, &back);
	if (!way)
		return WEIR_PASS;
	/* also one that is no longer live: its last words are for its clients */
	slot = way->slot;
	instance = bpf_map_lookup_elem(&instances, &slot);
	if (!instance || instance->generation != way->generation)
		return WEIR_PASS;
	if (packet.flags & (WEIR_FIN | WEIR_RST))
		weir_end(&back, way, packet.flags);

	ifindex = way->ifindex;
	tci = way->vlan_tci;
	protocol = way->vlan_protocol;
	__builtin_memcpy(ethernet, way->ethernet, sizeof(ethernet));
	at = packet.ipv6 ? ETH_HLEN + offsetof(struct ipv6hdr, saddr) : ETH_HLEN + offsetof(struct iphdr, saddr);
	if (weir_rewrite(ctx, &packet, at, &packet.source, &way->service,
			 packet.tcp + offsetof(struct tcphdr, source), packet.source_port, way->port) ||
	    bpf_skb_store_bytes(ctx, 0, ethernet, sizeof(ethernet), 0))
		return TC_ACT_SHOT;
	if (tci && bpf_skb_vlan_push(ctx, protocol, tci))
		return TC_ACT_SHOT;
	return bpf_redirect(ifindex, 0);
}
