package io.weir.pool.internal;

import io.weir.engine.ContainerEngine;
import io.weir.engine.ContainerStatus;
import io.weir.engine.EngineException;
import io.weir.engine.Runners;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the engine's containers and the pool's instances together: adopts what an earlier life of the gateway left
 * running, removes its leftovers, and notices what is gone. Runs on the pool's lifecycle threads.
 */
final class Reconciler {
  private static final Logger LOG = LoggerFactory.getLogger(Reconciler.class);

  private final ContainerEngine engine;
  private final Lifecycle lifecycle;
  private final Map<FunctionName, FunctionInstances> functions;
  /** Instances of an earlier life that wait for their function, by container id. */
  private final Map<String, ContainerStatus> unclaimed = new ConcurrentHashMap<>();
  /** Of those, the ids that a function looks at, or has looked at. */
  private final Set<String> claimed = ConcurrentHashMap.newKeySet();
  /** Done once {@code unclaimed} is filled, or could not be. */
  private final CompletableFuture<Void> listed = new CompletableFuture<>();
  /** Set when the pool goes down: nobody is adopted any more. */
  private volatile boolean closed;

  /** @param functions the pool's own map, read at every look */
  Reconciler(ContainerEngine engine, Lifecycle lifecycle, Map<FunctionName, FunctionInstances> functions) {
    this.engine = engine;
    this.lifecycle = lifecycle;
    this.functions = functions;
  }

  /** Looks once for what an earlier life left; blocks. */
  void findEarlierInstances() {
    try {
      for (ContainerStatus found : engine.list(lifecycle.ownLabels())) {
        if (!found.labels().containsKey(Runners.LABEL)) {
          unclaimed.put(found.id(), found);
        }
      }
    } catch (EngineException e) {
      LOG.warn("cannot look for instances of an earlier life: {}", e.getMessage());
    } finally {
      listed.complete(null);
    }
  }

  /** What no function has claimed by now is a leftover; blocks. */
  void endClaims() {
    if (closed) {
      return;
    }
    unclaimed.keySet().removeIf(id -> !claimed.contains(id));
    sweep();
  }

  /** Hands a new function the instances of its earlier life, as soon as they are known; returns at once. */
  void claim(FunctionName name, FunctionInstances instances) {
    listed.thenRun(() -> {
      if (unclaimed.values().stream().anyMatch(found -> isOf(name, found))) {
        lifecycle.run(() -> adoptAll(name, instances));
      } else {
        instances.settle();
      }
    });
  }

  private static boolean isOf(FunctionName name, ContainerStatus found) {
    return name.value().equals(found.labels().get(Lifecycle.FUNCTION));
  }

  private void adoptAll(FunctionName name, FunctionInstances instances) {
    for (ContainerStatus found : List.copyOf(unclaimed.values())) {
      if (!closed && isOf(name, found) && claimed.add(found.id())) {
        adoptOrRemove(found, instances);
        unclaimed.remove(found.id());   // not before it is somebody's, lest a sweep take it for nobody's
      }
    }
    instances.settle();
  }

  private void adoptOrRemove(ContainerStatus found, FunctionInstances instances) {
    try {
      ContainerStatus status = engine.inspect(found.id());
      if (status.state() == ContainerStatus.State.PAUSED || status.state() == ContainerStatus.State.RUNNING) {
        // One that we froze says that it runs.
        engine.thaw(found.id());
        status = engine.inspect(found.id());
      }
      FunctionSpec spec = instances.spec();
      boolean alive = status.state() == ContainerStatus.State.RUNNING
          && spec.revision().equals(status.labels().get(Lifecycle.REVISION))
          && status.address().isPresent() && PortProbe.accepts(status.address().get());
      if (alive) {
        Slot slot = Slot.adopted(status.name(), status.id(), status.address().orElseThrow(), spec, System.nanoTime());
        lifecycle.own(slot.name);
        lifecycle.surroundings().ways(spec);
        if (instances.adopt(slot)) {
          instances.direct().join(slot, status.address().orElseThrow());
          lifecycle.tell(slot, "adopted", Duration.ZERO, "runs since " + status.created());
          return;
        }
        lifecycle.disown(slot);
      }
      lifecycle.removeLeftover(found.id(), found.name());
    } catch (EngineException e) {
      LOG.warn("leftover {} could not be looked at: {}", found.name(), e.getMessage());
    }
  }

  /** Compares the engine's containers with ours: what we do not know is removed, what is gone is declared dead; blocks. */
  void sweep() {
    if (!listed.isDone() || closed) {
      return;   // whatever is there may be adopted yet, or goes with all the others
    }
    try {
      lifecycle.removeAgain();
      Set<String> known = new HashSet<>();
      Set<String> created = new HashSet<>();
      functions.values().forEach(f -> f.slots().forEach(slot -> {
        known.add(slot.name);
        if (!slot.id.isEmpty()) {
          created.add(slot.name);   // one that is created while we list is not missing
        }
      }));
      Map<String, ContainerStatus> there = new HashMap<>();
      for (ContainerStatus found : engine.list(lifecycle.ownLabels())) {
        there.put(found.name(), found);
      }
      there.values().removeIf(found -> found.labels().containsKey(Runners.LABEL) && !known.contains(found.name()));
      for (ContainerStatus found : there.values()) {
        if (!known.contains(found.name()) && !lifecycle.owns(found.name()) && !unclaimed.containsKey(found.id())) {
          LOG.info("removing leftover container {}", found.name());
          lifecycle.removeLeftover(found.id(), found.name());
        }
      }
      functions.values().forEach(f -> f.slots().forEach(slot -> {
        if (created.contains(slot.name)) {
          ContainerStatus found = there.get(slot.name);
          if (found == null || found.state() == ContainerStatus.State.EXITED) {
            lifecycle.confirmDeath(slot, f);
          }
        }
      }));
      engine.sweep();
    } catch (EngineException e) {
      LOG.warn("cannot compare instances with the engine: {}", e.getMessage());
    }
  }

  /** Adopts nobody any more; returns at once. */
  void close() {
    closed = true;
  }

  /**
   * Removes every instance of this gateway that is still there, whoever was to look after it: one that was to be adopted, one
   * that was being made, one whose removal failed. For when all threads of the pool have ended; blocks.
   */
  void removeAll(Duration patience) {
    long deadline = System.nanoTime() + patience.toNanos();
    try {
      lifecycle.removeAgain();
      for (ContainerStatus found : engine.list(lifecycle.ownLabels())) {
        if (found.labels().containsKey(Runners.LABEL)) {
          continue;   // a spare, which its own pool removes
        }
        if (System.nanoTime() > deadline) {
          LOG.warn("there was no time to remove {}, the next start does", found.name());
          continue;
        }
        lifecycle.removeLeftover(found.id(), found.name());
      }
    } catch (EngineException e) {
      LOG.warn("cannot look for instances that are left, the next start removes them: {}", e.getMessage());
    }
  }
}
