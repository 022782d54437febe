// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Says when a process in a function's container begins to listen: readiness without polling. Attached once to the
 * parent cgroup of all containers; who it is follows from the network namespace's cookie, since a sock_ops program is
 * told the cgroup only by later kernels.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "weir_maps.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

WEIR_MAP_NOTES;
WEIR_MAP_SIGNALS;

SEC("sockops")
int weir_listen(struct bpf_sock_ops *ctx)
{
	struct weir_signal *signal;

	if (ctx->op != BPF_SOCK_OPS_TCP_LISTEN_CB)
		return 1;
	signal = bpf_ringbuf_reserve(&signals, sizeof(*signal), 0);
	if (!signal) {
		weir_note(WEIR_NOTE_SIGNAL_LOST);
		return 1;
	}
	*signal = (struct weir_signal) {
		.at_ns = bpf_ktime_get_ns(),
		.netns = bpf_get_netns_cookie(ctx),
		.kind = WEIR_LISTENS,
		.function = WEIR_NO_SLOT,
		.slot = WEIR_NO_SLOT,
		.port = bpf_htons(ctx->local_port),
		.family = ctx->family,
	};
	bpf_ringbuf_submit(signal, 0);
	return 1;
}
