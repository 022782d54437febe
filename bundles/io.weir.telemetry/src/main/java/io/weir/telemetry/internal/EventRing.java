package io.weir.telemetry.internal;

import io.weir.event.Events;
import io.weir.event.GatewayEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.metatype.annotations.Designate;

/** The ring of recent events. A publisher takes a slot by counting up and never waits for a reader. */
@Component(name = TelemetryConfig.PID, configurationPid = TelemetryConfig.PID, immediate = true,
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = TelemetryConfig.class)
public final class EventRing implements Events {

  /** The number tells a reader whether a slot was overtaken while it read. */
  private record Slot(long number, GatewayEvent event) {}

  private final AtomicReferenceArray<@Nullable Slot> slots;
  private final AtomicLong next = new AtomicLong();
  private final List<Subscription> subscriptions = new CopyOnWriteArrayList<>();
  private final Counters counters = new Counters();

  @Activate
  public EventRing(TelemetryConfig config) {
    int size = config.ring_size();
    if (size < TelemetryConfig.MIN_RING || size > TelemetryConfig.MAX_RING) {
      throw new IllegalArgumentException(TelemetryConfig.PID + ": ring.size: '" + size + "' is not allowed; use "
          + TelemetryConfig.MIN_RING + ".." + TelemetryConfig.MAX_RING);
    }
    slots = new AtomicReferenceArray<>(size);
  }

  @Deactivate
  void close() {
    subscriptions.forEach(Subscription::close);
  }

  @Override
  public void publish(GatewayEvent event) {
    counters.count(event);
    long number = next.getAndIncrement();
    Slot mine = new Slot(number, event);
    // A publisher that was suspended for a whole round must not put an old event over a newer one.
    slots.accumulateAndGet((int) (number % slots.length()), mine,
        (there, slot) -> there == null || there.number < slot.number ? slot : there);
    for (Subscription subscription : subscriptions) {
      subscription.offer(event);
    }
  }

  @Override
  public List<GatewayEvent> recent() {
    long end = next.get();
    List<GatewayEvent> events = new ArrayList<>();
    for (long number = Math.max(0, end - slots.length()); number < end; number++) {
      Slot slot = slots.get((int) (number % slots.length()));
      if (slot != null && slot.number == number) {
        events.add(slot.event);
      }
    }
    return List.copyOf(events);
  }

  @Override
  public AutoCloseable subscribe(Consumer<GatewayEvent> listener) {
    return subscribe(GatewayEvent.class, listener);
  }

  @Override
  public <E extends GatewayEvent> AutoCloseable subscribe(Class<E> kind, Consumer<E> listener) {
    Subscription subscription = new Subscription(kind, event -> listener.accept(kind.cast(event)), slots.length(),
        counters.dropped, subscriptions::remove);
    subscriptions.add(subscription);
    return subscription;
  }

  @Override
  public Map<String, Long> counters() {
    return counters.snapshot();
  }

  @Override
  public List<Measure> measures() {
    return counters.measures();
  }
}
