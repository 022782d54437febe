// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Signals: libbpf's ring buffer behind a call that blocks and can be woken. */
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "internal.h"
#include "weir_event.h"

#define ENOUGH (-ECANCELED)		/* what take says to stop the ring's walk */

struct weir_ring {
	struct ring_buffer *buffer;
	int epoll;
	int wake;
	char *out;			/* of the call under way */
	uint32_t most;
	uint32_t got;
};

/* A record is consumed whatever is returned for it, so this stops at the last one that fits. */
static int take(void *context, void *data, size_t size)
{
	struct weir_ring *ring = context;

	if (size < sizeof(struct weir_signal))
		return 0;
	memcpy(ring->out + (size_t) ring->got * sizeof(struct weir_signal), data, sizeof(struct weir_signal));
	return ++ring->got == ring->most ? ENOUGH : 0;
}

static int watch(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

int weir_ring_open(int map, struct weir_ring **out)
{
	struct weir_ring *ring = calloc(1, sizeof(*ring));
	int err;

	if (!ring)
		return -ENOMEM;
	ring->buffer = ring_buffer__new(map, take, ring, NULL);
	if (!ring->buffer) {
		err = -errno;
		goto free_ring;
	}
	ring->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (ring->wake < 0) {
		err = -errno;
		goto free_buffer;
	}
	ring->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (ring->epoll < 0) {
		err = -errno;
		goto close_wake;
	}
	err = watch(ring->epoll, ring_buffer__epoll_fd(ring->buffer));
	if (!err)
		err = watch(ring->epoll, ring->wake);
	if (err)
		goto close_epoll;
	*out = ring;
	return 0;

close_epoll:
	close(ring->epoll);
close_wake:
	close(ring->wake);
free_buffer:
	ring_buffer__free(ring->buffer);
free_ring:
	free(ring);
	return err;
}

static int consume(struct weir_ring *ring)
{
	int err = ring_buffer__consume(ring->buffer);

	return err < 0 && err != ENOUGH ? err : (int) ring->got;
}

/* What is left of the time, rounded up, so that a millisecond's rest does not spin. */
static int left(uint64_t until)
{
	uint64_t now = weir_clock();

	return now >= until ? 0 : (int) ((until - now + 999999) / 1000000);
}

int weir_ring_read(struct weir_ring *ring, void *out, uint32_t most, int timeout_ms)
{
	uint64_t until = timeout_ms > 0 ? weir_clock() + (uint64_t) timeout_ms * 1000000 : 0;
	int wait = timeout_ms;

	if (!most)
		return -EINVAL;
	ring->out = out;
	ring->most = most;
	ring->got = 0;
	for (;;) {
		struct epoll_event events[2];
		uint64_t woken;
		int n;

		n = consume(ring);
		if (n)
			return n;
		n = epoll_wait(ring->epoll, events, 2, wait);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return consume(ring);
		if (read(ring->wake, &woken, sizeof(woken)) == sizeof(woken))
			return consume(ring);
		if (timeout_ms > 0)
			wait = left(until);
	}
}

int weir_ring_wake(struct weir_ring *ring)
{
	uint64_t one = 1;

	return write(ring->wake, &one, sizeof(one)) == sizeof(one) || errno == EAGAIN ? 0 : -errno;
}

void weir_ring_close(struct weir_ring *ring)
{
	if (!ring)
		return;
	close(ring->epoll);
	close(ring->wake);
	ring_buffer__free(ring->buffer);
	free(ring);
}
