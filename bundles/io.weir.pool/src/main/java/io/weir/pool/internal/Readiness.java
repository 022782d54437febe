package io.weir.pool.internal;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Waits until a container that starts listens: until the kernel says so, else by asking its port. One that has been told to
 * listen is asked once, because whoever listens on 127.0.0.1 alone is of no use.
 */
final class Readiness implements AutoCloseable {
  /** How often to look whether waiting has become pointless. */
  private static final long LOOK_MILLIS = 25;
  /** Signals can be lost, so the port is asked now and then. */
  private static final long ASK_NANOS = Duration.ofSeconds(1).toNanos();

  private final @Nullable CompletableFuture<Void> told;

  private Readiness(@Nullable CompletableFuture<Void> told) {
    this.told = told;
  }

  /** To be called before the container starts. */
  static Readiness of(KernelSide kernel, String container, int port) {
    return new Readiness(kernel.listening(container, port).map(CompletionStage::toCompletableFuture).orElse(null));
  }

  /** False if the time is up, or waiting has become pointless. Blocks. */
  boolean await(InetSocketAddress address, Duration timeout, PortProbe.Abandon abandon) throws InterruptedException {
    long deadline = System.nanoTime() + timeout.toNanos();
    long askAt = System.nanoTime() + ASK_NANOS;
    while (told != null && !toldWithin(told)) {
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
    return PortProbe.await(address, Duration.ofNanos(Math.max(0, deadline - System.nanoTime())), abandon);
  }

  private static boolean toldWithin(CompletableFuture<Void> told) throws InterruptedException {
    try {
      told.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
      return true;
    } catch (TimeoutException e) {
      return false;
    } catch (ExecutionException | java.util.concurrent.CancellationException e) {
      return true;   // it cannot tell; the port can
    }
  }

  @Override
  public void close() {
    if (told != null) {
      told.cancel(false);
    }
  }
}
