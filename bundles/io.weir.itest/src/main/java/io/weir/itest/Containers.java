package io.weir.itest;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The containers of one gateway's own Podman as the kernel sees them: by the cgroup that is named after its socket. */
public final class Containers {
  private static final Path CGROUPS = Path.of("/sys/fs/cgroup");
  private static final List<Path> RUNTIME_STATES = List.of(Path.of("/run/runc"), Path.of("/run/crun"));
  private static final Pattern CONTAINER = Pattern.compile("libpod-([0-9a-f]{64})(?:\\.scope)?");
  private static final Pattern CONMON_OF = Pattern.compile("\0-c\0([0-9a-f]{64})\0");

  private final Path run;
  private final List<String> names;

  /** @param run the gateway's run directory */
  public Containers(Path run) {
    this.run = run.toAbsolutePath();
    String hash = hash(run);
    this.names = List.of("weir-" + hash, "weir" + hash + ".slice");
  }

  /** What a gateway puts into the names of what it makes outside of its folders. */
  static String hash(Path run) {
    return String.format("%08x", run.toAbsolutePath().resolve("engine/podman.sock").hashCode());
  }

  /** Full ids of those that have a process or had one. */
  public Set<String> ids() {
    Set<String> ids = new TreeSet<>();
    for (Path root : roots()) {
      for (Path group : children(root)) {
        Matcher matcher = CONTAINER.matcher(group.getFileName().toString());
        if (matcher.matches()) {
          ids.add(matcher.group(1));
        }
      }
    }
    return ids;
  }

  /** Processes of one container, without its conmon. */
  public Set<Long> processes(String id) {
    Set<Long> pids = new TreeSet<>();
    for (Path group : groups(id)) {
      pids.addAll(pids(group.resolve("cgroup.procs")));
    }
    return pids;
  }

  /** The conmons of one container; empty if they ended. */
  public List<ProcessHandle> conmons(String id) {
    return ProcessHandle.allProcesses().filter(process -> {
      Matcher matcher = CONMON_OF.matcher(commandLine(process.pid()));
      return matcher.find() && matcher.group(1).equals(id) && commandLine(process.pid()).contains(run.toString());
    }).toList();
  }

  /** Whether the kernel keeps the CPU from it. */
  public boolean frozen(String id) throws IOException {
    for (Path group : groups(id)) {
      Path state = group.resolve("freezer.state");
      Path events = group.resolve("cgroup.events");
      if (Files.exists(state) ? Files.readString(state).strip().equals("FROZEN")
          : Files.exists(events) && Files.readString(events).lines().anyMatch("frozen 1"::equals)) {
        return true;
      }
    }
    return false;
  }

  /** CPU time used so far, in the unit of the kernel's file. */
  public long cpuTime(String id) throws IOException {
    for (Path group : groups(id)) {
      Path v1 = group.resolve("cpuacct.usage");
      if (Files.exists(v1)) {
        return Long.parseLong(Files.readString(v1).strip());
      }
    }
    for (Path group : groups(id)) {
      Path v2 = group.resolve("cpu.stat");
      if (Files.exists(v2)) {
        return Files.readString(v2).lines().filter(line -> line.startsWith("usage_usec ")).findFirst()
            .map(line -> Long.parseLong(line.split(" ")[1])).orElseThrow();
      }
    }
    throw new IOException("no cgroup tells the CPU time of " + id);
  }

  /** Cgroups that are left, in any hierarchy. */
  public List<Path> cgroups() {
    List<Path> all = new ArrayList<>();
    for (Path root : roots()) {
      all.add(root);
      all.addAll(children(root));
    }
    return all;
  }

  /** What the OCI runtime keeps of containers below our cgroup. */
  public List<Path> runtimeStates() throws IOException {
    List<Path> ours = new ArrayList<>();
    for (Path folder : RUNTIME_STATES) {
      for (Path state : children(folder)) {
        for (String note : List.of("state.json", "status")) {
          if (Files.isReadable(state.resolve(note)) && isOurs(state.resolve(note))) {
            ours.add(state);
          }
        }
      }
    }
    return ours;
  }

  private boolean isOurs(Path note) throws IOException {
    try {
      String text = Files.readString(note);
      return names.stream().anyMatch(name -> text.contains("/" + name + "/"));
    } catch (java.nio.file.NoSuchFileException e) {
      return false;   // it ended meanwhile
    }
  }

  private List<Path> groups(String id) {
    List<Path> groups = new ArrayList<>();
    for (Path root : roots()) {
      for (String name : List.of("libpod-" + id, "libpod-" + id + ".scope")) {
        if (Files.isDirectory(root.resolve(name))) {
          groups.add(root.resolve(name));
        }
      }
    }
    return groups;
  }

  private List<Path> roots() {
    List<Path> hierarchies = new ArrayList<>(List.of(CGROUPS));
    for (Path child : children(CGROUPS)) {
      if (!Files.isSymbolicLink(child)) {
        hierarchies.add(child);
      }
    }
    return hierarchies.stream().flatMap(root -> names.stream().map(root::resolve))
        .filter(root -> Files.isDirectory(root, LinkOption.NOFOLLOW_LINKS)).toList();
  }

  private static List<Path> children(Path folder) {
    List<Path> children = new ArrayList<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(folder, Files::isDirectory)) {
      all.forEach(children::add);
    } catch (IOException | DirectoryIteratorException e) {
      return children;   // removed meanwhile, or never there
    }
    return children;
  }

  private static List<Long> pids(Path procs) {
    try {
      return Files.readString(procs).lines().map(Long::parseLong).filter(pid -> pid > 0).toList();
    } catch (IOException e) {
      return List.of();   // removed meanwhile
    }
  }

  private static String commandLine(long pid) {
    try {
      return Files.readString(Path.of("/proc/" + pid + "/cmdline"), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return "";   // it has ended meanwhile
    }
  }
}
