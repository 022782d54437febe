package io.weir.engine.podman.internal;

import io.weir.engine.ContainerStats;
import io.weir.engine.Pressure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Reads what a cgroup uses from the kernel's files; each controller may be in either hierarchy. */
final class CgroupMeter {
  private static final Pattern SOME = Pattern.compile("^some avg10=([0-9]+\\.[0-9]+)");

  private final CgroupTree tree;
  private final String cgroup;

  CgroupMeter(CgroupTree tree, String cgroup) {
    this.tree = tree;
    this.cgroup = cgroup;
  }

  /** @throws IOException if it cannot be read, or is gone */
  ContainerStats read() throws IOException {
    Path memory = tree.v1("memory", cgroup).orElse(null);
    if (memory == null) {
      Path unified = unified();
      return stats(number(unified, "memory.current"), field(unified, "memory.stat", "inactive_file"),
          number(unified, "memory.max"));
    }
    return stats(number(memory, "memory.usage_in_bytes"), field(memory, "memory.stat", "total_inactive_file"),
        number(memory, "memory.limit_in_bytes"));
  }

  private ContainerStats stats(long used, long reclaimable, long limit) throws IOException {
    return new ContainerStats(cpuNanos(), Math.max(0, used - reclaimable), limit, pids(), pressure());
  }

  /** In the v2 hierarchy also where the counters are in v1; not on every kernel, and not if switched off. */
  private Optional<Pressure> pressure() {
    Optional<Path> group = tree.v2(cgroup);
    if (group.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(new Pressure(stalled(group.get(), "cpu.pressure"), stalled(group.get(), "memory.pressure"),
          stalled(group.get(), "io.pressure")));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private static double stalled(Path group, String file) throws IOException {
    Matcher some = SOME.matcher(Files.readString(group.resolve(file)));
    if (!some.find()) {
      throw new IOException(file + " says nothing");
    }
    return Double.parseDouble(some.group(1));
  }

  private long cpuNanos() throws IOException {
    Path cpu = tree.v1("cpuacct", cgroup).orElse(null);
    return cpu != null ? number(cpu, "cpuacct.usage")
        : TimeUnit.MICROSECONDS.toNanos(field(unified(), "cpu.stat", "usage_usec"));
  }

  private int pids() throws IOException {
    Path pids = tree.v1("pids", cgroup).orElse(null);
    return (int) number(pids != null ? pids : unified(), "pids.current");
  }

  private Path unified() throws IOException {
    return tree.v2(cgroup).orElseThrow(() -> new IOException("cgroup " + cgroup + " is gone"));
  }

  private static long number(Path group, String file) throws IOException {
    String text = Files.readString(group.resolve(file)).strip();
    return text.equals("max") ? Long.MAX_VALUE : parse(text, file);
  }

  private static long field(Path group, String file, String name) throws IOException {
    try (Stream<String> lines = Files.readString(group.resolve(file)).lines()) {
      return parse(lines.filter(line -> line.startsWith(name + ' ')).findFirst().orElse("0")
          .replaceFirst("^\\S+ ", ""), file);
    }
  }

  private static long parse(String text, String file) throws IOException {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw new IOException(file + " says '" + text + "'", e);
    }
  }
}
