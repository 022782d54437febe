package io.weir.delivery.internal;

import io.weir.function.Scaling;
import java.time.Duration;

/**
 * The configuration, checked.
 *
 * @param memory bytes of bodies that may be held
 */
record Settings(int maxInFlight, int maxWaiting, long memory, Duration firstDelay, Duration longestDelay,
    int breakerFailures, Duration longestPause) {

  static Settings of(DeliveryConfig config) {
    return new Settings(inRange("max.in.flight", config.max_in_flight(), 1, 1000),
        inRange("max.waiting", config.max_waiting(), 1, 1_000_000),
        (long) inRange("memory.mib", config.memory_mib(), 0, 1024) << 20,
        Duration.ofMillis(inRange("backoff.ms", config.backoff_ms(), 1, 60_000)),
        Duration.ofSeconds(inRange("backoff.max.seconds", config.backoff_max_seconds(), 1, 3600)),
        inRange("breaker.failures", config.breaker_failures(), 1, 1000),
        Duration.ofSeconds(inRange("breaker.max.seconds", config.breaker_max_seconds(), 1, 3600)));
  }

  /** How many events a function may have at a time: enough that none of its instances waits for us. */
  int window(Scaling scaling) {
    return Math.min(maxInFlight, Math.multiplyExact(2, scaling.max() * scaling.concurrency()));
  }

  /**
   * How many of them may be others than alarms where there are alarms: some of what its instances serve at a time is left
   * free, so that an alarm does not stand behind what is not one.
   */
  int othersBesideAlarms(Scaling scaling) {
    int served = Math.min(maxInFlight, scaling.max() * scaling.concurrency());
    return Math.max(1, served - Math.max(1, served / 4));
  }

  private static int inRange(String key, int value, int min, int max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          DurableCourier.PID + ": " + key + "=" + value + " is not allowed; allowed: " + min + ".." + max);
    }
    return value;
  }
}
