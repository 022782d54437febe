/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the tests share: a place of their own (network namespace, cgroup, pin directory) that is gone when the process
 * ends, and checks that are counted.
 */
#ifndef WEIR_HARNESS_H
#define WEIR_HARNESS_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "weir_ebpf.h"
#include "weir_event.h"

extern char pins[128];			/* the pin directory */
extern char cgroup[256];		/* a cgroup v2 directory, the parent of all others of this test */

/* Makes the place. */
void setup(const char *program_directory);
/* Says how it went; the exit status. */
int finish(void);

/* A test is passed when nothing failed between test() and the next one. */
void test(const char *claim);
void fail(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));

#define CHECK(condition)								\
	do {										\
		if (!(condition))							\
			fail(__FILE__, __LINE__, "%s", #condition);			\
	} while (0)
#define CHECK_EQ(actual, expected)							\
	do {										\
		long long actual_ = (long long) (actual), expected_ = (long long) (expected);	\
		if (actual_ != expected_)						\
			fail(__FILE__, __LINE__, "%s is %lld, not %lld", #actual, actual_, expected_);	\
	} while (0)
/* For what the kernel or another process does in its own time; looks again every millisecond, for a minute or so. */
#define EVENTUALLY_EQ(actual, expected)							\
	do {										\
		int tries_ = 60000;							\
		while ((long long) (actual) != (long long) (expected) && --tries_)	\
			usleep(1000);							\
		CHECK_EQ(actual, expected);						\
	} while (0)
/* Without it nothing else makes sense. */
#define NEED(expression)								\
	do {										\
		long long need_ = (long long) (expression);				\
		if (need_ < 0) {							\
			fprintf(stderr, "%s:%d: %s: %lld %s\n", __FILE__, __LINE__, #expression, need_,	\
				strerror(need_ == -1 ? errno : (int) -need_));		\
			exit(2);							\
		}									\
	} while (0)

/* The object NAME.bpf.o. */
struct weir_object *load(const char *name);
/* A map of the pin directory. */
int map(const char *name);
/* A directory below the test's cgroup; its id. */
uint64_t make_cgroup(const char *name, char *path, size_t size);
/* Moves this process. */
void enter_cgroup(const char *path);
/* Lets slot stand for a cgroup. */
void put_instance(uint32_t slot, uint32_t function, uint32_t generation, uint32_t flags, uint64_t cgroup_id);
void shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
