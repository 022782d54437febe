package io.weir.pool.internal;

import io.weir.engine.ContainerEngine;
import io.weir.engine.ContainerStatus;
import io.weir.engine.EngineException;
import io.weir.engine.Instance.State;
import io.weir.engine.LeaseRefused;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds out whether an instance is dead, and of what. Blocks; on the pool's threads only. */
final class Coroner {
  private static final Logger LOG = LoggerFactory.getLogger(Coroner.class);
  /** Podman was seen to report a death up to 250 ms late; more on a busy machine. */
  private static final Duration ENGINE_LAG = Duration.ofSeconds(2);
  private static final Duration PROBE = Duration.ofMillis(500);

  /** One that was only prepared has not died either. */
  private static final Set<ContainerStatus.State> ALIVE = Set.of(ContainerStatus.State.RUNNING,
      ContainerStatus.State.PAUSED, ContainerStatus.State.INITIALIZED, ContainerStatus.State.CREATED);

  private final ContainerEngine engine;
  private final Lifecycle lifecycle;

  Coroner(ContainerEngine engine, Lifecycle lifecycle) {
    this.engine = engine;
    this.lifecycle = lifecycle;
  }

  /** An instance whose connection failed is either cleared or declared dead. */
  void examine(Slot slot, FunctionInstances owner) {
    InetSocketAddress address = slot.address;
    try {
      ContainerStatus status = engine.inspect(slot.id);
      boolean running = status.state() == ContainerStatus.State.RUNNING || status.state() == ContainerStatus.State.PAUSED;
      if (running && address != null && PortProbe.await(address, PROBE, () -> slot.dead)) {
        owner.cleared(slot);
        return;
      }
      // One that says it runs, but whose port is dead: perhaps nobody is left to notice its end.
      bury(slot, owner, running && !slot.dead ? status : onceEnded(slot));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (EngineException e) {
      if (e.code() != EngineException.Code.NO_SUCH_CONTAINER && address != null && PortProbe.accepts(address)) {
        owner.cleared(slot);
      } else {
        bury(slot, owner, "its container is gone", false);
      }
    }
  }

  /** The engine reported a death. */
  void confirm(Slot slot, FunctionInstances owner) {
    if (slot.state() == State.STARTING) {
      return;   // the thread that waits for its port says so
    }
    try {
      ContainerStatus status = onceEnded(slot);
      if (ALIVE.contains(status.state())) {
        slot.dead = false;
      } else {
        bury(slot, owner, status);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (EngineException e) {
      LOG.debug("{} is gone already", slot.name, e);
      bury(slot, owner, "its container is gone", false);
    }
  }

  /** A container's end is known to its port at once, to the engine a moment later; how it ended, only then. */
  ContainerStatus onceEnded(Slot slot) throws InterruptedException {
    long deadline = System.nanoTime() + ENGINE_LAG.toNanos();
    ContainerStatus status = engine.inspect(slot.id);
    while (status.state() != ContainerStatus.State.EXITED && System.nanoTime() < deadline) {
      Thread.sleep(20);
      status = engine.inspect(slot.id);
    }
    return status;
  }

  private void bury(Slot slot, FunctionInstances owner, ContainerStatus status) {
    boolean oom = status.oomKilled();
    bury(slot, owner, oom ? "killed for using more than " + (slot.spec.limits().memoryBytes() >> 20) + " MiB; raise memory"
        : status.state() != ContainerStatus.State.EXITED ? "accepts no connections any more; it is replaced"
        : "ended with exit code " + status.exitCode(), oom);
  }

  void bury(Slot slot, FunctionInstances owner, String detail, boolean oom) {
    lifecycle.leaveKernel(slot);
    String words = lifecycle.lastWordsOf(slot);
    if (!owner.died(slot, new LeaseRefused(LeaseRefused.Code.START_FAILED, slot.name + " " + detail + words,
        Duration.ZERO, null))) {
      return;   // somebody else noticed first
    }
    LOG.warn("{} died: {}{}", slot.name, detail, words);
    lifecycle.tell(slot, oom ? "oom-killed" : "crashed", Duration.ZERO, detail + words);
    lifecycle.discard(slot);
  }
}
