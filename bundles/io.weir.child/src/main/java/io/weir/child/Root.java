package io.weir.child;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * How programs are run as root: directly if we are root; through {@code setpriv} if we have a user of our own with the
 * capabilities for it, as the installed service has. Podman looks at the user and not at the capabilities.
 */
public final class Root {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final Path SETPRIV = Path.of("/usr/bin/setpriv");
  private static final Path NSENTER = Path.of("/usr/bin/nsenter");
  /** What the service's sandbox hides or mounts is its own; a container and its network outlive it. */
  private static final String MACHINE = "/proc/1/ns/mnt";
  private static final Map<Integer, String> NEEDED = new TreeMap<>(Map.of(1, "CAP_DAC_OVERRIDE", 5, "CAP_KILL",
      6, "CAP_SETGID", 7, "CAP_SETUID", 12, "CAP_NET_ADMIN", 18, "CAP_SYS_CHROOT", 19, "CAP_SYS_PTRACE", 21, "CAP_SYS_ADMIN"));

  private static final int UID = uid();
  private static final boolean CAPABLE = UID != 0 && capable();

  private Root() {}

  /** Whether programs can be run as root, in one way or the other. */
  public static boolean possible() {
    return UID == 0 || CAPABLE;
  }

  /** Whether we may write there, which {@link Files#isWritable} denies for lack of an answer about capabilities. */
  public static boolean mayWrite(Path path) {
    return Files.isWritable(path) || CAPABLE && Files.exists(path);
  }

  /** The command as root runs it; unchanged if we are root, or cannot be. */
  public static List<String> command(List<String> command) {
    return command(command, Optional.empty());
  }

  /** @param directory where it is to run */
  public static List<String> command(List<String> command, Optional<Path> directory) {
    return CAPABLE ? wrapped(command, directory) : command;
  }

  static List<String> wrapped(List<String> command, Optional<Path> directory) {
    List<String> whole = new ArrayList<>(List.of(NSENTER.toString(), "--mount=" + MACHINE, "--", "/usr/bin/env",
        "--chdir=" + directory.map(Path::toString).orElse("/"), SETPRIV.toString(), "--reuid", "0", "--regid", "0",
        "--clear-groups", "--pdeathsig", "TERM", "--"));
    whole.addAll(command);
    return whole;
  }

  private static int uid() {
    try {
      return (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
    } catch (IOException | UnsupportedOperationException e) {
      return -1;
    }
  }

  private static boolean capable() {
    return lacking().isEmpty() && Files.isExecutable(SETPRIV) && Files.isExecutable(NSENTER);
  }

  /** Names of the capabilities that we would need to run programs as root, and have not. */
  public static List<String> lacking() {
    try {
      return lacking(Files.readAllLines(STATUS));
    } catch (IOException e) {
      return List.copyOf(NEEDED.values());
    }
  }

  /** @param status lines of {@code /proc/self/status} */
  static List<String> lacking(List<String> status) {
    long effective = status.stream().filter(line -> line.startsWith("CapEff:")).findFirst()
        .map(line -> Long.parseUnsignedLong(line.substring("CapEff:".length()).strip(), 16)).orElse(0L);
    return NEEDED.entrySet().stream().filter(each -> (effective >> each.getKey() & 1) == 0).map(Map.Entry::getValue).toList();
  }
}
