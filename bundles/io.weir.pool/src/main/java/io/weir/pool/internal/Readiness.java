package io.weir.pool.internal;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Waits until a container that starts listens: until the kernel says so, else by asking its port. The port is asked also
 * where the kernel does not know whether it can be reached, because whoever listens on 127.0.0.1 alone is of no use.
 */
final class Readiness implements AutoCloseable {
  /** How often to look whether waiting has become pointless. */
  private static final long LOOK_MILLIS = 25;
  /** Signals can be lost, so the port is asked now and then. */
  private static final long ASK_NANOS = Duration.ofSeconds(1).toNanos();

  /** With true if the port need not be asked. */
  private final CompletableFuture<Boolean> told;

  private Readiness(CompletableFuture<Boolean> told) {
    this.told = told;
  }

  /** @param kernel as {@link KernelSide#listening}; empty if it has nothing to say */
  static Readiness of(Optional<CompletionStage<Boolean>> kernel) {
    return new Readiness(kernel.map(CompletionStage::toCompletableFuture)
        .orElse(CompletableFuture.completedFuture(false)));
  }

  /** Waits until the kernel says something, or something else has ended; true if connections are taken now. Blocks. */
  boolean isToldBefore(CompletableFuture<?> end, InetSocketAddress address) throws InterruptedException {
    try {
      CompletableFuture.anyOf(told, end.handle((result, failure) -> true)).get();
    } catch (ExecutionException e) {
      throw new IllegalStateException("neither can fail", e);
    }
    return told.isDone() && (told.join() || PortProbe.accepts(address));
  }

  /** False if the time is up, or waiting has become pointless. Blocks. */
  boolean await(InetSocketAddress address, Duration timeout, PortProbe.Abandon abandon) throws InterruptedException {
    long deadline = System.nanoTime() + timeout.toNanos();
    long askAt = System.nanoTime() + ASK_NANOS;
    while (!isToldWithin(LOOK_MILLIS)) {
      if (abandon.now() || System.nanoTime() >= deadline) {
        return false;
      }
      if (System.nanoTime() >= askAt) {
        if (PortProbe.accepts(address)) {
          return true;
        }
        askAt += ASK_NANOS;
      }
    }
    return told.join()
        || PortProbe.await(address, Duration.ofNanos(Math.max(0, deadline - System.nanoTime())), abandon);
  }

  private boolean isToldWithin(long millis) throws InterruptedException {
    try {
      told.get(millis, TimeUnit.MILLISECONDS);
      return true;
    } catch (TimeoutException e) {
      return false;
    } catch (ExecutionException e) {
      throw new IllegalStateException("the kernel's part of the gateway promised not to fail", e);
    }
  }

  @Override
  public void close() {
    told.cancel(false);
  }
}
