/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the programs know of HTTP/1.1 and of histograms. Include after weir_event.h. */
#ifndef WEIR_HTTP_H
#define WEIR_HTTP_H

#include <linux/types.h>

#define WORD(a, b, c, d) ((__u32) (a) | (__u32) (b) << 8 | (__u32) (c) << 16 | (__u32) (d) << 24)

static __always_inline int is_method(__u32 word)
{
	switch (word) {
	case WORD('G', 'E', 'T', ' '):
	case WORD('P', 'O', 'S', 'T'):
	case WORD('P', 'U', 'T', ' '):
	case WORD('H', 'E', 'A', 'D'):
	case WORD('D', 'E', 'L', 'E'):
	case WORD('P', 'A', 'T', 'C'):
	case WORD('O', 'P', 'T', 'I'):
	case WORD('C', 'O', 'N', 'N'):
	case WORD('T', 'R', 'A', 'C'):
	case WORD('Q', 'U', 'E', 'R'):
	case WORD('P', 'R', 'O', 'P'):		/* WebDAV from here on */
	case WORD('M', 'K', 'C', 'O'):
	case WORD('C', 'O', 'P', 'Y'):
	case WORD('M', 'O', 'V', 'E'):
	case WORD('L', 'O', 'C', 'K'):
	case WORD('U', 'N', 'L', 'O'):
	case WORD('R', 'E', 'P', 'O'):
	case WORD('S', 'E', 'A', 'R'):
		return 1;
	}
	return 0;
}

/* The status class of twelve bytes of a status line, 7 for a 1xx that is not final; 0: they are none. */
#define INTERIM 7
#define STATUS_BYTES 12

static __always_inline __u32 class_of(const __u32 *line)
{
	__u32 class;

	if (line[0] != WORD('H', 'T', 'T', 'P') || (line[1] & 0xffffff) != WORD('/', '1', '.', 0))
		return 0;
	class = (line[2] >> 8 & 0xff) - '0';
	if (class == 1)
		return line[2] >> 16 == ('0' | '1' << 8) ? WEIR_1XX : INTERIM;
	return class >= 2 && class <= 5 ? class : 8;
}

/* HdrHistogram's buckets with three significant bits, see weir_event.h. */
static __always_inline __u32 bucket_of(__u64 us)
{
	__u32 rest = us, e = 0;

	if (us < 8)
		return us;
	if (us >= 1 << 28)
		return WEIR_BUCKETS - 1;
	if (rest >= 1 << 16) {
		e = 16;
		rest >>= 16;
	}
	if (rest >= 1 << 8) {
		e += 8;
		rest >>= 8;
	}
	if (rest >= 1 << 4) {
		e += 4;
		rest >>= 4;
	}
	if (rest >= 1 << 2) {
		e += 2;
		rest >>= 2;
	}
	e += rest >> 1;
	return 8 * (e - 2) + (((__u32) us >> (e - 3)) & 7);
}

#endif
