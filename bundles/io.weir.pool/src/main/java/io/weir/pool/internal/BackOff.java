package io.weir.pool.internal;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/** Exponential delay with full jitter between failed starts. Not thread-safe. */
final class BackOff {
  private static final long FIRST_MILLIS = 250;
  private static final long LONGEST_MILLIS = 30_000;

  private int failures;
  private long notBefore = System.nanoTime();

  void failed() {
    long ceiling = Math.min(LONGEST_MILLIS, FIRST_MILLIS << Math.min(failures, 20));
    failures++;
    long delay = ceiling / 2 + ThreadLocalRandom.current().nextLong(ceiling / 2 + 1);
    notBefore = System.nanoTime() + Duration.ofMillis(delay).toNanos();
  }

  void succeeded() {
    failures = 0;
    notBefore = System.nanoTime();
  }

  /** How long no start should be tried; zero if one may. */
  Duration remaining() {
    return failures == 0 ? Duration.ZERO : Duration.ofNanos(Math.max(0, notBefore - System.nanoTime()));
  }
}
