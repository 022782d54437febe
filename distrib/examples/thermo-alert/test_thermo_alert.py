import csv
import json
import math
import os
import random
import unittest

import http1
from detector import Detector
from main import ThermoAlert, reading


def post(alert, value, subject="sensors/office/temperature", event=None):
    headers = {"ce-subject": subject}
    if event:
        headers["ce-id"] = event
    return alert("POST", "/", headers, json.dumps({"value": value}).encode())


class DetectorTest(unittest.TestCase):
    def test_reports_a_spike_once_per_excursion(self):
        detector = Detector(window=100, warmup=20)
        rng = random.Random(1)
        for _ in range(100):
            detector.observe("s", 20 + rng.uniform(-1, 1))
        reports = [detector.observe("s", 30) for _ in range(3)]
        self.assertIsNotNone(reports[0])
        self.assertEqual(reports[1:], [None, None])

    def test_is_silent_during_warm_up(self):
        detector = Detector(warmup=10)
        self.assertEqual([detector.observe("s", v) for v in [1, 1, 1, 1000, 1]], [None] * 5)

    def test_keeps_sensors_apart(self):
        detector = Detector(window=50, warmup=10)
        for _ in range(50):
            detector.observe("cold", 1)
            self.assertIsNone(detector.observe("hot", 100))

    def test_a_constant_sensor_does_not_alarm_on_its_last_digit(self):
        detector = Detector(window=50, warmup=10)
        for _ in range(50):
            detector.observe("s", 20.00)
        self.assertIsNone(detector.observe("s", 20.01))
        self.assertIsNotNone(detector.observe("s", 21))

    def test_rolling_sums_stay_exact_over_a_long_run(self):
        detector = Detector(window=64, warmup=10)
        rng = random.Random(2)
        values = [1e9 + rng.gauss(0, 1) for _ in range(20_000)]
        for value in values:
            detector.observe("s", value)
        last = values[-64:]
        mean = math.fsum(last) / 64
        deviation = math.sqrt(math.fsum((v - mean) ** 2 for v in last) / 64)
        self.assertAlmostEqual(detector.sensors["s"].mean(), mean, delta=1e-4)
        self.assertAlmostEqual(detector.sensors["s"].deviation(), deviation, delta=1e-3)

    def test_forgets_the_sensor_unheard_for_longest(self):
        detector = Detector(sensors=2)
        for sensor in ("a", "b", "a", "c"):
            detector.observe(sensor, 1)
        self.assertEqual(list(detector.sensors), ["a", "c"])


class ThermoAlertTest(unittest.TestCase):
    def test_answers_only_anomalies(self):
        alert = ThermoAlert(Detector(window=50, warmup=10))
        usual = [post(alert, 20 + i % 3)[0] for i in range(50)]
        status, body, content_type = post(alert, 40)
        self.assertEqual(set(usual), {204})
        self.assertEqual((status, content_type), (200, "application/json"))
        self.assertEqual(json.loads(body)["sensor"], "sensors/office/temperature")

    def test_a_repeated_event_gets_the_same_answer_and_counts_once(self):
        alert = ThermoAlert(Detector(window=50, warmup=10))
        for i in range(50):
            post(alert, 20 + i % 3)
        first = post(alert, 40, event="e-1")
        count = len(alert.detector.sensors["sensors/office/temperature"].readings)
        self.assertEqual(post(alert, 40, event="e-1"), first)
        self.assertEqual(len(alert.detector.sensors["sensors/office/temperature"].readings), count)

    def test_refuses_what_is_no_reading_for_good(self):
        alert = ThermoAlert(Detector())
        for body in (b"", b"warm", b"{}", b'{"value":"21"}', b"true", b"NaN", b"[1]", b"[" * 100_000):
            self.assertEqual(alert("POST", "/", {}, body)[0], 400, body[:20])

    def test_takes_a_bare_number_too(self):
        self.assertEqual(reading(b"21.5"), (21.5, None))

    @unittest.skipUnless(os.environ.get("WEIR_NAB_CSV"), "WEIR_NAB_CSV names the recorded office temperatures")
    def test_finds_the_recorded_failure_with_few_false_alarms(self):
        alert = ThermoAlert(Detector())
        with open(os.environ["WEIR_NAB_CSV"], newline="") as file:
            rows = list(csv.DictReader(file))
        reported = [r["timestamp"] for r in rows if post(alert, float(r["value"]))[0] == 200]
        # The data set's own labels: 2013-12-22 (planned shutdown) and 2014-04-13 (the failure).
        self.assertTrue(any(t.startswith("2014-04-13") for t in reported), reported)
        false = [t for t in reported if not t.startswith(("2013-12-2", "2014-04-13"))]
        self.assertLessEqual(len(false), 6, false)


class Http1Test(unittest.TestCase):
    def test_takes_pipelined_requests_one_by_one(self):
        data = bytearray(b"POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nhiGET /b HTTP/1.1\r\n\r\n")
        method, path, _, body, used = http1.take_request(data)
        self.assertEqual((method, path, body), ("POST", "/a", b"hi"))
        self.assertEqual(http1.take_request(data[used:])[:2], ("GET", "/b"))

    def test_waits_for_the_rest_wherever_the_request_is_cut(self):
        whole = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: t\r\n\r\n"
        for cut in range(len(whole)):
            self.assertIsNone(http1.take_request(bytearray(whole[:cut])), cut)
        self.assertEqual(http1.take_request(bytearray(whole))[3:], (b"abcde", len(whole)))

    def test_refuses_malformed_and_oversized_requests(self):
        for status, data in [(400, b"nonsense\r\n\r\n"), (400, b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"),
                             (413, b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n"),
                             (431, b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000),
                             (400, b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n")]:
            with self.assertRaises(http1.Refused) as refused:
                http1.take_request(bytearray(data))
            self.assertEqual(refused.exception.status, status)


if __name__ == "__main__":
    unittest.main()
