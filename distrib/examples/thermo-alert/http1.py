"""A small HTTP/1.1 server for one handler: keep-alive, pipelining, chunked bodies, one thread, no dependencies.

Standard library only, and not http.server: that one resolves its own host name at start, which costs five seconds in a
container without DNS. Not asyncio either: importing it doubles the start of the process.
"""

import selectors
import signal
import socket
import sys

MAX_HEAD = 32 * 1024
MAX_BODY = 1024 * 1024
REASONS = {200: "OK", 204: "No Content", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed",
           413: "Content Too Large", 431: "Request Header Fields Too Large", 500: "Internal Server Error"}


class Refused(Exception):
    """The request cannot be served; the connection is closed after this answer."""

    def __init__(self, status, detail):
        super().__init__(detail)
        self.status = status


def answer(status, body=b"", content_type="text/plain; charset=utf-8", close=False, head=False):
    """One response as bytes."""
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Unknown')}"]
    if status != 204:
        lines.append(f"Content-Type: {content_type}")
        lines.append(f"Content-Length: {len(body)}")
    if close:
        lines.append("Connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (b"" if head or status == 204 else body)


def take_request(data):
    """The first complete request in `data`: (method, path, headers, body, bytes used), or None if more must arrive."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        if len(data) > MAX_HEAD:
            raise Refused(431, "request head too large")
        return None
    if end > MAX_HEAD:
        raise Refused(431, "request head too large")
    lines = data[:end].decode("latin-1").split("\r\n")
    try:
        method, path, version = lines[0].split(" ")
        headers = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            headers[name.lower()] = value.strip()
    except ValueError:
        raise Refused(400, "malformed request head") from None
    if not version.startswith("HTTP/1."):
        raise Refused(400, "HTTP/1.x only")
    if version == "HTTP/1.0" and headers.get("connection", "").lower() != "keep-alive":
        headers["connection"] = "close"
    start = end + 4
    if "transfer-encoding" in headers:
        if headers["transfer-encoding"].lower() != "chunked":
            raise Refused(400, "only chunked transfer encoding is understood")
        chunked = take_chunked(data, start)
        return chunked and (method, path, headers, *chunked)
    length = headers.get("content-length", "0")
    if not length.isdecimal():
        raise Refused(400, "malformed Content-Length")
    length = int(length)
    if length > MAX_BODY:
        raise Refused(413, f"body larger than {MAX_BODY} bytes")
    if len(data) < start + length:
        return None
    return method, path, headers, bytes(data[start:start + length]), start + length


def take_chunked(data, at):
    """(body, bytes used) of the chunked body that begins at `at`, or None if more must arrive."""
    parts, size = [], 0
    while True:
        line_end = data.find(b"\r\n", at)
        if line_end < 0:
            return None
        try:
            length = int(bytes(data[at:line_end]).split(b";")[0], 16)
        except ValueError:
            raise Refused(400, "malformed chunk size") from None
        size += length
        if length < 0 or size > MAX_BODY:
            raise Refused(413, f"body larger than {MAX_BODY} bytes")
        at = line_end + 2
        if length == 0:
            break
        if len(data) < at + length + 2:
            return None
        parts.append(bytes(data[at:at + length]))
        at += length + 2
    while True:                                         # trailers, up to the empty line
        line_end = data.find(b"\r\n", at)
        if line_end < 0:
            return None
        if line_end == at:
            return b"".join(parts), at + 2
        at = line_end + 2


class Connection:
    """What has arrived from one client and what still has to leave for it."""

    def __init__(self, sock, handler):
        self.sock, self.handler = sock, handler
        self.arrived, self.leaving = bytearray(), bytearray()
        self.closing = self.continued = False

    def on_readable(self):
        data = self.sock.recv(65536)
        if not data:
            self.closing = True
            self.leaving.clear()
            return
        self.arrived += data
        while self.arrived and not self.closing:
            try:
                request = take_request(self.arrived)
            except Refused as refused:
                self.leaving += answer(refused.status, str(refused).encode(), close=True)
                self.closing = True
                break
            if request is None:
                self.invite_body()
                break
            self.serve(*request)
        self.on_writable()

    def invite_body(self):
        """A client that sent `Expect: 100-continue` waits for this before its body."""
        if not self.continued and b"100-continue" in self.arrived and b"\r\n\r\n" in self.arrived:
            self.continued = True
            self.leaving += b"HTTP/1.1 100 Continue\r\n\r\n"

    def serve(self, method, path, headers, body, used):
        del self.arrived[:used]
        self.continued = False
        self.closing = headers.get("connection", "").lower() == "close"
        try:
            status, reply, content_type = self.handler(method, path, headers, body)
        except Exception as e:                          # the gateway retries a 500; the log says why it happened
            print(f"{method} {path}: {type(e).__name__}: {e}", file=sys.stderr, flush=True)
            status, reply, content_type = 500, b"internal error\n", "text/plain"
        self.leaving += answer(status, reply, content_type, self.closing, method == "HEAD")

    def on_writable(self):
        if self.leaving:
            sent = self.sock.send(self.leaving)
            del self.leaving[:sent]

    def wants(self):
        """The events to wait for; 0 when the connection is finished."""
        if self.leaving:
            return selectors.EVENT_WRITE                # no reading meanwhile: a slow reader gets back-pressure
        return 0 if self.closing else selectors.EVENT_READ


def listen(port):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("", port))
    sock.listen(256)
    sock.setblocking(False)
    return sock


def serve_forever(port, handler):
    """Serves `handler(method, path, headers, body) -> (status, body, content type)` until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    listener = listen(port)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ, None)
    while True:
        for key, events in selector.select():
            if key.data is None:
                accept(listener, selector, handler)
            else:
                step(key, events, selector)


def accept(listener, selector, handler):
    try:
        sock, _ = listener.accept()
    except OSError:                                     # the client is gone already, or no descriptor is free
        return
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    selector.register(sock, selectors.EVENT_READ, Connection(sock, handler))


def step(key, events, selector):
    connection = key.data
    try:
        if events & selectors.EVENT_WRITE:
            connection.on_writable()
        else:
            connection.on_readable()
        wanted = connection.wants()
    except BlockingIOError:
        return
    except OSError:
        wanted = 0
    if not wanted:
        selector.unregister(connection.sock)
        connection.sock.close()
    elif wanted != key.events:
        selector.modify(connection.sock, wanted, connection)
