package io.weir.delivery.internal;

import io.weir.function.FunctionName;
import io.weir.invocation.Acceptance;
import io.weir.invocation.Audit;
import io.weir.invocation.InvocationJournal;
import io.weir.invocation.JournalFull;
import io.weir.invocation.KeptOutcome;
import io.weir.invocation.StateChange;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * A journal in memory whose disk keeps only what was written by {@link #write}; {@link #crash} loses the rest. For one
 * thread, which is thereby every thread there is.
 */
final class MemoryJournal implements InvocationJournal {
  /** What is on the disk. */
  static final class Disk {
    final TreeMap<Long, Accepted> pending = new TreeMap<>();
    final TreeMap<Long, DeadLetter> dead = new TreeMap<>();
    final TreeMap<Long, Outgoing> outgoing = new TreeMap<>();
    final Map<String, Long> keys = new HashMap<>();
    final Map<Long, KeptOutcome> outcomes = new HashMap<>();
    /** All that ever ended with an outcome, in the order in which that was committed. */
    final List<Long> committed = new ArrayList<>();
    /** Every event that was ever taken, by number. */
    final TreeMap<Long, Entry> taken = new TreeMap<>();
    /** All changes of state that were ever committed. */
    final List<StateChange> changes = new ArrayList<>();
    boolean stateIsFull;
    long last;
  }

  private record Change<T>(Supplier<T> apply, CompletableFuture<T> done) {
    void write() {
      T result;
      try {
        result = apply.get();
      } catch (RuntimeException e) {
        done.completeExceptionally(e);
        return;
      }
      done.complete(result);
    }
  }

  final Disk disk;
  /** How many events may be pending. */
  int limit = Integer.MAX_VALUE;
  /** Thrown by every change while it is set. */
  RuntimeException failure;
  /** Whether changes are written at once. */
  boolean eager;
  private final ArrayDeque<Change<?>> asked = new ArrayDeque<>();
  private boolean crashed;

  MemoryJournal(Disk disk) {
    this.disk = disk;
  }

  /** Writes up to so many of the changes that wait; how many are left. */
  int write(int most) {
    for (int i = 0; i < most && !asked.isEmpty(); i++) {
      asked.remove().write();
    }
    return asked.size();
  }

  /** What was not written never will be, and nobody hears of it. */
  void crash() {
    crashed = true;
    asked.clear();
  }

  private <T> CompletionStage<T> ask(Supplier<T> apply) {
    Change<T> change = new Change<>(() -> {
      if (failure != null) {
        throw failure;
      }
      return apply.get();
    }, new CompletableFuture<>());
    if (!crashed) {
      asked.add(change);
      if (eager) {
        write(Integer.MAX_VALUE);
      }
    }
    return change.done();
  }

  private static String key(FunctionName function, String key) {
    return function + " " + key;
  }

  @Override
  public CompletionStage<Acceptance> accept(Entry entry) {
    return ask(() -> {
      Optional<Acceptance> known = entry.key().flatMap(key -> find(entry.invocation().function(), key));
      if (known.isPresent()) {
        return known.get();
      }
      if (disk.pending.size() >= limit) {
        throw new JournalFull(JournalFull.Reason.TOTAL, "full");
      }
      long number = ++disk.last;
      disk.pending.put(number, new Accepted(number, entry.invocation().arrived(), entry, 0));
      disk.taken.put(number, entry);
      entry.key().ifPresent(key -> disk.keys.put(key(entry.invocation().function(), key), number));
      return new Acceptance.Taken(number);
    });
  }

  @Override
  public CompletionStage<Boolean> commit(long event, KeptOutcome outcome, List<Output> outputs,
      List<StateChange> changes) {
    return ask(() -> {
      if (disk.stateIsFull && !changes.isEmpty()) {
        throw new JournalFull(JournalFull.Reason.STATE, "full");
      }
      Accepted ended = disk.pending.remove(event);
      if (ended == null) {
        return false;
      }
      disk.changes.addAll(changes);
      disk.outcomes.put(event, outcome);
      disk.committed.add(event);
      for (Output output : outputs) {
        long number = ++disk.last;
        disk.outgoing.put(number,
            new Outgoing(number, event, ended.entry().invocation().function(), output, false));
      }
      return true;
    });
  }

  @Override
  public CompletionStage<Boolean> attempted(long event, int attempts) {
    return ask(() -> disk.pending.computeIfPresent(event,
        (number, was) -> new Accepted(number, was.at(), was.entry(), attempts)) != null);
  }

  @Override
  public CompletionStage<Boolean> deadLetter(long event, String reason, String detail, int attempts) {
    return ask(() -> {
      Accepted ended = disk.pending.remove(event);
      if (ended == null) {
        return false;
      }
      disk.dead.put(event, new DeadLetter(event, ended.at(), ended.entry(), reason, detail, attempts));
      return true;
    });
  }

  @Override
  public CompletionStage<Void> forget(FunctionName function, String key) {
    return ask(() -> {
      disk.keys.remove(key(function, key));
      return null;
    });
  }

  @Override
  public Optional<Acceptance> find(FunctionName function, String key) {
    Long number = disk.keys.get(key(function, key));
    if (number == null) {
      return Optional.empty();
    }
    if (disk.pending.containsKey(number)) {
      return Optional.of(new Acceptance.Pending(number, disk.pending.get(number).attempts()));
    }
    DeadLetter dead = disk.dead.get(number);
    return Optional.of(dead != null ? new Acceptance.Dead(number, dead.reason(), dead.detail())
        : new Acceptance.Done(number, disk.outcomes.get(number)));
  }

  @Override
  public List<Accepted> pending(long after, int limit) {
    return disk.pending.tailMap(after, false).values().stream().limit(limit).toList();
  }

  @Override
  public List<Outgoing> outgoing(String channel, long after, int limit) {
    return disk.outgoing.tailMap(after, false).values().stream().limit(limit).toList();
  }

  @Override
  public CompletionStage<Boolean> received(long output) {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletionStage<Boolean> settled(long output) {
    throw new UnsupportedOperationException();
  }

  @Override
  public AutoCloseable watch(String channel, Runnable task) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Optional<byte[]> state(FunctionName function, String key) {
    return Optional.empty();
  }

  @Override
  public List<String> stateKeys(FunctionName function) {
    return List.of();
  }

  @Override
  public CompletionStage<Void> change(FunctionName function, List<StateChange> changes) {
    throw new UnsupportedOperationException();
  }

  @Override
  public List<DeadLetter> deadLetters(long after, int limit) {
    return disk.dead.tailMap(after, false).values().stream().limit(limit).toList();
  }

  @Override
  public CompletionStage<Boolean> drop(long event) {
    return ask(() -> disk.dead.remove(event) != null);
  }

  @Override
  public CompletionStage<OptionalLong> replay(long deadLetter, Entry entry) {
    return ask(() -> {
      if (disk.dead.remove(deadLetter) == null) {
        return OptionalLong.empty();
      }
      long number = ++disk.last;
      disk.pending.put(number, new Accepted(number, entry.invocation().arrived(), entry, 0));
      disk.taken.put(number, entry);
      return OptionalLong.of(number);
    });
  }

  @Override
  public Audit audit(Instant from, Instant to) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Usage usage() {
    return new Usage(0, 0, 0, disk.pending.size(), disk.outgoing.size(), disk.dead.size(), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        Map.of());
  }
}
