package io.weir.gateway.mqtt.internal;

import io.weir.function.FunctionName;
import io.weir.function.Promise;
import io.weir.invocation.Acceptance;
import io.weir.invocation.Audit;
import io.weir.invocation.Courier;
import io.weir.invocation.Header;
import io.weir.invocation.InvocationJournal;
import io.weir.invocation.KeptOutcome;
import io.weir.invocation.StateChange;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Courier and journal in one, which say what the test says. */
final class FakeDurable implements Courier, InvocationJournal {
  /** An event that the test accepts or refuses. */
  record Accepting(Entry entry, Promise promise, CompletableFuture<Acceptance> stage) {
    void take() {
      stage.complete(new Acceptance.Taken(1));
    }

    String body() throws Exception {
      return new String(entry.invocation().body().open().readAllBytes());
    }
  }

  /** A change that the test lets happen. */
  record Noting(String what, CompletableFuture<Void> stage) {
    void done() {
      stage.complete(null);
    }
  }

  final BlockingQueue<Accepting> accepting = new LinkedBlockingQueue<>();
  /** What was asked for besides accepting, in order; done at once unless {@link #hold}. */
  final BlockingQueue<Noting> noting = new LinkedBlockingQueue<>();
  volatile boolean hold;
  private final TreeMap<Long, Outgoing> outgoing = new TreeMap<>();
  private final List<Runnable> watches = new CopyOnWriteArrayList<>();

  Accepting next() throws InterruptedException {
    Accepting next = accepting.poll(10, TimeUnit.SECONDS);
    if (next == null) {
      throw new AssertionError("nothing was to be accepted");
    }
    return next;
  }

  Noting nextNote() throws InterruptedException {
    Noting next = noting.poll(10, TimeUnit.SECONDS);
    if (next == null) {
      throw new AssertionError("nothing was noted");
    }
    return next;
  }

  /** An answer of QoS 1 or 2 that is to be sent; its event has the same number. */
  void send(long number, String function, String topic, String body, int qos, boolean received) {
    synchronized (outgoing) {
      outgoing.put(number,
          new Outgoing(number, number, new FunctionName(function), output(number, topic, body, qos), received));
    }
    watches.forEach(Runnable::run);
  }

  static Output output(long number, String topic, String body, int qos) {
    return new Output("mqtt", topic, topic,
        List.of(new Header("qos", Integer.toString(qos)), new Header("invocation", "i" + number)), body.getBytes());
  }

  private CompletableFuture<Void> note(String what) {
    Noting note = new Noting(what, new CompletableFuture<>());
    noting.add(note);
    if (!hold) {
      note.done();
    }
    return note.stage();
  }

  @Override
  public CompletionStage<Acceptance> accept(Entry entry, Promise promise) {
    Accepting asked = new Accepting(entry, promise, new CompletableFuture<>());
    accepting.add(asked);
    return asked.stage();
  }

  @Override
  public void look() {}

  @Override
  public String problem(FunctionName function) {
    return "";
  }

  @Override
  public CompletionStage<Acceptance> accept(Entry entry) {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletionStage<Boolean> commit(long event, KeptOutcome outcome, List<Output> outputs,
      List<StateChange> changes) {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletionStage<Boolean> attempted(long event, int attempts) {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletionStage<Boolean> deadLetter(long event, String reason, String detail, int attempts) {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletionStage<Void> forget(FunctionName function, String key) {
    return note("forget " + key.replaceAll("packet \\S+", "packet"));
  }

  @Override
  public Optional<Acceptance> find(FunctionName function, String key) {
    return Optional.empty();
  }

  @Override
  public List<Accepted> pending(long after, int limit) {
    return List.of();
  }

  @Override
  public List<Outgoing> outgoing(String channel, long after, int limit) {
    synchronized (outgoing) {
      return outgoing.tailMap(after, false).values().stream().limit(limit).toList();
    }
  }

  @Override
  public CompletionStage<Boolean> received(long output) {
    return note("received " + output).thenApply(done -> true);
  }

  @Override
  public CompletionStage<Boolean> settled(long output) {
    synchronized (outgoing) {
      outgoing.remove(output);
    }
    return note("settled " + output).thenApply(done -> true);
  }

  @Override
  public AutoCloseable watch(String channel, Runnable task) {
    watches.add(task);
    return () -> watches.remove(task);
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
    return List.of();
  }

  @Override
  public CompletionStage<Boolean> drop(long event) {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletionStage<OptionalLong> replay(long deadLetter, Entry entry) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Audit audit(Instant from, Instant to) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Usage usage() {
    return new Usage(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, Map.of());
  }
}
