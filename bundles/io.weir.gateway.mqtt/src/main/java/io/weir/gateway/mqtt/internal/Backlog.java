package io.weir.gateway.mqtt.internal;

import java.util.HashSet;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Messages that wait for the invoker, oldest first, and those that are with it. Not thread-safe. */
final class Backlog {
  private final TreeMap<Long, Delivery> waiting = new TreeMap<>();
  private final Set<Delivery> active = new HashSet<>();
  private int withoutReceipt;

  /** Gives up the oldest of QoS 0 that nobody works on; whether there was one. */
  boolean dropOldestWithoutReceipt() {
    for (Delivery oldest : waiting.values()) {
      if (oldest.qos() == 0) {
        waiting.remove(oldest.sequence());
        withoutReceipt--;
        return true;
      }
    }
    return false;
  }

  void add(Delivery delivery) {
    waiting.put(delivery.sequence(), delivery);
    withoutReceipt += delivery.qos() == 0 ? 1 : 0;
  }

  /** The next one to invoke, if fewer than {@code window} are active. */
  @Nullable Delivery next(int window) {
    if (waiting.isEmpty() || active.size() >= window) {
      return null;
    }
    Delivery next = waiting.pollFirstEntry().getValue();
    active.add(next);
    return next;
  }

  /** Refused; it is the next again. */
  void putBack(Delivery delivery) {
    if (active.remove(delivery)) {
      waiting.put(delivery.sequence(), delivery);
    }
  }

  /** Whether it was active until now. */
  boolean finished(Delivery delivery) {
    boolean was = active.remove(delivery);
    withoutReceipt -= was && delivery.qos() == 0 ? 1 : 0;
    return was;
  }

  boolean isEmpty() {
    return waiting.isEmpty() && active.isEmpty();
  }

  /** How many are of QoS 0: the broker does not count those. */
  int withoutReceipt() {
    return withoutReceipt;
  }
}
