// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What this kernel can do, found out by trying; nothing is concluded from its version. */
#include <fcntl.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <string.h>

#include "internal.h"

#define NO_INTERFACE 0x7ffffff0		/* an index that nothing has */

struct probe {
	const char *name;
	int (*try)(const struct probe *probe, const char *cgroup);
	int a;
	int b;
};

static int verdict(int supported)
{
	return supported < 0 ? supported : supported ? 0 : -EOPNOTSUPP;
}

static int try_program(const struct probe *probe, const char *cgroup)
{
	(void) cgroup;
	return verdict(libbpf_probe_bpf_prog_type(probe->a, NULL));
}

static int try_map(const struct probe *probe, const char *cgroup)
{
	(void) cgroup;
	return verdict(libbpf_probe_bpf_map_type(probe->a, NULL));
}

static int try_helper(const struct probe *probe, const char *cgroup)
{
	(void) cgroup;
	return verdict(libbpf_probe_bpf_helper(probe->a, probe->b, NULL));
}

/* A program that returns result and does nothing. */
static int load(int type, int expected, int result)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = expected);
	const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = result },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(type, "weir_probe", "Dual BSD/GPL", code, 2, &options);
}

/* On a map of its own. */
static int try_sockmap(const struct probe *probe, const char *cgroup)
{
	LIBBPF_OPTS(bpf_map_create_opts, options);
	int map, program, err;

	(void) cgroup;
	map = bpf_map_create(BPF_MAP_TYPE_SOCKMAP, "weir_probe", 4, 8, 1, &options);
	if (map < 0)
		return map;
	program = load(probe->a, 0, 1);
	if (program < 0) {
		err = program;
		goto close_map;
	}
	err = bpf_prog_attach(program, map, probe->b, 0);
	close(program);
close_map:
	close(map);
	return err;
}

/* Lets every packet pass for as long as the attempt takes. */
static int try_cgroup(const struct probe *probe, const char *cgroup)
{
	int program, directory, link, err = 0;

	if (!cgroup)
		return -EINVAL;
	directory = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return -errno;
	program = load(probe->a, probe->b, 1);
	if (program < 0) {
		err = program;
		goto close_directory;
	}
	link = bpf_link_create(program, directory, probe->b, NULL);
	if (link < 0)
		err = link;
	else
		close(link);
	close(program);
close_directory:
	close(directory);
	return err;
}

static int sk_lookup_here(void *unused)
{
	int program, netns, link, err = 0;

	(void) unused;
	netns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (netns < 0)
		return -errno;
	program = load(BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP, 1);
	if (program < 0) {
		err = program;
		goto close_netns;
	}
	link = bpf_link_create(program, netns, BPF_SK_LOOKUP, NULL);
	if (link < 0)
		err = link;
	else
		close(link);
	close(program);
close_netns:
	close(netns);
	return err;
}

static int clsact_here(void *unused)
{
	int program, err;

	(void) unused;
	program = load(BPF_PROG_TYPE_SCHED_CLS, 0, 0);
	if (program < 0)
		return program;
	err = weir_attach_clsact(program, if_nametoindex("lo"), 1, "probe");
	close(program);
	return err;
}

/* In a network namespace that ends with the attempt. */
static int try_netns(const struct probe *probe, const char *cgroup)
{
	(void) cgroup;
	return weir_in_netns(NULL, probe->a ? clsact_here : sk_lookup_here, NULL);
}

/* A kernel that knows the attach type looks for the interface; another refuses the type. */
static int try_tcx(const struct probe *probe, const char *cgroup)
{
	int program, err;

	(void) probe;
	(void) cgroup;
	program = load(BPF_PROG_TYPE_SCHED_CLS, 0, 0);
	if (program < 0)
		return program;
	err = weir_attach_tcx(program, NO_INTERFACE, 1, "/nowhere", "probe");
	close(program);
	return err == -ENODEV ? 0 : -EOPNOTSUPP;
}

static int try_cookie(const struct probe *probe, const char *cgroup)
{
	uint64_t cookie;

	(void) probe;
	(void) cgroup;
	return weir_netns_cookie(NULL, &cookie);
}

#define CGROUP_SKB BPF_PROG_TYPE_CGROUP_SKB
#define SOCK_ADDR BPF_PROG_TYPE_CGROUP_SOCK_ADDR
#define SOCK_OPS BPF_PROG_TYPE_SOCK_OPS
#define SCHED_CLS BPF_PROG_TYPE_SCHED_CLS

static const struct probe probes[] = {
	/* program types */
	{ "cgroup_skb", try_program, CGROUP_SKB, 0 },
	{ "cgroup_sock_addr", try_program, SOCK_ADDR, 0 },
	{ "sock_ops", try_program, SOCK_OPS, 0 },
	{ "sched_cls", try_program, SCHED_CLS, 0 },
	{ "sk_lookup", try_program, BPF_PROG_TYPE_SK_LOOKUP, 0 },
	{ "sk_msg", try_program, BPF_PROG_TYPE_SK_MSG, 0 },
	{ "sk_skb", try_program, BPF_PROG_TYPE_SK_SKB, 0 },
	/* map types */
	{ "array", try_map, BPF_MAP_TYPE_ARRAY, 0 },
	{ "percpu_array", try_map, BPF_MAP_TYPE_PERCPU_ARRAY, 0 },
	{ "hash", try_map, BPF_MAP_TYPE_HASH, 0 },
	{ "lru_hash", try_map, BPF_MAP_TYPE_LRU_HASH, 0 },
	{ "lpm_trie", try_map, BPF_MAP_TYPE_LPM_TRIE, 0 },
	{ "sockmap", try_map, BPF_MAP_TYPE_SOCKMAP, 0 },
	{ "sockhash", try_map, BPF_MAP_TYPE_SOCKHASH, 0 },
	{ "sk_storage", try_map, BPF_MAP_TYPE_SK_STORAGE, 0 },
	{ "ringbuf", try_map, BPF_MAP_TYPE_RINGBUF, 0 },
	/* attachments */
	{ "attach_cgroup_skb", try_cgroup, CGROUP_SKB, BPF_CGROUP_INET_INGRESS },
	{ "attach_connect", try_cgroup, SOCK_ADDR, BPF_CGROUP_INET4_CONNECT },
	{ "attach_sendmsg", try_cgroup, SOCK_ADDR, BPF_CGROUP_UDP4_SENDMSG },
	{ "attach_getpeername", try_cgroup, SOCK_ADDR, BPF_CGROUP_INET4_GETPEERNAME },
	{ "attach_sock_ops", try_cgroup, SOCK_OPS, BPF_CGROUP_SOCK_OPS },
	{ "attach_sk_lookup", try_netns, 0, 0 },
	{ "attach_tcx", try_tcx, 0, 0 },
	{ "attach_clsact", try_netns, 1, 0 },
	{ "attach_sk_skb_verdict", try_sockmap, BPF_PROG_TYPE_SK_SKB, BPF_SK_SKB_VERDICT },
	{ "attach_sk_msg", try_sockmap, BPF_PROG_TYPE_SK_MSG, BPF_SK_MSG_VERDICT },
	/* helpers */
	{ "redirect_peer", try_helper, SCHED_CLS, BPF_FUNC_redirect_peer },
	{ "redirect_neigh", try_helper, SCHED_CLS, BPF_FUNC_redirect_neigh },
	{ "sk_assign", try_helper, BPF_PROG_TYPE_SK_LOOKUP, BPF_FUNC_sk_assign },
	{ "connect_netns_cookie", try_helper, SOCK_ADDR, BPF_FUNC_get_netns_cookie },
	{ "connect_cgroup_id", try_helper, SOCK_ADDR, BPF_FUNC_get_current_cgroup_id },
	{ "sock_ops_netns_cookie", try_helper, SOCK_OPS, BPF_FUNC_get_netns_cookie },
	{ "sock_ops_storage", try_helper, SOCK_OPS, BPF_FUNC_sk_storage_get },
	{ "sock_ops_hash_update", try_helper, SOCK_OPS, BPF_FUNC_sock_hash_update },
	{ "skb_storage", try_helper, CGROUP_SKB, BPF_FUNC_sk_storage_get },
	{ "skb_cgroup_id", try_helper, CGROUP_SKB, BPF_FUNC_skb_cgroup_id },
	{ "msg_redirect_hash", try_helper, BPF_PROG_TYPE_SK_MSG, BPF_FUNC_msg_redirect_hash },
	{ "msg_push_data", try_helper, BPF_PROG_TYPE_SK_MSG, BPF_FUNC_msg_push_data },
	/* of the host */
	{ "netns_cookie", try_cookie, 0, 0 },
};

#define PROBES (sizeof(probes) / sizeof(*probes))

int weir_probe(const char *what, const char *cgroup)
{
	size_t i;

	for (i = 0; what && i < PROBES; i++)
		if (!strcmp(what, probes[i].name))
			return probes[i].try(&probes[i], cgroup);
	return -ENOENT;
}

static char names[PROBES * 32];

__attribute__((constructor)) static void join_names(void)
{
	char *at = names;
	size_t i;

	for (i = 0; i < PROBES; i++) {
		if (i)
			*at++ = ' ';
		at = stpcpy(at, probes[i].name);
	}
}

const char *weir_probe_names(void)
{
	return names;
}
