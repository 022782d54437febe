package io.weir.cli.device;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What is so on a machine, as far as devices differ in it.
 *
 * @param model as the device tree has it, for example {@code Raspberry Pi 4 Model B Rev 1.4}; empty where there is none
 * @param architecture Debian's name of it, for example {@code arm64}
 * @param memoryMiB 0 if it is not known
 * @param countsMemory whether the kernel counts the memory of control groups
 * @param interfaces names of network interfaces, loopback excluded
 * @param dataOnSdCard whether the data folder lies on an SD card
 */
public record DeviceFacts(String model, String architecture, long memoryMiB, boolean countsMemory, String kernelCommandLine,
    Set<String> interfaces, boolean dataOnSdCard) {

  public static DeviceFacts ofThisMachine(Path data, String architecture, long memoryMiB, boolean countsMemory, String commandLine) {
    return new DeviceFacts(text("/proc/device-tree/model").replace("\0", "").strip(), architecture, memoryMiB, countsMemory, commandLine,
        hardware(), deviceOf(data).filter(device -> device.startsWith("/dev/mmcblk")).isPresent());
  }

  /** Those that stand for hardware; bridges, tunnels and the ends of containers' networks have no device. */
  private static Set<String> hardware() {
    Set<String> names = new TreeSet<>();
    try (var all = Files.newDirectoryStream(Path.of("/sys/class/net"))) {
      for (Path each : all) {
        if (Files.exists(each.resolve("device"))) {
          names.add(each.getFileName().toString());
        }
      }
    } catch (IOException e) {
      return Set.of();
    }
    return names;
  }

  /** What is mounted where the folder is, or will be. */
  private static Optional<String> deviceOf(Path folder) {
    String path = folder.toAbsolutePath().normalize().toString();
    String best = "";
    Optional<String> device = Optional.empty();
    for (String line : text("/proc/self/mounts").lines().toList()) {
      String[] words = line.split(" ");
      boolean over = words.length > 1 && (path.equals(words[1]) || path.startsWith(words[1].endsWith("/") ? words[1] : words[1] + "/"));
      if (over && words[1].length() >= best.length()) {
        best = words[1];
        device = Optional.of(words[0]);
      }
    }
    return device;
  }

  private static String text(String file) {
    try {
      return Files.readString(Path.of(file), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return "";
    }
  }
}
