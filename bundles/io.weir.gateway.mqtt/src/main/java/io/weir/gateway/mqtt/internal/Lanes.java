package io.weir.gateway.mqtt.internal;

import io.weir.function.FunctionSpec;
import io.weir.function.Trigger;
import io.weir.kernel.Adaptor.Flight;
import io.weir.kernel.Adaptor.Place;
import io.weir.kernel.Adaptor.Subscription;
import java.io.IOException;
import java.nio.channels.Selector;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntConsumer;
import java.util.function.Predicate;

/** The lanes to one instance of a function, each for some of its topics. For one thread, but for asking how it goes. */
final class Lanes implements AutoCloseable {
  private static final int MOST = 4;

  private final List<Lane> all;

  private Lanes(List<Lane> all) {
    this.all = all;
  }

  /**
   * Opens them. They need no lease: the kernel counts what they bring, as it does for everybody who calls an instance
   * directly, and wakes it.
   *
   * @param gone called when the instance is to get nothing more
   * @param receipts told the packet identifiers of messages that the kernel sent, but has no receipt for
   * @return empty if the kernel does not take them up
   */
  static Optional<Lanes> open(Subscription subscription, Place instance, FunctionSpec function, Selector selector,
      Runnable gone, IntConsumer receipts) throws IOException {
    List<Trigger.Mqtt> topics = function.mqttTriggers().filter(Trigger.Mqtt::fast).toList();
    int count = Math.min(MOST, Math.min(topics.size(), function.scaling().concurrency()));
    Lanes lanes = new Lanes(new ArrayList<>());
    try {
      for (int i = 0; i < count; i++) {
        Optional<Lane> lane = Lane.open(subscription, instance, selector, gone, receipts);
        if (lane.isEmpty()) {
          lanes.close();
          return Optional.empty();
        }
        lanes.all.add(lane.get());
      }
      for (int i = 0; i < topics.size(); i++) {
        Lane lane = lanes.all.get(i % count);
        Trigger.Mqtt topic = topics.get(i);
        HeadTemplate.of(topic, instance.address())
            .ifPresent(head -> subscription.lead(topic.filter().value(), lane.kernel(), head));
      }
      return Optional.of(lanes);
    } catch (IOException | RuntimeException e) {
      lanes.close();
      throw e;
    }
  }

  private boolean all(Predicate<Flight> condition) {
    return all.stream().map(Lane::flight).allMatch(condition);
  }

  /** Whether no instance works on anything that came by them, as far as can be known. */
  boolean quiet() {
    return all.stream().allMatch(Lane::quiet);
  }

  /** Whether no message that went by them has to come again. */
  boolean settled() {
    return all.stream().allMatch(Lane::settled);
  }

  /** Whether the function gave an answer that the kernel does not take. */
  boolean handed() {
    return !all(flight -> !flight.handed());
  }

  /** Whether the kernel serves all of them. Takes the answers that come to us instead. */
  boolean healthy() {
    boolean silent = true;
    for (Lane lane : all) {
      silent &= lane.silent();
    }
    return silent && all(flight -> flight.alive() && !flight.handed());
  }

  boolean stuck(Duration most) {
    boolean stuck = false;
    for (Lane lane : all) {
      stuck |= lane.stuck(most.toNanos());
    }
    return stuck;
  }

  /** How many messages they brought. */
  long answered() {
    return all.stream().mapToLong(lane -> Integer.toUnsignedLong(lane.flight().answered())).sum();
  }

  void disable() {
    all.forEach(Lane::disable);
  }

  @Override
  public void close() {
    all.forEach(Lane::close);
  }
}
