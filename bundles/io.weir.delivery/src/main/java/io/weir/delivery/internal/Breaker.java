package io.weir.delivery.internal;

import java.time.Duration;
import java.util.function.LongUnaryOperator;

/**
 * Leaves a function alone for a while that only fails, and then asks with a single call. Not thread-safe; times are of
 * the nanosecond clock.
 */
final class Breaker {
  private static final Duration FIRST = Duration.ofSeconds(1);

  private final int most;
  private final Duration longest;
  private final LongUnaryOperator random;
  private int failures;
  private int pauses;
  private long until;
  private boolean asking;

  /** @param random a number from 0 up to, but excluding, the one given */
  Breaker(int most, Duration longest, LongUnaryOperator random) {
    this.most = most;
    this.longest = longest;
    this.random = random;
  }

  boolean open() {
    return failures >= most;
  }

  boolean lets(long now) {
    return !open() || !asking && until - now <= 0;
  }

  /** When it may be asked again, if {@link #open()} and nobody is asking. */
  long until() {
    return until;
  }

  boolean asking() {
    return asking;
  }

  void started() {
    asking = open();
  }

  /** The call told nothing about the function. */
  void undecided() {
    asking = false;
  }

  /** Whether the function is left alone from now on, and was not before. */
  boolean failed(long now) {
    boolean was = open();
    failures = Math.min(most, failures + 1);
    if (open() && (!was || asking)) {
      asking = false;
      long bound = Math.min(longest.toNanos(), FIRST.toNanos() << Math.min(pauses++, 20));
      until = now + bound / 2 + random.applyAsLong(bound / 2 + 1);
    }
    return open() && !was;
  }

  /** Whether it was left alone until now. */
  boolean succeeded() {
    boolean was = open();
    failures = 0;
    pauses = 0;
    asking = false;
    return was;
  }
}
