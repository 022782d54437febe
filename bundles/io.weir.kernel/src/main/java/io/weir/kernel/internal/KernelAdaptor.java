package io.weir.kernel.internal;

import io.weir.function.FunctionName;
import io.weir.kernel.Adaptor;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * Who has which subscription and which lane; the only writer of the adaptor's maps. What became free is used again last,
 * because the broker may still have a socket of it. Its lock is held for microseconds, and guards its subscriptions, too.
 */
final class KernelAdaptor implements Adaptor, AutoCloseable {
  private final Maps maps;
  private final KernelTraffic traffic;
  private final Deque<Integer> freeSubscriptions = new ArrayDeque<>();
  private final Deque<Integer> freeLanes = new ArrayDeque<>();
  private final List<AdaptLane> lanes = new ArrayList<>();
  private final long ownNetns;
  private long nextId = new SecureRandom().nextLong() & 0xffffffff_00000000L;
  private boolean closed;

  /**
   * Ends what an earlier life left.
   *
   * @param traffic knows the instances; tells its slot when one is to get nothing more
   */
  KernelAdaptor(Maps maps, KernelTraffic traffic) {
    this.maps = maps;
    this.traffic = traffic;
    this.ownNetns = maps.ebpf().ownNetnsCookie();
    for (int i = 0; i < Adapting.SUBSCRIPTIONS; i++) {
      zero("adapt_subscriptions", i, Adapting.SUBSCRIPTION);
      freeSubscriptions.add(i);
    }
    for (int i = 0; i < Adapting.LANES; i++) {
      zero("adapt_lanes", i, Adapting.LANE);
      freeLanes.add(i);
    }
    clear("adapt_wanted", Layout.PAIR);
    clear("adapt_templates", Adapting.TOPIC_KEY);
    traffic.whenDrained(this::drained);
  }

  private void clear(String map, int keySize) {
    maps.ebpf().keys(maps.fd(map), keySize).forEach(key -> maps.delete(map, key));
  }

  void zero(String map, int index, int size) {
    maps.put(map, Layout.number(index), new byte[size]);
  }

  /** The maps, while they are there; only with the lock. */
  Maps maps() {
    if (closed) {
      throw new IllegalStateException("the kernel adapts nothing any more");
    }
    return maps;
  }

  boolean isOpen() {
    return !closed;
  }

  long ownNetns() {
    return ownNetns;
  }

  @Override
  public Optional<Place> instance(FunctionName function) {
    return traffic.ready(function);
  }

  @Override
  public synchronized Optional<Subscription> subscription() {
    maps();
    // The last one would be used again at once.
    return freeSubscriptions.size() < 2 ? Optional.empty()
        : Optional.of(new AdaptSubscription(this, freeSubscriptions.remove()));
  }

  synchronized void free(AdaptSubscription subscription) {
    freeSubscriptions.add(subscription.index());
  }

  /** An instance, which is not asked for with the lock: who says that one is gone has the lock of the instances. */
  Optional<Seat> seat(String container) {
    return traffic.seat(container);
  }

  /** A lane that nothing is on yet. */
  synchronized Optional<Lane> take(int subscription, Seat seat, byte[] pair, Runnable gone) {
    Integer index = freeLanes.poll();
    if (index == null) {
      return Optional.empty();
    }
    nextId += 1L << 32;
    AdaptLane lane = new AdaptLane(this, index, subscription, seat, pair, nextId, gone);
    lanes.add(lane);
    return Optional.of(lane);
  }

  synchronized void free(AdaptLane lane) {
    if (lanes.remove(lane)) {
      freeLanes.add(lane.index());
    }
  }

  /** The instance in this slot gets nothing more. */
  private void drained(int slot) {
    List<AdaptLane> of;
    synchronized (this) {
      if (closed) {
        return;
      }
      of = lanes.stream().filter(lane -> lane.slot() == slot).toList();
      of.forEach(AdaptLane::disable);
    }
    of.forEach(AdaptLane::gone);
  }

  /** Everything goes by the connections from here on. */
  @Override
  public synchronized void close() {
    for (int i = 0; i < Adapting.SUBSCRIPTIONS && !closed; i++) {
      zero("adapt_subscriptions", i, Adapting.SUBSCRIPTION);
    }
    closed = true;
  }
}
