package io.weir.telemetry.internal;

import io.weir.event.GatewayEvent;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One listener, its thread, and the queue between it and the publishers; a full queue loses its oldest event. */
final class Subscription implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Subscription.class);
  private static final AtomicInteger numbers = new AtomicInteger();

  private final Class<? extends GatewayEvent> kind;
  private final Consumer<GatewayEvent> listener;
  private final BlockingQueue<GatewayEvent> queue;
  private final LongAdder dropped;
  private final Consumer<Subscription> onClose;
  private final Thread thread;
  private volatile boolean closed;

  /** @param kind what the listener wants to hear */
  Subscription(Class<? extends GatewayEvent> kind, Consumer<GatewayEvent> listener, int capacity, LongAdder dropped,
      Consumer<Subscription> onClose) {
    this.kind = kind;
    this.listener = listener;
    this.queue = new ArrayBlockingQueue<>(capacity);
    this.dropped = dropped;
    this.onClose = onClose;
    this.thread = new Thread(this::deliver, "weir-events-" + numbers.incrementAndGet());
    thread.setDaemon(true);
    thread.start();
  }

  void offer(GatewayEvent event) {
    while (!closed && kind.isInstance(event) && !queue.offer(event)) {
      if (queue.poll() != null) {
        dropped.increment();
      }
    }
  }

  private void deliver() {
    try {
      while (!closed) {
        tell(queue.take());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void tell(GatewayEvent event) {
    try {
      listener.accept(event);
    } catch (RuntimeException e) {
      log.warn("A listener of events failed on {}", event, e);
    }
  }

  /** May be called by the listener itself; does not wait for a call that is under way. */
  @Override
  public void close() {
    closed = true;
    onClose.accept(this);
    if (Thread.currentThread() != thread) {
      thread.interrupt();
    }
  }
}
