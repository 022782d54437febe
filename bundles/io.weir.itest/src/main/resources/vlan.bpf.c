// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A VLAN interface for kernels that have none: the gateway's end of the cable is a trunk whose frames with tag 7 go,
 * without it, to a pair of interfaces that stands for the VLAN, and back. The device tags and untags its own.
 * PARTNER is the number of the interface at the other side of each end.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define TAG 7

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline int is_tagged(struct __sk_buff *ctx)
{
	return ctx->vlan_present && (ctx->vlan_tci & 0xfff) == TAG;
}

SEC("tag")
int vlan_tag(struct __sk_buff *ctx)
{
	return bpf_skb_vlan_push(ctx, bpf_htons(ETH_P_8021Q), TAG) ? TC_ACT_SHOT : TC_ACT_OK;
}

SEC("untag")
int vlan_untag(struct __sk_buff *ctx)
{
	return !is_tagged(ctx) || bpf_skb_vlan_pop(ctx) ? TC_ACT_SHOT : TC_ACT_OK;
}

SEC("up")
int vlan_up(struct __sk_buff *ctx)
{
	return !is_tagged(ctx) || bpf_skb_vlan_pop(ctx) ? TC_ACT_SHOT : bpf_redirect(PARTNER, 0);
}

SEC("down")
int vlan_down(struct __sk_buff *ctx)
{
	return bpf_skb_vlan_push(ctx, bpf_htons(ETH_P_8021Q), TAG) ? TC_ACT_SHOT : bpf_redirect(PARTNER, 0);
}
