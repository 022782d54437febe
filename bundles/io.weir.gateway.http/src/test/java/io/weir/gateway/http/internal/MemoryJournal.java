package io.weir.gateway.http.internal;

import io.weir.function.FunctionName;
import io.weir.invocation.Acceptance;
import io.weir.invocation.Audit;
import io.weir.invocation.InvocationJournal;
import io.weir.invocation.KeptOutcome;
import io.weir.invocation.StateChange;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A journal in memory, as far as requests can see it. */
final class MemoryJournal implements InvocationJournal {
  private record Key(FunctionName function, String text) {}

  private final TreeMap<Long, Accepted> pending = new TreeMap<>();
  private final TreeMap<Long, DeadLetter> dead = new TreeMap<>();
  private final Map<Long, KeptOutcome> done = new HashMap<>();
  private final Map<Key, Long> keys = new HashMap<>();
  private long next = 1;
  volatile RuntimeException failure;
  volatile boolean unbroken = true;
  volatile Instant auditedFrom = Instant.MIN;
  volatile Instant auditedTo = Instant.MIN;
  volatile long kept = 1 << 20;

  private <T> CompletionStage<T> now(T value) {
    return failure == null ? CompletableFuture.completedStage(value) : CompletableFuture.failedStage(failure);
  }

  private Acceptance known(long number) {
    return pending.containsKey(number) ? new Acceptance.Pending(number, pending.get(number).attempts())
        : dead.containsKey(number) ? new Acceptance.Dead(number, dead.get(number).reason(), dead.get(number).detail())
            : new Acceptance.Done(number, done.get(number));
  }

  @Override
  public synchronized CompletionStage<Acceptance> accept(Entry entry) {
    if (failure != null) {
      return now(null);
    }
    Optional<Key> key = entry.key().map(text -> new Key(entry.invocation().function(), text));
    return key.isPresent() && keys.containsKey(key.get()) ? now(known(keys.get(key.get())))
        : now(new Acceptance.Taken(take(entry)));
  }

  private long take(Entry entry) {
    long number = next++;
    pending.put(number, new Accepted(number, Fakes.NOON, entry, 0));
    entry.key().ifPresent(text -> keys.put(new Key(entry.invocation().function(), text), number));
    return number;
  }

  @Override
  public synchronized CompletionStage<Boolean> commit(long event, KeptOutcome outcome, List<Output> outputs,
      List<StateChange> changes) {
    boolean was = pending.remove(event) != null;
    if (was) {
      done.put(event, outcome);
    }
    return now(was);
  }

  @Override
  public synchronized CompletionStage<Boolean> deadLetter(long event, String reason, String detail, int attempts) {
    Accepted was = pending.remove(event);
    if (was != null) {
      dead.put(event, new DeadLetter(event, Fakes.NOON, was.entry(), reason, detail, attempts));
    }
    return now(was != null);
  }

  @Override
  public synchronized Optional<Acceptance> find(FunctionName function, String key) {
    return Optional.ofNullable(keys.get(new Key(function, key))).map(this::known);
  }

  @Override
  public synchronized List<Accepted> pending(long after, int limit) {
    return pending.tailMap(after, false).values().stream().limit(limit).toList();
  }

  @Override
  public synchronized List<DeadLetter> deadLetters(long after, int limit) {
    return dead.tailMap(after, false).values().stream().limit(limit).toList();
  }

  @Override
  public synchronized CompletionStage<Boolean> drop(long event) {
    return failure != null ? now(null) : now(dead.remove(event) != null && keys.values().removeIf(n -> n == event) | true);
  }

  @Override
  public synchronized CompletionStage<OptionalLong> replay(long deadLetter, Entry entry) {
    if (failure != null || dead.remove(deadLetter) == null) {
      return now(OptionalLong.empty());
    }
    return now(OptionalLong.of(take(entry)));
  }

  @Override
  public Audit audit(Instant from, Instant to) {
    auditedFrom = from;
    auditedTo = to;
    return new Audit(from, to, 7, 4, 1, 2, 3, unbroken, unbroken ? List.of() : List.of("2.seg: flipped"), "c0ffee");
  }

  @Override
  public synchronized Usage usage() {
    return new Usage(kept, 20 << 20, 8 << 20, pending.size(), 5, dead.size(), done.size(), 9, 3_000, 10, 12, 40, 2, 3, 1,
        0, Map.of(new FunctionName("thermo"), 4_096L));
  }

  @Override
  public CompletionStage<Boolean> attempted(long event, int attempts) {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletionStage<Void> forget(FunctionName function, String key) {
    throw new UnsupportedOperationException();
  }

  @Override
  public List<Outgoing> outgoing(String channel, long after, int limit) {
    throw new UnsupportedOperationException();
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
    throw new UnsupportedOperationException();
  }

  @Override
  public List<String> stateKeys(FunctionName function) {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletionStage<Void> change(FunctionName function, List<StateChange> changes) {
    throw new UnsupportedOperationException();
  }
}
