package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/**
 * What a gateway might leave behind: processes and mounts that name its folders, and networks that were not there when
 * this object was made.
 */
public final class Leftovers {
  private final List<String> folders;
  private final Networks networks = Networks.now();

  public Leftovers(Path... folders) throws IOException {
    this.folders = Arrays.stream(folders).map(Path::toString).toList();
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
      assertThat(Networks.now()).as("networks left behind").isEqualTo(networks);
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

  /** Interfaces and named network namespaces of the machine. */
  private record Networks(Set<String> interfaces, Set<String> namespaces) {
    static Networks now() throws IOException {
      return new Networks(names(Path.of("/sys/class/net")), names(Path.of("/run/netns")));
    }

    private static Set<String> names(Path folder) throws IOException {
      if (!Files.isDirectory(folder)) {
        return Set.of();
      }
      try (Stream<Path> files = Files.list(folder)) {
        return files.map(file -> file.getFileName().toString()).collect(Collectors.toSet());
      }
    }
  }
}
