import json
import types
import unittest

from dew_point import handle


def event(body):
    return types.SimpleNamespace(subject="climate/cellar", json=lambda: json.loads(body))


class DewPointTest(unittest.TestCase):
    def test_tells_the_dew_point_of_a_reading(self):
        self.assertEqual(handle(event('{"temperature": 20, "humidity": 50}')),
                         {"sensor": "climate/cellar", "dewPoint": 9.3, "wet": False})

    def test_tells_that_a_wall_gets_wet(self):
        self.assertTrue(handle(event('{"temperature": 20, "humidity": 90}'))["wet"])

    def test_refuses_what_is_no_reading_for_good(self):
        for body in '{"temperature": 20}', '[]', 'x', '{"temperature": 20, "humidity": 0}', '{"temperature": NaN, "humidity": 5}':
            self.assertEqual(handle(event(body))[0], 400, body)


if __name__ == "__main__":
    unittest.main()
