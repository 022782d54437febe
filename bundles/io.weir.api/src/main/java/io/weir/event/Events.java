package io.weir.event;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

  /** The same for events of one kind; all others cost the listener nothing, and no thread is woken for them. */
  default <E extends GatewayEvent> AutoCloseable subscribe(Class<E> kind, Consumer<E> listener) {
    return subscribe(event -> {
      if (kind.isInstance(event)) {
        listener.accept(kind.cast(event));
      }
    });
  }

  /** Counters since start, by name, for example {@code invocations.replied}; the names are in docs/reference/metrics.md. */
  Map<String, Long> counters();

  /** Counters since start that are told apart by more than a name, for monitoring systems; empty where nobody counts. */
  default List<Measure> measures() {
    return List.of();
  }

  /**
   * How often something happened, and how long it took.
   *
   * @param name what, for example {@code cold-starts}
   * @param labels what tells it from others of the name, in the order to show them
   * @param count how often
   * @param total how long all of it took together; empty if it has no length
   */
  record Measure(String name, Map<String, String> labels, long count, Optional<Duration> total) {}
}
