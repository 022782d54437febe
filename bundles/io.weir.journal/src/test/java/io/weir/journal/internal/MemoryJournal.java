package io.weir.journal.internal;

import io.weir.function.FunctionName;
import io.weir.invocation.Acceptance;
import io.weir.invocation.Audit;
import io.weir.invocation.InvocationJournal;
import io.weir.invocation.KeptOutcome;
import io.weir.invocation.StateChange;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;

/** What a journal does, in the fewest words: the model that the real one is compared with. It forgets nothing. */
final class MemoryJournal implements InvocationJournal {
  private record Key(FunctionName function, String text) {}

  private record Value(byte[] bytes, long expires) {}

  final TreeMap<Long, Accepted> pending = new TreeMap<>();
  final TreeMap<Long, DeadLetter> dead = new TreeMap<>();
  final Map<Long, KeptOutcome> done = new HashMap<>();
  final Map<Key, Long> keys = new HashMap<>();
  final TreeMap<Long, Outgoing> outs = new TreeMap<>();
  final Map<FunctionName, TreeMap<String, Value>> state = new HashMap<>();
  private final List<Map.Entry<String, Runnable>> watchers = new ArrayList<>();
  private final LongSupplier clock;
  private long next = 1;
  long accepted;
  long ended;
  long deadLettered;
  long duplicates;

  MemoryJournal(LongSupplier clock) {
    this.clock = clock;
  }

  MemoryJournal(MemoryJournal other) {
    this(other.clock);
    pending.putAll(other.pending);
    dead.putAll(other.dead);
    done.putAll(other.done);
    keys.putAll(other.keys);
    outs.putAll(other.outs);
    other.state.forEach((function, values) -> state.put(function, new TreeMap<>(values)));
    next = other.next;
    accepted = other.accepted;
    ended = other.ended;
    deadLettered = other.deadLettered;
    duplicates = other.duplicates;
  }

  /** Numbers need not be the same as elsewhere; skips to where the other one is. */
  void nextNumber(long number) {
    next = number;
  }

  private static <T> CompletionStage<T> now(T value) {
    return CompletableFuture.completedStage(value);
  }

  private static CompletionStage<Void> nothing() {
    return CompletableFuture.completedStage(null);
  }

  private Acceptance known(long number) {
    return pending.containsKey(number) ? new Acceptance.Pending(number, pending.get(number).attempts())
        : dead.containsKey(number)
            ? new Acceptance.Dead(number, dead.get(number).reason(), dead.get(number).detail())
            : new Acceptance.Done(number, done.get(number));
  }

  @Override
  public CompletionStage<Acceptance> accept(Entry entry) {
    Optional<Key> key = entry.key().map(text -> new Key(entry.invocation().function(), text));
    if (key.isPresent() && keys.containsKey(key.get())) {
      duplicates++;
      return now(known(keys.get(key.get())));
    }
    return now(new Acceptance.Taken(take(entry)));
  }

  private long take(Entry entry) {
    long number = next++;
    accepted++;
    pending.put(number, new Accepted(number, Instant.ofEpochMilli(clock.getAsLong()), entry, 0));
    entry.key().ifPresent(text -> keys.put(new Key(entry.invocation().function(), text), number));
    return number;
  }

  private Optional<Key> key(long number) {
    return keys.entrySet().stream().filter(key -> key.getValue() == number).map(Map.Entry::getKey).findFirst();
  }

  @Override
  public CompletionStage<Boolean> commit(long event, KeptOutcome outcome, List<Output> outputs,
      List<StateChange> changes) {
    Accepted was = pending.remove(event);
    if (was == null) {
      return now(false);
    }
    FunctionName function = was.entry().invocation().function();
    done.put(event, outcome);
    ended++;
    for (Output output : outputs) {
      outs.put(next, new Outgoing(next, event, function, output, false));
      next++;
    }
    apply(function, changes);
    outputs.forEach(output -> watchers.stream().filter(watcher -> watcher.getKey().equals(output.channel()))
        .forEach(watcher -> watcher.getValue().run()));
    return now(true);
  }

  private void apply(FunctionName function, List<StateChange> changes) {
    TreeMap<String, Value> values = state.computeIfAbsent(function, name -> new TreeMap<>());
    for (StateChange change : changes) {
      if (change instanceof StateChange.Put put) {
        values.put(put.key(),
            new Value(put.value(), put.ttl().map(Duration::toMillis).map(ttl -> clock.getAsLong() + ttl).orElse(0L)));
      } else {
        values.remove(change.key());
      }
    }
  }

  @Override
  public CompletionStage<Boolean> attempted(long event, int attempts) {
    return now(pending.computeIfPresent(event,
        (number, was) -> new Accepted(number, was.at(), was.entry(), attempts)) != null);
  }

  @Override
  public CompletionStage<Boolean> deadLetter(long event, String reason, String detail, int attempts) {
    Accepted was = pending.remove(event);
    if (was == null) {
      return now(false);
    }
    deadLettered++;
    dead.put(event, new DeadLetter(event, Instant.ofEpochMilli(clock.getAsLong()), was.entry(), reason, detail, attempts));
    return now(true);
  }

  @Override
  public CompletionStage<Void> forget(FunctionName function, String key) {
    keys.remove(new Key(function, key));
    return nothing();
  }

  @Override
  public Optional<Acceptance> find(FunctionName function, String key) {
    return Optional.ofNullable(keys.get(new Key(function, key))).map(this::known);
  }

  @Override
  public List<Accepted> pending(long after, int limit) {
    return pending.tailMap(after, false).values().stream().limit(limit).toList();
  }

  @Override
  public List<Outgoing> outgoing(String channel, long after, int limit) {
    return outs.tailMap(after, false).values().stream().filter(out -> out.output().channel().equals(channel))
        .limit(limit).toList();
  }

  @Override
  public CompletionStage<Boolean> received(long output) {
    return now(outs.computeIfPresent(output, (number, out) ->
        new Outgoing(number, out.event(), out.function(), out.output(), true)) != null);
  }

  @Override
  public CompletionStage<Boolean> settled(long output) {
    return now(outs.remove(output) != null);
  }

  @Override
  public AutoCloseable watch(String channel, Runnable task) {
    Map.Entry<String, Runnable> watcher = Map.entry(channel, task);
    watchers.add(watcher);
    return () -> watchers.remove(watcher);
  }

  @Override
  public Optional<byte[]> state(FunctionName function, String key) {
    return Optional.ofNullable(state.getOrDefault(function, new TreeMap<>()).get(key))
        .filter(value -> value.expires == 0 || value.expires > clock.getAsLong()).map(Value::bytes);
  }

  @Override
  public List<String> stateKeys(FunctionName function) {
    return state.getOrDefault(function, new TreeMap<>()).keySet().stream()
        .filter(key -> state(function, key).isPresent()).toList();
  }

  @Override
  public CompletionStage<Void> change(FunctionName function, List<StateChange> changes) {
    apply(function, changes);
    return nothing();
  }

  @Override
  public List<DeadLetter> deadLetters(long after, int limit) {
    return dead.tailMap(after, false).values().stream().limit(limit).toList();
  }

  @Override
  public CompletionStage<Boolean> drop(long event) {
    boolean was = dead.remove(event) != null;
    if (was) {
      key(event).ifPresent(keys::remove);
    }
    return now(was);
  }

  @Override
  public CompletionStage<OptionalLong> replay(long deadLetter, Entry entry) {
    if (dead.remove(deadLetter) == null) {
      return now(OptionalLong.empty());
    }
    key(deadLetter).ifPresent(keys::remove);
    return now(OptionalLong.of(take(entry)));
  }

  @Override
  public Audit audit(Instant from, Instant to) {
    return new Audit(from, to, accepted, ended, deadLettered, pending.size(), duplicates, true, List.of(), "");
  }

  @Override
  public Usage usage() {
    return new Usage(0, 0, 0, pending.size(), outs.size(), dead.size(), done.size(), 0, 0, 0, 0, 0, 0, duplicates, 0, 0,
        Map.of());
  }
}
