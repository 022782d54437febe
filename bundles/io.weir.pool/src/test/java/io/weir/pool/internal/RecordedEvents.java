package io.weir.pool.internal;

import io.weir.event.Events;
import io.weir.event.GatewayEvent;
import io.weir.event.GatewayEvent.InstanceChanged;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Keeps what was published, and lets a test wait for it. */
final class RecordedEvents implements Events {
  private final BlockingQueue<InstanceChanged> changes = new LinkedBlockingQueue<>();

  @Override
  public void publish(GatewayEvent event) {
    changes.add((InstanceChanged) event);
  }

  /** The next change of this kind; others before it are dropped. */
  InstanceChanged next(String change) throws InterruptedException {
    for (InstanceChanged event = changes.poll(20, TimeUnit.SECONDS); event != null;
        event = changes.poll(20, TimeUnit.SECONDS)) {
      if (event.change().equals(change)) {
        return event;
      }
    }
    throw new AssertionError("no instance became " + change);
  }

  boolean none(String change) {
    return changes.stream().noneMatch(event -> event.change().equals(change));
  }

  @Override
  public List<GatewayEvent> recent() {
    return List.copyOf(changes);
  }

  @Override
  public AutoCloseable subscribe(Consumer<GatewayEvent> listener) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Map<String, Long> counters() {
    return Map.of();
  }
}
