package io.weir.kernel.internal;

import io.weir.function.FunctionName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which number a function has in the maps. A file beside them keeps it, because the maps hold no names: without it a
 * gateway that was killed could not tell whose the pinned entries are. On a file system that forgets when the maps do.
 * Thread-safe.
 */
final class FunctionIndex {
  private static final Logger LOG = LoggerFactory.getLogger(FunctionIndex.class);

  private final Path file;
  private final Map<Integer, FunctionName> names = new TreeMap<>();
  private final Map<FunctionName, Integer> indexes = new HashMap<>();
  private final BitSet given = new BitSet(Layout.SERVICES);
  private final Map<Integer, Integer> uses = new HashMap<>();
  /** In which order numbers were given or fell out of use. */
  private final Map<Integer, Long> released = new HashMap<>();
  private final Set<Integer> unbegun = new HashSet<>();
  private final Set<FunctionName> forgotten = new HashSet<>();
  private long releases;
  private boolean settled;
  private final String header;
  private final boolean existed;
  private final boolean fresh;
  /** Whether the file is of this life, and holds all that was given so far. */
  private boolean written;

  /** @param way what is pinned for another one is not taken up */
  FunctionIndex(Path file, Settings.Way way) {
    this.file = file;
    this.header = "weir functions " + Layout.VERSION + ' ' + way;
    this.existed = Files.exists(file);
    this.fresh = !read();
    this.settled = fresh;
  }

  /** Whether nothing that fits was there, so that nothing that is pinned can be taken up. */
  boolean fresh() {
    return fresh;
  }

  /** Whether an earlier life left something, fitting or not. */
  boolean existed() {
    return existed;
  }

  private boolean read() {
    try {
      List<String> lines = Files.readAllLines(file);
      if (lines.isEmpty() || !lines.get(0).equals(header)) {
        return false;
      }
      for (String line : lines.subList(1, lines.size())) {
        String[] fields = line.split(" ");
        give(Integer.parseInt(fields[0]), new FunctionName(fields[1]));
      }
      return true;
    } catch (NoSuchFileException e) {
      return false;
    } catch (IOException | RuntimeException e) {
      LOG.warn("{} cannot be read; the kernel's counters begin anew", file, e);
      names.clear();
      indexes.clear();
      given.clear();
      return false;
    }
  }

  /** Whoever had the number has it no more. */
  private void give(int index, FunctionName function) {
    take(index);
    names.put(index, function);
    indexes.put(function, index);
    given.set(index);
  }

  private @Nullable FunctionName take(int index) {
    FunctionName before = names.remove(index);
    if (before != null) {
      indexes.remove(before, index);
      given.clear(index);
    }
    return before;
  }

  /** A line that was added later counts: a thousand functions are not to write the file a thousand times. */
  private void append(int index, FunctionName function) {
    if (!written) {
      write();
      return;
    }
    try {
      Files.writeString(file, index + " " + function + "\n", StandardOpenOption.APPEND);
    } catch (IOException e) {
      LOG.debug("{} is written anew", file, e);
      write();
    }
  }

  private void write() {
    List<String> lines = new ArrayList<>(List.of(header));
    names.forEach((index, name) -> lines.add(index + " " + name));
    try {
      Files.createDirectories(file.getParent());
      Path draft = file.resolveSibling(file.getFileName() + ".new");
      Files.write(draft, lines);
      Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      written = true;
    } catch (IOException e) {
      written = false;
      LOG.warn("cannot write {}; if the gateway is killed, the kernel's counters begin anew", file, e);
    }
  }

  synchronized Optional<FunctionName> name(int index) {
    return Optional.ofNullable(names.get(index));
  }

  synchronized OptionalInt find(FunctionName function) {
    Integer index = indexes.get(function);
    return index == null ? OptionalInt.empty() : OptionalInt.of(index);
  }

  /** Its number; a new one if it had none, which may be that of a function that is not in use any more. */
  synchronized OptionalInt of(FunctionName function) {
    OptionalInt known = find(function);
    if (known.isPresent()) {
      return known;
    }
    int free = given.nextClearBit(0);
    OptionalInt found = free < Layout.SERVICES ? OptionalInt.of(free) : reclaim();
    found.ifPresent(index -> {
      give(index, function);
      unbegun.add(index);
      released.put(index, ++releases);
      append(index, function);
    });
    return found;
  }

  /** The number that has been out of use for longest. */
  private OptionalInt reclaim() {
    if (!settled) {
      return OptionalInt.empty();
    }
    OptionalInt oldest = names.keySet().stream().filter(index -> !uses.containsKey(index))
        .min(Comparator.comparingLong(index -> released.getOrDefault(index, 0L))).stream().mapToInt(index -> index)
        .findFirst();
    oldest.ifPresent(index -> forgotten.add(java.util.Objects.requireNonNull(take(index))));
    return oldest;
  }

  /** An instance or a service has this number. */
  synchronized void use(int index) {
    uses.merge(index, 1, Integer::sum);
  }

  /** It has it no more. */
  synchronized void release(int index) {
    if (uses.merge(index, -1, Integer::sum) <= 0) {
      uses.remove(index);
      released.put(index, ++releases);
    }
  }

  /** Whether the number was given anew and what stands in the maps under it is to be zeroed; true once. */
  synchronized boolean begins(int index) {
    return unbegun.remove(index);
  }

  /** Functions whose numbers were given to others since this was last asked. */
  synchronized Set<FunctionName> forgotten() {
    Set<FunctionName> all = Set.copyOf(forgotten);
    forgotten.clear();
    return all;
  }

  /** Everything in the maps is somebody's who said so: from now on numbers may be used again. */
  synchronized void settle() {
    settled = true;
  }

  /** Begins the file, once nothing of an earlier life is left that it would have to fit. */
  synchronized void begin() {
    write();
  }

  synchronized void remove() {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      LOG.warn("cannot remove {}", file, e);
    }
  }
}
