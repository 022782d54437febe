package io.weir.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Memory that the functions of one gateway hold: of each container what its cgroup is charged for without page cache
 * (anonymous memory, tmpfs and the kernel's own); for a container that only waits for its entrypoint, and for conmon, the
 * proportional set size (PSS) of the process, because the runtime's memory was charged elsewhere.
 */
final class Footprint {
  private final Path root;
  private final boolean v1;

  /** @param cgroup the parent of all containers */
  Footprint(String cgroup) {
    this.v1 = Files.isDirectory(Path.of("/sys/fs/cgroup/memory"));
    String slice = cgroup.replace("-", "") + ".slice";
    Path base = Path.of(v1 ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup");
    this.root = Files.isDirectory(base.resolve(slice)) ? base.resolve(slice) : base.resolve(cgroup);
  }

  double megabytes() throws IOException {
    long bytes = 0;
    for (Path group : children()) {
      String name = group.getFileName().toString();
      try {
        bytes += name.contains("conmon") ? processes(group, "conmon") : container(group);
      } catch (NoSuchFileException e) {
        continue;   // it ended meanwhile
      }
    }
    return bytes / 1e6;
  }

  int containers() throws IOException {
    return (int) children().stream().filter(group -> group.getFileName().toString().matches("libpod-[0-9a-f]{64}.*")).count();
  }

  private long container(Path group) throws IOException {
    long waiting = processes(group, "runc", "crun");
    return waiting > 0 ? waiting : charged(group);
  }

  private long charged(Path group) throws IOException {
    long anonymous = 0;
    for (String line : Files.readAllLines(group.resolve("memory.stat"))) {
      String[] fields = line.split(" ");
      if (v1 ? fields[0].equals("total_rss") || fields[0].equals("total_shmem")
          : fields[0].equals("anon") || fields[0].equals("shmem") || fields[0].equals("kernel")) {
        anonymous += Long.parseLong(fields[1]);
      }
    }
    Path kernel = group.resolve("memory.kmem.usage_in_bytes");
    return anonymous + (v1 && Files.exists(kernel) ? Long.parseLong(Files.readString(kernel).strip()) : 0);
  }

  /** PSS of the processes there that run one of these programs. */
  private static long processes(Path group, String... programs) throws IOException {
    long bytes = 0;
    List<Path> files;
    try (Stream<Path> all = Files.walk(group)) {
      files = all.filter(file -> file.endsWith("cgroup.procs")).toList();
    }
    for (Path file : files) {
      for (String pid : Files.readAllLines(file)) {
        try {
          String program = Files.readString(Path.of("/proc", pid, "comm"));
          if (Stream.of(programs).anyMatch(program::startsWith)) {
            bytes += pss(pid);
          }
        } catch (IOException e) {
          continue;   // it ended meanwhile
        }
      }
    }
    return bytes;
  }

  private static long pss(String pid) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc", pid, "smaps_rollup"))) {
      if (line.startsWith("Pss:")) {
        return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
      }
    }
    return 0;
  }

  private List<Path> children() throws IOException {
    List<Path> found = new ArrayList<>();
    if (Files.isDirectory(root)) {
      try (Stream<Path> all = Files.list(root)) {
        all.filter(Files::isDirectory).forEach(found::add);
      }
    }
    return found;
  }
}
