package io.weir.state.internal;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.weir.function.FunctionName;
import io.weir.invocation.InvocationJournal;
import io.weir.invocation.StateAttempts;
import io.weir.invocation.StateAttempts.Ending;
import io.weir.invocation.StateChange;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Who reads and changes the state of one function: attempts see what is kept and what they changed themselves, and count
 * only if what they saw is still so. Thread-safe; the journal is never asked while the monitor is held.
 */
final class Book {
  /** What an attempt may change: it is held in memory, and kept in one piece. */
  static final int MOST_CHANGES = 256;
  static final int MOST_BYTES = 256 << 10;
  /** What the journal adds to a key and its value, at most. */
  private static final int OVERHEAD = 384;
  private static final int MOST_REMEMBERED = 4096;

  /** A key's value as it is kept, and when that was; or who is changing it. */
  record Seen(Optional<byte[]> value, long at, @Nullable CompletableFuture<Void> busy) {}

  private final FunctionName name;
  private final Consumer<Attempt> over;
  /** Keys whose changes are on their way to the disk, with what is completed when they are there. */
  private final Map<String, CompletableFuture<Void>> committing = new HashMap<>();
  /** When keys were changed, by a clock that counts changes; what is older than {@code floor} is not remembered. */
  private final Map<String, Long> changed = new HashMap<>();
  private long clock;
  private long floor;

  /** @param over told of attempts that have ended */
  Book(FunctionName name, Consumer<Attempt> over) {
    this.name = name;
    this.over = over;
  }

  FunctionName name() {
    return name;
  }

  /** May read from the disk. */
  Seen see(InvocationJournal journal, String key) {
    while (true) {
      long at;
      synchronized (this) {
        CompletableFuture<Void> busy = committing.get(key);
        if (busy != null) {
          return new Seen(Optional.empty(), clock, busy);
        }
        at = clock;
      }
      Optional<byte[]> value = journal.state(name, key);
      synchronized (this) {
        if (changedAt(key) <= at) {
          return new Seen(value, at, null);
        }
      }
    }
  }

  private long changedAt(String key) {
    return Math.max(floor, changed.getOrDefault(key, 0L));
  }

  /**
   * Begins a change outside of any attempt; empty if the key was changed since it was seen, or is being changed. Complete
   * the future when the journal has answered.
   */
  synchronized Optional<CompletableFuture<Void>> begin(String key, Optional<Seen> condition) {
    return committing.containsKey(key) || condition.isPresent() && changedAt(key) > condition.get().at()
        ? Optional.empty() : Optional.of(mark(List.of(key)));
  }

  synchronized Optional<CompletableFuture<Void>> busy(String key) {
    return Optional.ofNullable(committing.get(key));
  }

  private CompletableFuture<Void> mark(List<String> keys) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    clock++;
    for (String key : keys) {
      committing.put(key, done);
      changed.put(key, clock);
    }
    if (changed.size() > MOST_REMEMBERED) {
      changed.clear();
      floor = clock;
    }
    return done;
  }

  void settle(CompletableFuture<Void> change) {
    synchronized (this) {
      committing.values().removeIf(each -> each == change);
    }
    change.complete(null);
  }

  /** What an attempt may not do. */
  enum Refusal { OVER, TOO_MUCH, FULL }

  /** One attempt at one event; guarded by the book's monitor. */
  final class Attempt implements StateAttempts.Attempt {
    private final String id;
    private final String event;
    private final Map<String, Long> reads = new HashMap<>();
    private final Map<String, StateChange> writes = new LinkedHashMap<>();
    private long bytes;
    private boolean ended;
    private @Nullable CompletableFuture<Void> commit;

    Attempt(String id, String event) {
      this.id = id;
      this.event = event;
    }

    @Override
    public String id() {
      return id;
    }

    String event() {
      return event;
    }

    Book book() {
      return Book.this;
    }

    boolean isOver() {
      synchronized (Book.this) {
        return ended;
      }
    }

    /** What it changed itself. */
    Optional<StateChange> own(String key) {
      synchronized (Book.this) {
        return Optional.ofNullable(writes.get(key));
      }
    }

    /** Counts only if that is still so in the end; false if it has ended. */
    boolean read(String key, Seen seen) {
      synchronized (Book.this) {
        if (!ended) {
          reads.putIfAbsent(key, seen.at());
        }
        return !ended;
      }
    }

    /** Holds a change back; empty if it does. */
    Optional<Refusal> write(StateChange change, InvocationJournal journal) {
      InvocationJournal.StateRoom room = journal.stateRoom(name);
      long free = room.limit() - room.used();
      if (change instanceof StateChange.Put put && size(put) > free - grown(put.key())
          && size(put) > free - grown(put.key()) + freed(journal, put.key())) {
        return Optional.of(Refusal.FULL);
      }
      synchronized (Book.this) {
        if (ended) {
          return Optional.of(Refusal.OVER);
        }
        StateChange before = writes.get(change.key());
        long after = bytes + size(change) - (before == null ? 0 : size(before));
        if (after > MOST_BYTES || before == null && writes.size() == MOST_CHANGES) {
          return Optional.of(Refusal.TOO_MUCH);
        }
        bytes = after;
        writes.remove(change.key());
        writes.put(change.key(), change);
        return Optional.empty();
      }
    }

    /** What it changed so far, but for one key. */
    private long grown(String but) {
      synchronized (Book.this) {
        return writes.values().stream().filter(write -> write instanceof StateChange.Put && !write.key().equals(but))
            .mapToLong(Attempt::size).sum();
      }
    }

    /** What is given back because its changes take the place of what is there, this key's included. */
    private long freed(InvocationJournal journal, String also) {
      List<String> keys;
      synchronized (Book.this) {
        keys = new ArrayList<>(writes.keySet());
      }
      if (!keys.contains(also)) {
        keys.add(also);
      }
      return keys.stream().mapToLong(key -> journal.state(name, key).map(value -> size(key, value)).orElse(0L)).sum();
    }

    private static long size(StateChange change) {
      return change instanceof StateChange.Put put ? size(put.key(), put.value()) : OVERHEAD;
    }

    private static long size(String key, byte[] value) {
      return OVERHEAD + key.getBytes(UTF_8).length + value.length;
    }

    /** The keys there are, as it sees them. */
    List<String> keys(List<String> kept) {
      synchronized (Book.this) {
        TreeSet<String> keys = new TreeSet<>(kept);
        writes.forEach((key, change) -> {
          if (change instanceof StateChange.Put) {
            keys.add(key);
          } else {
            keys.remove(key);
          }
        });
        return List.copyOf(keys);
      }
    }

    @Override
    public Ending close() {
      Ending ending;
      synchronized (Book.this) {
        ending = end();
      }
      over.accept(this);
      return ending;
    }

    private Ending end() {
      if (ended) {
        return new Ending(false, List.of(), "what it changed of its state was lost");
      }
      ended = true;
      for (Map.Entry<String, Long> read : reads.entrySet()) {
        if (changedAt(read.getKey()) > read.getValue()) {
          return new Ending(false, List.of(), "key " + read.getKey() + " of its state was changed after it was read");
        }
      }
      List<StateChange> changes = List.copyOf(writes.values());
      if (!changes.isEmpty()) {
        commit = mark(changes.stream().map(StateChange::key).toList());
      }
      return new Ending(true, changes, "");
    }

    @Override
    public void drop() {
      synchronized (Book.this) {
        ended = true;
      }
      over.accept(this);
    }

    @Override
    public void settled() {
      CompletableFuture<Void> done;
      synchronized (Book.this) {
        done = commit;
        commit = null;
      }
      if (done != null) {
        settle(done);
      }
    }
  }
}
