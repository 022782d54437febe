package io.weir.pool.internal;

import io.weir.engine.ContainerEngine;
import io.weir.engine.Instance.State;
import io.weir.engine.Residence;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Source;
import io.weir.kernel.Traffic;
import io.weir.kernel.Traffic.Load;
import io.weir.kernel.Traffic.Member;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the kernel what becomes of instances, and asks it what they have to do. While there is no
 * {@link Traffic}, or it does not know an instance, nothing is told and nobody works but by lease.
 *
 * <p>What follows an instance's state is told with its owner's lock held, so that the kernel hears it in that
 * order; the calls take microseconds and call nobody back. Thread-safe.
 */
final class KernelSide {
  private static final Logger LOG = LoggerFactory.getLogger(KernelSide.class);

  private final ContainerEngine engine;
  /** Ids of the containers that the kernel counts. */
  private final Set<String> joined = ConcurrentHashMap.newKeySet();
  /** Of those, the ones whose load changes without a signal. */
  private final Set<String> awake = ConcurrentHashMap.newKeySet();
  private final AtomicBoolean told = new AtomicBoolean();
  private volatile @Nullable Traffic traffic;
  private volatile Runnable whenAwake = () -> {};

  KernelSide(ContainerEngine engine) {
    this.engine = engine;
  }

  /** Has this called, with a lock held, whenever an instance begins to be awake. */
  void whenAwake(Runnable hook) {
    whenAwake = hook;
  }

  /** From now on this one is told; it knows no instance yet. */
  void use(@Nullable Traffic other) {
    traffic = other;
    joined.clear();
    awake.clear();
  }

  boolean uses(Traffic one) {
    return traffic == one;
  }

  /** Whether the kernel counts this instance. */
  boolean knows(Slot slot) {
    return joined.contains(slot.id);
  }

  boolean knowsAny() {
    return !joined.isEmpty();
  }

  boolean anyAwake() {
    return !awake.isEmpty();
  }

  // ---- before an instance has a state to follow ----

  /** As {@link Traffic#listening}; empty if there is nobody to ask any more. */
  Optional<CompletionStage<Boolean>> listening(Residence residence, int port) {
    return asked(all -> all.listening(residence, port));
  }

  /** Where the container lives, if there is somebody who wants to know. */
  Optional<Residence> residence(String container) {
    return traffic == null ? Optional.empty() : engine.residence(container);
  }

  /**
   * Has the kernel count an instance, and lead connections to it if its state is one for that.
   *
   * @param spec as the function is declared now
   * @return false if it rests and has work: it must be woken
   */
  boolean join(Slot slot, FunctionSpec spec, InetSocketAddress address, Residence residence) {
    admit(slot.id, slot.counted(), spec, address, residence);
    switch (slot.state()) {
      case READY, THAWING -> open(slot);
      case FREEZING, FROZEN -> {
        open(slot);
        return rest(slot);
      }
      case DRAINING -> drain(slot);
      default -> { }
    }
    return true;
  }

  /** Has the kernel know a container that is to become this instance; nothing is led to it before that. */
  void expect(String container, Slot slot, InetSocketAddress address) {
    residence(container).ifPresent(residence ->
        admit(container, slot.counted(), slot.spec, address, residence));
  }

  private void admit(String container, FunctionName function, FunctionSpec spec, InetSocketAddress address,
      Residence residence) {
    tell(all -> {
      all.join(new Member(container, function, address, residence, spec.scaling().concurrency(),
          spec.network().egress(), spec.source() instanceof Source.Handler));
      joined.add(container);
    });
  }

  // ---- following its state; with its owner's lock held ----

  /** A slot has changed its state. */
  void entered(Slot slot, State before) {
    switch (slot.state()) {
      case READY -> {
        if (before == State.STARTING) {
          open(slot);
        } else {
          wake(slot);
        }
      }
      case DRAINING -> drain(slot);
      case STOPPING -> {
        // Until its process has ended: that it closes its connections is to reach those who wait.
        drain(slot);
        awake.remove(slot.id);
      }
      default -> { }
    }
  }

  /** New connections may be led to it, unless it is for show. */
  void open(Slot slot) {
    if (knows(slot) && !slot.unwanted && !slot.rehearsal) {
      tell(all -> all.open(slot.id));
      if (slot.state() != State.FROZEN) {
        stir(slot);
      }
    }
  }

  private void wake(Slot slot) {
    if (knows(slot)) {
      tell(all -> all.wake(slot.id));
      stir(slot);
    }
  }

  private void stir(Slot slot) {
    awake.add(slot.id);
    whenAwake.run();
  }

  private void drain(Slot slot) {
    if (knows(slot)) {
      tell(all -> all.drain(slot.id));
    }
  }

  /** Puts it to rest for the kernel; false if it has work. */
  boolean rest(Slot slot) {
    if (!knows(slot)) {
      return true;
    }
    // One that it could not take in has no work that it knew of.
    boolean resting = asked(all -> all.rest(slot.id)).orElse(true) || !loads().containsKey(slot.id);
    if (resting) {
      awake.remove(slot.id);
    }
    return resting;
  }

  /** Lets it have no new connections, and answers whether it has nothing to do. */
  boolean quiesce(Slot slot) {
    if (!knows(slot)) {
      return true;
    }
    drain(slot);
    int counted = Optional.ofNullable(loads().get(slot.id)).map(Load::inFlight).orElse(0);
    slot.direct = Math.max(0, counted - slot.inFlight);
    return slot.direct == 0;
  }

  /** It is gone, or nobody in it lives any more. */
  void leave(String container) {
    awake.remove(container);
    if (joined.remove(container)) {
      tell(all -> all.leave(container));
    }
  }

  /** Nobody here knows the container, but the kernel may from before the gateway was restarted. */
  void leaveUnknown(String container) {
    awake.remove(container);
    joined.remove(container);
    tell(all -> all.leave(container));
  }

  /** What every instance has to do, by container. */
  Map<String, Load> loads() {
    Map<String, Load> loads = new HashMap<>();
    tell(all -> all.loads().forEach(load -> loads.put(load.container(), load)));
    return loads;
  }

  private void tell(Consumer<Traffic> what) {
    asked(all -> {
      what.accept(all);
      return true;
    });
  }

  /** Empty if there is nobody to ask, also if it goes away meanwhile. */
  private <T> Optional<T> asked(Function<Traffic, T> question) {
    Traffic now = traffic;
    if (now == null) {
      return Optional.empty();
    }
    try {
      return Optional.of(question.apply(now));
    } catch (RuntimeException e) {
      if (told.compareAndSet(false, true)) {
        LOG.warn("the kernel's part of the gateway failed, which it promised not to: {}", e.toString(), e);
      } else {
        LOG.debug("the kernel's part of the gateway failed again", e);
      }
      return Optional.empty();
    }
  }
}
