package io.weir.pool.internal;

import io.weir.engine.ContainerEngine;
import io.weir.engine.ContainerSpec;
import io.weir.engine.ContainerStatus;
import io.weir.engine.EngineException;
import io.weir.engine.Instance;
import io.weir.engine.LeaseRefused;
import io.weir.event.Events;
import io.weir.event.GatewayEvent.InstanceChanged;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is done to containers, on a bounded number of threads, and told to {@link FunctionInstances} when it is done.
 * Thread-safe; every public method returns at once.
 */
final class Lifecycle {
  private static final Logger LOG = LoggerFactory.getLogger(Lifecycle.class);
  private static final int LAST_WORDS = 5;
  private static final int KEPT_LOG_LINES = 200;
  /** How often a starting container is asked whether it is still there, beside waiting for its port. */
  private static final long LOOK_NANOS = Duration.ofMillis(250).toNanos();

  /** Podman was seen to report a death up to 250 ms late; more on a busy machine. */
  private static final Duration ENGINE_LAG = Duration.ofSeconds(2);

  static final String MANAGED = "weir.managed";
  static final String GATEWAY = "weir.gateway";
  static final String FUNCTION = "weir.function";
  static final String REVISION = "weir.revision";

  private final ContainerEngine engine;
  private final Events events;
  private final Settings settings;
  private final String gateway;
  private final ExecutorService executor;
  private final SecureRandom random = new SecureRandom();
  /** Names of containers from before they are created until after they are removed. */
  private final Set<String> owned = ConcurrentHashMap.newKeySet();
  private final Map<FunctionName, List<String>> lastWords = new ConcurrentHashMap<>();

  Lifecycle(ContainerEngine engine, Events events, Settings settings, String gateway, ExecutorService executor) {
    this.engine = engine;
    this.events = events;
    this.settings = settings;
    this.gateway = gateway;
    this.executor = executor;
  }

  Map<String, String> ownLabels() {
    return Map.of(MANAGED, "true", GATEWAY, gateway);
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

  /** Whether a container of this name is being started, used or removed. */
  boolean owns(String name) {
    return owned.contains(name);
  }

  /** Runs something on the pool's threads; drops it when the pool is closed. */
  void run(Runnable task) {
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

  void start(Slot slot, FunctionInstances owner) {
    long began = System.nanoTime();
    run(() -> {
      tell(slot, "starting", Duration.ZERO, slot.spec.source().toString());
      try {
        InetSocketAddress address = createAndAwait(slot, owner, began);
        tell(slot, "ready", Duration.ofNanos(System.nanoTime() - began), "");
        if (!owner.ready(slot, address)) {
          stopNow(slot, "no longer wanted");
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

  private void startFailed(Slot slot, FunctionInstances owner, long began, LeaseRefused failure) {
    if (failure.code() != LeaseRefused.Code.STOPPING) {
      LOG.warn("{} did not start: {}", slot.name, failure.getMessage());
    }
    tell(slot, "start-failed", Duration.ofNanos(System.nanoTime() - began), failure.getMessage());
    discard(slot);
    owner.startFailed(slot, failure);
  }

  private InetSocketAddress createAndAwait(Slot slot, FunctionInstances owner, long began) {
    FunctionSpec spec = slot.spec;
    try {
      Map<String, String> labels = Map.of(MANAGED, "true", GATEWAY, gateway, FUNCTION, spec.name().value(),
          REVISION, spec.revision());
      // The function may rely on PORT, whatever else its environment says.
      Map<String, String> environment = new HashMap<>(spec.environment());
      environment.put("PORT", Integer.toString(spec.port()));
      String id = engine.create(
          new ContainerSpec(slot.name, spec.source().toString(), spec.port(), labels, environment, spec.limits()));
      owner.created(slot, id);
      engine.start(id);
      ContainerStatus status = engine.inspect(id);
      requireRunning(slot, status);
      InetSocketAddress address = status.address().orElseThrow(() -> new EngineException(
          EngineException.Code.FAILED, slot.name + " runs but has no address; check the engine's network"));
      awaitPort(slot, address, began);
      return address;
    } catch (EngineException e) {
      throw new LeaseRefused(codeOf(e), e.getMessage(), Duration.ZERO, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LeaseRefused(LeaseRefused.Code.STOPPING, "the gateway is going down", Duration.ZERO, e);
    }
  }

  private void awaitPort(Slot slot, InetSocketAddress address, long began) throws InterruptedException {
    long[] nextLook = {System.nanoTime() + LOOK_NANOS};
    Duration left = settings.startTimeout().minusNanos(System.nanoTime() - began);
    boolean listening = PortProbe.await(address, left, () -> {
      if (!slot.dead && System.nanoTime() > nextLook[0]) {
        nextLook[0] = System.nanoTime() + LOOK_NANOS;
        requireRunning(slot, engine.inspect(slot.id));
      }
      return slot.dead;
    });
    if (slot.dead) {
      if (slot.state == Instance.State.STARTING) {
        requireRunning(slot, onceEnded(slot));
      }
      throw new LeaseRefused(LeaseRefused.Code.STOPPING, "the gateway is going down", Duration.ZERO, null);
    }
    if (!listening) {
      throw new LeaseRefused(LeaseRefused.Code.NEVER_LISTENED, "nothing listens on port " + slot.spec.port() + " of "
          + slot.name + " after " + settings.startTimeout().toSeconds()
          + " s; the function must listen on 0.0.0.0 at $PORT" + lastWordsOf(slot), Duration.ZERO, null);
    }
  }

  private void requireRunning(Slot slot, ContainerStatus seen) throws InterruptedException {
    if (seen.state() == ContainerStatus.State.EXITED || seen.state() == ContainerStatus.State.STOPPED) {
      ContainerStatus status = onceEnded(slot);
      String how = status.oomKilled()
          ? "was killed for using more than its memory limit of " + (slot.spec.limits().memoryBytes() >> 20) + " MiB"
          : "ended with exit code " + status.exitCode();
      throw new LeaseRefused(LeaseRefused.Code.START_FAILED,
          slot.name + " " + how + " before it listened on port " + slot.spec.port() + lastWordsOf(slot),
          Duration.ZERO, null);
    }
  }

  private static LeaseRefused.Code codeOf(EngineException e) {
    return switch (e.code()) {
      case NO_SUCH_IMAGE -> LeaseRefused.Code.NO_SUCH_IMAGE;
      case UNAVAILABLE, TIMEOUT -> LeaseRefused.Code.ENGINE_UNAVAILABLE;
      default -> LeaseRefused.Code.START_FAILED;
    };
  }

  /** Looks at an instance whose connection failed: it is either cleared or declared dead. */
  void examine(Slot slot, FunctionInstances owner) {
    run(() -> {
      InetSocketAddress address = slot.address;
      try {
        ContainerStatus status = engine.inspect(slot.id);
        boolean running = status.state() == ContainerStatus.State.RUNNING;
        if (running && address != null && PortProbe.await(address, Duration.ofMillis(500), () -> slot.dead)) {
          owner.cleared(slot);
          return;
        }
        bury(slot, owner, onceEnded(slot));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } catch (EngineException e) {
        if (e.code() == EngineException.Code.NO_SUCH_CONTAINER) {
          bury(slot, owner, null);
        } else if (address != null && PortProbe.accepts(address)) {
          owner.cleared(slot);
        } else {
          bury(slot, owner, null);
        }
      }
    });
  }

  /** A container's end is known to its port at once, to the engine a moment later; how it ended, only then. */
  private ContainerStatus onceEnded(Slot slot) throws InterruptedException {
    long deadline = System.nanoTime() + ENGINE_LAG.toNanos();
    ContainerStatus status = engine.inspect(slot.id);
    while (status.state() != ContainerStatus.State.EXITED && System.nanoTime() < deadline) {
      Thread.sleep(20);
      status = engine.inspect(slot.id);
    }
    return status;
  }

  /** The engine reported the death of an instance. */
  void confirmDeath(Slot slot, FunctionInstances owner) {
    slot.dead = true;
    run(() -> {
      if (slot.state == Instance.State.STARTING) {
        return;   // the thread that waits for its port says so
      }
      ContainerStatus status = null;
      try {
        status = onceEnded(slot);
        if (status.state() == ContainerStatus.State.RUNNING) {
          slot.dead = false;
          return;
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      } catch (EngineException e) {
        LOG.debug("{} is gone already", slot.name, e);
      }
      bury(slot, owner, status);
    });
  }

  private void bury(Slot slot, FunctionInstances owner, @Nullable ContainerStatus status) {
    if (!owner.died(slot)) {
      return;   // somebody else noticed first
    }
    String words = lastWordsOf(slot);
    boolean oom = status != null && status.oomKilled();
    String detail = oom ? "killed for using more than " + (slot.spec.limits().memoryBytes() >> 20) + " MiB; raise memory"
        : status == null ? "its container is gone"
        : status.state() == ContainerStatus.State.RUNNING ? "runs but accepts no connections any more; it is replaced"
        : "ended with exit code " + status.exitCode();
    LOG.warn("{} died: {}{}", slot.name, detail, words);
    tell(slot, oom ? "oom-killed" : "crashed", Duration.ZERO, detail + words);
    discard(slot);
  }

  void stop(Slot slot, String why) {
    run(() -> stopNow(slot, why));
  }

  private void stopNow(Slot slot, String why) {
    long began = System.nanoTime();
    tell(slot, "stopping", Duration.ZERO, why);
    try {
      engine.stop(slot.id, settings.stopGrace());
    } catch (EngineException e) {
      LOG.warn("{} could not be stopped, removing it: {}", slot.name, e.getMessage());
    }
    remember(slot);
    discard(slot);
    tell(slot, "stopped", Duration.ofNanos(System.nanoTime() - began), why);
  }

  private void discard(Slot slot) {
    if (!slot.id.isEmpty()) {
      remove(slot.id, slot.name);
    }
    owned.remove(slot.name);
  }

  void remove(String id, String name) {
    try {
      engine.remove(id);
    } catch (EngineException e) {
      LOG.warn("{} could not be removed; the next sweep tries again: {}", name, e.getMessage());
    }
  }

  private String lastWordsOf(Slot slot) {
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
      lastWords.put(slot.function(), words);
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
  }

  void tell(Slot slot, String change, Duration took, String detail) {
    events.publish(new InstanceChanged(Instant.now(), slot.function(), slot.name, change, "demand", took, detail));
  }
}
