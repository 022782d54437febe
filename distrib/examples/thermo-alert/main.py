"""thermo-alert: answers a reading only when it is unusual for its sensor."""

import json
import math
import os
from collections import OrderedDict

import http1
from detector import Detector

REMEMBERED = 1024


def reading(body):
    """The number in a message: `21.5`, or JSON with a number `value` (and perhaps a `timestamp`)."""
    try:
        message = json.loads(body)
    except ValueError:
        raise ValueError("body is neither a number nor JSON") from None
    timestamp = None
    if isinstance(message, dict):
        timestamp = message.get("timestamp")
        message = message.get("value")
    if isinstance(message, bool) or not isinstance(message, (int, float)) or not math.isfinite(message):
        raise ValueError('body holds no finite number; send 21.5 or {"value": 21.5}')
    return float(message), timestamp


class ThermoAlert:
    def __init__(self, detector):
        self.detector = detector
        self.recent = OrderedDict()

    def __call__(self, method, path, headers, body):
        if method in ("GET", "HEAD"):
            return 200, b"thermo-alert: POST readings to me\n", "text/plain"
        if method != "POST":
            return 405, b"POST a reading\n", "text/plain"
        # The gateway may deliver an event twice; the second time it must get the same answer and not count again.
        event = headers.get("ce-id")
        key = event and (headers.get("ce-source", ""), event)
        if key in self.recent:
            return self.recent[key]
        response = self.judge(headers, body)
        if key:
            self.recent[key] = response
            if len(self.recent) > REMEMBERED:
                self.recent.popitem(last=False)
        return response

    def judge(self, headers, body):
        try:
            value, timestamp = reading(body)
        except (ValueError, RecursionError) as e:
            return 400, f"{e}\n".encode(), "text/plain"
        report = self.detector.observe(headers.get("ce-subject", ""), value)
        if report is None:
            return 204, b"", ""
        report["time"] = timestamp or headers.get("ce-time")
        return 200, json.dumps(report).encode(), "application/json"


def from_environment(env):
    return Detector(window=int(env.get("WINDOW", "512")), threshold=float(env.get("THRESHOLD", "3")),
                    warmup=int(env.get("WARMUP", "48")), floor=float(env.get("FLOOR", "0.002")))


if __name__ == "__main__":
    http1.serve_forever(int(os.environ.get("PORT", "8080")), ThermoAlert(from_environment(os.environ)))
