package io.weir.pool.internal;

import io.weir.engine.ContainerEngine;
import io.weir.engine.ContainerSpec;
import io.weir.engine.ContainerStatus;
import io.weir.engine.EngineException;
import io.weir.engine.Instance.State;
import io.weir.engine.LeaseRefused;
import io.weir.engine.Residence;
import io.weir.engine.Runners;
import io.weir.function.FunctionSpec;
import io.weir.function.Rung;
import io.weir.function.Source;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The steps up the ladder: create, arm, start, claim. Each blocks its thread until it is done or has failed; a start, until
 * the instance takes connections, although the engine may take a while longer to say that it has started it.
 */
final class Climb {
  private static final Logger LOG = LoggerFactory.getLogger(Climb.class);
  /** How often a starting container is asked whether it is still there, beside waiting for its port: soon, then seldom. */
  private static final long FIRST_LOOK_NANOS = Duration.ofMillis(50).toNanos();
  private static final long LOOK_NANOS = Duration.ofMillis(250).toNanos();

  private final ContainerEngine engine;
  private final KernelSide kernel;
  private final Runners runners;
  private final Settings settings;
  private final Lifecycle lifecycle;
  private final Coroner coroner;

  /**
   * An instance that takes connections.
   *
   * @param engine ends when the engine knows of it
   */
  private record Up(InetSocketAddress address, CompletableFuture<InetSocketAddress> engine) {}

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
          if (slot.goal == Rung.CREATED) {
            owner.direct().expect(slot);   // so that whoever waits for it later does not wait for that
          }
          return done(slot, owner, State.CREATED, null, stepBegan);
        }
        case ARMING -> {
          engine.init(slot.id);
          owner.costs().parked(Rung.ARMED, Lifecycle.since(began));
          owner.direct().expect(slot);
          return done(slot, owner, State.ARMED, null, stepBegan);
        }
        case STARTING -> {
          Rung from = slot.from;
          Up up = slot.spec.source() instanceof Source.Handler ? claim(slot, owner) : start(slot, owner, began);
          if (slot.goal == Rung.RUNNING) {
            owner.costs().resumed(from, Lifecycle.since(began));
          }
          Optional<State> next = done(slot, owner, State.READY, up.address(), began);
          owner.direct().join(slot, up.address());   // for whoever came to count while it started
          up.engine().whenComplete((same, failure) -> {
            if (failure != null) {
              doubted(slot, owner, failure);
            }
          });
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

  private Up claim(Slot slot, FunctionInstances owner) {
    tellStarting(slot);
    Runners.Runner runner = claimFor(slot);
    String placeholder = slot.name;
    lifecycle.own(runner.name());
    owner.created(slot, runner.id(), runner.name());
    owner.direct().join(slot, runner.address());
    lifecycle.disown(placeholder);
    return new Up(runner.address(), CompletableFuture.completedFuture(runner.address()));
  }

  /** What it may connect to is settled before its handler runs. */
  private Runners.Runner claimFor(Slot slot) {
    AtomicReference<String> known = new AtomicReference<>("");
    try {
      return runners.claim(slot.spec, chosen -> {
        kernel.leave(known.getAndSet(chosen.id()));
        kernel.expect(chosen.id(), slot, chosen.address());
      });
    } catch (RuntimeException e) {
      kernel.leave(known.get());
      throw e;
    }
  }

  private Up start(Slot slot, FunctionInstances owner, long began) throws InterruptedException {
    Optional<Residence> residence = kernel.residence(slot.id);
    Optional<InetSocketAddress> settled = residence.flatMap(Residence::address4)
        .map(four -> new InetSocketAddress(four, slot.spec.port()));
    // So that from its first instruction on it may do what it is allowed to, and no more.
    settled.ifPresent(there -> owner.direct().join(slot, there));
    boolean placed = residence.flatMap(Residence::cgroup).isPresent();
    CompletableFuture<InetSocketAddress> started;
    InetSocketAddress address;
    boolean listening;
    try (Readiness readiness = Readiness.of(residence.flatMap(home -> kernel.listening(home, slot.spec.port())))) {
      // Its answer comes milliseconds after the function listens.
      started = lifecycle.ask(() -> engine.start(slot.id));
      tellStarting(slot);
      if (settled.isPresent() && readiness.isToldBefore(started, settled.get())) {
        if (!placed) {
          owner.direct().joinAgain(slot, settled.get());
        }
        return new Up(settled.get(), started);
      }
      address = answer(started);
      if (!placed) {
        owner.direct().joinAgain(slot, address);
      }
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
    return new Up(address, started);
  }

  private void tellStarting(Slot slot) {
    lifecycle.tell(slot, "starting", Duration.ZERO, slot.spec.source().toString());
  }

  private static InetSocketAddress answer(CompletableFuture<InetSocketAddress> started) throws InterruptedException {
    try {
      return started.get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e.getCause());
    }
  }

  /** It takes connections, but the engine failed to start it: one of them is wrong, or it has ended since. */
  private void doubted(Slot slot, FunctionInstances owner, Throwable failure) {
    LOG.warn("{} listens, but: {}", slot.name, failure instanceof CompletionException ? failure.getCause().getMessage()
        : failure.getMessage());
    lifecycle.examine(slot, owner);
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
