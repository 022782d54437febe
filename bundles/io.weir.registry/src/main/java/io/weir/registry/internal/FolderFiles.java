package io.weir.registry.internal;

import io.weir.function.InvalidFunction;
import io.weir.function.Source;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** The handlers of one watched file, and how they were when they were read, so that their changes are seen as well. */
final class FolderFiles implements HandlerFiles {
  /** Somebody writes the file right now; it is worth trying again in a moment. */
  static final class Moving extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Moving(Path file) {
      super(file + " changes while it is read", null, false, false);
    }
  }

  private final Path folder;
  private final Map<String, Optional<Stamp>> read = new LinkedHashMap<>();

  FolderFiles(Path folder) {
    this.folder = folder;
  }

  /** Whether a handler is not what it was, or not where it was. */
  boolean changed() {
    return read.entrySet().stream().anyMatch(file -> !stamp(folder.resolve(file.getKey())).equals(file.getValue()));
  }

  boolean fresh(Clock clock) {
    return read.values().stream().flatMap(Optional::stream).anyMatch(stamp -> stamp.isFresh(clock));
  }

  @Override
  public String read(String name) {
    Path file = folder.resolve(name);
    Optional<Stamp> stamp = stamp(file);
    read.put(name, stamp);
    // A pipe or a device of that name could be read for ever.
    if (stamp.isEmpty() || !Files.isRegularFile(file)) {
      throw new InvalidFunction("handler", "handler: there is no file '" + name + "' beside the weir.yaml; put it there, "
          + "or write the program as code");
    }
    if (stamp.get().size() > Source.Handler.MAX_BYTES) {
      throw new InvalidFunction("handler", "handler: " + name + " is longer than " + Source.Handler.MAX_BYTES
          + " bytes; build an image for it instead");
    }
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(Files.readAllBytes(file))).toString();
      if (!stamp(file).equals(stamp)) {
        throw new Moving(file);
      }
      return text;
    } catch (CharacterCodingException e) {
      throw new InvalidFunction("handler", "handler: " + name + " is not UTF-8; save it as UTF-8");
    } catch (IOException e) {
      throw new InvalidFunction("handler", "handler: " + name + " cannot be read (" + e + ")");
    }
  }

  private static Optional<Stamp> stamp(Path file) {
    try {
      return Optional.of(Stamp.of(file));
    } catch (IOException e) {
      return Optional.empty(); // Not there, or as good as that.
    }
  }
}
