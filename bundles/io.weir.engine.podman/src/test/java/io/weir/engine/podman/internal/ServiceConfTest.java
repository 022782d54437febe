package io.weir.engine.podman.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.engine.podman.internal.HostFacts.Cgroups;
import io.weir.engine.podman.internal.HostFacts.Version;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ServiceConfTest {
  /** A virtual machine without systemd, with cgroup v1 and v2 side by side and without CAP_SYS_RESOURCE. */
  private static final HostFacts SANDBOX = new HostFacts(new Version(4, 3), Optional.of(new Version(1, 8)),
      Optional.of(new Version(1, 1)), false, Cgroups.MIXED, false, false, 20_000, 32_768);
  private static final HostFacts DEBIAN_12 = new HostFacts(new Version(4, 3), Optional.of(new Version(1, 8)),
      Optional.of(new Version(1, 1)), true, Cgroups.V2, false, true, 1_048_576, 63_304);
  private static final HostFacts DEBIAN_13 = new HostFacts(new Version(5, 4), Optional.of(new Version(1, 21)),
      Optional.empty(), true, Cgroups.V2, false, true, 524_288, 63_304);
  private static final HostFacts ROOTLESS = new HostFacts(new Version(5, 4), Optional.of(new Version(1, 21)),
      Optional.empty(), true, Cgroups.V2, true, false, 524_288, 31_000);

  private static ServiceConf conf(HostFacts facts) {
    return conf(facts, true);
  }

  private static ServiceConf conf(HostFacts facts, boolean runInMemory) {
    return new ServiceConf(facts, "", Path.of("/run/weir/engine"), Path.of("/var/lib/weir"), runInMemory);
  }

  @Test
  void keepsToTheLimitsOfASandbox() {
    assertThat(conf(SANDBOX, false).main().containersConf()).isEqualTo("""
        # Written by Weir at every start of its Podman service.
        [containers]
        default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
        log_driver = "k8s-file"

        [engine]
        runtime = "runc"
        cgroup_manager = "cgroupfs"
        events_logger = "file"
        lock_type = "file"
        tmp_dir = "/run/weir/engine/tmp"

        [network]
        network_backend = "netavark"
        network_config_dir = "/run/weir/engine/networks"
        """);
    assertThat(conf(SANDBOX, false).main().storageConf()).isEqualTo("""
        # Written by Weir at every start of its Podman service.
        [storage]
        driver = "overlay"
        graphroot = "/var/lib/weir/storage"
        runroot = "/run/weir/engine/run"

        [storage.options.overlay]
        skip_mount_home = "true"
        """);
  }

  @Test
  void keepsContainersInMemoryAndReadsImagesFromDiskBeforePodman44() {
    assertThat(conf(SANDBOX).imagesApart()).isTrue();
    assertThat(conf(SANDBOX).stateInMemory()).isTrue();
    assertThat(conf(SANDBOX).main().containersConf()).contains("tmp_dir = \"/run/weir/engine/ctr-tmp\"");
    assertThat(conf(SANDBOX).main().directories()).contains(Path.of("/run/weir/engine/ctr-tmp"),
        Path.of("/var/lib/weir/storage"));
    assertThat(conf(SANDBOX).main().storageConf()).isEqualTo("""
        # Written by Weir at every start of its Podman service.
        [storage]
        driver = "overlay"
        graphroot = "/run/weir/engine/store"
        runroot = "/run/weir/engine/ctr"

        [storage.options]
        additionalimagestores = ["/var/lib/weir/storage"]

        [storage.options.overlay]
        skip_mount_home = "true"
        """);
  }

  @Test
  void writesImagesWithTheRunDirectoriesThatTheStoreOnDiskRemembers() {
    assertThat(conf(SANDBOX).alone()).isEqualTo(conf(SANDBOX, false).main());
  }

  @Test
  void needsOneServiceWhereItKeepsContainersInMemoryByItselfOrCannot() {
    assertThat(conf(DEBIAN_13).imagesApart()).isFalse();
    assertThat(conf(DEBIAN_13).stateInMemory()).isTrue();
    assertThat(conf(DEBIAN_13, false).stateInMemory()).isFalse();
    assertThat(conf(SANDBOX, false).imagesApart()).isFalse();
    assertThat(conf(SANDBOX, false).stateInMemory()).isFalse();
    HostFacts rootless = new HostFacts(new Version(4, 3), Optional.of(new Version(1, 8)), Optional.empty(), true,
        Cgroups.V2, true, false, 1, 1);
    assertThat(conf(rootless).imagesApart()).isFalse();
  }

  @Test
  void usesSystemdAndRuncOnDebian12() {
    assertThat(conf(DEBIAN_12).main().containersConf()).contains("runtime = \"runc\"", "cgroup_manager = \"systemd\"")
        .doesNotContain("ulimits");
    assertThat(conf(DEBIAN_12).main().storageConf()).doesNotContain("transient_store");
  }

  @Test
  void usesCrunAndKeepsContainersOffTheDiskOnDebian13() {
    assertThat(conf(DEBIAN_13).main().containersConf()).contains("runtime = \"crun\"", "cgroup_manager = \"systemd\"")
        .doesNotContain("ulimits");
    assertThat(conf(DEBIAN_13).main().storageConf()).contains("transient_store = true");
  }

  @Test
  void keepsToTheLimitsOfAUserWithoutRoot() {
    assertThat(conf(ROOTLESS).main().containersConf()).contains("nofile=524288:524288", "nproc=31000:31000",
        "cgroup_manager = \"systemd\"");
  }

  @Test
  void takesAnOldCrunWhereThereIsNoRuncAndWhateverIsConfigured() {
    HostFacts crunOnly = new HostFacts(new Version(4, 3), Optional.of(new Version(1, 8)), Optional.empty(), true,
        Cgroups.V2, false, true, 1, 1);

    assertThat(conf(crunOnly).runtime()).isEqualTo("crun");
    assertThat(new ServiceConf(DEBIAN_13, "/opt/youki", Path.of("/r"), Path.of("/d"), true).main().containersConf())
        .contains("runtime = \"/opt/youki\"");
  }

  @Test
  void readsTheHost() throws Exception {
    HostFacts here = HostFacts.detect(HostFacts.find("podman").orElseThrow());

    assertThat(here.podman().major()).isGreaterThanOrEqualTo(4);
    assertThat(here.files()).isBetween(1L, HostFacts.MOST);
    assertThat(here.processes()).as("the limit is shared by all functions: they are one user")
        .isBetween(1000L, HostFacts.MOST);
    assertThat(here.rootless()).isEqualTo(!System.getProperty("user.name").equals("root"));
  }

  @Test
  void readsLimitsAndVersions() {
    List<String> limits = List.of("Limit                     Soft Limit           Hard Limit           Units     ",
        "Max processes             unlimited            unlimited            processes ",
        "Max open files            1024                 524288               files     ");

    assertThat(HostFacts.hardLimit(limits, "Max open files")).isEqualTo(524_288);
    assertThat(HostFacts.hardLimit(limits, "Max processes")).isEqualTo(HostFacts.MOST);
    assertThat(Version.in("podman version 4.3.1")).contains(new Version(4, 3));
    assertThat(Version.in("runc version 1.1.5+ds1\ncommit: 1.1.5")).contains(new Version(1, 1));
    assertThat(Version.in("")).isEmpty();
    assertThat(new Version(1, 20).atLeast(1, 8)).isTrue();
    assertThat(Greeting.version("crun version 1.21\ncommit: 10")).isEqualTo("1.21");
    assertThat(Greeting.version("runc version 1.1.5+ds1\ncommit: 1.1.5")).isEqualTo("1.1.5");
  }

  @Test
  void avoidsCrunWhereItStartsNothing() {
    HostFacts mixed = new HostFacts(new Version(5, 4), Optional.of(new Version(1, 21)), Optional.of(new Version(1, 1)),
        false, Cgroups.MIXED, false, false, 20_000, 32_768);

    assertThat(conf(mixed).runtime()).isEqualTo("runc");
  }
}
