package io.weir.gateway.mqtt.internal;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Messages that wait for the invoker, oldest first, and those that are with it. Not thread-safe. */
final class Backlog {
  private final boolean inOrder;
  /** Those that may be started. */
  private final TreeMap<Long, Delivery> waiting = new TreeMap<>();
  private final Set<Delivery> active = new HashSet<>();
  /** If in order, by topics of which one may be started or is active: those behind it. */
  private final Map<String, Deque<Delivery>> behind = new HashMap<>();
  private int withoutReceipt;

  /** @param inOrder whether a message waits until the one of its topic before it is finished */
  Backlog(boolean inOrder) {
    this.inOrder = inOrder;
  }

  /** Gives up the oldest of QoS 0 that nobody works on; whether there was one. */
  boolean dropOldestWithoutReceipt() {
    for (Delivery oldest : waiting.values()) {
      if (oldest.qos() == 0) {
        waiting.remove(oldest.sequence());
        withoutReceipt--;
        follow(oldest.topic());
        return true;
      }
    }
    return false;
  }

  void add(Delivery delivery) {
    Deque<Delivery> others = inOrder ? behind.get(delivery.topic()) : null;
    if (others != null) {
      others.add(delivery);
    } else {
      if (inOrder) {
        behind.put(delivery.topic(), new ArrayDeque<>());
      }
      waiting.put(delivery.sequence(), delivery);
    }
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
    if (was) {
      withoutReceipt -= delivery.qos() == 0 ? 1 : 0;
      follow(delivery.topic());
    }
    return was;
  }

  private void follow(String topic) {
    Deque<Delivery> others = behind.get(topic);
    if (others != null) {
      Delivery next = others.poll();
      if (next == null) {
        behind.remove(topic);
      } else {
        waiting.put(next.sequence(), next);
      }
    }
  }

  boolean isEmpty() {
    return waiting.isEmpty() && active.isEmpty();
  }

  /** How many are of QoS 0: the broker does not count those. */
  int withoutReceipt() {
    return withoutReceipt;
  }
}
