/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Reading a connection's addresses from the contexts of sock_ops and sk_msg. */
#ifndef WEIR_BPF_PAIR_H
#define WEIR_BPF_PAIR_H

#include <stddef.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include "weir_sockets.h"

#define WEIR_AF_INET 2
#define WEIR_AF_INET6 10

#define weir_inline static __attribute__((always_inline)) inline

/* A 32-bit field of the context by one load at a fixed offset: the compiler would merge neighbours, which no verifier takes. */
#define WEIR_CTX(type_, ctx_, field_)						\
	({									\
		__u32 value_;							\
		asm volatile("%0 = *(u32 *)(%1 + %2)"				\
			     : "=r"(value_)					\
			     : "r"(ctx_), "i"(offsetof(struct type_, field_)));	\
		value_;								\
	})

#define WEIR_CTX_ADDRESS(type_, ctx_, to_, field_)				\
	do {									\
		__u32 *to4_ = (__u32 *)(to_)->bytes;				\
		to4_[0] = WEIR_CTX(type_, ctx_, field_[0]);			\
		to4_[1] = WEIR_CTX(type_, ctx_, field_[1]);			\
		to4_[2] = WEIR_CTX(type_, ctx_, field_[2]);			\
		to4_[3] = WEIR_CTX(type_, ctx_, field_[3]);			\
	} while (0)

weir_inline void weir_mapped(struct weir_addr *to, __be32 address)
{
	__u32 *to4 = (__u32 *)to->bytes;

	to4[0] = 0;
	to4[1] = 0;
	to4[2] = bpf_htonl(0xffff);
	to4[3] = address;
}

/* 0, or -1 for what is neither IPv4 nor IPv6. */
#define WEIR_PAIR_OF(name_, type_)						\
	weir_inline int name_(struct type_ *ctx, struct weir_pair *pair)	\
	{									\
		__u32 family = WEIR_CTX(type_, ctx, family);			\
										\
		if (family == WEIR_AF_INET) {					\
			weir_mapped(&pair->local, WEIR_CTX(type_, ctx, local_ip4));	\
			weir_mapped(&pair->remote, WEIR_CTX(type_, ctx, remote_ip4));	\
		} else if (family == WEIR_AF_INET6) {				\
			WEIR_CTX_ADDRESS(type_, ctx, &pair->local, local_ip6);	\
			WEIR_CTX_ADDRESS(type_, ctx, &pair->remote, remote_ip6);	\
		} else {							\
			return -1;						\
		}								\
		pair->local_port = bpf_htons(WEIR_CTX(type_, ctx, local_port));	\
		pair->remote_port = bpf_htons(bpf_ntohl(WEIR_CTX(type_, ctx, remote_port)));	\
		return 0;							\
	}

WEIR_PAIR_OF(weir_pair_of_ops, bpf_sock_ops)
WEIR_PAIR_OF(weir_pair_of_msg, sk_msg_md)

weir_inline void weir_reverse(const struct weir_pair *pair, struct weir_pair *reversed)
{
	reversed->local = pair->remote;
	reversed->remote = pair->local;
	reversed->local_port = pair->remote_port;
	reversed->remote_port = pair->local_port;
}

weir_inline void weir_target_of(const struct weir_addr *address, __be16 port, struct weir_target *target)
{
	target->address = *address;
	target->port = port;
	target->pad[0] = 0;
	target->pad[1] = 0;
}

#endif
