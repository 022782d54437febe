package io.weir.journal.internal;

import io.weir.invocation.JournalFull;
import io.weir.invocation.JournalUnavailable;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/**
 * What waits to be written, in order. The monitor guards everything.
 *
 * <p>The disk is forced once in a window, on average. What comes to a disk that has rested is written at once, and so
 * are the next few: a message that comes alone is accepted, committed and answered without waiting. Under load, what
 * comes within a window shares its end.
 */
final class Queue {
  private static final long MOST_BYTES = 8 << 20;
  private static final long ENOUGH_BYTES = 256 << 10;

  /** Turns that may follow each other at once after a rest: accepted, committed, had by the receiver, settled. */
  private static final int BURST = 4;

  private final long windowNanos;
  private final Deque<Request<?>> waiting = new ArrayDeque<>();
  private long bytes;
  /** Up to here windows are used up. */
  private long usedUntil;
  private long refused;
  private boolean closed;

  Queue(long windowNanos) {
    this.windowNanos = windowNanos;
    this.usedUntil = System.nanoTime();
  }

  <T> CompletionStage<T> add(Request<T> request) {
    RuntimeException refusal;
    synchronized (this) {
      // Whatever its size, one finds room in an empty queue.
      if (!closed && (waiting.isEmpty() || !request.grows() || bytes + request.bytes() <= MOST_BYTES)) {
        waiting.add(request);
        bytes += request.bytes();
        notifyAll();
        return request.stage();
      }
      refused++;
      refusal = closed ? new JournalUnavailable("the journal is closed", null)
          : new JournalFull(JournalFull.Reason.BUSY, bytes + " bytes wait to be written already");
    }
    request.fail(refusal);
    return request.stage();
  }

  /** The next ones to write; none after the patience. */
  synchronized List<Request<?>> await(long patienceNanos) throws InterruptedException {
    long now = System.nanoTime();
    long giveUp = now + patienceNanos;
    while (!closed && (waiting.isEmpty() ? now < giveUp : early(now) > 0 && bytes < ENOUGH_BYTES)) {
      long left = waiting.isEmpty() ? giveUp - now : early(now);
      TimeUnit.NANOSECONDS.timedWait(this, left);
      now = System.nanoTime();
    }
    if (!waiting.isEmpty()) {
      // Those that are too large to wait use up no more than what is there to be used.
      usedUntil = now + Math.min(Math.max(0, usedUntil - now) + windowNanos, BURST * windowNanos);
    }
    return take();
  }

  /** How long it is until there may be another turn; not above 0: now. */
  private long early(long now) {
    return usedUntil - now - (BURST - 1) * windowNanos;
  }

  /** What waits now. */
  synchronized List<Request<?>> take() {
    List<Request<?>> some = new ArrayList<>();
    long size = 0;
    while (!waiting.isEmpty() && (some.isEmpty() || size + waiting.element().bytes() <= ENOUGH_BYTES)) {
      Request<?> next = waiting.remove();
      size += next.bytes();
      bytes -= next.bytes();
      some.add(next);
    }
    return some;
  }

  synchronized long refused() {
    return refused;
  }

  /** Nothing is added from now on. */
  synchronized void close() {
    closed = true;
    notifyAll();
  }

  /** Whether nothing will come any more. */
  synchronized boolean isOver() {
    return closed && waiting.isEmpty();
  }
}
