package io.weir.kernel.internal;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One thread that sleeps in the kernel until there are signals. */
final class SignalThread implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SignalThread.class);
  private static final int AT_ONCE = 64;
  /** A pinned ring keeps what nobody read while the gateway was away. */
  private static final long STALE_NANOS = Duration.ofSeconds(5).toNanos();

  private final Ebpf ebpf;
  private final Pointer ring;
  private final Consumer<Signal> listener;
  private final Thread thread;
  private volatile boolean closed;

  SignalThread(Maps maps, Consumer<Signal> listener) {
    this.ebpf = maps.ebpf();
    this.listener = listener;
    this.ring = ebpf.openRing(maps.fd("signals"));
    this.thread = new Thread(this::read, "weir-kernel-signals");
    thread.setDaemon(true);
  }

  void start() {
    thread.start();
  }

  private void read() {
    try (Memory out = new Memory((long) AT_ONCE * Layout.SIGNAL)) {
      while (!closed) {
        int count = ebpf.readRing(ring, out, AT_ONCE);
        long now = ebpf.clock();
        for (int i = 0; i < count; i++) {
          Signal signal = Signal.of(
              out.getByteBuffer((long) i * Layout.SIGNAL, Layout.SIGNAL).order(ByteOrder.nativeOrder()));
          if (now - signal.atNanos() < STALE_NANOS) {
            tell(signal);
          }
        }
      }
    } catch (KernelError e) {
      LOG.error("the kernel's signals are not heard any more: functions start later than they could", e);
    }
  }

  private void tell(Signal signal) {
    try {
      listener.accept(signal);
    } catch (RuntimeException e) {
      LOG.error("{} was lost on somebody who failed", signal, e);
    }
  }

  @Override
  public void close() {
    closed = true;
    ebpf.wakeRing(ring);
    try {
      thread.join();
      ebpf.closeRing(ring);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
