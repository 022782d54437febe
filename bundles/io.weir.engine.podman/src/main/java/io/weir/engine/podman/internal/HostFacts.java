package io.weir.engine.podman.internal;

import io.weir.child.Root;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What this machine and this user can do, as far as Podman's configuration depends on it.
 *
 * @param podman Podman's version
 * @param crun crun's version, if installed
 * @param runc runc's version, if installed
 * @param systemd whether systemd runs this machine
 * @param cgroups which cgroup hierarchies there are
 * @param rootless whether Podman runs without root
 * @param mayRaiseLimits whether we have CAP_SYS_RESOURCE
 * @param files our hard limit of open files
 * @param processes our hard limit of processes
 */
record HostFacts(Version podman, Optional<Version> crun, Optional<Version> runc, boolean systemd, Cgroups cgroups,
    boolean rootless, boolean mayRaiseLimits, long files, long processes) {
  /** Cgroup hierarchies; {@code MIXED} has controllers in both of them, which crun refuses and runc does not mind. */
  enum Cgroups {
    V1, V2, MIXED;

    static Cgroups detect() throws IOException {
      if (Files.exists(Path.of("/sys/fs/cgroup/cgroup.controllers"))) {
        return V2;
      }
      Path unified = Path.of("/sys/fs/cgroup/unified/cgroup.controllers");
      return Files.exists(unified) && !String.join("", Files.readAllLines(unified)).isBlank() ? MIXED : V1;
    }
  }

  /** Podman's own default, and more than a function needs. */
  static final long MOST = 1_048_576;
  private static final int CAP_SYS_RESOURCE = 24;

  /** Major and minor. */
  record Version(int major, int minor) implements Comparable<Version> {
    private static final Pattern NUMBERS = Pattern.compile("(\\d+)\\.(\\d+)");

    static Optional<Version> in(String text) {
      Matcher matcher = NUMBERS.matcher(text);
      return matcher.find()
          ? Optional.of(new Version(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2))))
          : Optional.empty();
    }

    boolean atLeast(int wantedMajor, int wantedMinor) {
      return compareTo(new Version(wantedMajor, wantedMinor)) >= 0;
    }

    @Override
    public int compareTo(Version other) {
      return major != other.major ? Integer.compare(major, other.major) : Integer.compare(minor, other.minor);
    }
  }

  static HostFacts detect(Path podman) throws IOException {
    List<String> status = Files.readAllLines(Path.of("/proc/self/status"));
    List<String> limits = Files.readAllLines(Path.of("/proc/self/limits"));
    return new HostFacts(
        versionOf(podman).orElseThrow(() -> new IOException(podman + " --version names no version; reinstall podman")),
        find("crun").flatMap(HostFacts::versionOf), find("runc").flatMap(HostFacts::versionOf),
        runsSystemd(),
        Cgroups.detect(),
        !Root.possible(),
        (Long.parseUnsignedLong(field(status, "CapEff:", 1), 16) >> CAP_SYS_RESOURCE & 1) == 1,
        hardLimit(limits, "Max open files"), Math.min(hardLimit(limits, "Max processes"), pidMax()));
  }

  static boolean runsSystemd() {
    return Files.isDirectory(Path.of("/run/systemd/system"));
  }

  /** Podman lowers its own limit of processes to this, and cannot raise it again for a container. */
  private static long pidMax() throws IOException {
    // In one read: a sysctl answers a second one with nothing, and Files.readString begins with a single byte.
    try (InputStream in = Files.newInputStream(Path.of("/proc/sys/kernel/pid_max"))) {
      return Long.parseLong(new String(in.readNBytes(64), StandardCharsets.US_ASCII).strip());
    }
  }

  static long hardLimit(List<String> procLimits, String name) {
    return procLimits.stream().filter(line -> line.startsWith(name)).findFirst()
        .map(line -> line.substring(name.length()).strip().split("\\s+")[1])
        .map(hard -> hard.equals("unlimited") ? MOST : Math.min(MOST, Long.parseLong(hard))).orElse(1024L);
  }

  private static String field(List<String> lines, String name, int index) {
    return lines.stream().filter(line -> line.startsWith(name)).findFirst()
        .map(line -> line.split("\\s+")[index]).orElse("0");
  }

  /** The program's path: itself if it is one, else looked for in PATH and where Debian keeps system programs. */
  static Optional<Path> find(String program) {
    if (program.contains("/")) {
      return Optional.of(Path.of(program)).filter(Files::isExecutable);
    }
    return Stream.concat(Stream.of(System.getenv().getOrDefault("PATH", "").split(":")),
        Stream.of("/usr/bin", "/usr/sbin", "/usr/local/bin"))
        .filter(directory -> !directory.isEmpty()).map(directory -> Path.of(directory, program))
        .filter(Files::isExecutable).findFirst();
  }

  /**
   * The builder, with a home that is there: without one, as Kura's user is, Podman does not even tell its version.
   *
   * @param otherwise where it is at home if its user is nowhere
   */
  static ProcessBuilder atHome(ProcessBuilder builder, Path otherwise) {
    String home = builder.environment().getOrDefault("HOME", "");
    if (home.isEmpty() || !Files.isDirectory(Path.of(home))) {
      builder.environment().put("HOME", otherwise.toString());
    }
    return builder;
  }

  private static Optional<Version> versionOf(Path program) {
    try {
      Process process = atHome(new ProcessBuilder(program.toString(), "--version"), Path.of("/"))
          .redirectError(ProcessBuilder.Redirect.DISCARD).redirectInput(Path.of("/dev/null").toFile()).start();
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
      return Version.in(said);
    } catch (IOException e) {
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }
}
