package io.weir.kura.internal;

import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/** Says yes at most once in ten seconds, so that a log is not filled with one complaint. Thread-safe. */
final class Sometimes {
  private static final long NANOS = 10_000_000_000L;

  private final LongSupplier ticker;
  private final AtomicLong count = new AtomicLong();
  private long next;

  Sometimes(LongSupplier ticker) {
    this.ticker = ticker;
    this.next = ticker.getAsLong();
  }

  synchronized boolean now() {
    count.incrementAndGet();
    long now = ticker.getAsLong();
    if (now - next < 0) {
      return false;
    }
    next = now + NANOS;
    return true;
  }

  long count() {
    return count.get();
  }
}
