package io.weir.engine.podman.internal;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The cgroups of containers that have processes, kept from the last time Podman told of them, so that freezing, thawing
 * and metering need not ask. Thread-safe.
 */
final class RunningCgroups {
  /** What can be done to a container without Podman; nothing, if {@code freezer} is empty and the meter fails. */
  record Cgroup(Optional<Freezer> freezer, CgroupMeter meter) {}

  private final CgroupTree tree;
  private final Map<String, Cgroup> known = new ConcurrentHashMap<>();

  RunningCgroups(CgroupTree tree) {
    this.tree = tree;
  }

  /**
   * Learns from an inspected container, and returns its cgroup. What Podman itself paused only Podman may continue, or
   * it would go on calling it paused.
   */
  Optional<Cgroup> learn(Map<String, Object> inspected) {
    String id = Json.text(inspected, "Id");
    Map<String, Object> state = Json.object(inspected, "State");
    // crun puts the processes into a cgroup of their own within that of systemd; limits and counters are above it.
    String cgroup = Json.text(state, "CgroupPath").replaceFirst("/container/?$", "");
    boolean has = switch (Containers.state(Json.text(state, "Status"))) {
      case RUNNING, INITIALIZED -> !cgroup.isEmpty();
      default -> false;
    };
    if (!has) {
      known.remove(id);
      return Optional.empty();
    }
    return Optional.of(known.computeIfAbsent(id,
        unknown -> new Cgroup(Freezer.of(tree, cgroup), new CgroupMeter(tree, cgroup))));
  }

  Optional<Cgroup> of(String id) {
    return Optional.ofNullable(known.get(id));
  }

  void forget(String id) {
    known.remove(id);
  }
}
