package io.weir.bench;

import io.weir.itest.Gateway;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;

/**
 * CPU time of processes and of the kernel's own threads that move packets, in seconds; the machine's idea of busy is too
 * coarse. Work in softirqs counts for whoever it interrupts, so both ends of a connection must be added up.
 */
final class Cpu {
  private Cpu() {}

  /** Keeps processes, with all threads they have and will have, on one processor. */
  static void pin(int processor, Collection<Long> pids) throws Exception {
    for (long pid : pids) {
      Gateway.exec("taskset", "-a", "-p", "-c", Integer.toString(processor), Long.toString(pid));
    }
  }

  /** Processes of a container, by its cgroup. */
  static List<Long> processes(String container) throws Exception {
    String files = Gateway.exec("find", "/sys/fs/cgroup", "-path", "*" + container + "*", "-name", "cgroup.procs");
    List<Long> pids = new ArrayList<>();
    for (String file : files.lines().toList()) {
      for (String pid : Files.readAllLines(Path.of(file))) {
        if (!pids.contains(Long.valueOf(pid))) {
          pids.add(Long.valueOf(pid));
        }
      }
    }
    if (pids.isEmpty()) {
      throw new IllegalStateException("container " + container + " has no process");
    }
    return pids;
  }

  static double seconds(Collection<Long> pids) throws IOException {
    double sum = 0;
    for (long pid : pids) {
      sum += ofProcess(pid);
    }
    return sum + kernel();
  }

  /** Threads that move packets on, or copy between sockets. */
  private static double kernel() throws IOException {
    try (Stream<Path> all = Files.list(Path.of("/proc"))) {
      return all.filter(process -> process.getFileName().toString().matches("[0-9]+")).mapToDouble(process -> {
        try {
          String name = Files.readString(process.resolve("comm"));
          return name.startsWith("ksoftirqd") || name.startsWith("kworker") ? run(process.resolve("schedstat")) : 0;
        } catch (IOException e) {
          return 0;   // it ended meanwhile
        }
      }).sum();
    }
  }

  /** Of all threads it ever had, in ticks of 10 ms that add up exactly. */
  static double ofProcess(long pid) throws IOException {
    String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
    return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / 100.0;
  }

  private static double run(Path schedstat) throws IOException {
    return Long.parseLong(Files.readString(schedstat).split(" ")[0]) / 1e9;
  }
}
