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
 * <p>The first that comes to a disk at rest is written at once; what comes within the window after that waits for its
 * end, so that the disk is forced no more often.
 */
final class Queue {
  private static final long MOST_BYTES = 8 << 20;
  private static final long ENOUGH_BYTES = 256 << 10;

  private final long windowNanos;
  private final Deque<Request<?>> waiting = new ArrayDeque<>();
  private long bytes;
  private long lastTurn;
  private long refused;
  private boolean closed;

  Queue(long windowNanos) {
    this.windowNanos = windowNanos;
    this.lastTurn = System.nanoTime() - windowNanos;
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
    while (!closed && (waiting.isEmpty() ? now < giveUp : now - lastTurn < windowNanos && bytes < ENOUGH_BYTES)) {
      long left = waiting.isEmpty() ? giveUp - now : windowNanos - (now - lastTurn);
      TimeUnit.NANOSECONDS.timedWait(this, left);
      now = System.nanoTime();
    }
    if (!waiting.isEmpty()) {
      lastTurn = now;
    }
    return take();
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
