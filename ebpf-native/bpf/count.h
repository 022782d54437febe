/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Counting for the programs that see what no packet carries, by the meter's rules and in its maps. Whose
 * connections these are, they say in the meter's own memory.
 */
#ifndef WEIR_COUNT_H
#define WEIR_COUNT_H

#include "weir_maps.h"
#include "meter.h"
#include "http.h"
#include "pair.h"

WEIR_MAP_INSTANCES;
WEIR_MAP_LOADS;
WEIR_MAP_COUNTERS;
WEIR_MAP_LATENCY;
WEIR_MAP_NOTES;
WEIR_MAP_SIGNALS;
WEIR_MAP_CONNECTIONS;

#define WEIR_TOUCH_EVERY_NS 10000000

/* The instance; NULL when the slot has changed hands or its connections are over. */
weir_inline struct weir_instance *weir_instance_in(__u32 slot, __u32 generation)
{
	struct weir_instance *instance = bpf_map_lookup_elem(&instances, &slot);

	if (!instance || instance->generation != generation || !(instance->flags & WEIR_INSTANCE_LIVE))
		return NULL;
	return instance;
}

weir_inline void weir_count_bytes(__u32 slot, __u32 in, __u32 out)
{
	struct weir_counters *count = bpf_map_lookup_elem(&counters, &slot);

	if (!count)
		return;
	count->bytes_in += in;
	count->bytes_out += out;
}

weir_inline void weir_count_request(__u32 slot, __u64 now)
{
	struct weir_counters *count = bpf_map_lookup_elem(&counters, &slot);
	struct weir_load *load = bpf_map_lookup_elem(&loads, &slot);

	if (!count || !load)
		return;
	__sync_fetch_and_add(&load->in_flight, 1);
	load->last_ns = now;
	count->requests++;
}

/* class as class_of; began_ns 0: the answer to a pipelined request, which is counted with it. */
weir_inline void weir_count_answer(__u32 slot, __u32 function, __u32 class, __u64 began_ns, __u64 now)
{
	struct weir_histogram *histogram = bpf_map_lookup_elem(&latency, &function);
	struct weir_counters *count = bpf_map_lookup_elem(&counters, &slot);
	struct weir_load *load = bpf_map_lookup_elem(&loads, &slot);
	__u32 bucket;
	__u64 us;

	if (!count || !load)
		return;
	load->last_ns = now;
	if (began_ns) {
		__sync_fetch_and_add(&load->in_flight, -1);
		us = ((now - began_ns) * 67109) >> 26;	/* a division by 1000 without dividing */
		bucket = bucket_of(us);
		if (histogram && bucket < WEIR_BUCKETS) {
			histogram->sum_us += us;
			histogram->bucket[bucket]++;
		}
	} else {
		count->requests++;
		count->pipelined++;
	}
	if (class >= WEIR_STATUS_CLASSES)
		class = WEIR_OTHER;
	count->responses[class]++;
}

weir_inline void weir_count_aborts(__u32 slot, __u32 aborted)
{
	struct weir_counters *count = bpf_map_lookup_elem(&counters, &slot);
	struct weir_load *load = bpf_map_lookup_elem(&loads, &slot);

	if (!count || !load || !aborted)
		return;
	__sync_fetch_and_add(&load->in_flight, -(__s64)aborted);
	count->aborts += aborted;
}

/* Something goes to an instance that is asleep. */
weir_inline void weir_touch(__u32 slot, struct weir_instance *instance, __u64 now)
{
	struct weir_load *load = bpf_map_lookup_elem(&loads, &slot);
	struct weir_signal *signal;

	if (!load)
		return;
	/* what was signalled before it was put to rest again does not count */
	if (load->signalled_ns >= instance->asleep_ns && now - load->signalled_ns < WEIR_TOUCH_EVERY_NS)
		return;
	signal = bpf_ringbuf_reserve(&signals, sizeof(*signal), 0);
	if (!signal) {
		weir_note(WEIR_NOTE_SIGNAL_LOST);
		return;
	}
	load->signalled_ns = now;
	*signal = (struct weir_signal) {
		.at_ns = now,
		.kind = WEIR_TOUCHED,
		.function = instance->function,
		.slot = slot,
		.generation = instance->generation,
	};
	bpf_ringbuf_submit(signal, 0);
}

/* Makes [0, length) of a message readable and writable. */
weir_inline int weir_linear(struct sk_msg_md *ctx, __u32 length)
{
	if (ctx->data + length <= ctx->data_end)
		return 0;
	return bpf_msg_pull_data(ctx, 0, length, 0);
}

#endif
