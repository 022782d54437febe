package io.weir.kernel.internal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** What is mounted where, as far as it matters here. */
final class Mounts {
  private static final Path TABLE = Path.of("/proc/self/mounts");

  private Mounts() {}

  static boolean isMounted(Path where, String type) {
    return lines().stream().map(line -> line.split(" ")).anyMatch(
        fields -> fields.length > 2 && fields[1].equals(where.toString()) && fields[2].equals(type));
  }

  /** The root of the cgroup v2 hierarchy; empty if there is none. */
  static Optional<Path> cgroup2() {
    return lines().stream().map(line -> line.split(" ")).filter(fields -> fields.length > 2 && fields[2].equals("cgroup2"))
        .map(fields -> Path.of(fields[1])).findFirst();
  }

  private static List<String> lines() {
    try {
      return Files.readAllLines(TABLE);
    } catch (IOException e) {
      return List.of();
    }
  }
}
