package io.weir.broker.internal;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** Finds out from /proc who listens on a TCP port. */
final class PortOwner {
  private static final String LISTEN = "0A";
  private static final Path PROC = Path.of("/proc");

  private PortOwner() {}

  /** Somebody who listens. */
  record Owner(long pid, String command) {
    @Override
    public String toString() {
      return command + " (pid " + pid + ")";
    }
  }

  /** Whether anybody listens on this address and port, or on all addresses. */
  static boolean isTaken(InetAddress host, int port) {
    return !listeningInodes(host, port).isEmpty();
  }

  /** Who that is; empty if nobody listens, or if it is a process this one may not look into. */
  static Optional<Owner> find(InetAddress host, int port) {
    Set<String> sockets = new HashSet<>();
    listeningInodes(host, port).forEach(inode -> sockets.add("socket:[" + inode + "]"));
    if (sockets.isEmpty()) {
      return Optional.empty();
    }
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
      for (Path process : processes) {
        if (holds(process, sockets)) {
          String command = Files.readString(process.resolve("comm")).strip();
          return Optional.of(new Owner(Long.parseLong(process.getFileName().toString()), command));
        }
      }
    } catch (IOException e) {
      return Optional.empty();
    }
    return Optional.empty();
  }

  private static boolean holds(Path process, Set<String> sockets) {
    try (DirectoryStream<Path> open = Files.newDirectoryStream(process.resolve("fd"))) {
      for (Path descriptor : open) {
        if (sockets.contains(target(descriptor))) {
          return true;
        }
      }
    } catch (IOException | RuntimeException e) {
      return false;  // gone meanwhile, or not ours to look into
    }
    return false;
  }

  private static String target(Path link) {
    try {
      return Files.readSymbolicLink(link).toString();
    } catch (IOException e) {
      return "";
    }
  }

  private static Set<String> listeningInodes(InetAddress host, int port) {
    Set<String> inodes = new HashSet<>();
    for (String table : List.of("tcp", "tcp6")) {
      List<String> lines;
      try {
        lines = Files.readAllLines(PROC.resolve("net").resolve(table));
      } catch (IOException e) {
        continue;  // no IPv6
      }
      for (String line : lines.subList(Math.min(1, lines.size()), lines.size())) {
        String[] columns = line.strip().split("\\s+");
        if (columns.length > 9 && columns[3].equals(LISTEN) && clashes(columns[1], host, port)) {
          inodes.add(columns[9]);
        }
      }
    }
    return inodes;
  }

  /** The kernel writes {@code ADDRESS:PORT} in hex, the address in 32-bit words of the machine's byte order. */
  private static boolean clashes(String local, InetAddress host, int port) {
    int colon = local.lastIndexOf(':');
    if (colon < 0 || Integer.parseInt(local.substring(colon + 1), 16) != port) {
      return false;
    }
    String address = local.substring(0, colon);
    return host.isAnyLocalAddress() || address.chars().allMatch(c -> c == '0')
        || address.toUpperCase(Locale.ROOT).endsWith(hex(host));
  }

  private static String hex(InetAddress host) {
    byte[] bytes = host.getAddress();
    boolean little = java.nio.ByteOrder.nativeOrder() == java.nio.ByteOrder.LITTLE_ENDIAN;
    StringBuilder text = new StringBuilder();
    for (int word = 0; word < bytes.length; word += 4) {
      for (int i = 0; i < 4; i++) {
        text.append(String.format("%02X", bytes[word + (little ? 3 - i : i)]));
      }
    }
    return text.toString();
  }
}
