package io.weir.engine.podman.internal;

import io.weir.engine.podman.internal.HostFacts.Cgroups;
import java.nio.file.Path;
import java.util.List;

/**
 * The configuration of our own Podman services, made from the facts and nothing else.
 *
 * <p>Nothing about a container may wait for a disk. From 4.4 on Podman keeps its containers in memory by itself
 * ({@code transient_store}). Before, a second service is needed: the main one has its whole store in memory and reads
 * images from the store on disk, which only the second one writes. That one has the run directories which a single
 * service has, for the store on disk remembers them.
 */
final class ServiceConf {
  private final HostFacts facts;
  private final String configuredRuntime;
  private final Path run;
  private final Path data;
  private final boolean runInMemory;

  /** What one service is started with. */
  record Texts(String containersConf, String storageConf, List<Path> directories, Path workDirectory) {}

  /**
   * @param configuredRuntime what the operator wants; empty to choose
   * @param run directory for everything that need not outlive a boot
   * @param data directory on disk for images
   * @param runInMemory whether {@code run} is on tmpfs
   */
  ServiceConf(HostFacts facts, String configuredRuntime, Path run, Path data, boolean runInMemory) {
    this.facts = facts;
    this.configuredRuntime = configuredRuntime;
    this.run = run;
    this.data = data;
    this.runInMemory = runInMemory;
  }

  /** Of the longest name there is. */
  static Path runRoot(Path run) {
    return run.resolve("run");
  }

  private static Path tmp(Path run) {
    return run.resolve("tmp");
  }

  /** Whether images are written by a service of their own. Without root an overlay in memory needs a recent kernel. */
  boolean imagesApart() {
    return !transientStore() && runInMemory && !facts.rootless();
  }

  boolean stateInMemory() {
    return runInMemory && (transientStore() || imagesApart());
  }

  private boolean transientStore() {
    return facts.podman().atLeast(4, 4);
  }

  /** Of the service that runs containers. */
  Texts main() {
    if (!imagesApart()) {
      return alone();
    }
    Path tmp = run.resolve("ctr-tmp");
    return new Texts(containersConf(tmp), storageConf(run.resolve("store"), run.resolve("ctr"),
        "additionalimagestores = [" + quoted(images()) + "]\n"),
        List.of(tmp, run.resolve("networks"), images()), tmp);
  }

  /** Of the service that writes images, if there is one. */
  Texts alone() {
    return new Texts(containersConf(tmp(run)), storageConf(images(), runRoot(run), ""),
        List.of(tmp(run), run.resolve("networks"), data), tmp(run));
  }

  private Path images() {
    return data.resolve("storage");
  }

  private String containersConf(Path tmp) {
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
        .append("tmp_dir = ").append(quoted(tmp)).append("\n\n[network]\n")
        .append("network_backend = \"netavark\"\n")
        .append("network_config_dir = ").append(quoted(run.resolve("networks"))).append('\n');
    return text.toString();
  }

  private String storageConf(Path graphRoot, Path runRoot, String options) {
    StringBuilder text = new StringBuilder("# Written by Weir at every start of its Podman service.\n[storage]\n")
        .append("driver = \"overlay\"\n")
        .append("graphroot = ").append(quoted(graphRoot)).append('\n')
        .append("runroot = ").append(quoted(runRoot)).append('\n');
    if (transientStore()) {
      // Containers need not outlive a boot, and every fsync saved is one the memory card does not see.
      text.append("transient_store = true\n");
    }
    if (!options.isEmpty()) {
      text.append("\n[storage.options]\n").append(options);
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
