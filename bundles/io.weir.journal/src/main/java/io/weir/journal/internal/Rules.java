package io.weir.journal.internal;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.weir.function.FunctionName;
import io.weir.invocation.Acceptance;
import io.weir.invocation.InvocationJournal.Entry;
import io.weir.invocation.InvocationJournal.Output;
import io.weir.invocation.JournalFull;
import io.weir.invocation.JournalFull.Reason;
import io.weir.invocation.KeptOutcome;
import io.weir.invocation.StateChange;
import io.weir.journal.internal.Index.Key;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** What may be written, and what that makes of the journal. Only the writing thread decides. */
final class Rules {
  private static final int MAX_KEY = 512;

  private final Ledger ledger;
  private final Settings settings;

  Rules(Ledger ledger) {
    this.ledger = ledger;
    this.settings = ledger.settings();
  }

  private static long charge(byte[] payload) {
    return payload.length + Layout.RECORD_HEAD + Index.OVERHEAD;
  }

  private void fits(List<byte[]> payloads, String what) {
    long bytes = payloads.stream().mapToLong(payload -> payload.length + Layout.RECORD_HEAD).sum();
    if (bytes > ledger.log().largest()) {
      throw new JournalFull(Reason.TOO_LARGE, what + " takes " + bytes + " bytes, and the journal keeps no more than "
          + ledger.log().largest() + " at once; raise segment.mib in " + JournalKeeper.PID);
    }
  }

  // --- events --------------------------------------------------------------------------------------------------------

  /** @param encoded the same entry */
  Acceptance accept(Batch batch, Entry entry, byte[] encoded) {
    FunctionName function = entry.invocation().function();
    Optional<Key> key = entry.key().map(text -> new Key(function, text));
    Optional<Long> known = key.flatMap(batch::number);
    if (known.isPresent()) {
      ledger.suppress(function);
      return known(batch, known.get());
    }
    return new Acceptance.Taken(take(batch, entry, encoded, List.of(), 0));
  }

  /** @param freed what the other facts of this change free */
  private long take(Batch batch, Entry entry, byte[] encoded, List<Fact> others, long freed) {
    FunctionName function = entry.invocation().function();
    long number = ledger.takeNumber();
    byte[] payload = FactCodec.accepted(number, ledger.now(), encoded);
    fits(List.of(payload), "the event");
    admit(batch, function, charge(payload) - freed);
    List<Fact> facts = new ArrayList<>(others);
    List<byte[]> payloads = new ArrayList<>(others.stream().map(FactCodec::encode).toList());
    facts.add(new Fact.Accepted(number, ledger.now(), entry));
    payloads.add(payload);
    batch.add(facts, payloads);
    batch.grow(function, charge(payload) - freed);
    entry.key().ifPresent(text -> batch.take(new Key(function, text), number));
    return number;
  }

  private void admit(Batch batch, FunctionName function, long more) {
    if (more <= 0) {
      return;
    }
    Index index = batch.index();
    if (index.bytes() + batch.growth() + more > settings.acceptedBytes()) {
      throw new JournalFull(Reason.TOTAL, "the journal is full: " + index.bytes() + " bytes are kept, of "
          + settings.acceptedBytes() + " up to which events are accepted");
    }
    if (index.bytes(function) + batch.growth(function) + more > settings.functionBytes()) {
      throw new JournalFull(Reason.FUNCTION, function + " has " + index.bytes(function) + " bytes in the journal, of "
          + settings.functionBytes() + " that one function may have");
    }
    long oldest = index.oldest(function).orElse(Long.MAX_VALUE);
    if (ledger.now() - settings.maxAge().toMillis() > oldest) {
      throw new JournalFull(Reason.AGE, function + " has an event or an output that waits for longer than "
          + settings.maxAge().toHours() + " hours");
    }
  }

  /** What became of an event, this batch included. */
  private Acceptance known(Batch batch, long number) {
    Optional<Acceptance> ended = batch.ended(number);
    if (ended.isPresent()) {
      return ended.get();
    }
    return batch.attempts(number).<Acceptance>map(used -> new Acceptance.Pending(number, used))
        .orElseGet(() -> Reader.known(batch.index(), number));
  }

  boolean commit(Batch batch, long event, KeptOutcome outcome, List<Output> outputs, List<StateChange> changes) {
    if (!batch.isPending(event)) {
      return false;
    }
    Index.Event pending = batch.index().find(event).orElseThrow();
    FunctionName function = pending.function;
    long now = ledger.now();
    List<Fact> facts = new ArrayList<>();
    // A key that means something else by now must not come back when this is read without what was before.
    Optional<String> key = pending.key.filter(text ->
        batch.number(new Key(function, text)).filter(number -> number == event).isPresent());
    KeptOutcome kept = key.isPresent() ? outcome : new KeptOutcome(outcome.status(), List.of(), new byte[0], "");
    facts.add(new Fact.Done(event, now, function, key, kept));
    outputs.forEach(output -> facts.add(new Fact.Output(ledger.takeNumber(), now, event, function, output)));
    facts.addAll(facts(function, changes));
    List<byte[]> payloads = facts.stream().map(FactCodec::encode).toList();
    fits(payloads, "the outcome");
    long grown = -batch.index().eventBytes(event);
    long state = 0;
    for (int i = 0; i < facts.size(); i++) {
      grown += facts.get(i) instanceof Fact.Output ? charge(payloads.get(i)) : 0;
      state += stateGrowth(batch, facts.get(i), payloads.get(i));
    }
    stateFits(batch, function, state);
    if (grown + state > 0 && batch.index().bytes() + batch.growth() + grown + state > settings.keptBytes()) {
      throw new JournalFull(Reason.TOTAL, "the journal has no room for what " + function + " answered: "
          + batch.index().bytes() + " bytes are kept, of " + settings.keptBytes());
    }
    if (grown + state > 0 && batch.index().bytes(function) + batch.growth(function) + grown + state
        > settings.functionBytes() * 5 / 4) {
      throw new JournalFull(Reason.FUNCTION, "the journal has no room for what " + function + " answered: it has "
          + batch.index().bytes(function) + " bytes, of " + settings.functionBytes());
    }
    batch.add(facts, payloads);
    batch.grow(function, grown);
    batch.growState(function, state);
    batch.end(event, new Acceptance.Done(event, kept));
    return true;
  }

  boolean attempted(Batch batch, long event, int attempts) {
    if (!batch.isPending(event)) {
      return false;
    }
    batch.add(List.of(new Fact.Attempted(event, attempts)));
    batch.attempt(event, attempts);
    return true;
  }

  boolean deadLetter(Batch batch, long event, String reason, String detail, int attempts) {
    if (!batch.isPending(event)) {
      return false;
    }
    String text = detail.length() <= 4096 ? detail : detail.substring(0, 4096) + "…";
    batch.add(List.of(new Fact.Dead(event, ledger.now(), reason, text, attempts)));
    batch.end(event, new Acceptance.Dead(event, reason, text));
    return true;
  }

  Void forget(Batch batch, FunctionName function, String key) {
    // Also if it is not known: the file may remember what was too much for memory.
    batch.add(List.of(new Fact.Forgotten(function, key)));
    batch.forget(new Key(function, key));
    return null;
  }

  // --- outputs -------------------------------------------------------------------------------------------------------

  boolean received(Batch batch, long output) {
    if (!batch.isOutgoing(output)) {
      return false;
    }
    batch.add(List.of(new Fact.Received(output)));
    return true;
  }

  boolean settled(Batch batch, long output) {
    if (!batch.settle(output)) {
      return false;
    }
    batch.add(List.of(new Fact.Settled(output)));
    return true;
  }

  // --- state ---------------------------------------------------------------------------------------------------------

  private List<Fact> facts(FunctionName function, List<StateChange> changes) {
    List<Fact> facts = new ArrayList<>();
    for (StateChange change : changes) {
      int length = change.key().getBytes(UTF_8).length;
      if (length == 0 || length > MAX_KEY) {
        throw new JournalFull(Reason.TOO_LARGE, "a key of state has 1 to " + MAX_KEY + " bytes, not " + length);
      }
      if (change instanceof StateChange.Put put) {
        if (put.value().length > settings.valueBytes()) {
          throw new JournalFull(Reason.TOO_LARGE, "a value of state has at most " + settings.valueBytes()
              + " bytes, that of " + put.key() + " has " + put.value().length);
        }
        long expires = put.ttl().map(ttl -> Math.max(1, ledger.now() + ttl.toMillis())).orElse(0L);
        facts.add(new Fact.Put(function, put.key(), expires, put.value()));
      } else {
        facts.add(new Fact.Deleted(function, change.key()));
      }
    }
    return facts;
  }

  private static long stateGrowth(Batch batch, Fact fact, byte[] payload) {
    return fact instanceof Fact.Put put ? charge(payload) - batch.index().valueBytes(put.function(), put.key())
        : fact instanceof Fact.Deleted gone ? -batch.index().valueBytes(gone.function(), gone.key()) : 0;
  }

  private void stateFits(Batch batch, FunctionName function, long more) {
    long has = batch.index().stateBytes(function) + batch.stateGrowth(function);
    if (more > 0 && has + more > settings.stateBytes()) {
      throw new JournalFull(Reason.STATE, function + " has " + has + " bytes of state, of " + settings.stateBytes()
          + " that it may have");
    }
  }

  Void change(Batch batch, FunctionName function, List<StateChange> changes) {
    List<Fact> facts = facts(function, changes);
    if (facts.isEmpty()) {
      return null;
    }
    List<byte[]> payloads = facts.stream().map(FactCodec::encode).toList();
    fits(payloads, "the change");
    long more = 0;
    for (int i = 0; i < facts.size(); i++) {
      more += stateGrowth(batch, facts.get(i), payloads.get(i));
    }
    stateFits(batch, function, more);
    if (more > 0 && batch.index().bytes() + batch.growth() + more > settings.keptBytes()) {
      throw new JournalFull(Reason.TOTAL, "the journal is full: " + batch.index().bytes() + " bytes are kept, of "
          + settings.keptBytes());
    }
    batch.add(facts, payloads);
    batch.growState(function, more);
    return null;
  }

  // --- dead letters --------------------------------------------------------------------------------------------------

  boolean drop(Batch batch, long event) {
    if (!batch.drop(event)) {
      return false;
    }
    batch.add(List.of(new Fact.Dropped(event)));
    free(batch, event);
    return true;
  }

  OptionalLong replay(Batch batch, long deadLetter, Entry entry, byte[] encoded) {
    if (!batch.index().isDead(deadLetter) || !batch.drop(deadLetter)) {
      return OptionalLong.empty();
    }
    free(batch, deadLetter);
    return OptionalLong.of(take(batch, entry, encoded, List.of(new Fact.Dropped(deadLetter)),
        batch.index().eventBytes(deadLetter)));
  }

  /** The key of a dead letter that goes may mean another event in this very group. */
  private static void free(Batch batch, long event) {
    Index.Event gone = batch.index().find(event).orElseThrow();
    gone.key.map(text -> new Key(gone.function, text))
        .filter(key -> batch.number(key).filter(number -> number == event).isPresent()).ifPresent(batch::forget);
  }
}
