package io.weir.cli.doctor;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** TCP ports of this machine and who listens on them. */
public final class Ports {
  private Ports() {}

  public static boolean isFree(int port) {
    try (ServerSocket socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /** The program that listens, as {@code name (pid N)}; {@code ?} if it is another user's, which only root sees. */
  public static String owner(int port) {
    String hex = String.format(Locale.ROOT, ":%04X", port);
    Set<String> inodes = Stream.of("/proc/net/tcp", "/proc/net/tcp6").flatMap(file -> FactFinder.text(file).lines()).map(line -> line.trim().split("\\s+"))
        .filter(words -> words.length > 9 && words[1].endsWith(hex) && words[3].equals("0A")).map(words -> "socket:[" + words[9] + "]")
        .collect(Collectors.toSet());
    try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
      for (Path process : processes.filter(p -> p.getFileName().toString().matches("\\d+")).toList()) {
        if (holds(process.resolve("fd"), inodes)) {
          return FactFinder.text(process.resolve("comm").toString()).strip() + " (pid " + process.getFileName() + ")";
        }
      }
    } catch (IOException e) {
      // Then it stays unknown.
    }
    return "?";
  }

  private static boolean holds(Path descriptors, Set<String> inodes) {
    try (Stream<Path> list = Files.list(descriptors)) {
      for (Path descriptor : list.toList()) {
        try {
          if (inodes.contains(Files.readSymbolicLink(descriptor).toString())) {
            return true;
          }
        } catch (IOException e) {
          // It was closed meanwhile.
        }
      }
    } catch (IOException | java.io.UncheckedIOException e) {
      // Another user's process.
    }
    return false;
  }
}
