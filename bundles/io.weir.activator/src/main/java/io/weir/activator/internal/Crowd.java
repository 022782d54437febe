package io.weir.activator.internal;

import java.util.concurrent.atomic.AtomicInteger;

/** How many connections there are, and how many there may be. Thread-safe. */
final class Crowd {
  private final int most;
  private final AtomicInteger count = new AtomicInteger();

  Crowd(int most) {
    this.most = most;
  }

  /** Returns whether there was room. Whoever came in leaves, room or not. */
  boolean enter() {
    return count.incrementAndGet() <= most;
  }

  void leave() {
    count.decrementAndGet();
  }

  int count() {
    return count.get();
  }

  /** Whether it is so crowded that not even a refusal can be written to everybody. */
  boolean isOverrun() {
    return count.get() > 2L * most;
  }
}
