package io.weir.gateway.mqtt.internal;

import io.weir.function.FunctionName;
import io.weir.kernel.Adaptor;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;

/** Notes what it is told, and brings nothing. */
final class FakeAdaptor implements Adaptor {
  final BlockingQueue<String> told = new LinkedBlockingQueue<>();
  final List<FakeLane> lanes = new CopyOnWriteArrayList<>();
  volatile Optional<Place> instance = Optional.empty();

  @Override
  public Optional<Place> instance(FunctionName function) {
    return instance;
  }

  @Override
  public Optional<Subscription> subscription() {
    told.add("subscription");
    return Optional.of(new FakeSubscription());
  }

  private final class FakeSubscription implements Subscription {
    private volatile long confirmed;

    @Override
    public void expect(InetSocketAddress own, InetSocketAddress broker) {
      told.add(own.getPort() > 0 ? "expect" : "expect no port");
    }

    @Override
    public Optional<Lane> lane(Place place, InetSocketAddress own, Runnable gone) {
      FakeLane lane = new FakeLane(gone);
      lanes.add(lane);
      told.add("lane");
      return Optional.of(lane);
    }

    @Override
    public void lead(String topic, Lane lane, Head head) {
      told.add("lead " + topic);
    }

    @Override
    public void confirm(long bytes) {
      confirmed = bytes;
      told.add("confirm");
    }

    @Override
    public void pause() {
      told.add("pause");
    }

    @Override
    public long passed() {
      return confirmed;
    }

    @Override
    public void close() {
      told.add("close");
    }
  }

  final class FakeLane implements Lane {
    final Runnable gone;
    volatile Flight flight = new Flight(0, 0, 0, false, true, List.of());

    private FakeLane(Runnable gone) {
      this.gone = gone;
    }

    @Override
    public Flight flight() {
      return flight;
    }

    @Override
    public void disable() {
      told.add("disable");
    }

    @Override
    public void close() {
      told.add("lane closed");
    }
  }
}
