// SPDX-License-Identifier: EPL-2.0
/* Kills the gateway at a named step of a message's way, from inside and without the gateway's help: preloaded into its
 * JVM, it looks at what goes to the journal's files, to the broker and to instances.
 *
 *   WEIR_FAULTS   a file that is shared with whoever arms a step, see struct control
 *   WEIR_JOURNAL  the journal's folder
 *   WEIR_BROKER   the broker's port
 *
 * A step of the journal is KIND.write (nothing of the group is there), KIND.torn (the first half is), KIND.written (all
 * is, but not forced) or KIND.forced. A step of a connection is KIND.send or KIND.sent. Only processes called java do
 * anything, and their children do not get the library.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* As io.weir.journal numbers its records; 0 is a segment's first page. */
enum { SEGMENT, ACCEPTED, DONE, ATTEMPTED, DEAD, DROPPED, FORGOTTEN, OUTPUT, RECEIVED, SETTLED, PUT, KINDS };
/* Packets by their type, then requests and their answers. */
enum { CALL = 16, ANSWER, TALKS };
enum { WRITE, TORN, WRITTEN, FORCED, PHASES };

#define FIRST_TALK (KINDS * PHASES)
#define STEPS (FIRST_TALK + TALKS * 2)
#define GROUP_HEAD 64
#define COPY 2

struct control {
	_Atomic int32_t armed;		/* step, -1: none */
	_Atomic int32_t countdown;	/* how often it is passed until it kills */
	_Atomic int32_t passed[STEPS];
};

static struct control *control;
static const char *journal;
static int broker;
static __thread unsigned unforced;	/* kinds in what this thread wrote last */

__attribute__((constructor)) static void begin(void)
{
	const char *file = getenv("WEIR_FAULTS");
	int fd;

	if (!file || strcmp(program_invocation_short_name, "java"))
		return;
	unsetenv("LD_PRELOAD");
	journal = getenv("WEIR_JOURNAL");
	broker = atoi(getenv("WEIR_BROKER"));
	fd = open(file, O_RDWR | O_CLOEXEC);
	control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (control == MAP_FAILED)
		control = NULL;
	close(fd);
}

static int due(int step)
{
	atomic_fetch_add(&control->passed[step], 1);
	return atomic_load(&control->armed) == step && atomic_fetch_sub(&control->countdown, 1) == 1;
}

static void die(void)
{
	atomic_store(&control->armed, -1);
	syscall(SYS_kill, getpid(), SIGKILL);
	for (;;)
		pause();
}

static void pass(unsigned kinds, int phase)
{
	int kind;

	for (kind = 0; kind < KINDS; kind++)
		if ((kinds & 1u << kind) && due(kind * PHASES + phase))
			die();
}

static uint32_t number(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

static int in_journal(int fd)
{
	char link[64], path[512];
	ssize_t n;

	if (!journal)
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path));
	return n > 0 && (size_t)n > strlen(journal) && !strncmp(path, journal, strlen(journal));
}

/* What a write to a segment holds; a record that is only copied says nothing new. */
static unsigned kinds_of(const unsigned char *bytes, size_t n)
{
	unsigned kinds = 0;
	size_t at, end;

	if (n >= 8 && !memcmp(bytes, "WEIRJRNL", 8))
		return 1u << SEGMENT;
	if (n < GROUP_HEAD || memcmp(bytes, "WJG1", 4))
		return 0;
	end = GROUP_HEAD + number(bytes + 8);
	for (at = GROUP_HEAD; at + 10 <= end && end <= n; at += 10 + number(bytes + at))
		if (bytes[at + 8] < KINDS && !(bytes[at + 9] & COPY))
			kinds |= 1u << bytes[at + 8];
	return kinds;
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at)
{
	unsigned kinds = control && in_journal(fd) ? kinds_of(bytes, n) : 0;
	ssize_t done;
	int kind;

	pass(kinds, WRITE);
	for (kind = 0; kind < KINDS; kind++)
		if ((kinds & 1u << kind) && due(kind * PHASES + TORN)) {
			syscall(SYS_pwrite64, fd, bytes, n / 2, at);
			die();
		}
	done = syscall(SYS_pwrite64, fd, bytes, n, at);
	if (kinds && done == (ssize_t)n) {
		pass(kinds, WRITTEN);
		unforced = kinds;
	}
	return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	return pwrite64(fd, bytes, n, at);
}

static int forced(int done)
{
	unsigned kinds = unforced;

	unforced = 0;
	if (!done)
		pass(kinds, FORCED);
	return done;
}

int fdatasync(int fd)
{
	return forced(syscall(SYS_fdatasync, fd));
}

int fsync(int fd)
{
	return forced(syscall(SYS_fsync, fd));
}

/* 0: a file or so, 1: an instance or a client, 2: the broker. */
static int peer(int fd)
{
	struct sockaddr_storage to;
	socklen_t size = sizeof(to);

	if (getpeername(fd, (struct sockaddr *)&to, &size))
		return 0;
	if (to.ss_family == AF_INET)
		return ntohs(((struct sockaddr_in *)&to)->sin_port) == broker ? 2 : 1;
	return to.ss_family != AF_INET6 ? 0 : ntohs(((struct sockaddr_in6 *)&to)->sin6_port) == broker ? 2 : 1;
}

static unsigned packets(const unsigned char *bytes, size_t n)
{
	unsigned kinds = 0;
	size_t at, length;
	int shift;

	for (at = 0; at + 2 <= n; at += length) {
		kinds |= 1u << (bytes[at] >> 4);
		for (length = 0, shift = 0, at++; at < n; shift += 7) {
			length |= (size_t)(bytes[at] & 127) << shift;
			if (!(bytes[at++] & 128))
				break;
		}
	}
	return kinds;
}

static unsigned talk(int fd, const void *bytes, size_t n)
{
	int saved = errno, to = control && n > 3 ? peer(fd) : 0;

	errno = saved;
	if (to == 2)
		return packets(bytes, n);
	return to == 1 && !memcmp(bytes, "POST", 4) ? 1u << CALL : 0;
}

static void tell(unsigned kinds, int after)
{
	int kind;

	for (kind = 0; kind < TALKS; kind++)
		if ((kinds & 1u << kind) && due(FIRST_TALK + kind * 2 + after))
			die();
}

ssize_t write(int fd, const void *bytes, size_t n)
{
	unsigned kinds = talk(fd, bytes, n);
	ssize_t done;

	tell(kinds, 0);
	done = syscall(SYS_write, fd, bytes, n);
	if (kinds && done > 0)
		tell(kinds, 1);
	return done;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	unsigned kinds = count > 0 ? talk(fd, parts[0].iov_base, parts[0].iov_len) : 0;
	ssize_t done;

	tell(kinds, 0);
	done = syscall(SYS_writev, fd, parts, count);
	if (kinds && done > 0)
		tell(kinds, 1);
	return done;
}

ssize_t read(int fd, void *bytes, size_t n)
{
	ssize_t done = syscall(SYS_read, fd, bytes, n);

	if (control && done > 9 && !memcmp(bytes, "HTTP/1.1 ", 9) && peer(fd) == 1)
		tell(1u << ANSWER, 1);
	return done;
}
