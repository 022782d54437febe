package io.weir.pool.internal;

import io.weir.engine.ContainerEngine;
import io.weir.engine.ContainerSpec;
import io.weir.engine.ContainerStatus;
import io.weir.engine.EngineException;
import io.weir.engine.Instance.State;
import io.weir.engine.LeaseRefused;
import io.weir.engine.Runners;
import io.weir.function.FunctionSpec;
import io.weir.function.Rung;
import io.weir.function.Source;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;

/** The steps up the ladder: create, arm, start, claim. Each blocks its thread until it is done or has failed. */
final class Climb {
  /** How often a starting container is asked whether it is still there, beside waiting for its port: soon, then seldom. */
  private static final long FIRST_LOOK_NANOS = Duration.ofMillis(50).toNanos();
  private static final long LOOK_NANOS = Duration.ofMillis(250).toNanos();

  private final ContainerEngine engine;
  private final KernelSide kernel;
  private final Runners runners;
  private final Settings settings;
  private final Lifecycle lifecycle;
  private final Coroner coroner;

  Climb(ContainerEngine engine, KernelSide kernel, Runners runners, Settings settings, Lifecycle lifecycle, Coroner coroner) {
    this.engine = engine;
    this.kernel = kernel;
    this.runners = runners;
    this.settings = settings;
    this.lifecycle = lifecycle;
    this.coroner = coroner;
  }

  /**
   * Does one step, and answers what the owner wants next.
   *
   * @param began when this climb began, which is what the start's time limit counts from
   */
  Optional<State> step(Slot slot, FunctionInstances owner, State step, long began) {
    long stepBegan = System.nanoTime();
    try {
      switch (step) {
        case CREATING -> {
          owner.created(slot, engine.create(container(slot.name, slot.spec)));
          return done(slot, owner, State.CREATED, null, stepBegan);
        }
        case ARMING -> {
          engine.init(slot.id);
          owner.costs().parked(Rung.ARMED, Lifecycle.since(began));
          return done(slot, owner, State.ARMED, null, stepBegan);
        }
        case STARTING -> {
          Rung from = slot.from;
          lifecycle.tell(slot, "starting", Duration.ZERO, slot.spec.source().toString());
          InetSocketAddress address = slot.spec.source() instanceof Source.Handler ? claim(slot, owner)
              : start(slot, owner, began);
          if (slot.goal == Rung.RUNNING) {
            owner.costs().resumed(from, Lifecycle.since(began));
          }
          Optional<State> next = done(slot, owner, State.READY, address, began);
          owner.direct().join(slot, address);   // for whoever came to count while it started
          return next;
        }
        default -> throw new IllegalStateException(step + " is no step up");
      }
    } catch (EngineException e) {
      throw new LeaseRefused(codeOf(e), e.getMessage(), Duration.ZERO, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LeaseRefused(LeaseRefused.Code.STOPPING, "the gateway is going down", Duration.ZERO, e);
    }
  }

  private Optional<State> done(Slot slot, FunctionInstances owner, State state,
      @org.jspecify.annotations.Nullable InetSocketAddress address, long began) {
    Optional<State> next = owner.reached(slot, state, address);
    lifecycle.tell(slot, state.name().toLowerCase(java.util.Locale.ROOT), Lifecycle.since(began), "");
    return next;
  }

  ContainerSpec container(String name, FunctionSpec spec) {
    return new ContainerSpec(name, ((Source.Image) spec.source()).reference(), spec.port(), lifecycle.labels(spec),
        lifecycle.surroundings().of(spec), spec.limits());
  }

  private InetSocketAddress claim(Slot slot, FunctionInstances owner) {
    Runners.Runner runner = runners.claim(slot.spec);
    String placeholder = slot.name;
    lifecycle.own(runner.name());
    owner.created(slot, runner.id(), runner.name());
    owner.direct().join(slot, runner.address());
    lifecycle.disown(placeholder);
    return runner.address();
  }

  private InetSocketAddress start(Slot slot, FunctionInstances owner, long began) throws InterruptedException {
    InetSocketAddress address;
    boolean listening;
    try (Readiness readiness = Readiness.of(kernel, slot.id, slot.spec.port())) {
      address = engine.start(slot.id);
      owner.direct().join(slot, address);
      long[] nextLook = {System.nanoTime() + FIRST_LOOK_NANOS};
      Duration left = settings.startTimeout().minusNanos(System.nanoTime() - began);
      listening = readiness.await(address, left, () -> {
        if (!slot.dead && System.nanoTime() > nextLook[0]) {
          nextLook[0] = System.nanoTime() + LOOK_NANOS;
          requireRunning(slot, engine.inspect(slot.id));
        }
        return slot.dead;
      });
    }
    if (slot.dead) {
      if (!slot.unwanted) {
        requireRunning(slot, coroner.onceEnded(slot));
      }
      throw new LeaseRefused(LeaseRefused.Code.STOPPING, "the gateway is going down", Duration.ZERO, null);
    }
    if (!listening) {
      throw new LeaseRefused(LeaseRefused.Code.NEVER_LISTENED, "nothing listens on port " + slot.spec.port() + " of "
          + slot.name + " after " + settings.startTimeout().toSeconds() + " s; the function must listen on 0.0.0.0 at $PORT"
          + lifecycle.lastWordsOf(slot), Duration.ZERO, null);
    }
    return address;
  }

  private void requireRunning(Slot slot, ContainerStatus seen) throws InterruptedException {
    if (seen.state() == ContainerStatus.State.EXITED || seen.state() == ContainerStatus.State.STOPPED) {
      ContainerStatus status = coroner.onceEnded(slot);
      String how = status.oomKilled()
          ? "was killed for using more than its memory limit of " + (slot.spec.limits().memoryBytes() >> 20) + " MiB"
          : "ended with exit code " + status.exitCode();
      throw new LeaseRefused(LeaseRefused.Code.START_FAILED, slot.name + " " + how + " before it listened on port "
          + slot.spec.port() + lifecycle.lastWordsOf(slot), Duration.ZERO, null);
    }
  }

  private static LeaseRefused.Code codeOf(EngineException e) {
    return switch (e.code()) {
      case NO_SUCH_IMAGE -> LeaseRefused.Code.NO_SUCH_IMAGE;
      case UNAVAILABLE, TIMEOUT -> LeaseRefused.Code.ENGINE_UNAVAILABLE;
      default -> LeaseRefused.Code.START_FAILED;
    };
  }
}
