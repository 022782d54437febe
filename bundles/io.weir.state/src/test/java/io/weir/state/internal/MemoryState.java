package io.weir.state.internal;

import io.weir.function.FunctionName;
import io.weir.invocation.Acceptance;
import io.weir.invocation.Audit;
import io.weir.invocation.InvocationJournal;
import io.weir.invocation.KeptOutcome;
import io.weir.invocation.StateChange;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A journal's part for state, whose disk does as the test says. */
final class MemoryState implements InvocationJournal {
  private record Asked(Runnable write, CompletableFuture<Void> done) {}

  private final TreeMap<String, byte[]> values = new TreeMap<>();
  private final ArrayDeque<Asked> asked = new ArrayDeque<>();
  volatile boolean eager = true;
  volatile @Nullable RuntimeException failure;
  volatile StateRoom room = StateRoom.DEFAULT;

  private static String name(FunctionName function, String key) {
    return function + " " + key;
  }

  @Override
  public synchronized Optional<byte[]> state(FunctionName function, String key) {
    return Optional.ofNullable(values.get(name(function, key)));
  }

  @Override
  public synchronized List<String> stateKeys(FunctionName function) {
    return values.keySet().stream().filter(name -> name.startsWith(function + " "))
        .map(name -> name.substring(function.value().length() + 1)).toList();
  }

  @Override
  public StateRoom stateRoom(FunctionName function) {
    return room;
  }

  @Override
  public CompletionStage<Void> change(FunctionName function, List<StateChange> changes) {
    Asked change = new Asked(() -> apply(function, changes), new CompletableFuture<>());
    synchronized (this) {
      asked.add(change);
    }
    if (eager) {
      write();
    }
    return change.done();
  }

  synchronized void apply(FunctionName function, List<StateChange> changes) {
    for (StateChange change : changes) {
      if (change instanceof StateChange.Put put) {
        values.put(name(function, put.key()), put.value());
      } else {
        values.remove(name(function, change.key()));
      }
    }
  }

  synchronized int waiting() {
    return asked.size();
  }

  void write() {
    for (Asked next = poll(); next != null; next = poll()) {
      RuntimeException why = failure;
      if (why != null) {
        next.done().completeExceptionally(why);
      } else {
        next.write().run();
        next.done().complete(null);
      }
    }
  }

  private synchronized @Nullable Asked poll() {
    return asked.poll();
  }

  // --- not asked for -------------------------------------------------------------------------------------------------

  private static UnsupportedOperationException no() {
    return new UnsupportedOperationException();
  }

  @Override
  public CompletionStage<Acceptance> accept(Entry entry) {
    throw no();
  }

  @Override
  public CompletionStage<Boolean> commit(long event, KeptOutcome outcome, List<Output> outputs,
      List<StateChange> changes) {
    throw no();
  }

  @Override
  public CompletionStage<Boolean> attempted(long event, int attempts) {
    throw no();
  }

  @Override
  public CompletionStage<Boolean> deadLetter(long event, String reason, String detail, int attempts) {
    throw no();
  }

  @Override
  public CompletionStage<Void> forget(FunctionName function, String key) {
    throw no();
  }

  @Override
  public Optional<Acceptance> find(FunctionName function, String key) {
    throw no();
  }

  @Override
  public List<Accepted> pending(long after, int limit) {
    throw no();
  }

  @Override
  public List<Outgoing> outgoing(String channel, long after, int limit) {
    throw no();
  }

  @Override
  public CompletionStage<Boolean> received(long output) {
    throw no();
  }

  @Override
  public CompletionStage<Boolean> settled(long output) {
    throw no();
  }

  @Override
  public AutoCloseable watch(String channel, Runnable task) {
    throw no();
  }

  @Override
  public List<DeadLetter> deadLetters(long after, int limit) {
    throw no();
  }

  @Override
  public CompletionStage<Boolean> drop(long event) {
    throw no();
  }

  @Override
  public CompletionStage<OptionalLong> replay(long deadLetter, Entry entry) {
    throw no();
  }

  @Override
  public Audit audit(Instant from, Instant to) {
    throw no();
  }

  @Override
  public Usage usage() {
    throw no();
  }
}
