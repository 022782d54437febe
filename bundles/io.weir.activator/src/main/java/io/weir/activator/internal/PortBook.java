package io.weir.activator.internal;

import io.weir.function.FunctionName;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which port the gateway chose for which function, kept in a file of {@code NAME PORT} lines. A file that cannot be
 * read costs the functions their ports, not their service. Not thread-safe.
 */
final class PortBook {
  private static final Logger log = LoggerFactory.getLogger(PortBook.class);

  private final Path file;
  private final Map<FunctionName, Integer> ports = new TreeMap<>();
  private final Map<Integer, FunctionName> owners = new HashMap<>();
  private boolean changed;

  PortBook(Path file) {
    this.file = file;
    try {
      for (String line : Files.readAllLines(file, StandardCharsets.US_ASCII)) {
        String[] words = line.strip().split("\\s+");
        if (words.length == 2) {
          note(new FunctionName(words[0]), Integer.parseInt(words[1]));
        }
      }
    } catch (NoSuchFileException e) {
      log.debug("{} is not there yet", file);
    } catch (IOException | IllegalArgumentException e) {
      log.error("{} cannot be read ({}); functions may get other service ports than they had", file, e.getMessage());
    }
  }

  Optional<Integer> port(FunctionName function) {
    return Optional.ofNullable(ports.get(function));
  }

  /** Whose port this is. */
  Optional<FunctionName> owner(int port) {
    return Optional.ofNullable(owners.get(port));
  }

  /** Until {@link #save} only here. */
  void keep(FunctionName function, int port) {
    changed |= note(function, port);
  }

  private boolean note(FunctionName function, int port) {
    Integer before = ports.put(function, port);
    if (Integer.valueOf(port).equals(before)) {
      return false;
    }
    if (before != null) {
      owners.remove(before, function);
    }
    owners.put(port, function);
    return true;
  }

  /** Likewise. */
  void forget(FunctionName function) {
    Integer port = ports.remove(function);
    if (port != null) {
      owners.remove(port, function);
      changed = true;
    }
  }

  /** Writes what has changed: all of it at once, and whole or not at all, as a power cut must not leave half a book. */
  void save() {
    if (!changed) {
      return;
    }
    changed = false;
    String text = ports.entrySet().stream().map(entry -> entry.getKey() + " " + entry.getValue() + "\n")
        .collect(Collectors.joining());
    Path part = file.resolveSibling(file.getFileName() + ".part");
    try {
      Files.createDirectories(file.getParent());
      Files.writeString(part, text, StandardCharsets.US_ASCII);
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      log.error("{} cannot be written ({}); after a restart functions may get other service ports", file, e.getMessage());
    }
  }
}
