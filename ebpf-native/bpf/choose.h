/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Who gets a new connection (WEIR_WITH_CHOICE; needs the maps instances, loads and deaf), and whether it may be made at all
 * (WEIR_WITH_POLICY; needs sources, buckets and notes). Include after the maps.
 */
#ifndef WEIR_CHOOSE_H
#define WEIR_CHOOSE_H

#include "weir_route.h"

#define WEIR_SECOND 1000000000ULL
#define WEIR_ROUTED 0x10000		/* beside the flags of an instance: packets are to be led to it */

static __always_inline void weir_map4(struct weir_addr *address, __be32 ip4)
{
	__u32 words[4] = { 0, 0, bpf_htonl(0xffff), ip4 };

	__builtin_memcpy(address, words, sizeof(*address));
}

static __always_inline __be32 weir_ip4(const struct weir_addr *address)
{
	__be32 ip4;

	__builtin_memcpy(&ip4, &address->bytes[12], sizeof(ip4));
	return ip4;
}

static __always_inline int weir_is4(const struct weir_addr *address)
{
	__u32 words[3];

	__builtin_memcpy(words, address, sizeof(words));
	return !words[0] && !words[1] && words[2] == bpf_htonl(0xffff);
}

/* 127.0.0.1 or ::1, and nothing else: other addresses of 127.0.0.0/8 may be somebody's. */
static __always_inline int weir_is_loopback(const struct weir_addr *address)
{
	__u32 words[4];

	__builtin_memcpy(words, address, sizeof(words));
	if (words[0] || words[1])
		return 0;
	return words[2] ? words[2] == bpf_htonl(0xffff) && words[3] == bpf_htonl(0x7f000001) : words[3] == bpf_htonl(1);
}

#ifdef WEIR_WITH_CHOICE
#define WEIR_UNFIT (~0ULL)
#define WEIR_MOST 0xffffff		/* of requests or connections that are told apart */

/*
 * How much there is to be said against an instance: it sleeps, the requests it has in flight, its connections; in this
 * order, and then its place at, to know it by. The lesser of this and least.
 *
 * This and the next are functions of their own that are not static: the verifier looks at each once, not once for each
 * way that leads there. On small machines that is the difference between milliseconds and seconds.
 */
__attribute__((noinline)) __u64 weir_fitter(__u64 least, __u32 slot, __u32 function, __u32 flags, __u32 at)
{
	struct weir_instance *instance = bpf_map_lookup_elem(&instances, &slot);
	struct weir_load *load = bpf_map_lookup_elem(&loads, &slot);
	__u32 *closed = bpf_map_lookup_elem(&deaf, &slot);
	__u64 requests, connections, rank;

	if (!instance || !load || !closed)
		return least;
	if (*closed == instance->generation + 1)
		return least;
	/* a slot may have changed hands since the service was written */
	if ((instance->flags & flags & 0xffff) != (flags & 0xffff) || instance->function != function)
		return least;
	if (flags & WEIR_ROUTED && !instance->ifindex)
		return least;
	requests = load->in_flight > 0 ? load->in_flight : 0;
	connections = load->connections > 0 ? load->connections : 0;
	if (instance->limit && requests >= instance->limit)
		return least;
	if (requests > WEIR_MOST)
		requests = WEIR_MOST;
	if (connections > WEIR_MOST)
		connections = WEIR_MOST;
	rank = (__u64)!!(instance->flags & WEIR_INSTANCE_ASLEEP) << 62 | requests << 32 | connections << 8 | at;
	return rank < least ? rank : least;
}

/*
 * The slot of the fittest instance that has all of flags, and a known interface if WEIR_ROUTED is among them. Ties are
 * broken by chance, so that connections that come faster than the loads change do not all meet at one instance: the
 * places are numbered from a random one.
 */
__attribute__((noinline)) __u32 weir_choose(const struct weir_service *service, __u32 flags)
{
	__u32 count, first, n;
	__u64 least = WEIR_UNFIT;

	if (!service)
		return WEIR_NO_SLOT;
	count = service->count;
	if (!count)
		return WEIR_NO_SLOT;
	if (count > WEIR_FANOUT)
		count = WEIR_FANOUT;
	first = bpf_get_prandom_u32() & 0xffff;
#pragma clang loop unroll(disable)
	for (n = 0; n < WEIR_FANOUT; n++) {
		if (n >= count)
			break;
		least = weir_fitter(least, service->slot[(first + n) % count & (WEIR_FANOUT - 1)], service->function, flags, n);
	}
	if (least == WEIR_UNFIT)
		return WEIR_NO_SLOT;
	return service->slot[(first + (__u32)(least & 0xff)) % count & (WEIR_FANOUT - 1)];
}
#endif

#ifdef WEIR_WITH_POLICY
/* Two processors that decide at once may let one connection more through; a lock would cost every one of them. */
static __always_inline int weir_within_rate(const struct weir_service *service, const struct weir_addr *client)
{
	struct weir_bucket_key key = { .client = *client, .function = service->function };
	__u64 now = bpf_ktime_get_ns(), due = now, interval, tolerance;
	struct weir_bucket *bucket, fresh;

	if (!service->rate)
		return 0;
	if (!weir_is4(client))
		__builtin_memset(&key.client.bytes[8], 0, 8);	/* a host has a whole /64 to choose from */
	interval = WEIR_SECOND / service->rate;
	tolerance = service->burst > 1 ? (service->burst - 1) * interval : 0;
	bucket = bpf_map_lookup_elem(&buckets, &key);
	if (bucket && bucket->due_ns > now)
		due = bucket->due_ns;
	if (due - now > tolerance)
		return 0;
	fresh.due_ns = due + interval;
	if (bucket)
		bucket->due_ns = fresh.due_ns;
	else
		bpf_map_update_elem(&buckets, &key, &fresh, BPF_ANY);
	return 1;
}

static __always_inline int weir_allowed(const struct weir_service *service, const struct weir_addr *client)
{
	if (service->flags & WEIR_SERVICE_FILTERED) {
		struct weir_prefix prefix = {
			.length = 32 + 128, .function = bpf_htonl(service->function), .address = *client,
		};

		if (!bpf_map_lookup_elem(&sources, &prefix)) {
			weir_note(WEIR_NOTE_DENIED_SOURCE);
			return 0;
		}
	}
	if (service->flags & WEIR_SERVICE_LIMITED && !weir_within_rate(service, client)) {
		weir_note(WEIR_NOTE_DENIED_RATE);
		return 0;
	}
	return 1;
}
#endif

#endif
