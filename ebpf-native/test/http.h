/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A function that counts what it is asked, and a client that asks it. */
#ifndef WEIR_HTTP_H
#define WEIR_HTTP_H

#include <stdint.h>
#include <sys/types.h>

/* The function's own count, shared with the test. */
struct tally {
	uint64_t requests;		/* heads that were complete */
	uint64_t answers;		/* that were written */
	uint64_t connections;		/* accepted */
	uint64_t hanging;		/* at /hang or the like */
};

struct function {
	pid_t pid;
	uint16_t port;
	struct tally *tally;
	int release;			/* write a byte for each one that hangs */
};

/* Starts one in the cgroup; listens on [::], so on IPv4, too. */
void function_start(struct function *function, const char *cgroup);
/* Kills it as nothing else would: SIGKILL, and waits for it. */
void function_kill(struct function *function);
void function_release(struct function *function);

/* family: AF_INET or AF_INET6 */
int dial(const struct function *function, int family);
void say(int fd, const char *text);
/* Waits until what was said has been acknowledged, so that the next words travel in a packet of their own. */
void settle(int fd);
/* Reads one answer with its body; its final status, 0 at the end of the connection. */
int hear(int fd);
/* One request on a connection of its own or a kept one. */
int get(int fd, const char *path);
/* Closes with RST. */
void slam(int fd);

#endif
