/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the files of the library share and nobody else sees. */
#ifndef WEIR_INTERNAL_H
#define WEIR_INTERNAL_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "weir_ebpf.h"

/* Of Linux 6.6; the headers of Debian 12 do not know them. */
#define WEIR_TCX_INGRESS 46
#define WEIR_TCX_EGRESS 47
#define WEIR_LINK_TYPE_TCX 11

struct weir_object {
	struct bpf_object *bpf;
};

/* "DIR/PREFIXNAME" into path; -ENAMETOOLONG, or -EINVAL for a name that would leave the directory. */
int weir_path(char *path, size_t size, const char *dir, const char *prefix, const char *name);

/* Does work(argument) on a thread of its own inside a network namespace: path, or a new one if NULL. */
int weir_in_netns(const char *path, int (*work)(void *argument), void *argument);

/* The two ways of weir_attach_tc. */
int weir_attach_tcx(int program, uint32_t ifindex, int ingress, const char *pin_dir, const char *name);
int weir_attach_clsact(int program, uint32_t ifindex, int ingress, const char *pin_dir);
int weir_detach_clsact(uint32_t ifindex, int ingress, const char *pin_dir);

#endif
