// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Counts what the functions are asked and answer. Attached once to the parent cgroup of all containers: weir_meter_in
 * and weir_meter_out see their packets, weir_meter_life the beginning and the end of their connections. Never drops a
 * packet.
 *
 * Rules, by connection:
 * - A request begins with a packet that brings new bytes while nothing is in flight and begins with an HTTP method;
 *   the method may come in pieces. What comes while a request is in flight is its body, or pipelined.
 * - An answer is a packet with new bytes that begin with "HTTP/1."; a final status ends what is in flight. If nothing
 *   is, it answers a pipelined request, which is counted with it. Answers that share a segment count as one.
 * - A request is aborted when the function closes the connection, or the connection ends, without a final status.
 * - A connection that begins with something else is counted by connection and bytes only, likewise after a 101.
 * - New are bytes whose sequence numbers were not seen; so retransmissions count in bytes only.
 *
 * A connection's state lies in the storage of its socket. The listening socket gets one at its first SYN, which each
 * connection inherits when the kernel clones the socket; connections that a function opens itself have none.
 *
 * Functions that are not static are looked at by the verifier once, not once for each way that leads to them.
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "meter.h"
#include "weir_maps.h"
#include "http.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define SIGNAL_EVERY_NS 10000000	/* WEIR_TOUCHED per slot */
#define FLUSH_BYTES (64 * 1024)		/* that a connection holds back */
#define LEVELS 8			/* of cgroups that a container may have below the cgroup it is known by */

#define TCP_FIN 1
#define TCP_SYN 2
#define TCP_ACK 16

WEIR_MAP_INSTANCES;
WEIR_MAP_CGROUPS;
WEIR_MAP_LOADS;
WEIR_MAP_COUNTERS;
WEIR_MAP_LATENCY;
WEIR_MAP_NOTES;
WEIR_MAP_SIGNALS;
WEIR_MAP_CONNECTIONS;

/*
 * Payload that came with the last packet of a handshake: its packet passes the listening socket, just before the
 * connection is there, on the same CPU.
 */
struct early {
	__u32 sequence;
	__u32 length;		/* 0: none */
	__u32 word;		/* its first bytes */
	__u32 bytes;		/* of the packet */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct early);
} early SEC(".maps");

struct segment {
	__u32 at;		/* offset of the payload */
	__u32 length;		/* of the payload */
	__u32 sequence;
	__u8 flags;
};

/* ---- packets ---- */

/* Offset of the TCP header behind an IPv6 header that has extensions; 0: there is none. */
static __noinline __u32 behind_extensions(struct __sk_buff *skb)
{
	__u8 header[2], next;
	__u32 at = 40;
	int i;

	if (bpf_skb_load_bytes(skb, 6, &next, 1))
		return 0;
	for (i = 0; i < 6; i++) {
		if (next == IPPROTO_TCP)
			return at;
		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS)
			return 0;
		if (bpf_skb_load_bytes(skb, at, header, sizeof(header)))
			return 0;
		next = header[0];
		at += (header[1] + 1) * 8;
	}
	return 0;
}

/* Headers are in the linear part of the packet, payload need not be. 0: a TCP segment; else not, or its lengths lie. */
static __always_inline int parse(struct __sk_buff *skb, struct segment *segment)
{
	__u8 *data = (__u8 *) (long) skb->data, *end = (__u8 *) (long) skb->data_end, *tcp;
	__u32 at, header;

	if (data + 40 > end)
		return -1;
	if (data[0] >> 4 == 4) {
		if (data[9] != IPPROTO_TCP)
			return -1;
		at = (data[0] & 15) * 4;
		if (at < 20)
			return -1;
	} else if (data[6] == IPPROTO_TCP) {
		at = 40;
	} else {
		at = behind_extensions(skb);
		if (at < 40 || at > 4096)
			return -1;
	}
	tcp = data + at;
	if (tcp + 20 > end)
		return -1;
	header = (tcp[12] >> 4) * 4;
	if (header < 20 || at + header > skb->len)
		return -1;
	segment->at = at + header;
	segment->length = skb->len - segment->at;
	segment->sequence = bpf_ntohl(*(__u32 *) (tcp + 4));
	segment->flags = tcp[13];
	return 0;
}

/* ---- whose ---- */

/* The slot of the packet's cgroup or of one above it; WEIR_NO_SLOT: not a function's. */
__noinline __u32 weir_slot_of(struct __sk_buff *skb)
{
	__u64 id = bpf_skb_cgroup_id(skb);
	__u32 *slot = bpf_map_lookup_elem(&cgroups, &id);
	int level;

	if (slot)
		return *slot;
	for (level = 1; level <= LEVELS; level++) {
		id = bpf_skb_ancestor_cgroup_id(skb, level);
		if (!id)
			break;
		slot = bpf_map_lookup_elem(&cgroups, &id);
		if (slot)
			return *slot;
	}
	return WEIR_NO_SLOT;
}

/* The connection's instance; NULL when the slot has changed hands since. */
static __always_inline struct weir_instance *instance_of(struct conn *conn)
{
	struct weir_instance *instance = bpf_map_lookup_elem(&instances, &conn->slot);

	return instance && instance->generation == conn->generation ? instance : NULL;
}

static __always_inline int resolve(struct conn *conn, __u32 slot)
{
	struct weir_instance *instance = bpf_map_lookup_elem(&instances, &slot);

	if (!instance)
		return -1;
	conn->slot = slot;
	conn->generation = instance->generation;
	conn->function = instance->function;
	return 0;
}

/* The container has another slot than when the connection began, as after a gateway's restart. */
static __noinline int adopt(struct __sk_buff *skb, struct conn *conn)
{
	struct weir_load *load;

	if (!conn || resolve(conn, weir_slot_of(skb)))
		return -1;
	if (conn->kind == LISTENER)
		return 0;
	conn->asked = conn->answered;
	load = bpf_map_lookup_elem(&loads, &conn->slot);
	if (load && !conn->closed)
		__sync_fetch_and_add(&load->connections, 1);
	return 0;
}

static __noinline int touch(struct conn *conn)
{
	struct weir_instance *instance;
	struct weir_signal *signal;
	struct weir_load *load;
	__u64 now = bpf_ktime_get_ns();

	if (!conn)
		return 0;
	instance = instance_of(conn);
	load = bpf_map_lookup_elem(&loads, &conn->slot);
	if (!load || !instance)
		return 0;
	/* what was signalled before it was put to rest again does not count */
	if (load->signalled_ns >= instance->asleep_ns && now - load->signalled_ns < SIGNAL_EVERY_NS)
		return 0;
	signal = bpf_ringbuf_reserve(&signals, sizeof(*signal), 0);
	if (!signal) {
		weir_note(WEIR_NOTE_SIGNAL_LOST);
		return 0;
	}
	load->signalled_ns = now;
	*signal = (struct weir_signal) {
		.at_ns = now,
		.kind = WEIR_TOUCHED,
		.function = conn->function,
		.slot = conn->slot,
		.generation = conn->generation,
	};
	bpf_ringbuf_submit(signal, 0);
	return 0;
}

/* ---- requests ---- */

/*
 * Puts the first four bytes of what may be a request into conn->word, piece by piece; line ends before it are skipped,
 * as RFC 9112 wants. 0: there are four, or bytes that no method has.
 */
__noinline int weir_gather(struct __sk_buff *skb, struct conn *conn, __u32 at, __u32 length)
{
	__u32 i, have;
	__u8 byte;

	if (!conn)
		return -1;
	have = conn->word_length;
	for (i = 0; i < 12 && i < length && have < 4; i++) {
		if (bpf_skb_load_bytes(skb, at + i, &byte, 1))
			return -1;
		if (!have && (byte == '\r' || byte == '\n'))
			continue;
		if ((byte < 'A' || byte > 'Z') && (byte != ' ' || have < 3)) {
			conn->word = 0;
			return 0;
		}
		conn->word = (have ? conn->word : 0) | (__u32) byte << 8 * (have & 3);
		have++;
	}
	conn->word_length = have;
	return have < 4 ? -1 : 0;
}

static __always_inline void flush_in(struct conn *conn, struct weir_counters *count)
{
	count->bytes_in += conn->in_bytes;
	conn->in_bytes = 0;
}

static __always_inline void flush_out(struct conn *conn, struct weir_counters *count)
{
	count->bytes_out += conn->out_bytes;
	conn->out_bytes = 0;
}

static __always_inline void request(struct conn *conn)
{
	struct weir_counters *count = bpf_map_lookup_elem(&counters, &conn->slot);
	struct weir_load *load = bpf_map_lookup_elem(&loads, &conn->slot);

	if (!count || !load)
		return;
	conn->began_ns = bpf_ktime_get_ns();
	conn->asked = conn->answered + 1;
	conn->started = 1;
	conn->has_hole = 0;
	__sync_fetch_and_add(&load->in_flight, 1);
	load->last_ns = conn->began_ns;
	count->requests++;
	flush_in(conn, count);
}

/* The first bytes of the connection are of another protocol. */
static __always_inline void other(struct conn *conn, __u32 word)
{
	struct weir_counters *count;

	conn->started = 1;
	conn->kind = OPAQUE;
	count = bpf_map_lookup_elem(&counters, &conn->slot);
	if (!count)
		return;
	if (word == WORD('P', 'R', 'I', ' '))	/* a method that HTTP reserves for the preface of HTTP/2 */
		count->http2++;
	else
		count->other++;
	flush_in(conn, count);
}

/* Bytes that nobody asked about are held back for so long only. */
static __noinline int flush(struct conn *conn)
{
	struct weir_counters *count;

	if (!conn)
		return 0;
	count = bpf_map_lookup_elem(&counters, &conn->slot);
	if (!count || !instance_of(conn))
		return 0;
	if (conn->in_bytes >= FLUSH_BYTES)
		flush_in(conn, count);
	if (conn->out_bytes >= FLUSH_BYTES)
		flush_out(conn, count);
	return 0;
}

static __always_inline void remember(struct __sk_buff *skb, struct segment *segment)
{
	__u32 zero = 0, word;
	struct early *first = bpf_map_lookup_elem(&early, &zero);

	if (!first || bpf_skb_load_bytes(skb, segment->at, &word, sizeof(word)))
		return;
	first->sequence = segment->sequence;
	first->length = segment->length;
	first->word = word;
	first->bytes = skb->len;
}

/* A packet for a socket without a connection's state: a listener's, or nothing to us. */
__noinline int weir_knock(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	struct weir_instance *instance;
	struct conn *conn, fresh = {};
	struct segment segment;

	if (!sk || sk->state != BPF_TCP_LISTEN || parse(skb, &segment))
		return 1;
	conn = bpf_sk_storage_get(&connections, sk, NULL, 0);
	if (!conn) {
		if (resolve(&fresh, weir_slot_of(skb)))
			return 1;
		conn = bpf_sk_storage_get(&connections, sk, &fresh, BPF_SK_STORAGE_GET_F_CREATE);
		if (!conn)
			return 1;
	}
	instance = instance_of(conn);
	if (!instance) {
		if (adopt(skb, conn))
			return 1;
		instance = instance_of(conn);
	}
	if (instance && instance->flags & WEIR_INSTANCE_ASLEEP &&
	    (segment.length || (segment.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN))
		touch(conn);
	if (segment.length && (segment.flags & (TCP_SYN | TCP_ACK)) == TCP_ACK)
		remember(skb, &segment);
	return 1;
}

#ifndef find_conn		/* a test gives connections states of its own */
#define find_conn(skb, sk) bpf_sk_storage_get(&connections, sk, NULL, 0)
#endif

SEC("cgroup_skb/ingress")
int weir_meter_in(struct __sk_buff *skb)
{
	struct weir_instance *instance;
	struct bpf_sock *sk = skb->sk;
	struct segment segment;
	struct conn *conn;
	__s32 ahead;
	__u32 word;

	if (!sk)
		return 1;
	conn = find_conn(skb, sk);
	if (!conn || conn->kind == LISTENER)
		return weir_knock(skb);
	conn->in_bytes += skb->len;
	if (parse(skb, &segment)) {
		weir_note(WEIR_NOTE_MALFORMED);
		return 1;
	}
	if (!segment.length)
		return 1;

	instance = instance_of(conn);
	if (!instance) {
		if (adopt(skb, conn))
			return 1;
		instance = instance_of(conn);
	}
	if (instance && instance->flags & WEIR_INSTANCE_ASLEEP)
		touch(conn);

	ahead = segment.sequence - conn->in_next;
	if (ahead + (__s32) segment.length <= 0) {
		if (!conn->has_hole || segment.sequence != conn->hole)
			return 1;
		conn->has_hole = 0;	/* what was lost has come after all */
		ahead = 0;
	} else {
		conn->in_next = segment.sequence + segment.length;
	}
	if (conn->kind != HTTP || conn->asked != conn->answered) {
		if (conn->in_bytes >= FLUSH_BYTES)
			flush(conn);
		return 1;
	}
	if (ahead < 0) {
		segment.at -= ahead;
		segment.length += ahead;
	}

	if (conn->word_length || segment.length < 4 || bpf_skb_load_bytes(skb, segment.at, &word, sizeof(word)) ||
	    (__u8) word == '\r' || (__u8) word == '\n') {
		if (ahead > 0 || weir_gather(skb, conn, segment.at, segment.length))
			return 1;
		word = conn->word;
		conn->word_length = 0;
	}
	if (is_method(word)) {
		request(conn);
	} else if (ahead > 0) {
		conn->has_hole = 1;
		conn->hole = segment.sequence - ahead;
	} else if (!conn->started) {
		other(conn, word);
	}
	return 1;
}

/* ---- answers ---- */

static __always_inline void took(struct conn *conn, __u64 now)
{
	struct weir_histogram *histogram = bpf_map_lookup_elem(&latency, &conn->function);
	__u64 us = ((now - conn->began_ns) * 67109) >> 26;	/* a division by 1000 without dividing */
	__u32 bucket = bucket_of(us);

	if (!histogram || bucket >= WEIR_BUCKETS)
		return;
	histogram->sum_us += us;
	histogram->bucket[bucket]++;
}

/* When TCP handed the packet down, which is cheaper to read than the clock; the clock if it does not say. */
static __always_inline __u64 sent_at(struct __sk_buff *skb, struct conn *conn)
{
	__u64 at = skb->tstamp;

	return at > conn->began_ns && at - conn->began_ns < 1ull << 40 ? at : bpf_ktime_get_ns();
}

static __always_inline void answer(struct __sk_buff *skb, struct bpf_sock *sk, struct conn *conn, __u32 class)
{
	struct weir_counters *count = bpf_map_lookup_elem(&counters, &conn->slot);
	struct weir_load *load = bpf_map_lookup_elem(&loads, &conn->slot);
	__u32 asked = conn->asked;
	__u64 now;

	if (!count || !load || !instance_of(conn))
		return;
	now = sent_at(skb, conn);
	load->last_ns = now;
	if (asked != conn->answered) {
		conn->answered = asked;
		__sync_fetch_and_add(&load->in_flight, -1);
		took(conn, now);
	} else {
		struct bpf_tcp_sock *tcp = bpf_tcp_sock(sk);

		count->requests++;
		count->pipelined++;
		conn->started = 1;
		if (tcp)
			conn->in_next = tcp->rcv_nxt;	/* its bytes may have been missed */
	}
	if (class < WEIR_STATUS_CLASSES)
		count->responses[class]++;
	flush_out(conn, count);
}

#define WINDOW 64
#define WINDOWS 24

/* What lies behind an empty line that begins within a window from here: its offset. 0: none begins; -1: the packet ends. */
__noinline int weir_behind_head(struct __sk_buff *skb, __u32 at)
{
	__u32 word, i;

	for (i = 0; i < WINDOW; i++) {
		if (bpf_skb_load_bytes(skb, at + i, &word, sizeof(word)))
			return -1;
		if (word == WORD('\r', '\n', '\r', '\n'))
			return i + 4;
	}
	return 0;
}

/*
 * An interim answer may share its packet with the final one, or with further interim ones. In windows, because the
 * verifier goes through each turn of a loop, and through a function once.
 */
__noinline __u32 weir_final_class(struct __sk_buff *skb, __u32 at)
{
	__u32 line[3], class, i;
	int behind;

	for (i = 0; i < WINDOWS; i++) {
		behind = weir_behind_head(skb, at);
		if (behind < 0)
			return 0;
		if (!behind) {
			at += WINDOW;
			continue;
		}
		at += behind;
		if (bpf_skb_load_bytes(skb, at, line, sizeof(line)))
			return 0;
		class = class_of(line);
		if (class != INTERIM)
			return class;
	}
	return 0;
}

/* Puts together a status line that comes in pieces. 0: there are twelve bytes. */
__noinline int weir_gather_line(struct __sk_buff *skb, struct conn *conn, __u32 at, __u32 length)
{
	const __u64 begin = 0x2e312f50545448ull;	/* "HTTP/1." */
	__u32 i, have;
	__u8 byte;

	if (!conn)
		return -1;
	have = conn->line_length;
	for (i = 0; i < STATUS_BYTES && i < length && have < STATUS_BYTES; i++) {
		__u32 index = have & 15;

		asm volatile("" : "+r"(index));	/* or the compiler drops the bound that the verifier wants to see */
		if (bpf_skb_load_bytes(skb, at + i, &byte, 1) || (have < 7 && byte != (__u8) (begin >> 8 * index))) {
			conn->line_length = 0;
			return -1;
		}
		conn->line[index & 15] = byte;
		have++;
	}
	conn->line_length = have;
	return have < STATUS_BYTES ? -1 : 0;
}

static __always_inline void outgoing(struct __sk_buff *skb, struct bpf_sock *sk, struct conn *conn,
				     struct segment *segment)
{
	__s32 ahead = segment->sequence - conn->out_next;
	__u32 line[3], class;

	if (ahead + (__s32) segment->length <= 0)
		return;
	conn->out_next = segment->sequence + segment->length;
	if (conn->kind != HTTP)
		return;
	if (ahead < 0) {
		segment->at -= ahead;
		segment->length += ahead;
	}
	if (segment->length < sizeof(line) || conn->line_length) {
		if (weir_gather_line(skb, conn, segment->at, segment->length))
			return;
		conn->line_length = 0;
		__builtin_memcpy(line, conn->line, sizeof(line));
	} else if (bpf_skb_load_bytes(skb, segment->at, line, sizeof(line))) {
		return;
	}
	class = class_of(line);
	if (class == INTERIM)
		class = weir_final_class(skb, segment->at);
	if (!class)
		return;
	if (class == WEIR_1XX)
		conn->kind = OPAQUE;	/* 101: another protocol from here on */
	answer(skb, sk, conn, class == 8 ? WEIR_OTHER : class);
}

static __always_inline void abort_request(struct conn *conn)
{
	struct weir_counters *count = bpf_map_lookup_elem(&counters, &conn->slot);
	struct weir_load *load = bpf_map_lookup_elem(&loads, &conn->slot);

	if (!count || !load || !instance_of(conn))
		return;
	conn->answered = conn->asked;
	__sync_fetch_and_add(&load->in_flight, -1);
	count->aborts++;
}

SEC("cgroup_skb/egress")
int weir_meter_out(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	struct segment segment;
	struct conn *conn;

	if (!sk)
		return 1;
	conn = find_conn(skb, sk);
	if (!conn || conn->kind == LISTENER)
		return 1;
	conn->out_bytes += skb->len;
	if (parse(skb, &segment)) {
		weir_note(WEIR_NOTE_MALFORMED);
		return 1;
	}
	if (segment.length) {
		outgoing(skb, sk, conn, &segment);
		if (conn->out_bytes >= FLUSH_BYTES)
			flush(conn);
	}
	if (segment.flags & TCP_FIN && conn->asked != conn->answered)
		abort_request(conn);
	return 1;
}

/* ---- connections ---- */

static __always_inline void opened(struct bpf_sock_ops *ctx, struct conn *conn)
{
	struct weir_counters *count = bpf_map_lookup_elem(&counters, &conn->slot);
	struct weir_load *load = bpf_map_lookup_elem(&loads, &conn->slot);
	struct early *first;
	__u32 zero = 0;

	if (!count || !load || !instance_of(conn))
		return;
	conn->in_next = ctx->rcv_nxt;
	conn->out_next = ctx->snd_nxt;
	if (conn->kind == LISTENER)	/* shortcut and adapt say OPAQUE of those that they count themselves */
		conn->kind = HTTP;
	bpf_sock_ops_cb_flags_set(ctx, ctx->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG);
	__sync_fetch_and_add(&load->connections, 1);
	count->connections++;

	first = bpf_map_lookup_elem(&early, &zero);
	if (!first || !first->length || first->sequence != conn->in_next)
		return;
	conn->in_next += first->length;
	conn->in_bytes += first->bytes;
	first->length = 0;
	if (is_method(first->word))
		request(conn);
	else
		other(conn, first->word);
}

/* Counts down when the function's side has closed; what is in flight ends with the connection at the latest. */
static __always_inline void changed(struct conn *conn, __u32 state)
{
	struct weir_counters *count;
	struct weir_load *load;

	if (conn->kind == LISTENER || !instance_of(conn))
		return;
	if (state != BPF_TCP_CLOSE && state != BPF_TCP_FIN_WAIT1 && state != BPF_TCP_LAST_ACK)
		return;
	count = bpf_map_lookup_elem(&counters, &conn->slot);
	load = bpf_map_lookup_elem(&loads, &conn->slot);
	if (!count || !load)
		return;
	if (!conn->closed) {
		conn->closed = 1;
		__sync_fetch_and_add(&load->connections, -1);
	}
	if (state != BPF_TCP_CLOSE)
		return;
	if (conn->asked != conn->answered)
		abort_request(conn);
	flush_in(conn, count);
	flush_out(conn, count);
}

SEC("sockops")
int weir_meter_life(struct bpf_sock_ops *ctx)
{
	struct bpf_sock *sk;
	struct conn *conn;

	if (ctx->op != BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB && ctx->op != BPF_SOCK_OPS_STATE_CB)
		return 1;
	sk = ctx->sk;
	if (!sk)
		return 1;
	conn = bpf_sk_storage_get(&connections, sk, NULL, 0);
	if (!conn)
		return 1;
	if (ctx->op == BPF_SOCK_OPS_STATE_CB)
		changed(conn, ctx->args[1]);
	else
		opened(ctx, conn);
	return 1;
}
