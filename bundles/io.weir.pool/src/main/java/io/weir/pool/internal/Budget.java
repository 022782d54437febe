package io.weir.pool.internal;

import io.weir.engine.MemoryBudget;
import java.util.concurrent.atomic.AtomicLong;

/** Bytes that instances may hold together, and do hold. Thread-safe, and locks nothing. */
final class Budget {
  private final long total;
  private final AtomicLong held = new AtomicLong();
  /** What others hold on the pool's behalf: spare runners. */
  private volatile long aside;
  /** Whether the machine is short of memory, whatever the budget says. */
  private volatile boolean pressed;

  Budget(long total) {
    this.total = total;
  }

  long total() {
    return total;
  }

  /** Charges the bytes if they fit. */
  boolean charge(long bytes) {
    while (true) {
      long now = held.get();
      if (bytes > 0 && now + aside + bytes > total) {
        return false;
      }
      if (held.compareAndSet(now, now + bytes)) {
        return true;
      }
    }
  }

  /** Corrects what is held by what was measured, or given back, whether it fits or not. */
  void correct(long delta) {
    held.addAndGet(delta);
  }

  void setAside(long bytes) {
    aside = bytes;
  }

  void press(boolean short_) {
    pressed = short_;
  }

  boolean pressed() {
    return pressed;
  }

  boolean exceeded() {
    return held.get() + aside > total;
  }

  /** How dear memory is now: 1 while there is plenty, 20 when the budget is nearly used up. */
  double price() {
    double used = Math.min(1, (double) (held.get() + aside) / total);
    return Math.min(20, 1 / Math.max(1e-9, 1 - used * used));
  }

  MemoryBudget view() {
    return new MemoryBudget(total, held.get() + aside, pressed);
  }
}
