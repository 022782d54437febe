package io.weir.pool.internal;

import io.weir.engine.ContainerEngine;
import io.weir.engine.EngineException;
import io.weir.engine.Instance.State;
import io.weir.engine.LeaseRefused;
import io.weir.engine.Runners;
import io.weir.event.Events;
import io.weir.event.GatewayEvent.InstanceChanged;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is done to containers, on threads of its own, and told to {@link FunctionInstances} when it is done.
 *
 * <p>Three kinds of threads, so that nobody waits for what nobody waits for: a bounded number for starts that
 * requests wait for, a few for chores (preparing, freezing, stopping, looking), and as many as needed for
 * thawing, which takes no time. Thread-safe; every public method returns at once.
 */
final class Lifecycle {
  private static final Logger LOG = LoggerFactory.getLogger(Lifecycle.class);
  private static final int LAST_WORDS = 5;
  private static final int KEPT_LOG_LINES = 200;
  private static final int MOST_THAWS = 64;
  /** What the removal of one container may take when many are removed. */
  private static final Duration REMOVAL = Duration.ofMillis(250);
  /** A thread that was interrupted ends within that. */
  private static final Duration BROKEN_OFF = Duration.ofSeconds(2);

  static final String MANAGED = "weir.managed";
  static final String GATEWAY = "weir.gateway";
  static final String FUNCTION = "weir.function";
  static final String REVISION = "weir.revision";

  private final ContainerEngine engine;
  private final KernelSide kernel;
  private final Events events;
  private final Settings settings;
  private final String gateway;
  private final ThreadPoolExecutor starts;
  private final ThreadPoolExecutor chores;
  private final ThreadPoolExecutor thaws;
  private final ThreadPoolExecutor asking;
  private final Climb climb;
  private final Coroner coroner;
  private final Surroundings surroundings;
  private final UsageLedger usage = new UsageLedger();
  private final SecureRandom random = new SecureRandom();
  /** Names of containers from before they are created until after they are removed. */
  private final Set<String> owned = ConcurrentHashMap.newKeySet();
  /** Names of containers that could not be removed, by id. */
  private final Map<String, String> unremoved = new ConcurrentHashMap<>();
  private final Map<FunctionName, List<String>> lastWords = new ConcurrentHashMap<>();

  Lifecycle(ContainerEngine engine, KernelSide kernel, Runners runners, Events events, Settings settings,
      String gateway) {
    this.engine = engine;
    this.kernel = kernel;
    this.events = events;
    this.settings = settings;
    this.gateway = gateway;
    this.starts = fixed(settings.parallelStarts(), "weir-pool-start");
    this.chores = fixed(Math.max(2, Runtime.getRuntime().availableProcessors()), "weir-pool-chores");
    this.thaws = new ThreadPoolExecutor(0, MOST_THAWS, 10, TimeUnit.SECONDS, new SynchronousQueue<>(),
        threads("weir-pool-thaw"), new ThreadPoolExecutor.CallerRunsPolicy());
    this.asking = new ThreadPoolExecutor(1, Integer.MAX_VALUE, 10, TimeUnit.SECONDS, new SynchronousQueue<>(),
        threads("weir-pool-engine"));
    this.surroundings = new Surroundings(engine);
    this.coroner = new Coroner(engine, this);
    this.climb = new Climb(engine, kernel, runners, settings, this, coroner);
  }

  private static ThreadPoolExecutor fixed(int size, String name) {
    return new ThreadPoolExecutor(size, size, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(),
        threads(name));
  }

  static ThreadFactory threads(String name) {
    return task -> {
      Thread thread = new Thread(task, name);
      thread.setDaemon(true);
      return thread;
    };
  }

  Surroundings surroundings() {
    return surroundings;
  }

  UsageLedger usage() {
    return usage;
  }

  Climb climbing() {
    return climb;
  }

  Map<String, String> ownLabels() {
    return Map.of(MANAGED, "true", GATEWAY, gateway);
  }

  Map<String, String> labels(FunctionSpec spec) {
    return Map.of(MANAGED, "true", GATEWAY, gateway, FUNCTION, spec.name().value(), REVISION,
        spec.revision());
  }

  String newName(FunctionSpec spec) {
    byte[] suffix = new byte[4];
    random.nextBytes(suffix);
    String name = "weir-" + spec.name() + "-" + HexFormat.of().formatHex(suffix);
    own(name);
    return name;
  }

  void own(String name) {
    owned.add(name);
  }

  void disown(Slot slot) {
    disown(slot.name);
  }

  void disown(String name) {
    owned.remove(name);
    synchronized (owned) {
      owned.notifyAll();
    }
  }

  /** Whether a container of this name is being started, used or removed. */
  boolean owns(String name) {
    return owned.contains(name);
  }

  /** Does something that nobody waits for; drops it when the pool is closed. */
  void run(Runnable chore) {
    execute(chores, chore);
  }

  private static void execute(ExecutorService executor, Runnable task) {
    try {
      executor.execute(() -> {
        try {
          task.run();
        } catch (RuntimeException e) {
          LOG.error("unexpected failure in the pool: {}", e.getMessage(), e);
        }
      });
    } catch (RejectedExecutionException e) {
      LOG.debug("the pool is closed", e);
    }
  }

  /** Asks the engine on a thread of its own, for a caller that may know sooner what comes of it. */
  <T> CompletableFuture<T> ask(Supplier<T> question) {
    return CompletableFuture.supplyAsync(question, asking);
  }

  /** Takes a slot up the ladder to its goal, step by step. */
  void climb(Slot slot, FunctionInstances owner, boolean urgent) {
    execute(urgent ? starts : chores, () -> {
      long began = System.nanoTime();
      try {
        Optional<State> step = owner.begin(slot);
        while (step.isPresent()) {
          step = step.get() == State.STOPPING ? stopped(slot)
              : step.get() == State.FREEZING ? frozen(slot, owner)
              : climb.step(slot, owner, step.get(), began);
        }
      } catch (LeaseRefused e) {
        startFailed(slot, owner, began, e);
      } catch (RuntimeException e) {
        // Whatever it is, whoever waits must hear of it, and the next start must be possible.
        startFailed(slot, owner, began, new LeaseRefused(LeaseRefused.Code.START_FAILED,
            "unexpected failure while starting " + slot.name + ": " + e, Duration.ZERO, e));
      }
    });
  }

  private Optional<State> stopped(Slot slot) {
    stopNow(slot);
    return Optional.empty();
  }

  private Optional<State> frozen(Slot slot, FunctionInstances owner) {
    freezeNow(slot, owner);
    return Optional.empty();
  }

  private void startFailed(Slot slot, FunctionInstances owner, long began, LeaseRefused failure) {
    if (failure.code() != LeaseRefused.Code.STOPPING) {
      if (slot.why.equals("prepared")) {
        LOG.debug("{} did not start: {}", slot.name, failure.getMessage());
      } else {
        LOG.warn("{} did not start: {}", slot.name, failure.getMessage());
      }
    }
    tell(slot, "start-failed", since(began), failure.getMessage());
    discard(slot);
    owner.startFailed(slot, failure);
  }

  /** Takes the CPU away from an idle instance. */
  void freeze(Slot slot, FunctionInstances owner) {
    run(() -> freezeNow(slot, owner));
  }

  private void freezeNow(Slot slot, FunctionInstances owner) {
    long began = System.nanoTime();
    try {
      engine.freeze(slot.id);
      owner.costs().parked(io.weir.function.Rung.FROZEN, since(began));
      tell(slot, "frozen", since(began), "");
      owner.frozen(slot, true);
    } catch (EngineException e) {
      LOG.warn("{} could not be frozen: {}", slot.name, e.getMessage());
      owner.frozen(slot, false);
      coroner.examine(slot, owner);
    }
  }

  /** Gives the CPU back to an instance somebody waits for; on the caller's thread if that takes no time. */
  void thaw(Slot slot, FunctionInstances owner) {
    long began = System.nanoTime();
    if (engine.thawAtOnce(slot.id)) {
      thawed(slot, owner, began);
      return;
    }
    execute(thaws, () -> {
      try {
        engine.thaw(slot.id);
        thawed(slot, owner, began);
      } catch (EngineException e) {
        coroner.bury(slot, owner, "could not be thawed: " + e.getMessage(), false);
      }
    });
  }

  private void thawed(Slot slot, FunctionInstances owner, long began) {
    owner.thawed(slot);
    tell(slot, "ready", since(began), "thawed");
  }

  /** Looks at an instance whose connection failed: it is either cleared or declared dead. */
  void examine(Slot slot, FunctionInstances owner) {
    run(() -> coroner.examine(slot, owner));
  }

  /** The engine reported the death of an instance. */
  void confirmDeath(Slot slot, FunctionInstances owner) {
    slot.dead = true;
    run(() -> coroner.confirm(slot, owner));
  }

  void stop(Slot slot) {
    run(() -> stopNow(slot));
  }

  private void stopNow(Slot slot) {
    long began = System.nanoTime();
    tell(slot, "stopping", Duration.ZERO, "");
    try {
      if (slot.address != null) {   // else it holds no process of the function
        meterLast(slot);
        engine.stop(slot.id, settings.stopGrace());
      }
    } catch (EngineException e) {
      LOG.warn("{} could not be stopped, removing it: {}", slot.name, e.getMessage());
    }
    if (slot.address != null) {
      remember(slot);
    }
    discard(slot);
    tell(slot, "stopped", since(began), "");
  }

  private void meterLast(Slot slot) {
    try {
      usage.measured(slot.function(), slot.id, engine.stats(slot.id));
    } catch (EngineException e) {
      LOG.debug("what {} used last is not known", slot.name, e);
    }
  }

  void discard(Slot slot) {
    if (!slot.id.isEmpty()) {
      usage.ended(slot.function(), slot.id);
      remove(slot.id, slot.name);
    }
    disown(slot.name);
  }

  void remove(String id, String name) {
    kernel.leave(id);
    try {
      engine.remove(id);
      unremoved.remove(id);
    } catch (EngineException e) {
      unremoved.put(id, name);
      LOG.warn("{} could not be removed; the next sweep tries again: {}", name, e.getMessage());
    }
  }

  /** Tries once more to remove what could not be removed; blocks. */
  void removeAgain() {
    Map.copyOf(unremoved).forEach(this::remove);
  }

  /** Removes a container of nobody, which an earlier life of the gateway may have left. */
  void removeLeftover(String id, String name) {
    kernel.leaveUnknown(id);
    remove(id, name);
  }

  /** A dead instance's connections end at once, whatever else is to be found out. */
  void leaveKernel(Slot slot) {
    kernel.leave(slot.id);
  }

  String lastWordsOf(Slot slot) {
    List<String> words = remember(slot);
    List<String> last = words.subList(Math.max(0, words.size() - LAST_WORDS), words.size());
    return last.isEmpty() ? "; it wrote nothing" : "; its last words: " + String.join(" | ", last);
  }

  private List<String> remember(Slot slot) {
    if (slot.id.isEmpty()) {
      return List.of();
    }
    try {
      List<String> words = engine.logs(slot.id, KEPT_LOG_LINES);
      if (!words.isEmpty()) {
        lastWords.put(slot.function(), words);
      }
      return words;
    } catch (EngineException e) {
      LOG.debug("no log of {}", slot.name, e);
      return List.of();
    }
  }

  /** What the last instance that ended had written. */
  List<String> lastWords(FunctionName function) {
    return lastWords.getOrDefault(function, List.of());
  }

  void forget(FunctionName function) {
    lastWords.remove(function);
    usage.forget(function);
  }

  static Duration since(long nanos) {
    return Duration.ofNanos(System.nanoTime() - nanos);
  }

  void tell(Slot slot, String change, Duration took, String detail) {
    events.publish(new InstanceChanged(Instant.now(), slot.function(), slot.name, change, slot.why, took,
        detail));
  }

  /**
   * Waits until everything that was begun has ended, and every thread; what takes longer is broken off. What
   * has not begun never will.
   */
  void close(Duration patience) throws InterruptedException {
    long deadline = System.nanoTime() + patience.plus(REMOVAL.multipliedBy(owned.size())).toNanos();
    synchronized (owned) {
      long left = deadline - System.nanoTime();
      while (!owned.isEmpty() && left > 0) {
        owned.wait(Math.max(1, left / 1_000_000));
        left = deadline - System.nanoTime();
      }
    }
    if (!owned.isEmpty()) {
      LOG.warn("some instances did not stop in time: {}", owned);
    }
    // A removal that is broken off may leave half of a container.
    for (ThreadPoolExecutor executor : List.of(starts, thaws, chores, asking)) {
      executor.getQueue().clear();
      executor.shutdown();
    }
    deadline = Math.max(deadline, System.nanoTime() + REMOVAL.toNanos());
    for (ThreadPoolExecutor executor : List.of(starts, thaws, chores, asking)) {
      if (!executor.awaitTermination(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        executor.shutdownNow();
        executor.awaitTermination(BROKEN_OFF.toNanos(), TimeUnit.NANOSECONDS);
      }
    }
  }
}
