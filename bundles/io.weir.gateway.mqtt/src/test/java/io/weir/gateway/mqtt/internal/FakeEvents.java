package io.weir.gateway.mqtt.internal;

import io.weir.event.Events;
import io.weir.event.GatewayEvent;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** Keeps what was published and wakes who waits for it. */
final class FakeEvents implements Events {
  private final List<GatewayEvent> published = new CopyOnWriteArrayList<>();

  @Override
  public synchronized void publish(GatewayEvent event) {
    published.add(event);
    notifyAll();
  }

  /** Waits until this is so; looked at after each event. */
  synchronized void await(BooleanSupplier condition) throws InterruptedException {
    long until = System.nanoTime() + 20_000_000_000L;
    while (!condition.getAsBoolean()) {
      long left = (until - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        throw new AssertionError("waited in vain; events: " + published);
      }
      wait(Math.min(left, 100));
    }
  }

  @Override
  public List<GatewayEvent> recent() {
    return List.copyOf(published);
  }

  @Override
  public AutoCloseable subscribe(Consumer<GatewayEvent> listener) {
    return () -> {};
  }

  @Override
  public Map<String, Long> counters() {
    return Map.of();
  }
}
