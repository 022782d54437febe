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

  static GatewayEvent.Ended ended(String result, Duration coldStart) {
    return new GatewayEvent.Ended(NOON, "1", ECHO, "http", "/", result, 200, "", Duration.ofMillis(3), coldStart,
        coldStart.isZero() ? "" : "burst", coldStart.isZero() ? "" : "image", 1);
  }

  static GatewayEvent numbered(long number) {
    return new GatewayEvent.Accepted(NOON, Long.toString(number), ECHO, "http", "/", number);
  }

  static GatewayEvent instance(String change) {
    return new GatewayEvent.InstanceChanged(NOON, ECHO, "weir-echo-1", change, "demand", Duration.ZERO, "");
  }
}
