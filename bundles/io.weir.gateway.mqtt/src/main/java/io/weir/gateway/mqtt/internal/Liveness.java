package io.weir.gateway.mqtt.internal;

import java.time.Duration;

/** How long the two sides of a connection have been quiet. Thread-safe. */
final class Liveness {
  private volatile long keepAliveNanos;
  private volatile long heardAt = System.nanoTime();
  private volatile long wroteAt = System.nanoTime();

  Liveness(Duration keepAlive) {
    agreed(keepAlive);
  }

  /** The broker wants another keep-alive than we asked for. */
  void agreed(Duration keepAlive) {
    keepAliveNanos = keepAlive.toNanos();
  }

  void heard() {
    heardAt = System.nanoTime();
  }

  void wrote() {
    wroteAt = System.nanoTime();
  }

  /** Whether either side has been quiet long enough to ask; early, so that the answer comes in time. */
  boolean needsPing() {
    return System.nanoTime() - Math.min(wroteAt, heardAt) > keepAliveNanos / 3;
  }

  /** Whether the broker has not been heard for much longer than it may be silent. */
  boolean silent() {
    return System.nanoTime() - heardAt > keepAliveNanos * 3 / 2;
  }
}
