package io.weir.pool.internal;

import io.weir.engine.Calibration;
import io.weir.engine.ContainerEngine;
import io.weir.engine.EngineException;
import io.weir.engine.Instance.State;
import io.weir.engine.LeaseRefused;
import io.weir.engine.Runners;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Priority;
import io.weir.function.Rung;
import io.weir.function.Source;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What is done from time to time beside the instances' own affairs: meter, probe, relieve, look up images, calibrate. */
final class Housekeeping {
  private static final Logger LOG = LoggerFactory.getLogger(Housekeeping.class);
  /** An instance that nobody has used for so long is asked whether it still listens. */
  private static final Duration PROBE_AFTER = Duration.ofSeconds(10);
  private static final int PROBE_EVERY = 5;
  private static final int SAVE_EVERY = 150;
  /** So many looks in a row without work are a quiet moment. */
  private static final int QUIET = 3;
  private static final int MOST_EVICTIONS = 8;

  private final ContainerEngine engine;
  private final Runners runners;
  private final Home home;
  private final Map<FunctionName, FunctionInstances> functions;
  private final MemoryPressure pressure;
  private final Calibrator calibrator;
  private final ExecutorService calibrations = Executors.newSingleThreadExecutor(Lifecycle.threads("weir-pool-calibrate"));
  private final AtomicBoolean looking = new AtomicBoolean();
  private final AtomicBoolean lookUpWanted = new AtomicBoolean();
  /** Revisions and images that were measured, or could not be. */
  private final Set<String> attempted = ConcurrentHashMap.newKeySet();
  private volatile boolean calibrating;
  private int looks;
  private int quietLooks;

  Housekeeping(ContainerEngine engine, Runners runners, Home home, Map<FunctionName, FunctionInstances> functions,
      MemoryPressure pressure) {
    this.engine = engine;
    this.runners = runners;
    this.home = home;
    this.functions = functions;
    this.pressure = pressure;
    this.calibrator = new Calibrator(engine, runners, home.lifecycle(), home.admission(), home.budget(), home.settings());
  }

  /** One look at everything, every few seconds; returns at once. */
  void look() {
    home.budget().press(pressure.isHigh());
    relieve();
    if (!looking.compareAndSet(false, true)) {
      return;   // the last look still waits for the engine
    }
    home.lifecycle().run(() -> {
      try {
        meter();
        if (++looks % PROBE_EVERY == 0) {
          probe();
        }
        if (looks % SAVE_EVERY == 0) {
          home.ledger().save(functions.values().stream().map(FunctionInstances::spec).collect(Collectors.toSet()));
        }
        boolean busy = calibrating || functions.values().stream().anyMatch(FunctionInstances::isBusy);
        quietLooks = busy ? 0 : quietLooks + 1;
        if (home.settings().calibrate() && quietLooks >= QUIET) {
          calibrateOne();
        }
      } finally {
        looking.set(false);
      }
    });
  }

  /** Idle instances give way when the machine, or the budget, is short of memory: one at a time, or as many as it takes. */
  private void relieve() {
    if (home.budget().pressed()) {
      home.admission().evictOne(Priority.HIGH);
    }
    for (int i = 0; home.budget().exceeded() && i < MOST_EVICTIONS; i++) {
      if (!home.admission().evictOne(Priority.HIGH)) {
        return;
      }
    }
  }

  private void meter() {
    for (FunctionInstances instances : functions.values()) {
      for (Slot slot : instances.metered()) {
        if (slot.state() == State.READY || !slot.meteredAt.equals(slot.since)) {
          slot.meteredAt = slot.since;
          try {
            instances.measured(slot, engine.stats(slot.id));
          } catch (EngineException e) {
            LOG.debug("{} cannot be metered now", slot.name, e);
          }
        }
      }
    }
    home.budget().setAside(runners.spares().stream().mapToLong(Runners.Spare::memoryBytes).sum());
  }

  /** Finds instances whose death nobody reported. */
  private void probe() {
    long now = home.nanoTime();
    for (FunctionInstances instances : functions.values()) {
      for (Slot slot : instances.metered()) {
        InetSocketAddress address = slot.address;
        if (address != null && slot.rung().compareTo(Rung.FROZEN) >= 0
            && now - slot.lastUsedNanos > PROBE_AFTER.toNanos() && !lives(slot, address)) {
          home.lifecycle().examine(slot, instances);
        }
      }
    }
  }

  /** One that the kernel would wake for a packet is not asked by packets. */
  private boolean lives(Slot slot, InetSocketAddress address) {
    if (slot.state() != State.FROZEN || !home.kernel().knows(slot)) {
      return PortProbe.accepts(address);
    }
    try {
      return engine.stats(slot.id).pids() > 0;
    } catch (EngineException e) {
      LOG.debug("{} cannot be metered now", slot.name, e);
      return e.code() != EngineException.Code.NO_SUCH_CONTAINER;
    }
  }

  /** Learns, soon, which image each function's reference stands for now; once for all who ask until it begins. */
  void imagesMayDiffer() {
    if (lookUpWanted.compareAndSet(false, true)) {
      home.lifecycle().run(() -> {
        lookUpWanted.set(false);
        lookUpImages();
      });
    }
  }

  /** Many functions may be of one image, and each question costs the engine milliseconds. */
  private void lookUpImages() {
    Map<String, Optional<String>> ids = new HashMap<>();
    for (FunctionInstances instances : functions.values()) {
      if (instances.spec().source() instanceof Source.Image image) {
        try {
          ids.computeIfAbsent(image.reference(), engine::imageId).ifPresent(instances::image);
        } catch (EngineException e) {
          LOG.debug("cannot look up {}", image.reference(), e);
          return;
        }
      }
    }
  }

  private void calibrateOne() {
    for (FunctionInstances instances : functions.values()) {
      FunctionSpec spec = instances.spec();
      String key = spec.revision() + instances.imageId();
      boolean possible = spec.source() instanceof Source.Handler || !instances.imageId().isEmpty();
      if (possible && instances.costs().unknown(Rung.FROZEN) && attempted.add(key)) {
        calibrate(instances, 1).exceptionally(e -> {
          LOG.debug("{} was not measured", spec.name(), e);
          return null;
        });
        return;
      }
    }
  }

  CompletableFuture<Calibration> calibrate(FunctionInstances instances, int rounds) {
    CompletableFuture<Calibration> result = new CompletableFuture<>();
    try {
      calibrations.execute(() -> {
        calibrating = true;
        FunctionSpec spec = instances.spec();
        Costs costs = instances.costs();
        try {
          calibrator.measure(spec, costs, rounds);
          result.complete(costs.view(spec));
        } catch (RuntimeException e) {
          result.completeExceptionally(e);
        } finally {
          calibrating = false;
        }
      });
    } catch (RejectedExecutionException e) {
      result.completeExceptionally(new LeaseRefused(LeaseRefused.Code.STOPPING, "the gateway is going down",
          Duration.ZERO, e));
    }
    return result;
  }

  /** Lets a calibration finish its round; an interrupted one would leave its container behind. */
  void close(Duration patience) throws InterruptedException {
    calibrator.close();
    calibrations.shutdown();
    if (!calibrations.awaitTermination(patience.toMillis(), TimeUnit.MILLISECONDS)) {
      calibrations.shutdownNow();
    }
  }
}
