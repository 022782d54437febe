package io.weir.invoker.internal;

import io.weir.engine.Lease;
import io.weir.function.FunctionSpec;
import io.weir.invocation.Invocation;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/** HTTP calls whose request and answer fit into memory, on connections that one thread looks after. Thread-safe. */
final class HeldCalls implements AutoCloseable {
  private static final int LARGEST_REQUEST = 256 << 20;
  private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

  private final IoLoop loop = new IoLoop("weir-invoker-io");
  private final IdleConnections idle = new IdleConnections();
  private final int maxReplyBytes;

  HeldCalls(int maxReplyBytes) {
    this.maxReplyBytes = maxReplyBytes;
  }

  static boolean suits(Invocation invocation) {
    long length = invocation.body().length();
    return !invocation.streamed() && invocation.body().repeatable() && length >= 0 && length <= LARGEST_REQUEST;
  }

  /**
   * Starts a call; does not block.
   *
   * @throws CallFailed if it cannot even be written down
   * @throws RejectedExecutionException after {@link #close}
   */
  void call(Invocation invocation, FunctionSpec function, Lease lease, Duration coldStart, long arrivedNanos,
      HeldCall.Listener listener) throws CallFailed {
    HeldCall call;
    try {
      call = new HeldCall(invocation, function, arrivedNanos, coldStart, maxReplyBytes, listener);
    } catch (IOException e) {
      throw new CallFailed("invalid-request", "the request's body ended early: " + e.getMessage(), true, false, e);
    }
    String instance = lease.instance();
    InetSocketAddress address = lease.address();
    for (InstanceConnection known = idle.take(instance, address); known != null; known = idle.take(instance, address)) {
      if (known.send(call)) {
        return;
      }
    }
    sendAfresh(call, instance, address);
  }

  /** On a connection that has served no other call. */
  void sendAfresh(HeldCall call, String instance, InetSocketAddress address) {
    loop.execute(() -> new InstanceConnection(this, loop, instance, address, maxReplyBytes).connect(call));
  }

  void idle(InstanceConnection connection) {
    idle.give(connection);
  }

  void ended(InstanceConnection connection) {
    idle.remove(connection);
  }

  void afterwards(Runnable task) {
    loop.afterwards(task);
  }

  /** Returns when no call is under way, or at that time. */
  void await(long untilNanos) throws InterruptedException {
    try {
      while (untilNanos - System.nanoTime() > 0 && loop.busy().orTimeout(1, TimeUnit.SECONDS).join()) {
        LockSupport.parkNanos(POLL_NANOS);
        if (Thread.interrupted()) {
          throw new InterruptedException();
        }
      }
    } catch (CompletionException e) {
      if (!(e.getCause() instanceof TimeoutException)) {
        throw e;
      }
    }
  }

  /** Fails what is under way. */
  @Override
  public void close() {
    loop.close();
  }
}
