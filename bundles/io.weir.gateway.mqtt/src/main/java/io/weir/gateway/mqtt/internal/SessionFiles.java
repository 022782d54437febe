package io.weir.gateway.mqtt.internal;

import io.weir.function.FunctionName;
import io.weir.function.InvalidFunction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which sessions the broker keeps for this gateway, and what they are subscribed to: one file per function. The broker
 * cannot be asked, and a subscription that nobody remembers brings messages that nobody wants.
 */
final class SessionFiles {
  private static final Logger LOG = LoggerFactory.getLogger(SessionFiles.class);

  private final Path directory;

  SessionFiles(Path directory) {
    this.directory = directory;
  }

  Set<String> filters(FunctionName function) {
    try {
      Set<String> filters = new TreeSet<>(Files.readAllLines(directory.resolve(function.value())));
      filters.remove("");  // a file without filters is one empty line
      return filters;
    } catch (NoSuchFileException e) {
      return new TreeSet<>();
    } catch (IOException e) {
      LOG.warn("{} cannot be read; old subscriptions of the function may remain", directory.resolve(function.value()), e);
      return new TreeSet<>();
    }
  }

  void save(FunctionName function, Set<String> filters) {
    Path file = directory.resolve(function.value());
    if (Files.exists(file) && filters.equals(filters(function))) {
      return;
    }
    try {
      Files.createDirectories(directory);
      Path part = Files.writeString(directory.resolve("." + function + ".part"), String.join("\n", filters) + "\n");
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      LOG.warn("{} cannot be written; old subscriptions of the function may remain", file, e);
    }
  }

  void delete(FunctionName function) {
    try {
      Files.deleteIfExists(directory.resolve(function.value()));
    } catch (IOException e) {
      LOG.warn("{} cannot be deleted; the function's session is ended again at the next start",
          directory.resolve(function.value()), e);
    }
  }

  /** Functions that have, or had, a session. */
  List<FunctionName> functions() {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).flatMap(SessionFiles::functionName).toList();
    } catch (IOException e) {
      return List.of();  // none yet
    }
  }

  /** Nothing for what is no file of ours. */
  private static Stream<FunctionName> functionName(String file) {
    try {
      return Stream.of(new FunctionName(file));
    } catch (InvalidFunction e) {
      return Stream.empty();
    }
  }
}
