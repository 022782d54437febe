package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import tools.jackson.jr.ob.JSON;

/**
 * What a gateway might leave behind: processes and mounts that name its folders, the bridges that its networks name,
 * interfaces, packet filter tables, network namespaces, cgroups and notes of the OCI runtime that are named after its
 * Podman's socket, network namespaces of Podman's making that were not there when this object was made, and eBPF
 * programs, maps and links that were pinned where the gateway pins them when it was told to remember them.
 */
public final class Leftovers {
  private static final Path NAMESPACES = Path.of("/run/netns");
  private static final Path INTERFACES = Path.of("/sys/class/net");
  private static final Pattern BRIDGE = Pattern.compile("\"network_interface\": *\"([^\"]+)\"");

  private final List<String> folders;
  private final Set<String> namespacesBefore = names(NAMESPACES);
  private final Map<String, Set<Long>> kernelObjects = new ConcurrentHashMap<>();

  public Leftovers(Path... folders) throws IOException {
    this.folders = Arrays.stream(folders).map(Path::toString).toList();
  }

  /** Looks at what a gateway that still runs has in the kernel: unpinned, it has no name by which it were found. */
  void remember() throws Exception {
    for (String folder : folders) {
      for (Path pins : pins(folder)) {
        for (String kind : List.of("map", "prog", "link")) {
          Set<Long> ids = kernelObjects.computeIfAbsent(kind, name -> ConcurrentHashMap.newKeySet());
          for (Map<String, Object> each : bpftool("-f", kind, "show")) {
            if (each.getOrDefault("pinned", List.of()).toString().contains(pins + "/")) {
              ids.add(((Number) each.get("id")).longValue());
              if (each.get("prog_id") instanceof Number program) {
                kernelObjects.computeIfAbsent("prog", name -> ConcurrentHashMap.newKeySet()).add(program.longValue());
              }
            }
          }
        }
      }
    }
  }

  /** Where a gateway with this run directory pins: on the machine's bpffs, or on one of its own. */
  private static List<Path> pins(String folder) throws IOException {
    String name = "weir-" + Containers.hash(Path.of(folder));
    return Stream.of(Path.of("/sys/fs/bpf", name), Path.of(folder, "bpf", name)).filter(Files::isDirectory).toList();
  }

  /** What is still there of what was remembered. The kernel gives a number to one object only, until numbers run out. */
  private Set<String> kernelObjects() throws Exception {
    Set<String> left = new TreeSet<>();
    for (var kind : kernelObjects.entrySet()) {
      bpftool(kind.getKey(), "show").stream().filter(each -> kind.getValue().contains(((Number) each.get("id")).longValue()))
          .forEach(each -> left.add(kind.getKey() + " " + each));
    }
    return left;
  }

  @SuppressWarnings("unchecked")
  private static List<Map<String, Object>> bpftool(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("bpftool", "-j"));
    command.addAll(List.of(arguments));
    // Of another's objects that vanish meanwhile it complains.
    String out = Gateway.run(new ProcessBuilder(command)).out();
    return out.isBlank() ? List.of() : (List<Map<String, Object>>) (List<?>) JSON.std.listFrom(out).stream()
        .filter(Map.class::isInstance).filter(each -> ((Map<String, Object>) each).containsKey("id")).toList();
  }

  /** Each as its pid, command line and working directory. */
  public List<String> processes() {
    return ProcessHandle.allProcesses().filter(p -> p.pid() != ProcessHandle.current().pid())
        .map(p -> p.pid() + " " + commandLine(p.pid()) + " in " + workingDirectory(p.pid()))
        .filter(this::names).toList();
  }

  public List<String> mounts() throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("/proc/mounts"))) {
      return lines.filter(this::names).toList();
    }
  }

  /** Waits a moment: conmon and Podman's own clean-up end after the container. */
  public void assertNone() {
    Awaitility.await().atMost(Duration.ofSeconds(20)).untilAsserted(() -> {
      assertThat(processes()).as("processes left behind").isEmpty();
      assertThat(mounts()).as("mounts left behind").isEmpty();
      assertThat(bridges()).as("bridges left behind").noneMatch(names(INTERFACES)::contains);
      assertThat(names(NAMESPACES)).as("network namespaces left behind")
          .noneMatch(name -> name.startsWith("netns-") && !namespacesBefore.contains(name));
      for (String folder : folders) {
        Containers containers = new Containers(Path.of(folder));
        assertThat(containers.cgroups()).as("cgroups left behind").isEmpty();
        assertThat(containers.runtimeStates()).as("notes of the OCI runtime left behind").isEmpty();
        String hash = Containers.hash(Path.of(folder));
        assertThat(names(NAMESPACES)).as("network namespaces left behind")
            .noneMatch(name -> name.startsWith("weir-" + hash + "-"));
        assertThat(names(INTERFACES)).as("interfaces left behind")
            .noneMatch(name -> name.equals("weir-" + hash) || name.startsWith("w" + hash + "-"));
        assertThat(tables()).as("packet filter tables left behind").doesNotContain("weir-" + hash)
            .doesNotContain("weir-svc-" + hash);
        assertThat(pins(folder)).as("pins left behind").isEmpty();
      }
      assertThat(kernelObjects()).as("eBPF left behind").isEmpty();
    });
  }

  /** So that a test that failed does not spoil the next ones. */
  public void unmount() throws IOException {
    for (String line : mounts().stream().sorted(Comparator.reverseOrder()).toList()) {
      try {
        Gateway.exec("umount", line.split(" ")[1]);
      } catch (Exception e) {
        throw new IOException("cannot unmount what an earlier run left: " + line, e);
      }
    }
  }

  private static String tables() throws Exception {
    return Gateway.exec("nft", "list", "tables");
  }

  private boolean names(String line) {
    return folders.stream().anyMatch(line::contains);
  }

  private static String commandLine(long pid) {
    try {
      return Files.readString(Path.of("/proc/" + pid + "/cmdline")).replace('\0', ' ');
    } catch (IOException e) {
      return "";   // it has ended meanwhile
    }
  }

  private static String workingDirectory(long pid) {
    try {
      return Files.readSymbolicLink(Path.of("/proc/" + pid + "/cwd")).toString();
    } catch (IOException e) {
      return "";
    }
  }

  private static Set<String> names(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return Set.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).collect(Collectors.toSet());
    }
  }

  /** The bridges of the networks that were declared below our folders. */
  private Set<String> bridges() throws IOException {
    Set<String> bridges = new HashSet<>();
    for (String folder : folders) {
      if (!Files.isDirectory(Path.of(folder))) {
        continue;
      }
      try (Stream<Path> files = Files.find(Path.of(folder), 3,
          (file, kind) -> file.endsWith("weir.json") && file.getParent().endsWith("networks"))) {
        for (Path file : files.toList()) {
          BRIDGE.matcher(Files.readString(file)).results().forEach(found -> bridges.add(found.group(1)));
        }
      }
    }
    return bridges;
  }
}
