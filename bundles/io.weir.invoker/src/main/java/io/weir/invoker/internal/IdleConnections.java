package io.weir.invoker.internal;

import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Connections that wait for their next request, by instance: containers get the addresses of dead ones again, so the
 * address alone could lead down a connection to one that is no more. Thread-safe.
 */
final class IdleConnections {
  private final Map<String, Deque<InstanceConnection>> idle = new HashMap<>();

  /** The one used last, so that those that are too many grow old. */
  synchronized @Nullable InstanceConnection take(String instance, InetSocketAddress address) {
    Deque<InstanceConnection> of = idle.get(instance);
    InstanceConnection last = of == null ? null : of.peekLast();
    return last == null || !last.address().equals(address) ? null : of.pollLast();
  }

  synchronized void give(InstanceConnection connection) {
    idle.computeIfAbsent(connection.instance(), instance -> new ArrayDeque<>()).addLast(connection);
  }

  synchronized void remove(InstanceConnection connection) {
    Deque<InstanceConnection> of = idle.get(connection.instance());
    if (of != null && of.remove(connection) && of.isEmpty()) {
      idle.remove(connection.instance());
    }
  }

  /** Empties it. */
  synchronized List<InstanceConnection> takeAll() {
    List<InstanceConnection> all = new ArrayList<>();
    idle.values().forEach(all::addAll);
    idle.clear();
    return all;
  }

  synchronized int size() {
    return idle.values().stream().mapToInt(Deque::size).sum();
  }
}
