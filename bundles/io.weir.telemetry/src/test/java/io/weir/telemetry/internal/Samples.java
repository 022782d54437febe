package io.weir.telemetry.internal;

import io.weir.event.GatewayEvent;
import io.weir.function.FunctionName;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.osgi.util.converter.Converters;

/** Events and configurations for the tests of this package. */
final class Samples {
  static final Instant NOON = Instant.parse("2026-11-21T12:00:00Z");
  static final FunctionName ECHO = new FunctionName("echo");

  private Samples() {}

  static TelemetryConfig config(Map<String, ?> values) {
    return Converters.standardConverter().convert(values).to(TelemetryConfig.class);
  }

  static GatewayEvent.Ended ended(String result) {
    return new GatewayEvent.Ended(NOON, "1", ECHO, "http", "/", result, 200, "", Duration.ofMillis(3), Duration.ZERO, "",
        "", 1);
  }

  static GatewayEvent.Ended cold(String cause, String from) {
    return new GatewayEvent.Ended(NOON, "1", ECHO, "http", "/", "replied", 200, "", Duration.ofMillis(90),
        Duration.ofMillis(80), cause, from, 1);
  }

  static GatewayEvent numbered(long number) {
    return new GatewayEvent.Accepted(NOON, Long.toString(number), ECHO, "http", "/", number);
  }

  static GatewayEvent instance(String change, String cause, Duration took) {
    return new GatewayEvent.InstanceChanged(NOON, ECHO, "weir-echo-1", change, cause, took, "");
  }
}
