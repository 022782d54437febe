// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Makes an HTTP request of each PUBLISH that the local broker sends for certain topics, and a PUBACK of each answer. The
 * gateway's process takes no part in it:
 *
 *   broker's socket B --send--> weir_adapt_publish: PUBLISH becomes POST --> receive queue of the function's socket F
 *   function's socket F --send--> weir_adapt_answer: 2xx becomes PUBACK, the rest is swallowed --> receive queue of B
 *
 * B is the broker's end of a connection that the gateway opened (its own end is C) and subscribed on. F is the function's
 * end of a connection that the gateway opened, a lane; the gateway's own end H is silent as long as all goes well. Both
 * ends are on this host, without NAT between.
 *
 * What becomes a request: a send that is exactly one PUBLISH of at most WEIR_MESSAGE bytes, QoS 0 or 1, neither retained
 * nor a duplicate, of a topic in adapt_templates, with MQTT 5 properties only if it is one alone that a request does not
 * show (payload format, expiry); and the topic's lane is there, not handed over and not full. All else goes to C.
 *
 * Order. A PUBLISH that became a request must not overtake one that the gateway still works on. So adapt_passed counts
 * the bytes that went to C, and nothing becomes a request until the gateway has confirmed that it is done with all of
 * them. That also settles framing: what the gateway confirms ends with a packet, so the next send begins one, however
 * the last ones were split. One topic belongs to one lane, and requests on a lane are answered in order.
 *
 * Answers. Only a 2xx in HTTP/1.1 whose head is in one send of at most ANSWER_HEAD bytes becomes a PUBACK (nothing, for
 * QoS 0), if its end is known: a 204, which has no body; or it has a Content-Length, when its body may follow in later
 * sends; or it is chunked, and all of it is in this send, CHUNKED_BYTES and CHUNKS at most. Bodies are dropped, so this is
 * for triggers without an output; interim answers, too. Any other answer, and all after it, go to H, untouched: the lane
 * is handed over.
 *
 * What the gateway does, in this order (all of struct weir_pair as the named socket sees it; one port, one entry):
 *  1. attach weir_adapt to its own cgroup (the broker's, too) and to the parent of the containers; weir_adapt_up to map
 *     adapt_clients, weir_adapt_publish to adapt_brokers, weir_adapt_answer to adapt_functions.
 *  2. choose a subscription (an index not used by the last connection) and zero adapt_passed and adapt_subscriptions there.
 *  3. per lane: zero adapt_flights, write adapt_lanes; bind H to port 0; put F's pair into adapt_wanted; connect H.
 *  4. bind C to port 0; put C's pair (CLIENT) and B's pair (BROKER) into adapt_wanted; connect C; CONNECT without clean
 *     session; wait for CONNACK before sending more; SUBSCRIBE. C carries nothing but this: each send is whole packets.
 *  5. write adapt_templates. Remove what is left in adapt_wanted.
 *  6. read C and H. Whenever C's bytes end with a packet and no message from C is being worked on, write confirmed = bytes
 *     read from C since its beginning (CONNACK included) and wall_ns into adapt_subscriptions. That opens the fast way, and
 *     is due again after each time that something came from C. Messages from C: as without the kernel, on other
 *     connections; PUBACKs and PINGREQs by C.
 *
 * What else may happen:
 *  - data on H: the lane is handed over. Answers come there, in order, to adapt_flights.id[(answered + n) % WEIR_DEPTH], n from
 *    0, up to sent. A 2xx: PUBACK by C. When all are there: open the lane anew under another index (3.), point the templates
 *    to it.
 *  - a message that was not acknowledged (an answer that is not 2xx; H ended with sent != answered; swallowed because F
 *    went away): only the broker still has it, and sends it again as a duplicate, which comes by C, when C is closed and
 *    opened anew (2. to 6.). What was in flight then may be done twice, as QoS 1 allows. QoS 0 is lost, as it may be.
 *  - C ends: the broker or its connection is gone: 2. to 6.
 *  - passed stays above what came from C although nothing more comes: a send of the broker was cut short and seen twice;
 *    everything goes by C until it is opened anew.
 *  - an instance goes: set enabled = 0 in its lanes (nothing new is sent), wait for sent == answered, close H.
 *
 * The receive queue of F knows no flow control, hence depth. A function that reads its socket by splice() or MSG_WAITALL
 * cannot be served like this, see shortcut.bpf.c.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include "weir_maps.h"
#include "weir_sockets.h"
#include "count.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

WEIR_MAP(adapt_wanted, BPF_MAP_TYPE_HASH, struct weir_pair, struct weir_adapt_end, WEIR_LANES + 2 * WEIR_SUBSCRIPTIONS, 0);
WEIR_MAP(adapt_subscriptions, BPF_MAP_TYPE_ARRAY, __u32, struct weir_adapt_subscription, WEIR_SUBSCRIPTIONS, 0);
WEIR_MAP(adapt_passed, BPF_MAP_TYPE_ARRAY, __u32, struct weir_adapt_passed, WEIR_SUBSCRIPTIONS, 0);
WEIR_MAP(adapt_templates, BPF_MAP_TYPE_HASH, struct weir_adapt_topic, struct weir_adapt_template, 1024, 0);
WEIR_MAP(adapt_lanes, BPF_MAP_TYPE_ARRAY, __u32, struct weir_adapt_lane, WEIR_LANES, 0);
WEIR_MAP(adapt_flights, BPF_MAP_TYPE_ARRAY, __u32, struct weir_adapt_flight, WEIR_LANES, 0);
WEIR_MAP(adapt_clients, BPF_MAP_TYPE_SOCKMAP, __u32, __u64, WEIR_SUBSCRIPTIONS, 0);
WEIR_MAP(adapt_brokers, BPF_MAP_TYPE_SOCKMAP, __u32, __u64, WEIR_SUBSCRIPTIONS, 0);
WEIR_MAP(adapt_functions, BPF_MAP_TYPE_SOCKMAP, __u32, __u64, WEIR_LANES, 0);

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct weir_adapt_end);
} adapt_ends SEC(".maps");

/* Keeps the compiler from proving bounds that the verifier then cannot follow. */
#define HIDE(value_) asm volatile("" : "+r"(value_))

/* ---- taking up sockets ---- */

weir_inline void take_up(struct bpf_sock_ops *ctx, const struct weir_adapt_end *wanted)
{
	struct bpf_sock *sk = ctx->sk;
	struct weir_adapt_end *end;
	struct weir_adapt_flight *flight;
	__u32 index = wanted->index;
	struct conn *conn;

	if (!sk)
		return;
	end = bpf_sk_storage_get(&adapt_ends, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!end)
		return;
	*end = *wanted;
	switch (wanted->role) {
	case WEIR_ADAPT_CLIENT:
		bpf_sock_map_update(ctx, &adapt_clients, &index, BPF_ANY);
		break;
	case WEIR_ADAPT_BROKER:
		bpf_sock_map_update(ctx, &adapt_brokers, &index, BPF_ANY);
		break;
	case WEIR_ADAPT_FUNCTION:
		flight = bpf_map_lookup_elem(&adapt_flights, &index);
		if (!flight || bpf_sock_map_update(ctx, &adapt_functions, &index, BPF_ANY))
			return;
		bpf_sock_ops_cb_flags_set(ctx, ctx->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG);
		flight->alive = 1;
		conn = bpf_sk_storage_get(&connections, sk, 0, 0);
		if (conn) {
			conn->kind = OPAQUE;		/* the meter goes on with its bytes and its end */
			conn->started = 1;
		}
		break;
	}
}

/* A function's socket of ours leaves ESTABLISHED: nothing more is sent to it, and nothing comes once it has closed. */
weir_inline void changed(struct bpf_sock_ops *ctx, __u32 state)
{
	struct bpf_sock *sk = ctx->sk;
	struct weir_adapt_flight *flight;
	struct weir_adapt_lane *lane;
	struct weir_adapt_end *end;

	if (!sk || state == BPF_TCP_ESTABLISHED)	/* comes after it was taken up */
		return;
	end = bpf_sk_storage_get(&adapt_ends, sk, 0, 0);
	if (!end || end->role != WEIR_ADAPT_FUNCTION)
		return;
	flight = bpf_map_lookup_elem(&adapt_flights, &end->index);
	lane = bpf_map_lookup_elem(&adapt_lanes, &end->index);
	if (!flight || !lane)
		return;
	flight->alive = 0;
	if (state != BPF_TCP_CLOSE && state != BPF_TCP_FIN_WAIT1 && state != BPF_TCP_LAST_ACK)
		return;
	if (flight->counted != flight->sent && weir_instance_in(lane->slot, lane->generation))
		weir_count_aborts(lane->slot, flight->sent - flight->counted);
	flight->counted = flight->sent;
}

SEC("sockops")
int weir_adapt(struct bpf_sock_ops *ctx)
{
	struct weir_adapt_end *wanted;
	struct weir_pair pair;

	switch (ctx->op) {
	case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
	case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
		if (weir_pair_of_ops(ctx, &pair))
			break;
		wanted = bpf_map_lookup_elem(&adapt_wanted, &pair);
		if (!wanted || (wanted->netns && wanted->netns != bpf_get_netns_cookie(ctx)))
			break;
		take_up(ctx, wanted);
		bpf_map_delete_elem(&adapt_wanted, &pair);
		break;
	case BPF_SOCK_OPS_STATE_CB:
		changed(ctx, ctx->args[1]);
		break;
	}
	return 1;
}

/* ---- the gateway's own packets to the broker ---- */

/*
 * They go the same way as the PUBACKs made here: the broker reads a packet byte by byte, and what is queued directly comes
 * before what came by TCP. A CONNECT sent before the broker's socket was taken up goes by TCP, and is read when the
 * gateway sends its next packet, for that is after the CONNACK.
 */
SEC("sk_msg")
int weir_adapt_up(struct sk_msg_md *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct weir_adapt_end *end;

	if (!sk)
		return SK_PASS;
	end = bpf_sk_storage_get(&adapt_ends, sk, 0, 0);
	if (end && end->role == WEIR_ADAPT_CLIENT)
		bpf_msg_redirect_map(ctx, &adapt_brokers, end->index, BPF_F_INGRESS);
	return SK_PASS;
}

/* ---- from the broker ---- */

struct publish {
	__u32 header;			/* bytes before the payload */
	__u32 payload;
	__u16 id;			/* 0: QoS 0 */
};

#define BYTE(at_)						\
	({							\
		__u8 *byte_ = data + (at_);			\
		if ((void *)(byte_ + 1) > end)			\
			return -1;				\
		*byte_;						\
	})

/* 0 if the message is exactly one PUBLISH that can be sent on as it is; the topic is then in key. */
weir_inline int parse(struct sk_msg_md *ctx, __u32 version, struct weir_adapt_topic *key, struct publish *publish)
{
	__u32 size = ctx->size, remaining, at, length, i;
	void *data, *end;
	__u8 first, byte;

	if (size < 5 || size > WEIR_MESSAGE)
		return -1;
	if (weir_linear(ctx, size < 96 ? size : 96))
		return -1;
	data = ctx->data;
	end = ctx->data_end;
	first = BYTE(0);
	if (first != 0x30 && first != 0x32)		/* PUBLISH, QoS 0 or 1, neither a duplicate nor retained */
		return -1;
	byte = BYTE(1);
	remaining = byte & 0x7f;
	at = 2;
	if (byte & 0x80) {
		byte = BYTE(2);
		remaining |= (__u32)(byte & 0x7f) << 7;
		at = 3;
		if (byte & 0x80) {
			byte = BYTE(3);
			if (byte & 0x80)
				return -1;
			remaining |= (__u32)byte << 14;
			at = 4;
		}
	}
	if (at + remaining != size)
		return -1;
	byte = BYTE(at);
	length = BYTE(at + 1);
	HIDE(length);
	if (byte || length < 1 || length > WEIR_TOPIC || length + 2 > remaining)
		return -1;
	at += 2;
	for (i = 0; i < WEIR_TOPIC; i++) {
		if (i >= length)
			break;
		key->topic[i] = BYTE(at + i);
	}
	at += length;
	publish->id = 0;
	if (first & 2) {
		publish->id = BYTE(at) << 8;
		publish->id |= BYTE(at + 1);
		if (!publish->id)
			return -1;
		at += 2;
	}
	if (version == 5) {
		/* none, or nothing but the payload's format and its expiry, of which a request says nothing */
		length = BYTE(at);
		at++;
		if (length) {
			byte = BYTE(at);
			if (!(length == 2 && byte == 1) && !(length == 5 && byte == 2))
				return -1;
			at += length;
		}
	}
	if (at > size)
		return -1;
	publish->header = at;
	publish->payload = size - at;
	return 0;
}

weir_inline void put_decimal(__u8 *to, __u32 value, int digits)
{
	int i;

#pragma unroll
	for (i = digits - 1; i >= 0; i--) {
		to[i] = '0' + value % 10;
		value /= 10;
	}
}

weir_inline void put_hex(__u8 *to, __u64 value)
{
	int i;

#pragma unroll
	for (i = 15; i >= 0; i--) {
		__u8 digit = value & 15;

		to[i] = digit < 10 ? '0' + digit : 'a' - 10 + digit;
		value >>= 4;
	}
}

/* RFC 3339, by the usual reckoning with years that begin in March. */
weir_inline void put_time(__u8 *to, __u64 since_1970_ns)
{
	__u64 ms = since_1970_ns / 1000000;
	__u32 days = ms / 86400000, in_day = ms % 86400000;
	__u32 z = days + 719468, era = z / 146097, of_era = z % 146097;
	__u32 year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	__u32 of_year = of_era - (365 * year + year / 4 - year / 100);
	__u32 m = (5 * of_year + 2) / 153, day = of_year - (153 * m + 2) / 5 + 1;
	__u32 month = m < 10 ? m + 3 : m - 9;

	year += era * 400 + (month <= 2);
	put_decimal(to, year, 4);
	to[4] = '-';
	put_decimal(to + 5, month, 2);
	to[7] = '-';
	put_decimal(to + 8, day, 2);
	to[10] = 'T';
	put_decimal(to + 11, in_day / 3600000, 2);
	to[13] = ':';
	put_decimal(to + 14, in_day / 60000 % 60, 2);
	to[16] = ':';
	put_decimal(to + 17, in_day / 1000 % 60, 2);
	to[19] = '.';
	put_decimal(to + 20, in_day % 1000, 3);
	to[23] = 'Z';
}

#define PLACE(at_, length_)						\
	({								\
		__u32 place_ = (at_);					\
		__u8 *to_;						\
		HIDE(place_);						\
		to_ = data + (place_ & (WEIR_HEAD - 1));		\
		HIDE(to_);						\
		place_ && (void *)(to_ + (length_)) <= end ? to_ : 0;	\
	})

/* The head into the first bytes of the message, which are there. */
weir_inline int put_head(struct sk_msg_md *ctx, struct weir_adapt_template *template, __u32 payload, __u64 id, __u64 wall_ns)
{
	void *data = ctx->data, *end = ctx->data_end;
	__u64 *from = (__u64 *)(void *)&template->head;
	__u8 *to;
	__u32 block, word;

	for (block = 0; block < WEIR_HEAD / 64; block++) {
		__u64 *line = data + block * 64;

		if (block * 64 >= template->head_length)
			break;
		if ((void *)(line + 8) > end)
			return -1;
#pragma unroll
		for (word = 0; word < 8; word++)
			line[word] = from[block * 8 + word];
	}
	to = PLACE(template->length_at, 5);
	if (to)
		put_decimal(to, payload, 5);
	to = PLACE(template->id_at, 16);
	if (to)
		put_hex(to, id);
	to = PLACE(template->time_at, 24);
	if (to)
		put_time(to, wall_ns);
	return 0;
}

/* Nothing of the message goes anywhere; its sender learns that all of it went. */
weir_inline int swallow(struct sk_msg_md *ctx)
{
	return bpf_msg_pop_data(ctx, 0, ctx->size, 0);
}

/* Turns the message into a request and sends it to its lane; -1: the message is as it was. */
weir_inline int request(struct sk_msg_md *ctx, struct weir_adapt_subscription *subscription, __u32 index)
{
	struct weir_adapt_topic key = {.subscription = index};
	struct weir_adapt_template *template;
	struct weir_adapt_flight *flight;
	struct weir_adapt_lane *lane;
	struct weir_instance *instance;
	struct publish publish;
	__u32 lane_index, length, sent;
	__u64 now;

	if (parse(ctx, subscription->version, &key, &publish))
		return -1;
	template = bpf_map_lookup_elem(&adapt_templates, &key);
	if (!template)
		return -1;
	lane_index = template->lane;
	length = template->head_length;
	if (length < 64 || length > WEIR_HEAD || length & 63)
		return -1;
	lane = bpf_map_lookup_elem(&adapt_lanes, &lane_index);
	flight = bpf_map_lookup_elem(&adapt_flights, &lane_index);
	if (!lane || !flight || !lane->enabled || lane->subscription != index)
		return -1;
	instance = weir_instance_in(lane->slot, lane->generation);
	sent = flight->sent;
	if (!instance || !flight->alive || flight->handed || sent - flight->answered >= lane->depth ||
	    sent - flight->answered >= WEIR_DEPTH)
		return -1;
	if (bpf_msg_push_data(ctx, 0, length, 0))
		return -1;
	if (bpf_msg_pop_data(ctx, length, publish.header, 0) || weir_linear(ctx, length)) {
		bpf_msg_pop_data(ctx, 0, length, 0);
		return -1;
	}
	now = bpf_ktime_get_ns();
	flight->id[sent % WEIR_DEPTH] = publish.id;
	flight->sent_ns[sent % WEIR_DEPTH] = now;
	flight->sent = sent + 1;
	weir_count_request(lane->slot, now);
	weir_count_bytes(lane->slot, length + publish.payload, 0);
	if (instance->flags & WEIR_INSTANCE_ASLEEP)
		weir_touch(lane->slot, instance, now);
	/* Fails if the function went away just now: as if it had read the request before it did. */
	if (put_head(ctx, template, publish.payload, lane->first_id + sent, now + subscription->wall_ns) ||
	    bpf_msg_redirect_map(ctx, &adapt_functions, lane_index, BPF_F_INGRESS) != SK_PASS)
		swallow(ctx);
	return 0;
}

SEC("sk_msg")
int weir_adapt_publish(struct sk_msg_md *ctx)
{
	struct weir_adapt_subscription *subscription;
	struct weir_adapt_passed *passed;
	struct bpf_sock *sk = ctx->sk;
	struct weir_adapt_end *end;
	__u32 index;

	if (!sk)
		return SK_PASS;
	end = bpf_sk_storage_get(&adapt_ends, sk, 0, 0);
	if (!end || end->role != WEIR_ADAPT_BROKER)
		return SK_PASS;
	index = end->index;
	subscription = bpf_map_lookup_elem(&adapt_subscriptions, &index);
	passed = bpf_map_lookup_elem(&adapt_passed, &index);
	if (!subscription || !passed)
		return SK_PASS;
	if (subscription->version && passed->bytes == subscription->confirmed && !request(ctx, subscription, index))
		return SK_PASS;
	passed->bytes += ctx->size;
	passed->packets++;
	return SK_PASS;
}

/* ---- from the function ---- */

#define ANSWER_HEAD 512			/* bytes in which an answer's head must end */

#define CHUNKED_BYTES 4096		/* of an answer that is chunked, and whole in one send */
#define CHUNKS 8			/* of it */
#define INTERIMS 2			/* answers that may share a send with the final one */

struct answer {
	__u32 interim;			/* 1xx, but for 101 */
	__u32 head;			/* bytes */
	__u32 body;
};

#define ANSWER_LINES 32			/* of an answer's head; what decides must be among them */

/* What the scan has found, in a map because the verifier would otherwise follow each value that it can have. */
struct scan {
	volatile __u32 lines;		/* volatile: the verifier knows what is in registers, and would follow each count */
	__u32 end;			/* of the head */
	volatile __u32 lengths;
	__u32 length_at;		/* after the colon of Content-Length */
	volatile __u32 codings;
	__u32 coding_at;		/* after the colon of Transfer-Encoding */
	volatile __u32 chunk;		/* where the next one begins */
	__u32 line[ANSWER_LINES];	/* where lines begin, but the first */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scan);
} adapt_scan SEC(".maps");

#define LOWER 0x2020202020202020ULL
#define LOWER_CONTENT_ 0x636f6e74656e742dULL	/* "content-" */
#define LOWER__LENGTH 0x2d6c656e6774683aULL	/* "-length:" */
#define LOWER_TRANSFER 0x7472616e73666572ULL	/* "transfer" */
#define LOWER_NCODING 0x6e636f64696e673aULL	/* "ncoding:" */
#define LOWER_WORD(p_) (bpf_be64_to_cpu(*(__u64 *)(p_)) | LOWER)

/*
 * The steps of reading a head. Functions that are not static, because the verifier looks at each of those once and not
 * once for each way that leads to it.
 */

/* Finds the lines of the head and its end. */
int weir_scan_lines(struct sk_msg_md *ctx)
{
	__u32 zero = 0, i;
	struct scan *scan = bpf_map_lookup_elem(&adapt_scan, &zero);
	void *data = ctx->data, *end = ctx->data_end;
	__u8 byte;

	if (!scan)
		return -1;
	scan->lines = 0;
	for (i = 12; i < ANSWER_HEAD; i++) {
		byte = BYTE(i);
		if (byte != '\n')
			continue;
		scan->line[scan->lines++ & (ANSWER_LINES - 1)] = i + 1;
		byte = BYTE(i - 2);
		if (byte == '\n') {
			scan->end = i + 1;
			return scan->lines > ANSWER_LINES ? -1 : 0;
		}
	}
	return -1;
}

/* Finds the headers that say how the body is framed. */
int weir_scan_names(struct sk_msg_md *ctx)
{
	__u32 zero = 0, i;
	struct scan *scan = bpf_map_lookup_elem(&adapt_scan, &zero);
	void *data = ctx->data, *end = ctx->data_end;

	if (!scan)
		return -1;
	scan->lengths = 0;
	scan->codings = 0;
	for (i = 0; i < ANSWER_LINES; i++) {
		void *line = data + (scan->line[i] & (ANSWER_HEAD - 1));

		if (i >= scan->lines)
			break;
		if (line + 18 > end)
			continue;
		if (!((LOWER_WORD(line) ^ LOWER_CONTENT_) | (LOWER_WORD(line + 7) ^ LOWER__LENGTH))) {
			scan->length_at = scan->line[i] + 15;
			scan->lengths++;
		}
		if (!((LOWER_WORD(line) ^ LOWER_TRANSFER) | (LOWER_WORD(line + 10) ^ LOWER_NCODING))) {
			scan->coding_at = scan->line[i] + 18;
			scan->codings++;
		}
	}
	return scan->lengths + scan->codings == 1 ? 0 : -1;
}

/* The number of Content-Length. */
int weir_scan_length(struct sk_msg_md *ctx)
{
	__u32 zero = 0, value = 0, digits = 0, at, i;
	struct scan *scan = bpf_map_lookup_elem(&adapt_scan, &zero);
	void *data = ctx->data, *end = ctx->data_end;
	__u8 byte;

	if (!scan)
		return -1;
	at = scan->length_at;
	for (i = 0; i < 10; i++) {
		__u8 *p = data + ((at + i) & (ANSWER_HEAD - 1));

		if ((void *)(p + 1) > end)
			return -1;
		byte = *p;
		if (byte == ' ' && !digits)
			continue;
		if (byte == '\r' && digits)
			return value;
		if (byte < '0' || byte > '9' || digits == 7)
			return -1;
		value = value * 10 + byte - '0';
		digits++;
	}
	return -1;
}

/* One chunk of a message that is linear: 1: there should be another; 0: it was the last, and ends with the message. */
int weir_scan_chunk(struct sk_msg_md *ctx)
{
	__u32 zero = 0, value = 0, at, i, size = ctx->size;
	struct scan *scan = bpf_map_lookup_elem(&adapt_scan, &zero);
	void *data = ctx->data, *end = ctx->data_end;
	__u8 byte;

	if (!scan)
		return -1;
	at = scan->chunk;
	for (i = 0; i < 4; i++) {		/* a length of three digits at most, and no extension */
		byte = BYTE((at + i) & (CHUNKED_BYTES - 1));
		if (byte == '\r')
			break;
		if (byte >= '0' && byte <= '9')
			byte -= '0';
		else if ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f')
			byte = (byte | 0x20) - 'a' + 10;
		else
			return -1;
		if (i == 3)
			return -1;
		value = value << 4 | byte;
	}
	if (!i)
		return -1;
	byte = BYTE((at + i + 1) & (CHUNKED_BYTES - 1));
	if (byte != '\n')
		return -1;
	at += i + 2 + value;
	if (at + 2 > size)
		return -1;
	byte = BYTE(at & (CHUNKED_BYTES - 1));
	if (byte != '\r')
		return -1;
	byte = BYTE((at + 1) & (CHUNKED_BYTES - 1));
	if (byte != '\n')
		return -1;
	scan->chunk = at + 2;
	return value ? 1 : at + 2 == size ? 0 : -1;
}

/* 0 if the message's only coding is chunked, and it ends with its last chunk; no trailers. */
int weir_scan_chunked(struct sk_msg_md *ctx)
{
	const __u64 wanted = 0x6368756e6b65640dULL;	/* "chunked\r" */
	__u32 zero = 0, at, i, size = ctx->size;
	struct scan *scan = bpf_map_lookup_elem(&adapt_scan, &zero);
	void *data, *end, *value;
	__u8 byte;
	int more;

	if (!scan || size > CHUNKED_BYTES - 16 || weir_linear(ctx, size))
		return -1;
	data = ctx->data;
	end = ctx->data_end;
	at = scan->coding_at;
	byte = BYTE(at & (ANSWER_HEAD - 1));
	if (byte == ' ')
		at++;
	value = data + (at & (ANSWER_HEAD - 1));
	if (value + 8 > end || (LOWER_WORD(value) ^ (wanted | LOWER)))
		return -1;
	scan->chunk = scan->end;
	for (i = 0; i < CHUNKS; i++) {
		more = weir_scan_chunk(ctx);
		if (more <= 0)
			return more;
	}
	return -1;
}

/*
 * 0 if the message begins with the whole head of a 2xx or an interim answer and the length of its body is known; otherwise
 * enum weir_adapt_reason.
 */
weir_inline int parse_answer(struct sk_msg_md *ctx, struct answer *answer)
{
	__u32 size = ctx->size, zero = 0, status = 0, i;
	struct scan *scan;
	void *data, *end;
	int length = 0;

	if (size < 16 || weir_linear(ctx, size < ANSWER_HEAD ? size : ANSWER_HEAD))
		return WEIR_HANDED_FRAMING;
	data = ctx->data;
	end = ctx->data_end;
	if (data + 16 > end)
		return WEIR_HANDED_FRAMING;
	if (*(__u32 *)data != bpf_htonl(0x48545450) || *(__u32 *)(data + 4) != bpf_htonl(0x2f312e31))	/* "HTTP/1.1" */
		return WEIR_HANDED_FRAMING;
	for (i = 9; i < 12; i++)
		status = status * 10 + (__u8)(*(__u8 *)(data + i) - '0');
	answer->interim = status >= 100 && status < 200 && status != 101;
	if (!answer->interim && (status < 200 || status > 299))
		return WEIR_HANDED_STATUS;
	if (weir_scan_lines(ctx))
		return WEIR_HANDED_FRAMING;
	/* RFC 9112, 6.3: interim answers and 204 end with their head, whatever it says */
	scan = bpf_map_lookup_elem(&adapt_scan, &zero);
	if (!scan)
		return WEIR_HANDED_MEMORY;
	if (!answer->interim && status != 204) {
		if (weir_scan_names(ctx))
			return WEIR_HANDED_FRAMING;
		if (!scan->codings)
			length = weir_scan_length(ctx);
		else if (weir_scan_chunked(ctx))
			length = -1;
		else
			length = size - scan->end;
		if (length < 0)
			return WEIR_HANDED_FRAMING;
	}
	answer->head = scan->end;
	answer->body = length;
	return 0;
}

/* One more answer's first line, if the message begins with one. */
weir_inline void count_answer(struct sk_msg_md *ctx, struct weir_adapt_lane *lane, struct weir_adapt_flight *flight)
{
	struct weir_instance *instance = weir_instance_in(lane->slot, lane->generation);
	__u32 line[3], class, counted = flight->counted;

	if (!instance || counted == flight->sent || weir_linear(ctx, STATUS_BYTES) ||
	    ctx->data + STATUS_BYTES > ctx->data_end)
		return;
	__builtin_memcpy(line, ctx->data, STATUS_BYTES);
	class = class_of(line);
	if (!class || class == INTERIM)
		return;
	weir_count_answer(lane->slot, instance->function, class, flight->sent_ns[counted % WEIR_DEPTH], bpf_ktime_get_ns());
	flight->counted = counted + 1;
}

weir_inline int hand_over(struct weir_adapt_flight *flight, __u32 reason)
{
	flight->handed = reason;
	weir_note(WEIR_NOTE_HANDED_OVER);
	return SK_PASS;
}

/* A PUBACK in place of the message, to the broker. */
weir_inline int acknowledge(struct sk_msg_md *ctx, __u32 subscription, __u16 id)
{
	__u8 *data;

	if (bpf_msg_pop_data(ctx, 4, ctx->size - 4, 0) || weir_linear(ctx, 4))
		return -1;
	data = ctx->data;
	if (data + 4 > (__u8 *)ctx->data_end)
		return -1;
	data[0] = 0x40;
	data[1] = 2;
	data[2] = id >> 8;
	data[3] = id;
	if (bpf_msg_redirect_map(ctx, &adapt_brokers, subscription, BPF_F_INGRESS) != SK_PASS)
		return swallow(ctx);		/* the broker is gone, or this connection of it */
	return 0;
}

SEC("sk_msg")
int weir_adapt_answer(struct sk_msg_md *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct weir_adapt_flight *flight;
	struct weir_adapt_lane *lane;
	struct weir_adapt_end *end;
	struct answer answer = {};
	__u32 size = ctx->size, answered, reason = WEIR_HANDED_FRAMING, i;
	__u16 id;

	if (!sk)
		return SK_PASS;
	end = bpf_sk_storage_get(&adapt_ends, sk, 0, 0);
	if (!end || end->role != WEIR_ADAPT_FUNCTION)
		return SK_PASS;
	lane = bpf_map_lookup_elem(&adapt_lanes, &end->index);
	flight = bpf_map_lookup_elem(&adapt_flights, &end->index);
	if (!lane || !flight)
		return SK_PASS;
	if (flight->handed) {
		if (!flight->skip)
			count_answer(ctx, lane, flight);
		return SK_PASS;
	}
	weir_count_bytes(lane->slot, 0, size);
	if (flight->skip) {
		if (size <= flight->skip) {
			if (swallow(ctx))
				return hand_over(flight, WEIR_HANDED_MEMORY);
			flight->skip -= size;
			return SK_PASS;
		}
		bpf_msg_pop_data(ctx, 0, flight->skip, 0);
		flight->skip = 0;
		count_answer(ctx, lane, flight);
		return hand_over(flight, WEIR_HANDED_FRAMING);
	}
	answered = flight->answered;
	for (i = 0; i <= INTERIMS; i++) {
		count_answer(ctx, lane, flight);
		if (answered == flight->sent)
			return hand_over(flight, WEIR_HANDED_UNASKED);
		reason = parse_answer(ctx, &answer);
		if (reason || !answer.interim)
			break;
		reason = WEIR_HANDED_FRAMING;		/* if it is one too many */
		if (answer.head == ctx->size)
			return swallow(ctx) ? hand_over(flight, WEIR_HANDED_MEMORY) : SK_PASS;
		if (bpf_msg_pop_data(ctx, 0, answer.head, 0))
			return hand_over(flight, WEIR_HANDED_MEMORY);
	}
	size = ctx->size;
	if (!reason && answer.head + answer.body < size)
		reason = WEIR_HANDED_FRAMING;
	if (reason)
		return hand_over(flight, reason);
	id = flight->id[answered % WEIR_DEPTH];
	flight->skip = answer.head + answer.body - size;
	flight->answered = answered + 1;
	if (id ? acknowledge(ctx, lane->subscription, id) : swallow(ctx)) {
		flight->answered = answered;
		flight->skip = 0;
		return hand_over(flight, WEIR_HANDED_MEMORY);
	}
	if (id)
		flight->acked++;
	return SK_PASS;
}
