package io.weir.engine.podman.internal;

import io.weir.engine.ContainerStatus;
import io.weir.engine.EngineException;
import io.weir.engine.EngineException.Code;
import io.weir.engine.podman.internal.RunningCgroups.Cgroup;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes the CPU away and gives it back, through the kernel where it may, else through Podman. Thread-safe. */
final class Freezing {
  private static final Logger LOG = LoggerFactory.getLogger(Freezing.class);
  /** Whatever cannot be stopped in this time waits for a device; the caller should not wait with it. */
  private static final Duration FREEZES_WITHIN = Duration.ofSeconds(1);

  private final Calls calls;
  private final RunningCgroups cgroups;

  Freezing(Calls calls, RunningCgroups cgroups) {
    this.calls = calls;
    this.cgroups = cgroups;
  }

  void freeze(String id) {
    String what = "freezing container " + id;
    Optional<Freezer> known = cgroups.of(id).flatMap(Cgroup::freezer);
    if (known.isPresent() && frozen(what, id, known.get())) {
      return;
    }
    Map<String, Object> json = calls.inspect(what, id);
    if (paused(json)) {
      return;
    }
    Optional<Freezer> freezer = cgroups.learn(json).flatMap(Cgroup::freezer);
    if (freezer.isEmpty() || !frozen(what, id, freezer.get())) {
      calls.run(what, session -> calls.libpod.post(what, "containers", id, "pause").within(calls.settings.callTimeout()));
    }
  }

  /** False if its freezer cannot be used any more. */
  private boolean frozen(String what, String id, Freezer freezer) {
    try {
      if (freezer.freeze(FREEZES_WITHIN)) {
        return true;
      }
    } catch (IOException e) {
      LOG.debug("{}: asking Podman instead", what, e);
      cgroups.forget(id);
      return false;
    }
    throw new EngineException(Code.TIMEOUT, what + " failed: some of its processes still ran after "
        + FREEZES_WITHIN.toSeconds() + " s, probably they wait for a disk or a network file system; it runs on");
  }

  boolean thawAtOnce(String id) {
    return thawed(id, cgroups.of(id));
  }

  void thaw(String id) {
    if (thawAtOnce(id)) {
      return;
    }
    String what = "thawing container " + id;
    Map<String, Object> json = calls.inspect(what, id);
    if (paused(json)) {
      calls.run(what, session -> calls.libpod.post(what, "containers", id, "unpause").within(calls.settings.callTimeout()));
    } else {
      thawed(id, cgroups.learn(json));
    }
  }

  /** False if Podman must be asked. */
  private boolean thawed(String id, Optional<Cgroup> cgroup) {
    Optional<Freezer> freezer = cgroup.flatMap(Cgroup::freezer);
    try {
      if (freezer.isPresent()) {
        freezer.get().thaw();
      }
      return freezer.isPresent();
    } catch (IOException e) {
      LOG.debug("container {} is not thawed, it seems to be gone", id, e);
      cgroups.forget(id);
      return false;
    }
  }

  private static boolean paused(Map<String, Object> json) {
    return Containers.state(Json.text(Json.object(json, "State"), "Status")) == ContainerStatus.State.PAUSED;
  }

  /** A signal reaches a frozen process only when it runs again, and Podman does not know what we froze. */
  void makeMortal(String id) {
    cgroups.forget(id);
    thaw(id);
  }

  /** What Podman says of a container, corrected by what it does not know. */
  ContainerStatus correct(ContainerStatus status, Map<String, Object> json) {
    return cgroups.learn(json).flatMap(Cgroup::freezer).filter(Freezing::isFrozen).isPresent()
        ? Containers.paused(status) : status;
  }

  private static boolean isFrozen(Freezer freezer) {
    try {
      return freezer.frozen();
    } catch (IOException e) {
      LOG.debug("it ended meanwhile", e);
      return false;
    }
  }
}
