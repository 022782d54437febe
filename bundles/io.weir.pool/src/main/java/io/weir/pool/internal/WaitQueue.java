package io.weir.pool.internal;

import io.weir.engine.Lease;
import io.weir.engine.LeaseRefused;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Requests of one function that wait for an instance, first come first served. Guarded by the lock of its
 * {@link FunctionInstances}; futures are completed outside it.
 */
final class WaitQueue {
  /** Weight of the newest service time in the running average. */
  private static final double NEWEST = 0.1;

  private final Deque<Waiter> waiters = new ArrayDeque<>();
  private double serviceNanos;

  record Waiter(CompletableFuture<Lease> future, long sinceNanos) {}

  boolean isEmpty() {
    return waiters.isEmpty();
  }

  int size() {
    return waiters.size();
  }

  Waiter add(long nowNanos) {
    Waiter waiter = new Waiter(new CompletableFuture<>(), nowNanos);
    waiters.add(waiter);
    return waiter;
  }

  boolean remove(Waiter waiter) {
    return waiters.remove(waiter);
  }

  Waiter next() {
    return waiters.remove();
  }

  List<Waiter> takeAll() {
    List<Waiter> all = new ArrayList<>(waiters);
    waiters.clear();
    return all;
  }

  static void tell(List<Waiter> told, LeaseRefused why) {
    told.forEach(waiter -> waiter.future.completeExceptionally(why));
  }

  /** How long the first in the queue has waited. */
  Duration longest(long nowNanos) {
    return waiters.isEmpty() ? Duration.ZERO : Duration.ofNanos(Math.max(0, nowNanos - waiters.peek().sinceNanos));
  }

  /** A request was served, which took so long. */
  void served(long nanos) {
    serviceNanos = serviceNanos == 0 ? nanos : serviceNanos + NEWEST * (nanos - serviceNanos);
  }

  /** How long one more would wait until so many at a time have served those before it; zero if nobody knows. */
  Duration expectedWait(int atATime) {
    return Duration.ofNanos((long) (serviceNanos * (waiters.size() / atATime)));
  }
}
