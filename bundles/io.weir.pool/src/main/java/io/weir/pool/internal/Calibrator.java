package io.weir.pool.internal;

import io.weir.engine.ContainerEngine;
import io.weir.engine.ContainerSpec;
import io.weir.engine.EngineException;
import io.weir.engine.LeaseRefused;
import io.weir.engine.Runners;
import io.weir.function.FunctionSpec;
import io.weir.function.Priority;
import io.weir.function.Rung;
import io.weir.function.Source;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Measures what each rung of a function costs here, with containers of its own. Blocks for seconds. */
final class Calibrator {
  private static final Logger LOG = LoggerFactory.getLogger(Calibrator.class);
  private static final Duration ANSWER = Duration.ofSeconds(2);
  private static final int THAWS = 3;

  private final ContainerEngine engine;
  private final Runners runners;
  private final Lifecycle lifecycle;
  private final Climb climb;
  private final Admission admission;
  private final Budget budget;
  private final Settings settings;
  private volatile boolean closed;

  Calibrator(ContainerEngine engine, Runners runners, Lifecycle lifecycle, Admission admission, Budget budget,
      Settings settings) {
    this.engine = engine;
    this.runners = runners;
    this.lifecycle = lifecycle;
    this.climb = lifecycle.climbing();
    this.admission = admission;
    this.budget = budget;
    this.settings = settings;
  }

  /** @throws LeaseRefused if the function does not come up, or there is no room for another instance of it */
  void measure(FunctionSpec spec, Costs costs, int rounds) {
    long bytes = costs.expectedBytes();
    if (!admission.admit(bytes, Priority.LOW)) {
      throw new LeaseRefused(LeaseRefused.Code.OUT_OF_MEMORY, "no room in the memory budget to measure " + spec.name()
          + ", which needs about " + (bytes >> 20) + " MiB", Duration.ofSeconds(10), null);
    }
    try {
      for (int round = 0; round < rounds; round++) {
        requireOpen();
        if (spec.source() instanceof Source.Handler) {
          runner(spec, costs);
        } else {
          fromImage(spec, costs);
          requireOpen();
          fromArmed(spec, costs);
        }
      }
    } catch (EngineException e) {
      throw new LeaseRefused(LeaseRefused.Code.START_FAILED, e.getMessage(), Duration.ZERO, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LeaseRefused(LeaseRefused.Code.STOPPING, "the gateway is going down", Duration.ZERO, e);
    } finally {
      budget.correct(-bytes);
    }
  }

  /** No more than the step that is under way. */
  void close() {
    closed = true;
  }

  private void requireOpen() {
    if (closed) {
      throw new LeaseRefused(LeaseRefused.Code.STOPPING, "the gateway is going down", Duration.ZERO, null);
    }
  }

  private void fromImage(FunctionSpec spec, Costs costs) throws InterruptedException {
    String name = lifecycle.newName(spec);
    ContainerSpec container = climb.container(name, spec);
    long began = System.nanoTime();
    String id = "";
    try {
      id = engine.create(container);
      long created = System.nanoTime();
      InetSocketAddress address = listening(engine.start(id), name);
      costs.resumed(Rung.IMAGE, Lifecycle.since(began));
      costs.resumed(Rung.CREATED, Lifecycle.since(created));
      costs.parked(Rung.CREATED, Duration.ofNanos(created - began));
      thaws(id, address, costs);
    } finally {
      discard(id, name);
    }
  }

  private void fromArmed(FunctionSpec spec, Costs costs) throws InterruptedException {
    String name = lifecycle.newName(spec);
    String id = "";
    try {
      long began = System.nanoTime();
      id = engine.create(climb.container(name, spec));
      engine.init(id);
      costs.parked(Rung.ARMED, Lifecycle.since(began));
      costs.held(Rung.ARMED, engine.stats(id).memoryBytes());
      long armed = System.nanoTime();
      listening(engine.start(id), name);
      costs.resumed(Rung.ARMED, Lifecycle.since(armed));
    } finally {
      discard(id, name);
    }
  }

  private void runner(FunctionSpec spec, Costs costs) {
    long began = System.nanoTime();
    Runners.Runner runner = runners.claim(spec, chosen -> {});
    lifecycle.own(runner.name());
    try {
      if (runner.preloaded()) {
        costs.resumed(Rung.IMAGE, Lifecycle.since(began));
      }
      thaws(runner.id(), runner.address(), costs);
    } finally {
      discard(runner.id(), runner.name());
    }
  }

  private void thaws(String id, InetSocketAddress address, Costs costs) {
    try {
      FirstByte.of(address, settings.startTimeout());   // the first answer of a process is not like the others
      for (int i = 0; i < THAWS; i++) {
        costs.resumed(Rung.RUNNING, FirstByte.of(address, ANSWER));
        long running = System.nanoTime();
        engine.freeze(id);
        costs.parked(Rung.FROZEN, Lifecycle.since(running));
        long frozen = System.nanoTime();
        engine.thaw(id);
        FirstByte.of(address, ANSWER);
        costs.resumed(Rung.FROZEN, Lifecycle.since(frozen));
      }
    } catch (IOException e) {
      LOG.debug("{} answers no OPTIONS: {}", id, e.getMessage());
    }
    long bytes = engine.stats(id).memoryBytes();
    costs.held(Rung.RUNNING, bytes);
    costs.held(Rung.FROZEN, bytes);
  }

  private InetSocketAddress listening(InetSocketAddress address, String name) throws InterruptedException {
    if (!PortProbe.await(address, settings.startTimeout(), () -> false)) {
      throw new LeaseRefused(LeaseRefused.Code.NEVER_LISTENED, name + " does not listen at " + address, Duration.ZERO, null);
    }
    return address;
  }

  private void discard(String id, String name) {
    if (!id.isEmpty()) {
      lifecycle.remove(id, name);
    }
    lifecycle.disown(name);
  }
}
