package io.weir.registry.internal;

import io.weir.function.InvalidDeclaration;
import io.weir.function.Problem;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Compares a folder with what was applied of it, and applies the difference. Not thread-safe. */
final class FolderScan {
  private static final Logger log = LoggerFactory.getLogger(FolderScan.class);

  /** What was made of a file. */
  private record Applied(Stamp stamp, FolderFiles handlers) {}

  private final Registry registry;
  private final Path folder;
  private final Clock clock;
  private final Map<String, Applied> applied = new HashMap<>();
  private final Set<String> failing = new HashSet<>();

  FolderScan(Registry registry, Path folder, Clock clock) {
    this.registry = registry;
    this.folder = folder;
    this.clock = clock;
    registry.forgetFileProblems();
  }

  /** Looks once. Returns whether a file changed meanwhile, so that it is worth looking again soon. */
  boolean run() {
    Map<String, Stamp> present;
    try {
      present = list();
      note(folder.toString(), 0, null);
    } catch (IOException e) {
      note(folder.toString(), 0, "the folder cannot be read (" + e + "); its functions stay as they were");
      return false;
    }
    Set<String> gone = new HashSet<>(registry.files());
    gone.addAll(applied.keySet());
    gone.addAll(failing);
    gone.removeAll(present.keySet());
    boolean again = false;
    for (Map.Entry<String, Stamp> file : present.entrySet()) {
      Applied before = applied.get(file.getKey());
      if (before == null || !file.getValue().equals(before.stamp) || before.handlers.changed()) {
        again |= apply(file.getKey(), file.getValue(), gone);
      }
    }
    gone.forEach(this::remove);
    // What stood in the way of a file may be gone by now, whoever took it away.
    for (String file : Set.copyOf(failing)) {
      again |= apply(file, present.get(file), Set.of());
    }
    return again;
  }

  private Map<String, Stamp> list() throws IOException {
    Map<String, Stamp> files = new TreeMap<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, FolderScan::isYaml)) {
      for (Path entry : entries) {
        try {
          files.put(entry.getFileName().toString(), Stamp.of(entry));
        } catch (NoSuchFileException e) {
          log.debug("{} went while looking", entry);
        }
      }
    } catch (java.nio.file.DirectoryIteratorException e) {
      throw e.getCause();
    }
    return files;
  }

  /** Hidden files are what editors leave while they write. */
  private static boolean isYaml(Path path) {
    String name = path.getFileName().toString();
    return !name.startsWith(".") && (name.endsWith(".yaml") || name.endsWith(".yml")) && Files.isRegularFile(path);
  }

  private boolean apply(String file, Stamp stamp, Set<String> gone) {
    FolderFiles handlers = new FolderFiles(folder);
    try {
      if (stamp.size() > WeirYaml.MAX_CHARS) {
        fail(file, 0, "is larger than " + WeirYaml.MAX_CHARS + " bytes; split it into several files");
        applied.put(file, new Applied(stamp, handlers));
        return false;
      }
      String text = StandardCharsets.UTF_8.newDecoder()
          .decode(java.nio.ByteBuffer.wrap(Files.readAllBytes(folder.resolve(file)))).toString();
      if (!Stamp.of(folder.resolve(file)).equals(stamp)) {
        return true;
      }
      applied.put(file, new Applied(stamp, handlers));
      registry.declareFile(file, text, handlers, gone);
      failing.remove(file);
      note(file, 0, null);
      if (stamp.isFresh(clock) || handlers.fresh(clock)) {
        applied.remove(file);
        return true;
      }
    } catch (InvalidDeclaration e) {
      fail(file, e.problem().line(), e.problem().message());
    } catch (CharacterCodingException e) {
      fail(file, 0, "is not UTF-8; save it as UTF-8");
      applied.put(file, new Applied(stamp, handlers));
    } catch (NoSuchFileException | FolderFiles.Moving e) {
      return true;
    } catch (IOException e) {
      fail(file, 0, "cannot be read (" + e + "); its functions stay as they were");
    }
    return false;
  }

  private void remove(String file) {
    applied.remove(file);
    failing.remove(file);
    registry.removeFile(file);
  }

  private void fail(String file, int line, String message) {
    failing.add(file);
    note(file, line, message);
  }

  private void note(String source, int line, @Nullable String message) {
    Problem problem = message == null ? null : new Problem(source, line, message, clock.instant());
    if (registry.fileProblem(source, problem)) {
      if (message == null) {
        log.info("{}: mended", source);
      } else {
        log.warn("{}{}: {}", source, line > 0 ? ":" + line : "", message);
      }
    }
  }
}
