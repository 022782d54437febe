package io.weir.activator.internal;

import io.weir.engine.ColdStart;
import io.weir.engine.Instance;
import io.weir.engine.InstancePool;
import io.weir.engine.Lease;
import io.weir.engine.LeaseRefused;
import io.weir.function.FunctionName;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Gives leases on one address, at once or when a test says so. */
final class FakePool implements InstancePool {
  final AtomicInteger asked = new AtomicInteger();
  final AtomicInteger open = new AtomicInteger();
  final AtomicInteger mostOpen = new AtomicInteger();
  final AtomicInteger starts = new AtomicInteger();
  /** How leases came back: released, suspect or timed-out. */
  final BlockingQueue<String> returned = new LinkedBlockingQueue<>();
  final BlockingQueue<FunctionName> calls = new LinkedBlockingQueue<>();
  private final List<CompletableFuture<Lease>> waiting = new java.util.ArrayList<>();
  private volatile @Nullable InetSocketAddress address;
  private volatile @Nullable LeaseRefused refusal;

  FakePool at(int port) {
    List<CompletableFuture<Lease>> all;
    synchronized (waiting) {
      address = new InetSocketAddress("127.0.0.1", port);
      all = List.copyOf(waiting);
      waiting.clear();
    }
    all.forEach(each -> {
      if (!each.complete(lease(true))) {
        throw new IllegalStateException("somebody completed it");
      }
    });
    return this;
  }

  void sleep() {
    address = null;
  }

  void refuse(LeaseRefused.Code code) {
    refusal = new LeaseRefused(code, "not \"now\"", Duration.ofMillis(2500), null);
    synchronized (waiting) {
      waiting.forEach(each -> each.completeExceptionally(refusal));
      waiting.clear();
    }
  }

  /** Refuses no more. */
  FakePool accept() {
    refusal = null;
    return this;
  }

  int waiting() {
    synchronized (waiting) {
      return waiting.size();
    }
  }

  @Override
  public CompletionStage<Lease> acquire(FunctionName function, Duration patience) {
    asked.incrementAndGet();
    calls.add(function);
    if (refusal != null) {
      return CompletableFuture.failedFuture(refusal);
    }
    synchronized (waiting) {
      if (address == null) {
        starts.compareAndSet(0, 1);
        CompletableFuture<Lease> future = new CompletableFuture<>();
        waiting.add(future);
        return future;
      }
    }
    return CompletableFuture.completedFuture(lease(false));
  }

  private Lease lease(boolean cold) {
    mostOpen.accumulateAndGet(open.incrementAndGet(), Math::max);
    InetSocketAddress its = address;
    AtomicBoolean back = new AtomicBoolean();
    return new Lease() {
      @Override
      public InetSocketAddress address() {
        return its;
      }

      @Override
      public String instance() {
        return "weir-echo-1";
      }

      @Override
      public Optional<ColdStart> coldStart() {
        return cold ? Optional.of(new ColdStart(ColdStart.Cause.SCALED_TO_ZERO, io.weir.function.Rung.IMAGE,
            Duration.ofMillis(5))) : Optional.empty();
      }

      @Override
      public void release() {
        end("released");
      }

      @Override
      public void releaseSuspect() {
        end("suspect");
      }

      @Override
      public void releaseTimedOut() {
        end("timed-out");
      }

      private void end(String how) {
        if (back.compareAndSet(false, true)) {
          open.decrementAndGet();
          returned.add(how);
        }
      }
    };
  }

  @Override
  public List<Instance> instances() {
    return List.of();
  }

  @Override
  public List<String> logs(FunctionName function, int lines) {
    return List.of();
  }
}
