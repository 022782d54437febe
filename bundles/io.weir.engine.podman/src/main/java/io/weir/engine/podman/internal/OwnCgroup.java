package io.weir.engine.podman.internal;

import io.weir.child.Root;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The cgroup above all containers of one engine, so that what is in it is ours to end: {@code /weir-<hash>}, or
 * {@code weir<hash>.slice} where systemd manages cgroups, which takes nothing but slices (and nests those with a dash).
 * Podman keeps every conmon in {@code conmon} below it, or with systemd in scopes of their own.
 */
final class OwnCgroup {
  private static final Logger LOG = LoggerFactory.getLogger(OwnCgroup.class);
  private static final Pattern CONTAINER = Pattern.compile("libpod-([0-9a-f]{64})(?:\\.scope)?");
  private static final Pattern CONMON = Pattern.compile("libpod-conmon-([0-9a-f]{64})\\.scope");
  private static final Pattern CONMON_OF = Pattern.compile("\0-c\0([0-9a-f]{64})\0");
  private static final Duration DIES_WITHIN = Duration.ofSeconds(5);
  private static final String FROST = "frost";
  private static final long LOOK_NANOS = 2_000_000;

  private final CgroupTree tree;
  private final String plain;
  private final String slice;

  /** @param socket what tells the engines of this machine apart */
  OwnCgroup(CgroupTree tree, Path socket) {
    this.tree = tree;
    String hash = String.format("%08x", socket.hashCode());
    this.plain = "/weir-" + hash;
    this.slice = "weir" + hash + ".slice";
  }

  /** What Podman is given as parent. */
  String parent(String cgroupManager) {
    return cgroupManager.equals("systemd") ? slice : plain;
  }

  /** Whether the runtime's note on a container says that it is below this cgroup. */
  boolean isMentionedIn(String text) {
    return text.contains(plain + '/') || text.contains('/' + slice + '/');
  }

  /**
   * Keeps an empty cgroup frozen where the freezer is that of v1. The kernel rewrites its own code when the first cgroup
   * of a machine is frozen and the last one thawed, which takes ten times as long as either.
   */
  void keepFreezing() {
    Path root = tree.mount().resolve("freezer");
    if (Root.mayWrite(root.resolve("cgroup.procs"))) {
      try {
        Path frost = Files.createDirectories(root.resolve(plain.substring(1)).resolve(FROST));
        Files.writeString(frost.resolve("freezer.state"), "FROZEN");
      } catch (IOException e) {
        LOG.debug("thawing takes a little longer", e);
      }
    }
  }

  /** The v2 directory above all containers, made if it is missing and not systemd's to make. */
  Optional<Path> unified() {
    Optional<Path> there = tree.v2(slice).or(() -> tree.v2(plain));
    return there.isPresent() || systemd() ? there : tree.unified().flatMap(root -> made(root.resolve(plain.substring(1))));
  }

  /** As {@link ServiceConf} decides it. */
  private boolean systemd() {
    return tree.unified().equals(Optional.of(tree.mount())) && HostFacts.runsSystemd();
  }

  private static Optional<Path> made(Path group) {
    try {
      return Optional.of(Files.createDirectories(group));
    } catch (IOException e) {
      LOG.debug("no cgroup v2 directory for functions", e);
      return Optional.empty();
    }
  }

  /** The v2 directory with the container's processes; empty until its runtime has made it. */
  Optional<Path> unifiedOf(String id) {
    return Stream.of(plain + "/libpod-" + id, slice + "/libpod-" + id + ".scope").flatMap(group -> tree.v2(group).stream())
        .findFirst().map(group -> {
          // crun puts the processes one level below what systemd knows.
          Path within = group.resolve("container");
          return Files.isDirectory(within) ? within : group;
        });
  }

  private Stream<Path> roots() {
    return Stream.of(plain, slice).flatMap(name -> tree.everywhere(name).stream());
  }

  /** Containers that have a cgroup here. */
  Set<String> containers() {
    return ids(CONTAINER).collect(Collectors.toSet());
  }

  /** Containers that have a conmon here; it outlives its container by the podman that it starts to clean up. */
  Set<String> conmons() {
    return Stream.concat(ids(CONMON), roots().flatMap(root -> conmons(root).stream()).map(Conmon::container))
        .collect(Collectors.toSet());
  }

  private Stream<String> ids(Pattern pattern) {
    return roots().flatMap(root -> children(root).stream())
        .map(group -> pattern.matcher(group.getFileName().toString())).filter(Matcher::matches)
        .map(matcher -> matcher.group(1));
  }

  private record Conmon(long pid, String container) {}

  private static List<Conmon> conmons(Path root) {
    List<Conmon> found = new ArrayList<>();
    for (long pid : processes(root.resolve("conmon"))) {
      try {
        Matcher matcher = CONMON_OF.matcher(
            Files.readString(Path.of("/proc", Long.toString(pid), "cmdline"), StandardCharsets.ISO_8859_1));
        if (matcher.find()) {
          found.add(new Conmon(pid, matcher.group(1)));
        }
      } catch (IOException e) {
        LOG.trace("it ended meanwhile", e);
      }
    }
    return found;
  }

  boolean has(String id) {
    return roots().anyMatch(root -> group(root, id).findAny().isPresent());
  }

  private static Stream<Path> group(Path root, String id) {
    return Stream.of("libpod-" + id, "libpod-" + id + ".scope", "libpod-conmon-" + id + ".scope")
        .map(root::resolve).filter(Files::isDirectory);
  }

  /** Kills the container's processes, then its conmon, which would otherwise start a podman to clean up after it. */
  void kill(String id) {
    List<Path> groups = groups(id);
    long deadline = System.nanoTime() + DIES_WITHIN.toNanos();
    while (anyKilled(groups) && System.nanoTime() < deadline) {
      LockSupport.parkNanos(LOOK_NANOS);
    }
    roots().flatMap(root -> conmons(root).stream()).filter(conmon -> conmon.container().equals(id))
        .forEach(conmon -> end(conmon.pid()));
  }

  /** Removes the container's cgroups once their last process is gone. */
  void remove(String id) {
    List<Path> groups = groups(id);
    if (!removed(groups, DIES_WITHIN)) {
      LOG.warn("cannot remove the cgroup of the former container {}: {} still there", id,
          groups.stream().filter(Files::exists).toList());
    }
  }

  private List<Path> groups(String id) {
    return roots().flatMap(root -> group(root, id)).flatMap(OwnCgroup::withAllBelow).toList();
  }

  /** Deepest first. */
  private static Stream<Path> withAllBelow(Path group) {
    return CgroupTree.directories(group, Integer.MAX_VALUE).stream().sorted(Comparator.reverseOrder());
  }

  private static boolean anyKilled(List<Path> groups) {
    List<Long> processes = groups.stream().flatMap(group -> processes(group).stream()).distinct().toList();
    if (!processes.isEmpty()) {
      groups.forEach(OwnCgroup::thaw);
      processes.forEach(OwnCgroup::end);
    }
    return !processes.isEmpty();
  }

  /** On v1 a frozen process does not even die. */
  private static void thaw(Path group) {
    try {
      if (Files.exists(group.resolve("freezer.state"))) {
        Files.writeString(group.resolve("freezer.state"), "THAWED");
      }
    } catch (IOException e) {
      LOG.debug("cannot thaw {}", group, e);
    }
  }

  private static void end(long pid) {
    ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
  }

  private static List<Long> processes(Path group) {
    try {
      return Files.readString(group.resolve("cgroup.procs")).lines().map(Long::parseLong).filter(pid -> pid > 0).toList();
    } catch (NoSuchFileException e) {
      return List.of();
    } catch (IOException e) {
      LOG.trace("removed while it was read", e);
      return List.of();
    }
  }

  private static List<Path> children(Path group) {
    try (Stream<Path> children = Files.list(group)) {
      return children.filter(Files::isDirectory).toList();
    } catch (IOException | UncheckedIOException e) {
      LOG.trace("removed while it was read", e);
      return List.of();
    }
  }

  /** @param groups deepest first */
  private static boolean removed(List<Path> groups, Duration within) {
    long deadline = System.nanoTime() + within.toNanos();
    while (true) {
      boolean all = true;
      for (Path group : groups) {
        all &= removed(group);
      }
      if (all || System.nanoTime() > deadline) {
        return all;
      }
      LockSupport.parkNanos(LOOK_NANOS);
    }
  }

  /** A process that was killed keeps its cgroup busy until the kernel is through with it. */
  private static boolean removed(Path group) {
    try {
      Files.deleteIfExists(group);
      return true;
    } catch (IOException e) {
      return !Files.exists(group);
    }
  }

  /** Removes the parent itself unless containers live on in it. */
  void close() {
    List<Path> roots = roots().toList();
    if (!containers().isEmpty()) {
      return;
    }
    // A conmon outlives its container by the podman that it starts to clean up.
    List<Path> all = roots.stream().filter(root -> !root.endsWith(slice))
        .flatMap(root -> Stream.of(root.resolve(FROST), root.resolve("conmon"), root)).toList();
    if (!removed(all, DIES_WITHIN)) {
      LOG.warn("cannot remove the cgroup {} of the containers: {} still there", plain,
          all.stream().filter(Files::exists).toList());
    }
    if (roots.stream().anyMatch(root -> root.endsWith(slice))) {
      stopSlice();
    }
  }

  /** Has the cgroup made before any container is in it; systemd makes a slice only when it is told to. */
  void open(String cgroupManager) {
    if (unified().isEmpty() && parent(cgroupManager).equals(slice)) {
      systemctl("start");
    }
  }

  /** systemd keeps its slices for ever; it would not like somebody else to remove one. */
  private void stopSlice() {
    systemctl("stop");
  }

  private void systemctl(String verb) {
    try {
      Process done = new ProcessBuilder(Root.command(List.of("systemctl", verb, slice))).redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
      done.waitFor();
    } catch (IOException e) {
      LOG.debug("cannot {} {}", verb, slice, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
