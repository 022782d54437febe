package io.weir.gateway.mqtt.internal;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/**
 * How long to wait before the next attempt: at random between nothing and a bound that doubles (full jitter), so that
 * a broker that starts is not met by all at once. Not thread-safe.
 */
final class Backoff {
  private final Duration first;
  private final Duration longest;
  private Duration bound;

  Backoff(Duration first, Duration longest) {
    this.first = first;
    this.longest = longest;
    this.bound = first;
  }

  Duration next() {
    Duration wait = Duration.ofNanos(ThreadLocalRandom.current().nextLong(bound.toNanos()) + 1);
    Duration doubled = bound.multipliedBy(2);
    bound = doubled.compareTo(longest) > 0 ? longest : doubled;
    return wait;
  }

  void reset() {
    bound = first;
  }

  /** Whether it has failed so often that the bound does not grow any more. */
  boolean exhausted() {
    return bound.equals(longest);
  }
}
