package io.weir.activator.internal;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Finds out who listens on a port, as far as {@code /proc} tells this user. */
final class PortHolder {
  private static final String LISTEN = "0A";
  private static final int LOCAL = 1;
  private static final int STATE = 3;
  private static final int INODE = 9;

  private PortHolder() {}

  /** For example {@code nginx (pid 812)}. Takes some milliseconds. */
  static Optional<String> of(int port) {
    Set<String> sockets = new HashSet<>();
    for (String table : new String[] {"/proc/net/tcp", "/proc/net/tcp6"}) {
      try (Stream<String> lines = Files.lines(Path.of(table))) {
        lines.skip(1).map(line -> line.strip().split("\\s+"))
            .filter(words -> words.length > INODE && words[STATE].equals(LISTEN)
                && words[LOCAL].endsWith(String.format(":%04X", port)))
            .forEach(words -> sockets.add("socket:[" + words[INODE] + "]"));
      } catch (IOException | java.io.UncheckedIOException e) {
        continue; // No IPv6, for example.
      }
    }
    return sockets.isEmpty() ? Optional.empty() : process(sockets);
  }

  private static Optional<String> process(Set<String> sockets) {
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
      for (Path process : processes) {
        if (holds(process, sockets)) {
          return Optional.of(Files.readString(process.resolve("comm")).strip() + " (pid " + process.getFileName() + ")");
        }
      }
    } catch (IOException e) {
      return Optional.empty();
    }
    return Optional.empty();
  }

  private static boolean holds(Path process, Set<String> sockets) {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(process.resolve("fd"))) {
      for (Path file : files) {
        if (sockets.contains(Files.readSymbolicLink(file).toString())) {
          return true;
        }
      }
    } catch (IOException | java.nio.file.DirectoryIteratorException e) {
      return false; // It ended, or is somebody else's.
    }
    return false;
  }
}
