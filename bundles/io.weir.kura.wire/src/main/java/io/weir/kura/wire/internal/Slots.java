package io.weir.kura.wire.internal;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntSupplier;

/** Places for what is in work; how many there are may change at any time. Thread-safe. */
final class Slots {
  private final ReentrantLock lock = new ReentrantLock(true);
  private final Condition free = lock.newCondition();
  private int taken;
  private boolean closed;

  /**
   * Waits for a place.
   *
   * @param most how many there are now
   * @param seconds how long; 0 not at all
   * @return whether there is one; it must be released
   */
  boolean take(IntSupplier most, int seconds) {
    lock.lock();
    try {
      long left = TimeUnit.SECONDS.toNanos(seconds);
      while (!closed && taken >= most.getAsInt() && left > 0) {
        left = free.awaitNanos(left);
      }
      if (closed || taken >= most.getAsInt()) {
        return false;
      }
      taken++;
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } finally {
      lock.unlock();
    }
  }

  void release() {
    lock.lock();
    try {
      taken--;
      free.signal();
    } finally {
      lock.unlock();
    }
  }

  /** There may be more places than before. */
  void more() {
    lock.lock();
    try {
      free.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Whoever waits need not any more. */
  void close() {
    lock.lock();
    try {
      closed = true;
      free.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
