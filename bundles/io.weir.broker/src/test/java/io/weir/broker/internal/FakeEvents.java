package io.weir.broker.internal;

import io.weir.event.Events;
import io.weir.event.GatewayEvent;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Keeps what was published, for tests that wait for it. */
final class FakeEvents implements Events {
  private final BlockingQueue<GatewayEvent> published = new LinkedBlockingQueue<>();

  @Override
  public void publish(GatewayEvent event) {
    published.add(event);
  }

  /** The next state of the broker that contains this text; fails after a while. */
  String awaitState(String part) throws InterruptedException {
    for (GatewayEvent event; (event = published.poll(20, TimeUnit.SECONDS)) != null; ) {
      if (event instanceof GatewayEvent.PartChanged changed && changed.state().contains(part)) {
        return changed.state();
      }
    }
    throw new AssertionError("the broker never said '" + part + "'");
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
