package io.weir.cli.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What the machine that builds a root file system is.
 *
 * @param suite Debian's code name, for example {@code bookworm}; empty if this is no Debian
 * @param arch Debian's word for the architecture, for example {@code arm64}
 */
public record Host(String suite, String arch, boolean root) {

  public static Host ofThisMachine() {
    return new Host(osRelease(read("/etc/os-release")).getOrDefault("VERSION_CODENAME", ""),
        debianArch(System.getProperty("os.arch", "")), isRoot());
  }

  static Map<String, String> osRelease(String text) {
    return text.lines().filter(line -> line.indexOf('=') > 0).collect(Collectors.toMap(
        line -> line.substring(0, line.indexOf('=')),
        line -> line.substring(line.indexOf('=') + 1).replace("\"", "").strip(), (first, second) -> second));
  }

  public static String debianArch(String java) {
    return switch (java.toLowerCase(Locale.ROOT)) {
      case "amd64", "x86_64" -> "amd64";
      case "aarch64" -> "arm64";
      case "arm" -> "armhf";
      default -> java;
    };
  }

  public static boolean isRoot() {
    try {
      return Integer.valueOf(0).equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
    } catch (IOException | UnsupportedOperationException e) {
      return "root".equals(System.getProperty("user.name"));
    }
  }

  /** Where a gateway that runs as root keeps what need not outlive a boot: /run, or what else is in memory. */
  public static String memoryFolder() {
    return !inMemory("/run") && inMemory("/dev/shm") ? "/dev/shm" : "/run";
  }

  private static boolean inMemory(String folder) {
    try {
      return Files.getFileStore(Path.of(folder)).type().equals("tmpfs");
    } catch (IOException e) {
      return false;
    }
  }

  /** Where a program is; system folders are searched too, which the path of an ordinary user lacks. */
  public static Optional<Path> program(String name) {
    String path = System.getenv().getOrDefault("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin";
    return Stream.of(path.split(":")).filter(folder -> !folder.isEmpty()).map(folder -> Path.of(folder, name))
        .filter(Files::isExecutable).findFirst();
  }

  private static String read(String file) {
    try {
      return Files.readString(Path.of(file));
    } catch (IOException e) {
      return "";
    }
  }
}
