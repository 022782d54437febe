"""Says when a sensor leaves its own usual range."""

import math
from collections import OrderedDict, deque


class Window:
    """The last readings of one sensor, with mean and deviation kept up to date in constant time."""

    __slots__ = ("readings", "origin", "total", "squares", "excursion", "fresh")

    def __init__(self, size):
        self.readings = deque(maxlen=size)
        self.origin = 0.0
        self.total = self.squares = 0.0
        self.excursion = False
        self.fresh = 0

    def add(self, value):
        if not self.readings:
            self.origin = value
        # Sums of differences from a reading, not of the readings: 1e9 ± 1 must keep its deviation.
        shifted = value - self.origin
        if len(self.readings) == self.readings.maxlen:
            oldest = self.readings[0]
            self.total -= oldest
            self.squares -= oldest * oldest
        self.readings.append(shifted)
        self.total += shifted
        self.squares += shifted * shifted
        self.fresh += 1
        if self.fresh >= 4096:                          # rounding must not pile up, nor the origin drift away
            self.rebase()

    def rebase(self):
        values = [r + self.origin for r in self.readings]
        self.origin, self.fresh = values[-1], 0
        shifted = [v - self.origin for v in values]
        self.readings = deque(shifted, self.readings.maxlen)
        self.total, self.squares = math.fsum(shifted), math.fsum(s * s for s in shifted)

    def mean(self):
        return self.origin + self.total / len(self.readings)

    def deviation(self):
        n = len(self.readings)
        return math.sqrt(max(0.0, self.squares / n - (self.total / n) ** 2))


class Detector:
    """A rolling z-score per sensor.

    A reading is an anomaly when it is `threshold` deviations away from the mean of the sensor's last `window` readings.
    An excursion is reported once, at its first such reading; it ends when the score falls below 70 % of the threshold.
    Nothing is reported before `warmup` readings. A quantised or constant sensor has next to no deviation, so the
    deviation is never taken to be less than `floor` times the mean.
    """

    def __init__(self, window=512, threshold=3.0, warmup=48, floor=0.002, sensors=10_000):
        if window < 2 or warmup < 2 or threshold <= 0 or floor < 0:
            raise ValueError("WINDOW and WARMUP must be at least 2, THRESHOLD above 0, FLOOR at least 0")
        self.window, self.threshold, self.floor = window, threshold, floor
        self.warmup = min(warmup, window)
        self.most = sensors
        self.sensors = OrderedDict()

    def observe(self, sensor, value):
        """None, or what is unusual about this reading."""
        window = self.sensors.get(sensor)
        if window is None:
            window = self.sensors[sensor] = Window(self.window)
            if len(self.sensors) > self.most:           # a topic per message must not eat the memory
                self.sensors.popitem(last=False)
        else:
            self.sensors.move_to_end(sensor)
        report = self.judge(sensor, window, value) if len(window.readings) >= self.warmup else None
        window.add(value)
        return report

    def judge(self, sensor, window, value):
        mean = window.mean()
        deviation = max(window.deviation(), self.floor * abs(mean))
        if deviation == 0:
            score = 0.0 if value == mean else math.copysign(99.0, value - mean)
        else:
            score = (value - mean) / deviation
        if window.excursion:
            window.excursion = abs(score) >= 0.7 * self.threshold
            return None
        if abs(score) < self.threshold:
            return None
        window.excursion = True
        return {"sensor": sensor, "value": value, "score": round(score, 2), "mean": round(mean, 4),
                "deviation": round(deviation, 4), "readings": len(window.readings)}
