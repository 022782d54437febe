/*
 * echo: answers every request with its own body and content type.
 *
 * HTTP/1.1 with keep-alive, pipelining and chunked bodies; one thread, epoll, no allocation but the buffers of the
 * connections. A body is read whole before it is answered: a client that writes all of it before it reads anything must
 * not deadlock with us.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_HEAD (32 * 1024)
#define READ_AT_LEAST (16 * 1024)

struct buffer {
	char *data;
	size_t used, size;
};

struct connection {
	int fd;
	bool closing;			/* after what still has to leave */
	bool invited;			/* 100 Continue was sent for the request that is arriving */
	bool waits_for_write;
	struct buffer in, out;
	size_t sent;			/* of out */
};

struct request {
	bool head_only, close, expects_continue, chunked;
	size_t head, length;		/* bytes */
	char content_type[256];
};

enum parse { COMPLETE, MORE, MALFORMED, TOO_LARGE };

static size_t max_body = 8 * 1024 * 1024;

static bool reserve(struct buffer *buffer, size_t more)
{
	size_t size = buffer->size ? buffer->size : READ_AT_LEAST;
	char *data;

	while (size < buffer->used + more)
		size *= 2;
	if (size == buffer->size)
		return true;
	data = realloc(buffer->data, size);
	if (!data)
		return false;
	buffer->data = data;
	buffer->size = size;
	return true;
}

static bool append(struct buffer *buffer, const void *data, size_t length)
{
	if (!reserve(buffer, length))
		return false;
	memcpy(buffer->data + buffer->used, data, length);
	buffer->used += length;
	return true;
}

static void discard(struct buffer *buffer, size_t length)
{
	buffer->used -= length;
	memmove(buffer->data, buffer->data + length, buffer->used);
	if (!buffer->used && buffer->size > 256 * 1024) {	/* one large body must not be held for ever */
		free(buffer->data);
		buffer->data = NULL;
		buffer->size = 0;
	}
}

static bool is_header(const char *line, size_t length, const char *name, const char **value, size_t *value_length)
{
	size_t n = strlen(name);

	if (length <= n || line[n] != ':' || strncasecmp(line, name, n))
		return false;
	line += n + 1;
	length -= n + 1;
	while (length && (*line == ' ' || *line == '\t')) {
		line++;
		length--;
	}
	while (length && (line[length - 1] == ' ' || line[length - 1] == '\t'))
		length--;
	*value = line;
	*value_length = length;
	return true;
}

static bool equals(const char *value, size_t length, const char *word)
{
	return length == strlen(word) && !strncasecmp(value, word, length);
}

static enum parse parse_length(const char *value, size_t length, size_t *result)
{
	*result = 0;
	if (!length)
		return MALFORMED;
	for (size_t i = 0; i < length; i++) {
		if (value[i] < '0' || value[i] > '9')
			return MALFORMED;
		*result = *result * 10 + (size_t)(value[i] - '0');
		if (*result > max_body)
			return TOO_LARGE;
	}
	return COMPLETE;
}

static enum parse parse_header(const char *line, size_t length, struct request *request)
{
	const char *value;
	size_t n;

	if (!memchr(line, ':', length))
		return MALFORMED;
	if (is_header(line, length, "content-length", &value, &n))
		return parse_length(value, n, &request->length);
	if (is_header(line, length, "transfer-encoding", &value, &n)) {
		request->chunked = equals(value, n, "chunked");
		return request->chunked ? COMPLETE : MALFORMED;
	}
	if (is_header(line, length, "connection", &value, &n))
		request->close = equals(value, n, "close") || (request->close && !equals(value, n, "keep-alive"));
	else if (is_header(line, length, "expect", &value, &n))
		request->expects_continue = equals(value, n, "100-continue");
	else if (is_header(line, length, "content-type", &value, &n) && n < sizeof(request->content_type)) {
		memcpy(request->content_type, value, n);
		request->content_type[n] = '\0';
	}
	return COMPLETE;
}

static enum parse parse_head(const struct buffer *in, struct request *request)
{
	char *end = in->used ? memmem(in->data, in->used, "\r\n\r\n", 4) : NULL;
	char *line, *next;

	memset(request, 0, sizeof(*request));
	if (!end)
		return in->used > MAX_HEAD ? TOO_LARGE : MORE;
	request->head = (size_t)(end - in->data) + 4;
	next = memmem(in->data, request->head, "\r\n", 2);
	if (next - in->data < 14 || memcmp(next - 9, " HTTP/1.", 8))
		return MALFORMED;
	request->close = next[-1] == '0';
	request->head_only = !memcmp(in->data, "HEAD ", 5);
	for (line = next + 2; line < end; line = next + 2) {
		enum parse parsed;

		next = memmem(line, (size_t)(end + 2 - line), "\r\n", 2);
		parsed = parse_header(line, (size_t)(next - line), request);
		if (parsed != COMPLETE)
			return parsed;
	}
	return COMPLETE;
}

/* Whether a whole chunked body stands at `at`; copies it to `body` if that is given, and tells where it ends. */
static enum parse parse_chunks(const struct buffer *in, size_t at, struct buffer *body, size_t *length, size_t *end)
{
	size_t total = 0;

	for (;;) {
		char *line = in->data + at, *line_end = memmem(line, in->used - at, "\r\n", 2), *stop;
		unsigned long size;

		if (!line_end)
			return in->used - at > 1024 ? MALFORMED : MORE;
		errno = 0;
		size = strtoul(line, &stop, 16);
		if (stop == line || errno || *line == '-' || *line == '+' || (stop != line_end && *stop != ';' && *stop != ' '))
			return MALFORMED;
		if (size > max_body || total + size > max_body)
			return TOO_LARGE;
		at = (size_t)(line_end - in->data) + 2;
		if (!size)
			break;
		if (in->used < at + size + 2)
			return MORE;
		if (body && !append(body, in->data + at, size))
			return TOO_LARGE;
		total += size;
		at += size + 2;
	}
	for (;;) {			/* trailers, up to the empty line */
		char *line = in->data + at, *line_end = memmem(line, in->used - at, "\r\n", 2);

		if (!line_end)
			return in->used - at > MAX_HEAD ? TOO_LARGE : MORE;
		at = (size_t)(line_end - in->data) + 2;
		if (line_end == line)
			break;
	}
	*length = total;
	*end = at;
	return COMPLETE;
}

static bool put_head(struct buffer *out, const char *status, const char *content_type, size_t length, bool close)
{
	char head[512];
	int n = snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s\r\n", status,
			 *content_type ? content_type : "application/octet-stream", length,
			 close ? "Connection: close\r\n" : "");

	return append(out, head, (size_t)n);
}

static bool refuse(struct connection *c, enum parse why)
{
	const char *status = why == TOO_LARGE ? "413 Content Too Large" : "400 Bad Request";

	c->closing = true;
	return put_head(&c->out, status, "text/plain", strlen(status), true) && append(&c->out, status, strlen(status));
}

/* Answers the first request that has arrived whole. */
static enum parse answer_one(struct connection *c)
{
	struct request request;
	enum parse parsed = parse_head(&c->in, &request);
	size_t end;

	if (parsed != COMPLETE)
		return parsed;
	end = request.head + request.length;
	if (request.chunked)
		parsed = parse_chunks(&c->in, request.head, NULL, &request.length, &end);
	else if (c->in.used < end)
		parsed = MORE;
	if (parsed == MORE && request.expects_continue && !c->invited) {
		c->invited = true;
		return append(&c->out, "HTTP/1.1 100 Continue\r\n\r\n", 25) ? MORE : TOO_LARGE;
	}
	if (parsed != COMPLETE)
		return parsed;
	if (!put_head(&c->out, "200 OK", request.content_type, request.length, request.close))
		return TOO_LARGE;
	if (request.head_only)
		;
	else if (request.chunked)
		parsed = parse_chunks(&c->in, request.head, &c->out, &request.length, &end);
	else if (!append(&c->out, c->in.data + request.head, request.length))
		parsed = TOO_LARGE;
	discard(&c->in, end);
	c->invited = false;
	c->closing = request.close;
	return parsed;
}

/* False when the connection is finished. */
static bool flush(struct connection *c)
{
	while (c->sent < c->out.used) {
		ssize_t n = send(c->fd, c->out.data + c->sent, c->out.used - c->sent, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		c->sent += (size_t)n;
	}
	discard(&c->out, c->out.used);
	c->sent = 0;
	return !c->closing;
}

static bool serve(struct connection *c)
{
	enum parse parsed;

	do {
		parsed = answer_one(c);
		if (parsed != COMPLETE && parsed != MORE && !refuse(c, parsed))
			return false;
		/* A client that pipelines but does not read gets back-pressure, not our memory. */
	} while (parsed == COMPLETE && !c->closing && c->in.used && c->out.used <= max_body);
	return flush(c);
}

static bool fill(struct connection *c)
{
	ssize_t n;

	if (!reserve(&c->in, READ_AT_LEAST))
		return false;
	n = recv(c->fd, c->in.data + c->in.used, c->in.size - c->in.used, 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (!n)
		return false;
	c->in.used += (size_t)n;
	return true;
}

static void drop(struct connection *c)
{
	close(c->fd);
	free(c->in.data);
	free(c->out.data);
	free(c);
}

static void on_ready(int poll, struct connection *c)
{
	bool alive, wait;

	if (c->waits_for_write)
		alive = flush(c) && (c->out.used || serve(c));
	else
		alive = fill(c) && serve(c);
	if (!alive) {
		drop(c);
		return;
	}
	wait = c->out.used > 0;
	if (wait != c->waits_for_write) {
		struct epoll_event event = { .events = wait ? EPOLLOUT : EPOLLIN, .data.ptr = c };

		c->waits_for_write = wait;
		if (epoll_ctl(poll, EPOLL_CTL_MOD, c->fd, &event))
			drop(c);
	}
}

static void on_accept(int poll, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), on = 1;
	struct connection *c;
	struct epoll_event event = { .events = EPOLLIN };

	if (fd < 0)
		return;
	c = calloc(1, sizeof(*c));
	if (!c) {
		close(fd);
		return;
	}
	c->fd = fd;
	event.data.ptr = c;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event))
		drop(c);
}

static int listen_on(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 256)) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

static void on_term(int signal)
{
	(void)signal;
	_exit(0);
}

int main(void)
{
	const char *port = getenv("PORT"), *limit = getenv("MAX_BODY");
	struct epoll_event events[64], listening = { .events = EPOLLIN };
	int listener, poll;

	/* PID 1 of a container ignores SIGTERM unless it handles it. */
	signal(SIGTERM, on_term);
	signal(SIGINT, on_term);
	if (limit && atol(limit) > 0)
		max_body = (size_t)atol(limit);
	listener = listen_on((uint16_t)(port ? atoi(port) : 8080));
	poll = epoll_create1(EPOLL_CLOEXEC);
	if (listener < 0 || poll < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, listener, &listening)) {
		fprintf(stderr, "echo: cannot listen on port %s: %s\n", port ? port : "8080",
			strerror(listener < 0 ? -listener : errno));
		return 1;
	}
	for (;;) {
		int n = epoll_wait(poll, events, 64, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr)
				on_ready(poll, events[i].data.ptr);
			else
				on_accept(poll, listener);
		}
	}
}
