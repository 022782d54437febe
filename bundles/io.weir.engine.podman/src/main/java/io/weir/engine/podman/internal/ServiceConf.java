package io.weir.engine.podman.internal;

import io.weir.engine.podman.internal.HostFacts.Cgroups;
import java.nio.file.Path;

/** The configuration of our own Podman service, made from the facts and nothing else. */
final class ServiceConf {
  private final HostFacts facts;
  private final String configuredRuntime;
  private final Path run;
  private final Path data;

  /**
   * @param configuredRuntime what the operator wants; empty to choose
   * @param run directory on tmpfs for everything that need not outlive a boot
   * @param data directory on disk for images
   */
  ServiceConf(HostFacts facts, String configuredRuntime, Path run, Path data) {
    this.facts = facts;
    this.configuredRuntime = configuredRuntime;
    this.run = run;
    this.data = data;
  }

  static Path runRoot(Path run) {
    return run.resolve("run");
  }

  String containersConf() {
    StringBuilder text = new StringBuilder("# Written by Weir at every start of its Podman service.\n[containers]\n");
    if (!facts.mayRaiseLimits()) {
      // Podman's defaults exceed our hard limits. Soft equals hard because the REST API of Podman 4.3 swaps the two.
      text.append("default_ulimits = [").append(quoted("nofile=" + facts.files() + ":" + facts.files()))
          .append(", ").append(quoted("nproc=" + facts.processes() + ":" + facts.processes())).append("]\n");
    }
    text.append("log_driver = \"k8s-file\"\n\n[engine]\n")
        .append("runtime = ").append(quoted(runtime())).append('\n')
        .append("cgroup_manager = ").append(quoted(facts.systemd() && facts.cgroups() == Cgroups.V2 ? "systemd" : "cgroupfs"))
        .append('\n')
        .append("events_logger = \"file\"\n")
        // "shm" is one lock file for every store of the machine.
        .append("lock_type = \"file\"\n")
        .append("tmp_dir = ").append(quoted(run.resolve("tmp"))).append("\n\n[network]\n")
        .append("network_backend = \"netavark\"\n")
        .append("network_config_dir = ").append(quoted(run.resolve("networks"))).append('\n');
    return text.toString();
  }

  String storageConf() {
    StringBuilder text = new StringBuilder("# Written by Weir at every start of its Podman service.\n[storage]\n")
        .append("driver = \"overlay\"\n")
        .append("graphroot = ").append(quoted(data.resolve("storage"))).append('\n')
        .append("runroot = ").append(quoted(runRoot(run))).append('\n');
    if (facts.podman().atLeast(4, 4)) {
      // Containers need not outlive a boot, and every fsync saved is one the memory card does not see.
      text.append("transient_store = true\n");
    }
    // Or every podman mounts the folder of its layers onto itself, and leaves that mount behind for ever.
    text.append("\n[storage.options.overlay]\nskip_mount_home = \"true\"\n");
    return text.toString();
  }

  /**
   * crun caches its compiled seccomp filter from 1.20 on; before that runc is no slower and better tested. crun starts
   * nothing where both cgroup hierarchies have controllers.
   */
  String runtime() {
    if (!configuredRuntime.isEmpty()) {
      return configuredRuntime;
    }
    boolean goodCrun = facts.cgroups() != Cgroups.MIXED
        && facts.crun().filter(version -> version.atLeast(1, 20)).isPresent();
    return !goodCrun && facts.runc().isPresent() ? "runc" : "crun";
  }

  private static String quoted(Object value) {
    return '"' + value.toString().replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }
}
