package io.weir.kernel.internal;

import io.weir.kernel.Adaptor.Head;
import io.weir.kernel.Adaptor.Lane;
import io.weir.kernel.Adaptor.Place;
import io.weir.kernel.Adaptor.Subscription;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/** One element of the maps adapt_subscriptions and adapt_passed. Guarded by the lock of its adaptor. */
final class AdaptSubscription implements Subscription {
  private static final int MQTT_5 = 5;
  private static final long MILLION = 1_000_000;

  private final KernelAdaptor owner;
  private final int index;
  private final Set<String> topics = new HashSet<>();
  /** Keys of the map adapt_wanted, which the program removes when it has found the socket. */
  private final List<byte[]> expected = new ArrayList<>();
  private boolean closed;

  AdaptSubscription(KernelAdaptor owner, int index) {
    this.owner = owner;
    this.index = index;
    owner.zero("adapt_passed", index, Adapting.PASSED);
    owner.zero("adapt_subscriptions", index, Adapting.SUBSCRIPTION);
  }

  int index() {
    return index;
  }

  private <T> T open(Supplier<T> action) {
    synchronized (owner) {
      if (closed) {
        throw new IllegalStateException("the subscription is closed");
      }
      return action.get();
    }
  }

  private void want(InetSocketAddress local, InetSocketAddress remote, int role) {
    byte[] pair = Adapting.pair(local, remote);
    owner.maps().put("adapt_wanted", pair, Adapting.end(owner.ownNetns(), role, index));
    expected.add(pair);
  }

  @Override
  public void expect(InetSocketAddress own, InetSocketAddress broker) {
    open(() -> {
      want(own, broker, Adapting.CLIENT);
      want(broker, own, Adapting.BROKER);
      return true;
    });
  }

  @Override
  public Optional<Lane> lane(Place instance, InetSocketAddress own, Runnable gone) {
    Optional<Seat> seat = owner.seat(instance.container());
    return open(() -> seat.flatMap(known -> owner.take(index, known, Adapting.pair(instance.address(), own), gone)));
  }

  @Override
  public void lead(String topic, Lane lane, Head head) {
    open(() -> {
      owner.maps().put("adapt_templates", Adapting.topic(index, topic),
          Adapting.template(((AdaptLane) lane).index(), head));
      return topics.add(topic);
    });
  }

  @Override
  public void confirm(long bytes) {
    open(() -> {
      long wall = System.currentTimeMillis() * MILLION - owner.maps().ebpf().clock();
      owner.maps().put("adapt_subscriptions", Layout.number(index), Adapting.subscription(bytes, wall, MQTT_5));
      return true;
    });
  }

  @Override
  public void pause() {
    open(() -> {
      owner.zero("adapt_subscriptions", index, Adapting.SUBSCRIPTION);
      return true;
    });
  }

  @Override
  public long passed() {
    return open(() -> {
      byte[] value = new byte[Adapting.PASSED];
      Maps maps = owner.maps();
      maps.ebpf().get(maps.fd("adapt_passed"), Layout.number(index), value);
      return Layout.buffer(value).getLong();
    });
  }

  @Override
  public void close() {
    synchronized (owner) {
      if (closed) {
        return;
      }
      closed = true;
      if (owner.isOpen()) {
        owner.zero("adapt_subscriptions", index, Adapting.SUBSCRIPTION);
        topics.forEach(topic -> owner.maps().delete("adapt_templates", Adapting.topic(index, topic)));
        expected.forEach(pair -> owner.maps().delete("adapt_wanted", pair));
        owner.free(this);
      }
    }
  }
}
