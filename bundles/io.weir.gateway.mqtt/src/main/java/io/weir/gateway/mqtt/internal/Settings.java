package io.weir.gateway.mqtt.internal;

import io.weir.function.Scaling;
import java.time.Duration;

/** The configuration, checked. */
record Settings(int maxInFlight, long sessionExpirySeconds, int maxAnswerBytes, Duration keepAlive) {

  static Settings of(MqttGatewayConfig config) {
    return new Settings(inRange("max.in.flight", config.max_in_flight(), 1, 1000),
        inRange("session.expiry.seconds", config.session_expiry_seconds(), 0, Integer.MAX_VALUE),
        inRange("max.answer.bytes", config.max_answer_bytes(), 1024, 268_435_455),
        Duration.ofSeconds(inRange("keep.alive.seconds", config.keep_alive_seconds(), 1, 3600)));
  }

  /** How many messages a function may have at a time: enough that none of its instances waits for the broker. */
  int window(Scaling scaling) {
    return Math.min(maxInFlight, Math.multiplyExact(2, scaling.max() * scaling.concurrency()));
  }

  private static int inRange(String key, int value, int min, int max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          MqttGateway.PID + ": " + key + "=" + value + " is not allowed; allowed: " + min + ".." + max);
    }
    return value;
  }
}
