"""Run against the built program: ECHO=path/to/main python3 test_echo.py"""

import http.client
import os
import signal
import socket
import subprocess
import threading
import time
import unittest


class EchoTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            cls.port = probe.getsockname()[1]
        cls.process = subprocess.Popen([os.environ["ECHO"]], env={"PORT": str(cls.port)})
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", cls.port), 0.1).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise

    @classmethod
    def tearDownClass(cls):
        cls.process.send_signal(signal.SIGTERM)
        assert cls.process.wait(5) == 0, "must end at once and cleanly on SIGTERM"

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def test_returns_body_and_content_type_over_one_connection(self):
        connection = self.connect()
        for body, kind in [(b"hello", "text/plain"), (b"", "application/json"), (b"\0\r\n\r\n\xff" * 100, "image/png")]:
            connection.request("POST", "/any/path?q=1", body, {"Content-Type": kind})
            response = connection.getresponse()
            self.assertEqual((response.status, response.read(), response.headers["content-type"]), (200, body, kind))
        connection.close()

    def test_returns_a_large_body_to_a_client_that_writes_first(self):
        body = os.urandom(6 * 1024 * 1024)
        connection = self.connect()
        connection.request("POST", "/", body)
        self.assertEqual(connection.getresponse().read(), body)
        connection.close()

    def test_returns_a_chunked_body(self):
        chunks = [os.urandom(n) for n in (1, 70_000, 3, 500_000)]
        connection = self.connect()
        connection.request("POST", "/", iter(chunks), {"Transfer-Encoding": "chunked"}, encode_chunked=True)
        self.assertEqual(connection.getresponse().read(), b"".join(chunks))
        connection.request("POST", "/", b"next")
        self.assertEqual(connection.getresponse().read(), b"next")
        connection.close()

    def raw(self, data, expect):
        with socket.create_connection(("127.0.0.1", self.port), 10) as s:
            s.sendall(data)
            received = b""
            while received.count(b"HTTP/1.1 ") < expect or not received.endswith(b"\r\n\r\n") and b"!" not in received:
                part = s.recv(65536)
                if not part:
                    break
                received += part
            return received

    def test_answers_pipelined_requests_in_order(self):
        one = b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n"
        received = self.raw(one + b"a" + one + b"b" + one + b"!", 3)
        self.assertEqual([part[-1:] for part in received.split(b"HTTP/1.1 200 OK")[1:]], [b"a", b"b", b"!"])

    def test_invites_a_body_that_waits_for_it(self):
        received = self.raw(b"POST / HTTP/1.1\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n", 1)
        self.assertTrue(received.startswith(b"HTTP/1.1 100 Continue"), received)

    def test_refuses_what_is_malformed_or_too_large(self):
        for status, data in [(b"400", b"rubbish\r\n\r\n"), (b"400", b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"),
                             (b"413", b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n"),
                             (b"400", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
                             (b"413", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffff\r\n")]:
            self.assertIn(b" " + status + b" ", self.raw(data, 99), data)

    def test_serves_many_connections_at_once(self):
        failures = []

        def client(n):
            body = str(n).encode() * 1000
            connection = self.connect()
            for _ in range(50):
                connection.request("POST", "/", body)
                if connection.getresponse().read() != body:
                    failures.append(n)
            connection.close()

        threads = [threading.Thread(target=client, args=(n,)) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])


if __name__ == "__main__":
    unittest.main()
