package io.weir.cli.doctor;

import io.weir.cli.gateway.Gateway;
import io.weir.cli.gateway.Json;
import io.weir.cli.image.Host;
import io.weir.cli.ui.Failure;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Finds out about this machine, from /proc, /sys and the programs themselves. Changes nothing. */
public final class FactFinder {
  private static final Pattern VERSION = Pattern.compile("(\\d+\\.\\d+(?:\\.\\d+)*)");

  private FactFinder() {}

  /** @param ports those whose owner matters; {@code gateway} tells whether a taken one is ours */
  public static HostFacts ofThisMachine(Path data, List<Integer> ports, Gateway gateway) {
    String cgroups = cgroups();
    return new HostFacts(osName(), Host.debianArch(System.getProperty("os.arch", "")), System.getProperty("os.version", ""),
        version("podman"), runtimes(), programs(), cgroups, controllers(cgroups), text("/proc/cmdline").strip(),
        Files.exists(Path.of("/sys/kernel/btf/vmlinux")), isMounted("/sys/fs/bpf", "bpf"), ports(ports, gateway), freeDisk(data),
        memory(), fileSystem(Host.memoryFolder()).equals("tmpfs"), Runtime.version().feature(), Host.isRoot(), limits(),
        text("/proc/device-tree/model").contains("Raspberry Pi"), features(gateway));
  }

  private static String osName() {
    return text("/etc/os-release").lines().filter(line -> line.startsWith("PRETTY_NAME=")).findFirst()
        .map(line -> line.substring(12).replace("\"", "")).orElse("unknown");
  }

  private static Optional<String> version(String program) {
    return Host.program(program).flatMap(path -> {
      Matcher matcher = VERSION.matcher(run(path.toString(), "--version"));
      return matcher.find() ? Optional.of(matcher.group(1)) : Optional.empty();
    });
  }

  private static Map<String, String> runtimes() {
    Map<String, String> runtimes = new LinkedHashMap<>();
    for (String runtime : List.of("crun", "runc")) {
      version(runtime).ifPresent(version -> runtimes.put(runtime, version));
    }
    return runtimes;
  }

  private static Set<String> programs() {
    Set<String> programs = new TreeSet<>();
    for (String program : List.of("mmdebstrap", "musl-gcc", "conmon", "mosquitto", "ip", "nft")) {
      if (Host.program(program).isPresent()) {
        programs.add(program);
      }
    }
    // Podman's helpers live outside of the path.
    boolean netavark = Stream.of("/usr/lib/podman", "/usr/libexec/podman", "/usr/local/libexec/podman", "/usr/local/lib/podman")
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, "netavark")));
    if (netavark || Host.program("netavark").isPresent()) {
      programs.add("netavark");
    }
    if (Files.isExecutable(Path.of("/usr/libexec/podman/conmon"))) {
      programs.add("conmon");
    }
    return programs;
  }

  private static String cgroups() {
    if (fileSystem("/sys/fs/cgroup").equals("cgroup2")) {
      return "v2";
    }
    boolean v1 = text("/proc/self/mounts").lines().anyMatch(line -> line.split(" ").length > 2 && line.split(" ")[2].equals("cgroup"));
    boolean v2 = text("/proc/self/mounts").lines().anyMatch(line -> line.split(" ").length > 2 && line.split(" ")[2].equals("cgroup2"));
    return v1 && v2 ? "hybrid" : v1 ? "v1" : v2 ? "v2" : "none";
  }

  private static Set<String> controllers(String cgroups) {
    if (cgroups.equals("v2")) {
      return Set.of(text("/sys/fs/cgroup/cgroup.controllers").strip().split("\\s+"));
    }
    // subsys_name hierarchy num_cgroups enabled
    return text("/proc/cgroups").lines().filter(line -> !line.startsWith("#")).map(line -> line.split("\\s+"))
        .filter(words -> words.length > 3 && words[3].equals("1")).map(words -> words[0]).collect(Collectors.toSet());
  }

  private static boolean isMounted(String where, String type) {
    return fileSystem(where).equals(type);
  }

  /** The type of what is mounted at the longest matching place. */
  private static String fileSystem(String path) {
    String best = "";
    String type = "";
    for (String line : text("/proc/self/mounts").lines().toList()) {
      String[] words = line.split(" ");
      if (words.length > 2 && (path.equals(words[1]) || path.startsWith(words[1].endsWith("/") ? words[1] : words[1] + "/"))
          && words[1].length() >= best.length()) {
        best = words[1];
        type = words[2];
      }
    }
    return type;
  }

  private static Map<Integer, String> ports(List<Integer> ports, Gateway gateway) {
    Map<Integer, String> owners = new LinkedHashMap<>();
    String broker = brokerOf(gateway);
    for (int port : ports) {
      owners.put(port, Ports.isFree(port) ? "" : !broker.isEmpty() && (port == gateway.address().getPort() || broker.endsWith(":" + port))
          ? "weir" : Ports.owner(port));
    }
    return owners;
  }

  private static List<Feature> features(Gateway gateway) {
    try {
      return Json.maps(gateway.get("/kernel"), "features").stream().map(feature -> new Feature(Json.text(feature, "name"),
          Json.flag(feature, "active"), Json.text(feature, "how"), Json.text(feature, "why"))).toList();
    } catch (Failure e) {
      return List.of();
    }
  }

  private static String brokerOf(Gateway gateway) {
    try {
      Map<String, Object> status = gateway.get("/status");
      Object broker = status.get("broker");
      return broker instanceof Map<?, ?> map ? String.valueOf(map.get("uri")) : status.containsKey("gateway") ? "-" : "";
    } catch (Failure e) {
      return "";
    }
  }

  private static long freeDisk(Path data) {
    for (Path folder = data.toAbsolutePath(); folder != null; folder = folder.getParent()) {
      if (Files.isDirectory(folder)) {
        try {
          return Files.getFileStore(folder).getUsableSpace() / (1024 * 1024);
        } catch (IOException e) {
          return 0;
        }
      }
    }
    return 0;
  }

  private static long memory() {
    Matcher total = Pattern.compile("MemTotal:\\s+(\\d+) kB").matcher(text("/proc/meminfo"));
    return total.find() ? Long.parseLong(total.group(1)) / 1024 : 0;
  }

  private static Map<String, Long> limits() {
    Map<String, Long> limits = new LinkedHashMap<>();
    Map<String, String> names = Map.of("Max open files", "nofile", "Max processes", "nproc");
    text("/proc/self/limits").lines().forEach(line -> names.forEach((title, name) -> {
      if (line.startsWith(title)) {
        String soft = line.substring(title.length()).trim().split("\\s+")[0];
        limits.put(name, soft.equals("unlimited") ? -1 : Long.parseLong(soft));
      }
    }));
    return limits;
  }

  static String text(String file) {
    try {
      return Files.readString(Path.of(file), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return "";
    }
  }

  private static String run(String... command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getOutputStream().close();
      byte[] words = process.getInputStream().readNBytes(4096);
      if (!process.waitFor(5, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
      return new String(words, StandardCharsets.UTF_8);
    } catch (IOException e) {
      return "";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "";
    }
  }
}
