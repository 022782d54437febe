package io.weir.pool.internal;

import java.time.Duration;

/**
 * How many instances a function's concurrency calls for, as Knative's autoscaler decides it (knative.dev/docs, "Autoscaling:
 * KPA-specific settings"; serving/pkg/autoscaler/scaling): the average number of requests in the system over a stable
 * window of 60 s, divided by what one instance shall carry (70 % of its limit). If the last 6 s alone call for twice what
 * there is, it panics: for the length of a stable window it follows the short window and never goes down.
 *
 * <p>Pure: the caller says what time it is. Not thread-safe.
 */
final class Autoscaler {
  static final Duration STABLE_WINDOW = Duration.ofSeconds(60);
  static final Duration PANIC_WINDOW = Duration.ofSeconds(6);
  /** Share of an instance's concurrency at which another one is wanted. */
  static final double TARGET_UTILISATION = 0.7;
  static final double PANIC_THRESHOLD = 2.0;
  /** At most so many times fewer instances at a time. */
  static final double MAX_SCALE_DOWN_RATE = 2.0;

  private static final int BUCKETS = (int) STABLE_WINDOW.toSeconds();
  private static final long SECOND = 1_000_000_000L;

  /** Request-nanoseconds of each of the last seconds; a ring by second number. */
  private final double[] area = new double[BUCKETS];
  private final long startNanos;
  private long atNanos;
  private int concurrency;
  private long panicUntilNanos = Long.MIN_VALUE;
  private int panicPeak;

  Autoscaler(long nowNanos) {
    this.startNanos = nowNanos;
    this.atNanos = nowNanos;
  }

  /** From now on so many requests are in the system, waiting or in work. */
  void record(long nowNanos, int requests) {
    advance(nowNanos);
    concurrency = requests;
  }

  private void advance(long nowNanos) {
    if (nowNanos - atNanos >= STABLE_WINDOW.toNanos()) {
      java.util.Arrays.fill(area, (double) concurrency * SECOND);
      area[bucket(nowNanos)] = (double) concurrency * ((nowNanos - startNanos) % SECOND);
      atNanos = nowNanos;
      return;
    }
    while (atNanos < nowNanos) {
      long end = Math.min(nowNanos, startNanos + ((atNanos - startNanos) / SECOND + 1) * SECOND);
      area[bucket(atNanos)] += (double) concurrency * (end - atNanos);
      atNanos = end;
      if ((end - startNanos) % SECOND == 0) {
        area[bucket(end)] = 0;
      }
    }
  }

  private int bucket(long nanos) {
    return (int) ((nanos - startNanos) / SECOND % BUCKETS);
  }

  /** Average concurrency over the last full seconds of the window, and the running one. */
  private double average(Duration window, long nowNanos) {
    long lived = nowNanos - startNanos;
    long span = Math.min(lived, window.toNanos() - SECOND + lived % SECOND);
    if (span <= 0) {
      return concurrency;
    }
    int seconds = (int) Math.min(window.toSeconds(), lived / SECOND + 1);
    double sum = 0;
    for (int i = 0; i < seconds; i++) {
      sum += area[Math.floorMod(bucket(nowNanos) - i, BUCKETS)];
    }
    return sum / span;
  }

  /**
   * Instances wanted now; 0 if nothing happened for a whole window.
   *
   * @param limit requests one instance serves at a time
   * @param live instances there are
   */
  int desired(long nowNanos, int limit, int live) {
    advance(nowNanos);
    double target = limit * TARGET_UTILISATION;
    int stable = (int) Math.ceil(average(STABLE_WINDOW, nowNanos) / target - 1e-9);
    int panic = (int) Math.ceil(average(PANIC_WINDOW, nowNanos) / target - 1e-9);
    if (live > 0 && panic >= PANIC_THRESHOLD * live) {
      if (!panicking(nowNanos)) {
        panicPeak = 0;
      }
      panicUntilNanos = nowNanos + STABLE_WINDOW.toNanos();
    }
    if (panicking(nowNanos)) {
      panicPeak = Math.max(panicPeak, panic);
      return Math.max(live, panicPeak);
    }
    return Math.max(stable, (int) Math.floor(live / MAX_SCALE_DOWN_RATE));
  }

  boolean panicking(long nowNanos) {
    return panicUntilNanos != Long.MIN_VALUE && nowNanos < panicUntilNanos;
  }
}
