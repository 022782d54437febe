"""Waits for a handler, loads it, then serves it over HTTP/1.1.

Until a handler is loaded only two requests are understood: POST /.weir/load and POST /.weir/check. Afterwards every
request is the function's own. Standard library only, and not http.server: its parsing costs four times as much as this.
"""

# What handlers use most, imported while nobody waits.
import base64, collections, datetime, functools, hashlib, hmac, io, itertools, json, logging, math  # noqa: E401,F401
import random, re, statistics, string, struct, time, urllib.parse, zlib                              # noqa: E401,F401
import gc
import linecache
import os
import signal
import socket
import sys
import threading
import traceback
import types

MAX_HEAD = 64 * 1024
REASONS = {200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 304: "Not Modified", 400: "Bad Request",
           404: "Not Found", 422: "Unprocessable Content", 500: "Internal Server Error", 503: "Service Unavailable"}
TEXT = "text/plain; charset=utf-8"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Headers(dict):
    """Header fields by name; upper and lower case are the same."""

    def __getitem__(self, name):
        return super().__getitem__(name.lower())

    def __contains__(self, name):
        return super().__contains__(name.lower())

    def get(self, name, default=None):
        return super().get(name.lower(), default)


class Event:
    """One request: a message, or what an HTTP client sent."""
    __slots__ = ("method", "path", "query_string", "headers", "body", "_query")

    def __init__(self, method, target, headers, body):
        self.method, self.headers, self.body = method, headers, body
        self.path, _, self.query_string = target.partition("?")
        self._query = None

    @property
    def query(self):
        """Parameters by name; the last one wins."""
        if self._query is None:
            self._query = dict(urllib.parse.parse_qsl(self.query_string, keep_blank_values=True))
        return self._query

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.body)

    @property
    def id(self):
        return self.headers.get("ce-id")

    @property
    def type(self):
        return self.headers.get("ce-type")

    @property
    def source(self):
        return self.headers.get("ce-source")

    @property
    def subject(self):
        return self.headers.get("ce-subject")

    @property
    def time(self):
        return self.headers.get("ce-time")

    def __repr__(self):
        return f"<Event {self.method} {self.path} {self.subject or ''} {len(self.body)} bytes>"


class Malformed(Exception):
    """No request that can be understood; the connection ends."""


class Reader:
    """What one connection sends, request by request."""

    def __init__(self, sock):
        self.sock, self.buffer = sock, bytearray()

    def more(self):
        data = self.sock.recv(65536)
        if not data:
            raise EOFError
        self.buffer += data

    def take(self, count):
        while len(self.buffer) < count:
            self.more()
        data = bytes(memoryview(self.buffer)[:count])
        del self.buffer[:count]
        return data

    def take_line(self):
        while True:
            end = self.buffer.find(b"\r\n")
            if end >= 0:
                return self.take(end + 2)[:-2]
            if len(self.buffer) > MAX_HEAD:
                raise Malformed("line too long")
            self.more()

    def request(self):
        """(method, target, headers, body, whether the connection stays open)"""
        while (end := self.buffer.find(b"\r\n\r\n")) < 0:
            if len(self.buffer) > MAX_HEAD:
                raise Malformed("request head too large")
            self.more()
        lines = self.take(end + 4)[:-4].decode("latin-1").split("\r\n")
        headers = Headers()
        try:
            method, target, version = lines[0].split(" ")
            for line in lines[1:]:
                name, value = line.split(":", 1)
                name, value = name.lower(), value.strip()
                headers[name] = f"{dict.__getitem__(headers, name)}, {value}" if dict.__contains__(headers, name) else value
        except ValueError:
            raise Malformed("malformed request head") from None
        connection = dict.get(headers, "connection", "").lower()
        stays = "close" not in connection and (version != "HTTP/1.0" or "keep-alive" in connection)
        return method, target, headers, self.body(headers), stays

    def body(self, headers):
        chunked = dict.get(headers, "transfer-encoding")
        length = dict.get(headers, "content-length", "0")
        if chunked is None and length == "0":
            return b""
        if "expect" in headers and not self.buffer:
            self.sock.sendall(CONTINUE)
        if chunked is None:
            if not (length.isascii() and length.isdecimal()):
                raise Malformed("malformed Content-Length")
            return self.take(int(length))
        if chunked.lower() != "chunked":
            raise Malformed("only chunked transfer encoding is understood")
        parts = []
        while True:
            try:
                size = int(self.take_line().split(b";")[0], 16)
            except ValueError:
                raise Malformed("malformed chunk size") from None
            if size == 0:
                break
            parts.append(self.take(size + 2)[:-2])
        while self.take_line():             # trailers, up to the empty line
            pass
        return b"".join(parts)


def response(status, body, content_type, more, stays, head):
    """One answer as bytes. `more` are header fields of the handler's own."""
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}"]
    for name, value in more:
        if name.lower() == "content-type":
            content_type = value
        elif name.lower() not in ("content-length", "transfer-encoding", "connection"):
            lines.append(f"{name}: {value}")
    bodiless = status in (204, 304) or status < 200
    if not bodiless:
        if content_type and body:
            lines.append(f"Content-Type: {content_type}")
        lines.append(f"Content-Length: {len(body)}")
    if not stays:
        lines.append("Connection: close")
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header field must not contain a line break")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (b"" if bodiless or head else body)


def answer_of(result):
    """(status, body, content type, more header fields) of what a handler returned."""
    status, more = None, ()
    if isinstance(result, tuple):
        if not 2 <= len(result) <= 3:
            raise TypeError("a tuple must be (status, body) or (status, body, headers)")
        status, more = int(result[0]), result[2] if len(result) == 3 and result[2] else ()
        more = list(more.items() if hasattr(more, "items") else more)
        result = result[1]
        if not 200 <= status <= 599:
            raise ValueError(f"status {status} is none; use 200 to 599")
    if result is None:
        return status or 204, b"", None, more
    if isinstance(result, str):
        return status or 200, result.encode(), TEXT, more
    if isinstance(result, (bytes, bytearray, memoryview)):
        return status or 200, bytes(result), "application/octet-stream", more
    return status or 200, json.dumps(result).encode(), "application/json", more


class Refused(Exception):
    """The handler cannot be used; the text says why."""


def trace_of(error):
    """The traceback without the runner's own frames."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames))


class Runner:
    """One function: none at first, then the one that was loaded, or none for ever if it could not be."""

    def __init__(self):
        self.handle = None
        self.claim = threading.Lock()       # taken once, by the first load

    def serve(self, sock):
        reader = Reader(sock)
        try:
            while True:
                try:
                    method, target, headers, body, stays = reader.request()
                except Malformed as e:
                    sock.sendall(response(400, str(e).encode(), TEXT, (), False, False))
                    return
                answer = self.answer(method, target, headers, body)
                try:
                    data = response(*answer, stays, method == "HEAD")
                except Exception as e:
                    data = response(*self.failed(e), stays, method == "HEAD")
                sock.sendall(data)
                if not stays:
                    return
        except (EOFError, OSError):
            pass                            # the client went away
        finally:
            sock.close()

    def answer(self, method, target, headers, body):
        if self.handle is None:
            return self.command(method, target, body)
        try:
            return answer_of(self.handle(Event(method, target, headers, body)))
        except BaseException as e:          # sys.exit() too: it would end this thread only, without an answer
            return self.failed(e)
        finally:
            sys.stdout.flush()

    @staticmethod
    def failed(error):
        print(trace_of(error), end="", file=sys.stderr, flush=True)
        return 500, f"{type(error).__name__}: {error}\n".encode("utf-8", "replace"), TEXT, ()

    def command(self, method, target, body):
        try:
            if method == "POST" and target == "/.weir/check":
                compiled(**json.loads(body))
                return 204, b"", None, ()
            if method == "POST" and target == "/.weir/load" and self.claim.acquire(blocking=False):
                self.load(**json.loads(body))
                return 204, b"", None, ()
        except Refused as e:
            return 422, str(e).encode("utf-8", "replace"), TEXT, ()
        return 503, b"no handler is loaded\n", TEXT, ()

    def load(self, file, code, env):
        os.environ.update(env)
        program = compiled(file, code)
        linecache.cache[file] = len(code), None, code.splitlines(keepends=True), file
        name = file.rpartition(".")[0]
        module = types.ModuleType("handler_" + name if name in sys.modules else name)
        module.__file__ = file
        sys.modules[module.__name__] = module
        try:
            exec(program, module.__dict__)
        except BaseException as e:
            raise Refused(trace_of(e)) from None
        finally:
            sys.stdout.flush()
        handle = module.__dict__.get("handle")
        if not callable(handle):
            raise Refused(f"{file} defines no function handle(event)")
        self.handle = handle


def compiled(file, code):
    try:
        program = compile(code, file, "exec", dont_inherit=True)
    except SyntaxError as e:
        raise Refused(f"line {e.lineno}: {e.msg}") from None
    except Exception as e:                  # a NUL, brackets nested too deeply
        raise Refused(f"line 1: {type(e).__name__}: {e}") from None
    if "handle" not in program.co_names and "import *" not in code:
        raise Refused("line 1: it defines no function handle(event)")
    return program


def rehearse():
    """Does everything once: what is imported or set up at first use is there when somebody waits."""
    runner = Runner()
    here, there = socket.socketpair()
    threading.Thread(target=runner.serve, args=(there,), daemon=True).start()
    program = {"file": "rehearsal.py", "code": "def handle(event):\n    return {'is': event.json(), 'of': event.query}\n"}
    for path, body in (("check", program), ("load", {**program, "env": {}}), ("event?a=b", {"value": 1.5})):
        body = json.dumps(body)
        here.sendall(f"POST /.weir/{path} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        here.recv(65536)
    here.close()
    del sys.modules["rehearsal"], linecache.cache["rehearsal.py"]


def main():
    signal.signal(signal.SIGTERM, lambda *_: (sys.stdout.flush(), os._exit(0)))
    sys.stdout.reconfigure(line_buffering=True)
    rehearse()
    runner = Runner()
    listener = socket.create_server(("", int(os.environ.get("PORT", "8080"))), backlog=256)
    gc.collect()
    gc.freeze()                             # what is here stays; later collections need not look at it
    while True:
        try:
            sock, _ = listener.accept()
        except OSError:                     # the client is gone already, or no descriptor is free
            continue
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=runner.serve, args=(sock,), daemon=True).start()
        except (OSError, RuntimeError):     # the limit of processes: the client tries again
            sock.close()


if __name__ == "__main__":
    main()
