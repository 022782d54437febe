package io.weir.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.cli.gateway.Gateway;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class DoctorTest {
  private static final HostFacts DEBIAN = new HostFacts("Debian GNU/Linux 13 (trixie)", "amd64", "6.12.1", Optional.of("5.4.2"),
      Map.of("crun", "1.21"), Set.of("netavark", "conmon", "mmdebstrap", "musl-gcc", "ip", "nft"), "v2", Set.of("cpu", "memory", "pids", "io"),
      "quiet", true, true, Map.of(8480, "", 1883, ""), 20_000, 4_000, true, 21, true, Map.of("nofile", 1024L, "nproc", -1L), false, List.of());

  private static HostFacts with(HostFacts h, Optional<String> podman, Map<String, String> runtimes, Set<String> programs,
      String cgroups, Set<String> controllers, String commandLine, Map<Integer, String> ports, boolean pi) {
    return new HostFacts(h.os(), h.arch(), h.kernel(), podman, runtimes, programs, cgroups, controllers, commandLine, h.btf(),
        h.bpfFileSystem(), ports, h.freeDiskMiB(), h.memoryMiB(), h.runIsTmpfs(), h.javaVersion(), h.root(), h.limits(), pi, h.features());
  }

  private static List<Finding> bad(HostFacts host) {
    return Doctor.examine(host).stream().filter(f -> f.level() != Finding.Level.OK).toList();
  }

  @Test
  void findsNothingWrongWithAFreshDebian13() {
    assertThat(bad(DEBIAN)).isEmpty();
  }

  @Test
  void findsADebian12VirtualMachineWithHybridCgroupsFit() {
    HostFacts host = with(DEBIAN, Optional.of("4.3.1"), Map.of("runc", "1.1.5", "crun", "1.8.1"), DEBIAN.programs(), "hybrid",
        DEBIAN.controllers(), "", Map.of(), false);

    assertThat(bad(host)).isEmpty();
  }

  @Test
  void tellsAPiOwnerToEnableMemoryLimits() {
    HostFacts host = with(DEBIAN, DEBIAN.podman(), DEBIAN.runtimes(), DEBIAN.programs(), "v2", Set.of("cpu", "pids", "io"),
        "cgroup_disable=memory root=/dev/mmcblk0p2", Map.of(), true);

    assertThat(bad(host)).singleElement().satisfies(finding -> {
      assertThat(finding.level()).isEqualTo(Finding.Level.FAIL);
      assertThat(finding.fix()).contains("remove cgroup_disable=memory", "cgroup_enable=memory", "/boot/firmware/cmdline.txt", "reboot");
    });
  }

  @Test
  void tellsHowToInstallPodman() {
    HostFacts host = with(DEBIAN, Optional.empty(), Map.of(), Set.of(), "v2", DEBIAN.controllers(), "", Map.of(), false);

    assertThat(bad(host)).extracting(Finding::fix).contains("apt install podman crun netavark", "apt install crun");
  }

  @Test
  void tellsWhatMakesAndOpensTheFunctionsNetwork() {
    assertThat(bad(without("nft"))).singleElement().satisfies(finding -> {
      assertThat(finding.text()).contains("functions reach the gateway and nothing else");
      assertThat(finding.fix()).isEqualTo("apt install nftables");
    });
    assertThat(bad(without("ip"))).extracting(Finding::fix).containsExactly("apt install iproute2");
  }

  private static HostFacts without(String program) {
    Set<String> programs = new java.util.TreeSet<>(DEBIAN.programs());
    programs.remove(program);
    return with(DEBIAN, DEBIAN.podman(), DEBIAN.runtimes(), programs, "v2", DEBIAN.controllers(), "", Map.of(), false);
  }

  @Test
  void namesWhoHoldsAPort() {
    HostFacts host = with(DEBIAN, DEBIAN.podman(), DEBIAN.runtimes(), DEBIAN.programs(), "v2", DEBIAN.controllers(), "",
        new TreeMap<>(Map.of(1883, "mosquitto (pid 7)", 8480, "weir")), false);

    assertThat(bad(host)).singleElement().satisfies(finding -> {
      assertThat(finding.text()).isEqualTo("port 1883 is taken by mosquitto (pid 7)");
      assertThat(finding.fix()).contains("--mqtt-port");
    });
  }

  @Test
  void warnsOfWhatIsMerelyLess() {
    HostFacts host = new HostFacts("old", "armhf", "5.10.0", Optional.of("4.2.0"), Map.of("crun", "1.8.1"), Set.of("netavark", "conmon"),
        "v1", Set.of("cpu", "memory", "pids"), "", false, false, Map.of(), 200, 300, false, 11, false, Map.of("nofile", 256L, "nproc", 100L), false,
        List.of());

    assertThat(bad(host)).extracting(Finding::subject).containsExactlyInAnyOrder("java", "podman", "runtime", "cgroups", "kernel",
        "privileges", "disk", "run", "memory", "open files", "processes", "mmdebstrap", "musl-gcc");
    assertThat(bad(host)).filteredOn(f -> f.level() == Finding.Level.FAIL).extracting(Finding::subject)
        .containsExactlyInAnyOrder("java", "podman", "disk");
    assertThat(bad(host)).allSatisfy(finding -> assertThat(finding.fix()).isNotEmpty());
  }

  @Test
  void tellsWhatTheKernelDoesForTheGateway() {
    HostFacts h = DEBIAN;
    HostFacts host = new HostFacts(h.os(), h.arch(), h.kernel(), h.podman(), h.runtimes(), h.programs(), h.cgroups(),
        h.controllers(), h.kernelCommandLine(), h.btf(), h.bpfFileSystem(), h.ports(), h.freeDiskMiB(), h.memoryMiB(),
        h.runIsTmpfs(), h.javaVersion(), h.root(), h.limits(), h.raspberryPi(),
        List.of(new Feature("meter", true, "cgroup_skb", ""), new Feature("route", false, "the gateway proxies", "no tcx")));

    assertThat(Doctor.examine(host)).extracting(Finding::text)
        .contains("kernel meter: cgroup_skb", "kernel route: off (no tcx); the gateway proxies");
    assertThat(bad(host)).isEmpty();
  }

  @Test
  void comparesVersionsByNumber() {
    assertThat(Doctor.atLeast("5.4.2", 4, 3)).isTrue();
    assertThat(Doctor.atLeast("4.10", 4, 3)).isTrue();
    assertThat(Doctor.atLeast("4.2.9", 4, 3)).isFalse();
    assertThat(Doctor.atLeast("6.18.44-fc", 5, 15)).isTrue();
    assertThat(Doctor.atLeast("", 0, 0)).isFalse();
  }

  @Test
  void findsOutAboutThisMachine() {
    HostFacts facts = FactFinder.ofThisMachine(Path.of("/nonexistent/weir"), List.of(1), new Gateway("http://127.0.0.1:1"));

    assertThat(facts.javaVersion()).isGreaterThanOrEqualTo(17);
    assertThat(facts.freeDiskMiB()).isPositive();
    assertThat(facts.memoryMiB()).isPositive();
    assertThat(facts.limits()).containsKey("nofile");
    assertThat(facts.ports()).containsKey(1);
  }
}
