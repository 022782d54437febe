package io.weir.pool.internal;

import io.weir.engine.Instance.State;
import io.weir.engine.Residence;
import io.weir.function.FunctionName;
import io.weir.kernel.Traffic.Load;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What the kernel knows of one function's instances, and nobody else: requests that reach them without a
 * lease.
 */
final class DirectCalls {
  private final Roster roster;
  private final KernelSide kernel;
  private final FunctionInstances owner;
  private final Leasing leasing;
  private final Ascent ascent;
  private final Descent descent;

  DirectCalls(Roster roster, FunctionInstances owner, Leasing leasing, Ascent ascent, Descent descent) {
    this.roster = roster;
    this.kernel = roster.home.kernel();
    this.owner = owner;
    this.leasing = leasing;
    this.ascent = ascent;
    this.descent = descent;
  }

  /** Has the kernel count an instance whose process is there, unless it does. */
  void join(Slot slot, InetSocketAddress address) {
    if (!kernel.knows(slot)) {
      joinAgain(slot, address);
    }
  }

  /** Has the kernel know an instance that is to be started later, if it is settled where that will be. */
  void expect(Slot slot) {
    settled(slot).ifPresent(address -> joinAgain(slot, address));
  }

  /** Where it is, or will be once it is started. */
  private Optional<InetSocketAddress> settled(Slot slot) {
    return Optional.ofNullable(slot.address).or(() -> kernel.residence(slot.id).flatMap(Residence::address4)
        .map(address -> new InetSocketAddress(address, slot.spec.port())));
  }

  /** The same, although the kernel knows it: where it lives, or what it may do, is another. */
  void joinAgain(Slot slot, InetSocketAddress address) {
    kernel.residence(slot.id).ifPresent(residence -> owner.decide((now, todo) -> {
      if (roster.slots.contains(slot) && !slot.unwanted
          && !kernel.join(slot, roster.spec, address, residence)) {
        touched(slot, now, now, todo);
      }
    }));
  }

  /** The kernel can be asked, or has been replaced: all that is up is made known to it. */
  void joinAll() {
    for (Slot slot : owner.slots()) {
      InetSocketAddress address = slot.address;
      if (address != null) {
        join(slot, address);
      }
    }
  }

  /** The function's declaration is another one, and with it what its instances may do. */
  void changed() {
    owner.slots().stream().filter(kernel::knows).forEach(this::expect);
  }

  /** A packet came at a time for an instance that rests. */
  void touched(String container, long at) {
    owner.decide((now, todo) -> roster.slots.stream().filter(slot -> slot.id.equals(container)).findFirst()
        .ifPresent(slot -> touched(slot, at, now, todo)));
  }

  private void touched(Slot slot, long at, long now, List<Runnable> todo) {
    arrived(at, now, todo);
    slot.lastUsedNanos = now;
    ascent.resume(slot, todo);
  }

  /** What an operator wanted only afterwards stays as it is. */
  private void arrived(long at, long now, List<Runnable> todo) {
    roster.lastCallNanos = now;
    roster.called = true;
    roster.prospect.arrived(todo);
    if (roster.pin.before(at)) {
      roster.pin.release(todo);
    }
  }

  /**
   * The last request came, or was answered, at this time; what an operator wanted only afterwards stays as it
   * is.
   *
   * @param asOf when the kernel was asked, which may be a while ago
   * @param came whether requests came without a lease
   */
  private void used(Slot slot, long at, long asOf, boolean came, List<Runnable> todo) {
    slot.lastUsedNanos = Math.max(slot.lastUsedNanos, at);
    roster.lastCallNanos = Math.max(roster.lastCallNanos, at);
    if (came) {
      roster.called = true;
      roster.prospect.arrived(todo);
      tellForecaster(slot.directSince, at, todo);
      if (roster.pin.before(slot.direct > 0 ? asOf : at)) {
        roster.pin.release(todo);
      }
    }
  }

  /** What a packet announces is told when the kernel has counted a request: a connection may end as well. */
  private void tellForecaster(int requests, long at, List<Runnable> todo) {
    if (requests > 0) {
      Forecasting forecasting = roster.home.forecasting();
      FunctionName function = roster.spec.name();
      todo.add(() -> forecasting.observe(function,
          forecasting.now().minusNanos(Math.max(0, roster.home.nanoTime() - at)), requests));
    }
  }

  /**
   * Somebody connected at a time to the function, which has no instance. He will ask for a lease; this is
   * faster.
   */
  void wanted(long at) {
    owner.decide((now, todo) -> {
      if (roster.settled && !roster.removed) {
        arrived(at, now, todo);
        ascent.bringUp(now, todo);
      }
    });
  }

  /**
   * What the kernel counted; nothing of those it does not know.
   *
   * @param asOf a time before it was asked
   */
  void counted(Map<String, Load> loads, long asOf) {
    owner.decide((now, todo) -> {
      if (roster.none(slot -> loads.containsKey(slot.id) || slot.direct > 0)) {
        return;
      }
      for (Slot slot : List.copyOf(roster.slots)) {
        counted(slot, loads.get(slot.id), asOf, now, todo);
      }
      leasing.serveWaiters(now, todo);
      roster.loadChanged(now);
      ascent.plan(now, todo);
    });
  }

  private void counted(Slot slot, @Nullable Load load, long asOf, long now, List<Runnable> todo) {
    boolean came = slot.counted(load);
    if (load != null && load.idleNanos() != Long.MAX_VALUE) {
      used(slot, asOf - load.idleNanos(), asOf, came, todo);
    }
    if (came && now - slot.readyNanos > BackOff.GOOD_LIFE.toNanos()) {
      roster.backOff.lived();
    }
    descent.endDrained(slot, todo);
    if (slot.direct > 0) {
      ascent.resume(slot, todo);   // the signal was lost
    }
  }
}
