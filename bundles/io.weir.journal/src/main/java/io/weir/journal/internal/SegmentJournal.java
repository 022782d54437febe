package io.weir.journal.internal;

import io.weir.function.FunctionName;
import io.weir.invocation.Acceptance;
import io.weir.invocation.Audit;
import io.weir.invocation.InvocationJournal;
import io.weir.invocation.JournalFull;
import io.weir.invocation.KeptOutcome;
import io.weir.invocation.StateChange;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The journal as others see it: changes go to the writing thread's queue, questions are answered at once. */
final class SegmentJournal implements InvocationJournal {
  private static final Logger LOG = LoggerFactory.getLogger(SegmentJournal.class);
  private static final int SMALL = 128;

  private final Ledger ledger;
  private final Queue queue;
  private final Rules rules;
  private final Reader reader;
  private final Watchers watchers;
  private final Cleaner cleaner;

  SegmentJournal(Ledger ledger, Queue queue, Watchers watchers) {
    this.ledger = ledger;
    this.queue = queue;
    this.rules = new Rules(ledger);
    this.reader = new Reader(ledger.index());
    this.watchers = watchers;
    this.cleaner = ledger.cleaner();
  }

  /** Who wants to know of new outputs, by channel. */
  static final class Watchers {
    private final Map<String, List<Runnable>> tasks = new ConcurrentHashMap<>();

    AutoCloseable add(String channel, Runnable task) {
      List<Runnable> all = tasks.computeIfAbsent(channel, name -> new CopyOnWriteArrayList<>());
      all.add(task);
      return () -> all.remove(task);
    }

    void tell(Set<String> channels) {
      channels.forEach(channel -> tasks.getOrDefault(channel, List.of()).forEach(task -> {
        try {
          task.run();
        } catch (RuntimeException e) {
          LOG.error("a watcher of {} failed", channel, e);
        }
      }));
    }
  }

  private <T> CompletionStage<T> ask(long bytes, boolean grows, Request.Decision<T> decision) {
    return queue.add(new Request<>(bytes + SMALL, grows, decision));
  }

  private static void check(Entry entry) {
    if (entry.invocation().streamed() || !entry.invocation().body().repeatable()) {
      throw new IllegalArgumentException("invocation " + entry.invocation().id()
          + " is streamed; only what is held in memory can be kept");
    }
  }

  /** Nobody should be made to encode what is refused anyway. */
  private static <T> CompletionStage<T> tooLarge(Entry entry, long largest) {
    return CompletableFuture.failedStage(new JournalFull(JournalFull.Reason.TOO_LARGE, "invocation "
        + entry.invocation().id() + " has a body of " + entry.invocation().body().length()
        + " bytes, and the journal keeps no more than " + largest + " at once; raise segment.mib in "
        + JournalKeeper.PID));
  }

  @Override
  public CompletionStage<Acceptance> accept(Entry entry) {
    check(entry);
    if (entry.invocation().body().length() > ledger.log().largest()) {
      return tooLarge(entry, ledger.log().largest());
    }
    byte[] encoded = FactCodec.entry(entry);
    return ask(encoded.length, true, batch -> rules.accept(batch, entry, encoded));
  }

  @Override
  public CompletionStage<Boolean> commit(long event, KeptOutcome outcome, List<Output> outputs,
      List<StateChange> changes) {
    List<Output> sent = List.copyOf(outputs);
    List<StateChange> changed = List.copyOf(changes);
    long bytes = outcome.body().length + sent.stream().mapToLong(output -> output.body().length + SMALL).sum()
        + bytes(changed);
    return ask(bytes, false, batch -> rules.commit(batch, event, outcome, sent, changed));
  }

  private static long bytes(List<StateChange> changes) {
    return changes.stream()
        .mapToLong(change -> SMALL + (change instanceof StateChange.Put put ? put.value().length : 0)).sum();
  }

  @Override
  public CompletionStage<Boolean> attempted(long event, int attempts) {
    return ask(0, false, batch -> rules.attempted(batch, event, attempts));
  }

  @Override
  public CompletionStage<Boolean> deadLetter(long event, String reason, String detail, int attempts) {
    return ask(detail.length(), false, batch -> rules.deadLetter(batch, event, reason, detail, attempts));
  }

  @Override
  public CompletionStage<Void> forget(FunctionName function, String key) {
    return ask(key.length(), false, batch -> rules.forget(batch, function, key));
  }

  @Override
  public Optional<Acceptance> find(FunctionName function, String key) {
    return reader.find(function, key);
  }

  @Override
  public List<Accepted> pending(long after, int limit) {
    return reader.pending(after, limit);
  }

  @Override
  public List<Outgoing> outgoing(String channel, long after, int limit) {
    return reader.outgoing(channel, after, limit);
  }

  @Override
  public CompletionStage<Boolean> received(long output) {
    return ask(0, false, batch -> rules.received(batch, output));
  }

  @Override
  public CompletionStage<Boolean> settled(long output) {
    return ask(0, false, batch -> rules.settled(batch, output));
  }

  @Override
  public AutoCloseable watch(String channel, Runnable task) {
    return watchers.add(channel, task);
  }

  @Override
  public Optional<byte[]> state(FunctionName function, String key) {
    return reader.state(function, key, ledger.now());
  }

  @Override
  public List<String> stateKeys(FunctionName function) {
    return ledger.index().stateKeys(function, ledger.now());
  }

  @Override
  public StateRoom stateRoom(FunctionName function) {
    return new StateRoom(ledger.index().stateBytes(function), ledger.settings().stateBytes(), ledger.settings().valueBytes());
  }

  @Override
  public CompletionStage<Void> change(FunctionName function, List<StateChange> changes) {
    List<StateChange> changed = List.copyOf(changes);
    boolean grows = changed.stream().anyMatch(change -> change instanceof StateChange.Put);
    return ask(bytes(changed), grows, batch -> rules.change(batch, function, changed));
  }

  @Override
  public List<DeadLetter> deadLetters(long after, int limit) {
    return reader.deadLetters(after, limit);
  }

  @Override
  public CompletionStage<Boolean> drop(long event) {
    return ask(0, false, batch -> rules.drop(batch, event));
  }

  @Override
  public CompletionStage<OptionalLong> replay(long deadLetter, Entry entry) {
    check(entry);
    if (entry.invocation().body().length() > ledger.log().largest()) {
      return tooLarge(entry, ledger.log().largest());
    }
    byte[] encoded = FactCodec.entry(entry);
    return ask(encoded.length, true, batch -> rules.replay(batch, deadLetter, entry, encoded));
  }

  @Override
  public Audit audit(Instant from, Instant to) {
    return Auditor.audit(ledger.index(), ledger.log().segments(), from, to);
  }

  @Override
  public Usage usage() {
    Index.Counts counts = ledger.index().counts();
    Log log = ledger.log();
    return new Usage(ledger.index().bytes(), ledger.settings().keptBytes(), log.bytes(), counts.pending(),
        counts.outgoing(), counts.dead(), counts.done(), counts.states(), log.written.sum(), log.syncs.sum(),
        log.groups.sum(), log.records.sum(), cleaner.copied(), ledger.duplicates.sum(),
        ledger.refused.sum() + queue.refused(), ledger.report().setAside(), counts.functions());
  }
}
