package io.weir.event;

import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** The ring of recent events, and what can be counted from them. Thread-safe; publishing never blocks. */
public interface Events {

  void publish(GatewayEvent event);

  /** The most recent events, oldest first; at most as many as the ring holds. */
  List<GatewayEvent> recent();

  /**
   * Every event from now on, until the handle is closed. The listener is called on a thread of its own; one that falls
   * behind by more than the ring loses the oldest.
   */
  AutoCloseable subscribe(Consumer<GatewayEvent> listener);

  /** Counters since start, by name, for example {@code invocations.replied}; the names are in docs/reference.md. */
  Map<String, Long> counters();
}
