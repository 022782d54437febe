package io.weir.engine.podman.internal;

import io.weir.event.Events;
import io.weir.event.GatewayEvent;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;

/** Keeps what was published. */
final class RecordingEvents implements Events {
  final BlockingQueue<GatewayEvent> published = new LinkedBlockingQueue<>();

  @Override
  public void publish(GatewayEvent event) {
    published.add(event);
  }

  @Override
  public List<GatewayEvent> recent() {
    return List.copyOf(published);
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
