package io.weir.gateway.mqtt.internal;

import io.weir.function.FunctionName;
import io.weir.function.InvalidFunction;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
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
      Files.deleteIfExists(directory.resolve("." + function + ".session"));
    } catch (IOException e) {
      LOG.warn("{} cannot be deleted; the function's session is ended again at the next start",
          directory.resolve(function.value()), e);
    }
  }

  /**
   * What the broker's session with us is known by; another one if it has forgotten the last. On the disk when this
   * returns, since what is remembered of a session must not be taken for the next one's.
   */
  String session(FunctionName function, boolean present) {
    Path file = directory.resolve("." + function + ".session");
    String another = Long.toString(new SecureRandom().nextLong() & Long.MAX_VALUE, 36);
    try {
      if (present && Files.exists(file)) {
        return Files.readString(file);
      }
      writeSession(function, file, another);
    } catch (IOException e) {
      LOG.warn("{} cannot be used; a message that the broker sends again after a restart may be handled twice", file, e);
    }
    return another;
  }

  private void writeSession(FunctionName function, Path file, String session) throws IOException {
    Files.createDirectories(directory);
    Path part = directory.resolve("." + function + ".session.part");
    try (FileChannel channel = FileChannel.open(part, StandardOpenOption.CREATE, StandardOpenOption.WRITE,
        StandardOpenOption.TRUNCATE_EXISTING)) {
      channel.write(ByteBuffer.wrap(session.getBytes(StandardCharsets.UTF_8)));
      channel.force(true);
    }
    Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    try (FileChannel folder = FileChannel.open(directory, StandardOpenOption.READ)) {
      folder.force(true);
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
