package io.weir.runner.internal;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** How many of something are under way. Thread-safe. */
final class InFlight {
  private int count;

  synchronized void begin() {
    count++;
  }

  /** Whether that was the last. */
  synchronized boolean end() {
    count--;
    notifyAll();
    return count == 0;
  }

  synchronized boolean any() {
    return count > 0;
  }

  /** Waits until none is, or patience ends. */
  synchronized void awaitNone(Duration patience) {
    long deadline = System.nanoTime() + patience.toNanos();
    try {
      for (long left = patience.toNanos(); count > 0 && left > 0; left = deadline - System.nanoTime()) {
        TimeUnit.NANOSECONDS.timedWait(this, left);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
