package io.weir.cli.doctor;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Judges a host: a pure function from facts to findings. */
public final class Doctor {
  private static final Pattern VERSION = Pattern.compile("(\\d+)\\.(\\d+).*");

  private Doctor() {}

  public static List<Finding> examine(HostFacts host) {
    List<Finding> findings = new ArrayList<>();
    java(host, findings);
    podman(host, findings);
    network(host, findings);
    runtime(host, findings);
    cgroups(host, findings);
    kernel(host, findings);
    features(host, findings);
    privileges(host, findings);
    ports(host, findings);
    storage(host, findings);
    limits(host, findings);
    tools(host, findings);
    return findings;
  }

  private static void java(HostFacts host, List<Finding> findings) {
    String text = "Java " + host.javaVersion();
    findings.add(host.javaVersion() >= 17 ? Finding.ok("java", text)
        : Finding.fail("java", text + " is too old", "apt install openjdk-17-jre-headless"));
  }

  private static void podman(HostFacts host, List<Finding> findings) {
    if (host.podman().isEmpty()) {
      findings.add(Finding.fail("podman", "podman is missing", "apt install podman crun netavark"));
      return;
    }
    String version = host.podman().get();
    findings.add(atLeast(version, 4, 3) ? Finding.ok("podman", "podman " + version)
        : Finding.fail("podman", "podman " + version + " is older than 4.3", "upgrade to Debian 12 or later"));
    if (!host.programs().contains("netavark")) {
      findings.add(Finding.fail("netavark", "netavark, which gives containers their network, is missing", "apt install netavark"));
    }
    if (!host.programs().contains("conmon")) {
      findings.add(Finding.fail("conmon", "conmon, which holds containers, is missing", "apt install conmon"));
    }
  }

  /** Ready-made networks are for root; others have Podman make one at every start. */
  private static void network(HostFacts host, List<Finding> findings) {
    if (host.root() && !host.programs().contains("ip")) {
      findings.add(Finding.warn("ip", "ip is missing: every start waits until Podman has made a network", "apt install iproute2"));
    } else if (host.root() && !host.programs().contains("nft")) {
      findings.add(Finding.warn("nft", "nft is missing: functions reach the gateway and nothing else", "apt install nftables"));
    }
  }

  private static void runtime(HostFacts host, List<Finding> findings) {
    String crun = host.runtimes().get("crun");
    String runc = host.runtimes().get("runc");
    if (crun == null && runc == null) {
      findings.add(Finding.fail("runtime", "neither crun nor runc is here to run containers", "apt install crun"));
    } else if (crun != null && atLeast(crun, 1, 20)) {
      findings.add(Finding.ok("runtime", "crun " + crun));
    } else if (crun != null) {
      findings.add(runc == null
          ? Finding.warn("runtime", "crun " + crun + " starts containers about half as fast as crun 1.20 and later",
              "nothing has to be done; Debian 13 brings a faster one")
          : Finding.ok("runtime", "crun " + crun + ", runc " + runc));
    } else {
      findings.add(Finding.ok("runtime", "runc " + runc));
    }
  }

  private static void cgroups(HostFacts host, List<Finding> findings) {
    switch (host.cgroups()) {
      case "v2" -> findings.add(Finding.ok("cgroups", "cgroups v2"));
      case "hybrid" -> findings.add(Finding.ok("cgroups", "cgroups v1 and v2 (hybrid)"));
      case "v1" -> findings.add(Finding.warn("cgroups", "cgroups v1 only: what needs v2, such as metering in the kernel, stays off",
          "boot with systemd.unified_cgroup_hierarchy=1"));
      default -> {
        findings.add(Finding.fail("cgroups", "no cgroups are mounted", "mount -t cgroup2 none /sys/fs/cgroup"));
        return;
      }
    }
    if (!host.controllers().contains("memory")) {
      findings.add(Finding.fail("memory limits", "the kernel was booted without the memory controller, so no function can be bounded",
          memoryFix(host)));
    }
    for (String controller : List.of("cpu", "pids")) {
      if (!host.controllers().contains(controller)) {
        findings.add(Finding.fail(controller + " limits", "the " + controller + " controller is not enabled",
            "use a kernel with cgroup controller " + controller + ", or enable it in cgroup.subtree_control"));
      }
    }
  }

  private static String memoryFix(HostFacts host) {
    String words = host.kernelCommandLine().contains("cgroup_disable=memory")
        ? "remove cgroup_disable=memory and add cgroup_enable=memory cgroup_memory=1" : "add cgroup_enable=memory cgroup_memory=1";
    return words + (host.raspberryPi() ? " to the one line of /boot/firmware/cmdline.txt, then reboot"
        : " to the kernel command line, then reboot");
  }

  private static void kernel(HostFacts host, List<Finding> findings) {
    findings.add(atLeast(host.kernel(), 5, 15) ? Finding.ok("kernel", "Linux " + host.kernel())
        : Finding.warn("kernel", "Linux " + host.kernel() + " is older than 5.15: eBPF features stay off", "upgrade the kernel"));
    if (!host.bpfFileSystem()) {
      findings.add(Finding.ok("bpf", "the BPF file system is not mounted at /sys/fs/bpf; Weir mounts one for itself"));
    }
    if (!host.btf()) {
      findings.add(Finding.ok("btf", "no kernel type information (BTF); Weir does not need it"));
    }
  }

  /** What does not work is done another way, so none of it keeps Weir from running. */
  private static void features(HostFacts host, List<Finding> findings) {
    for (Feature feature : host.features()) {
      String subject = "kernel " + feature.name();
      findings.add(Finding.ok(subject, feature.active() ? subject + ": " + feature.how()
          : subject + ": off (" + feature.why() + "); " + feature.how()));
    }
  }

  private static void privileges(HostFacts host, List<Finding> findings) {
    findings.add(host.root() ? Finding.ok("privileges", "root")
        : Finding.warn("privileges", "not root: containers run rootless, runtimes cannot be made, eBPF features stay off",
            "run with sudo, or as the system service"));
  }

  private static void ports(HostFacts host, List<Finding> findings) {
    new TreeMap<>(host.ports()).forEach((port, owner) -> {
      String subject = "port " + port;
      switch (owner) {
        case "" -> findings.add(Finding.ok(subject, "port " + port + " is free"));
        case "weir" -> findings.add(Finding.ok(subject, "port " + port + " is Weir's own"));
        default -> findings.add(Finding.fail(subject, "port " + port + " is taken by " + (owner.equals("?") ? "another program" : owner),
            port == 1883 ? "stop it (for example: systemctl disable --now mosquitto), or choose another with --mqtt-port"
                : "stop it, or choose another with --port"));
      }
    });
  }

  private static void storage(HostFacts host, List<Finding> findings) {
    String disk = host.freeDiskMiB() + " MiB free on disk";
    if (host.freeDiskMiB() < 300) {
      findings.add(Finding.fail("disk", disk + "; a runtime image alone takes 100 MiB", "free at least 1 GiB"));
    } else if (host.freeDiskMiB() < 1024) {
      findings.add(Finding.warn("disk", disk, "free at least 1 GiB, so that every runtime fits"));
    } else {
      findings.add(Finding.ok("disk", disk));
    }
    findings.add(host.runIsTmpfs() ? Finding.ok("run", "the state of containers is in memory")
        : Finding.warn("run", "neither /run nor /dev/shm is in memory: every start of a container waits for it, and an SD card wears out",
            "mount -t tmpfs tmpfs /run/weir, or set WEIR_RUN to a folder in memory"));
    if (host.memoryMiB() > 0 && host.memoryMiB() < 400) {
      findings.add(Finding.warn("memory", host.memoryMiB() + " MiB of memory leave little for functions", "use a board with 512 MiB or more"));
    }
  }

  private static void limits(HostFacts host, List<Finding> findings) {
    Long files = host.limits().get("nofile");
    if (files != null && files >= 0 && files < 1024) {
      findings.add(Finding.warn("open files", "only " + files + " open files are allowed", "ulimit -n 4096"));
    }
    Long processes = host.limits().get("nproc");
    if (processes != null && processes >= 0 && processes < 512) {
      findings.add(Finding.warn("processes", "only " + processes + " processes are allowed", "ulimit -u 4096"));
    }
  }

  private static void tools(HostFacts host, List<Finding> findings) {
    Map<String, String> wanted = new TreeMap<>(Map.of("mmdebstrap", "runtimes cannot be made from Debian's packages",
        "musl-gcc", "static functions cannot be compiled"));
    wanted.forEach((program, loss) -> {
      if (!host.programs().contains(program)) {
        findings.add(Finding.warn(program, program + " is missing: " + loss,
            "apt install " + (program.equals("musl-gcc") ? "musl-tools" : program)));
      }
    });
  }

  static boolean atLeast(String version, int major, int minor) {
    Matcher matcher = VERSION.matcher(version);
    if (!matcher.matches()) {
      return false;
    }
    int have = Integer.parseInt(matcher.group(1));
    return have > major || have == major && Integer.parseInt(matcher.group(2)) >= minor;
  }
}
