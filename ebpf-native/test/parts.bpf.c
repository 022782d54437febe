// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* A program for each kind of attachment and a map for each kind of access: what test_library tries. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
#include "weir_maps.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

WEIR_MAP_SERVICES;
WEIR_MAP_LOADS;
WEIR_MAP_COUNTERS;
WEIR_MAP_LATENCY;
WEIR_MAP_NOTES;
WEIR_MAP_SIGNALS;
WEIR_MAP_LISTENER;

SEC("tc")
int weir_test_tc(struct __sk_buff *skb)
{
	(void) skb;
	weir_note(WEIR_NOTE_ROUTED);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int weir_test_tc_again(struct __sk_buff *skb)
{
	(void) skb;
	weir_note(WEIR_NOTE_LOCAL);
	return TC_ACT_UNSPEC;
}

SEC("cgroup_skb/ingress")
int weir_test_in(struct __sk_buff *skb)
{
	(void) skb;
	weir_note(WEIR_NOTE_HELD);
	return 1;
}

SEC("cgroup_skb/ingress")
int weir_test_in_again(struct __sk_buff *skb)
{
	(void) skb;
	weir_note(WEIR_NOTE_STALE);
	return 1;
}

/* Every connection goes to the listener. */
SEC("sk_lookup")
int weir_test_lookup(struct bpf_sk_lookup *ctx)
{
	__u32 key = 0;
	struct bpf_sock *sk = bpf_map_lookup_elem(&listener, &key);

	if (!sk)
		return SK_PASS;
	bpf_sk_assign(ctx, sk, 0);
	bpf_sk_release(sk);
	return SK_PASS;
}

SEC("sk_skb")
int weir_test_verdict(struct __sk_buff *skb)
{
	(void) skb;
	return SK_PASS;
}

/* Says a signal for each packet of its length. */
SEC("tc")
int weir_test_signal(struct __sk_buff *skb)
{
	struct weir_signal *signal = bpf_ringbuf_reserve(&signals, sizeof(*signal), 0);

	if (!signal) {
		weir_note(WEIR_NOTE_SIGNAL_LOST);
		return TC_ACT_UNSPEC;
	}
	*signal = (struct weir_signal) { .at_ns = bpf_ktime_get_ns(), .kind = WEIR_WANTED, .slot = skb->len };
	bpf_ringbuf_submit(signal, 0);
	return TC_ACT_UNSPEC;
}
