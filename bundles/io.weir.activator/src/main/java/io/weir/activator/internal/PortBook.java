package io.weir.activator.internal;

import io.weir.function.FunctionName;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
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

  PortBook(Path file) {
    this.file = file;
    try {
      for (String line : Files.readAllLines(file, StandardCharsets.US_ASCII)) {
        String[] words = line.strip().split("\\s+");
        if (words.length == 2) {
          ports.put(new FunctionName(words[0]), Integer.parseInt(words[1]));
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
    return ports.entrySet().stream().filter(entry -> entry.getValue() == port).map(Map.Entry::getKey).findFirst();
  }

  void keep(FunctionName function, int port) {
    if (!Integer.valueOf(port).equals(ports.put(function, port))) {
      save();
    }
  }

  void forget(FunctionName function) {
    if (ports.remove(function) != null) {
      save();
    }
  }

  /** Whole or not at all: a power cut must not leave half a book. */
  private void save() {
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
