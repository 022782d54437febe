// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The meter as it is, except that every socket without a state gets the one in map seed. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "../bpf/meter.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct conn);
} seed SEC(".maps");

#define find_conn(skb, sk)										\
	({												\
		__u32 zero_ = 0;									\
		bpf_sk_storage_get(&connections, sk, bpf_map_lookup_elem(&seed, &zero_),		\
				   BPF_SK_STORAGE_GET_F_CREATE);					\
	})
#include "../bpf/meter.bpf.c"
