// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What a device on VLAN 7 does on its side of the wire, on kernels that have no VLAN interfaces. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tc")
int device_out(struct __sk_buff *ctx)
{
	return bpf_skb_vlan_push(ctx, bpf_htons(ETH_P_8021Q), 7) ? TC_ACT_SHOT : TC_ACT_OK;
}

SEC("tc")
int device_in(struct __sk_buff *ctx)
{
	if (!ctx->vlan_present || (ctx->vlan_tci & 0xfff) != 7)
		return TC_ACT_SHOT;
	return bpf_skb_vlan_pop(ctx) ? TC_ACT_SHOT : TC_ACT_OK;
}
