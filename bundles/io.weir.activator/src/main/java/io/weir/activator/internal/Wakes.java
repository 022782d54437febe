package io.weir.activator.internal;

import io.weir.engine.InstancePool;
import io.weir.engine.Lease;
import io.weir.engine.LeaseRefused;
import io.weir.function.FunctionName;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Begins starts on behalf of connections that are announced by the kernel, or have said nothing yet. The first request
 * takes over what was begun, so that the pool sees one and not two; a lease that nobody takes over goes back the moment
 * it comes. One at a time for each function. Thread-safe.
 */
final class Wakes {
  private record Wake(CompletionStage<Lease> lease, AtomicBoolean taken) {}

  private final InstancePool pool;
  private final Duration patience;
  private final Map<FunctionName, Wake> wakes = new ConcurrentHashMap<>();

  Wakes(InstancePool pool, Duration patience) {
    this.pool = pool;
    this.patience = patience;
  }

  /** A request is about to come. */
  void wanted(FunctionName function) {
    if (wakes.containsKey(function)) {
      return;
    }
    Wake wake = new Wake(ask(function), new AtomicBoolean());
    if (wakes.putIfAbsent(function, wake) != null) {
      wake.lease.thenAccept(Lease::release);
      return;
    }
    wake.lease.whenComplete((lease, error) -> {
      wakes.remove(function, wake);
      if (wake.taken.compareAndSet(false, true) && lease != null) {
        lease.release();
      }
    });
  }

  /** A lease for a request that is here now. */
  CompletionStage<Lease> lease(FunctionName function) {
    Wake wake = wakes.get(function);
    return wake != null && wake.taken.compareAndSet(false, true) ? wake.lease : ask(function);
  }

  private CompletionStage<Lease> ask(FunctionName function) {
    try {
      return pool.acquire(function, patience);
    } catch (RuntimeException e) {
      // The pool is going down; the stage fails with nothing else.
      return CompletableFuture.failedFuture(
          new LeaseRefused(LeaseRefused.Code.STOPPING, "no instances are kept now", Duration.ofSeconds(1), e));
    }
  }
}
