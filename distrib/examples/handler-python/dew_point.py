"""Dew point of a climate reading, and whether moisture would settle on a wall that is a few degrees colder."""
import math
import os

COLDER = float(os.environ.get("WALL", "3"))


def dew_point(celsius, humidity):
    """Magnus formula, good to 0.4 K between -40 and 50 degrees."""
    gamma = math.log(humidity / 100) + 17.62 * celsius / (243.12 + celsius)
    return 243.12 * gamma / (17.62 - gamma)


def handle(event):
    try:
        reading = event.json()
        celsius, humidity = float(reading["temperature"]), float(reading["humidity"])
        if not (-40 <= celsius <= 50 and 0 < humidity <= 100):
            raise ValueError("temperature must be within -40..50, humidity within 0..100")
    except (ValueError, TypeError, KeyError) as e:
        return 400, f"no climate reading: {e}\n"       # for good: sending it again would not mend it
    dew = dew_point(celsius, humidity)
    return {"sensor": event.subject, "dewPoint": round(dew, 1), "wet": dew >= celsius - COLDER}
