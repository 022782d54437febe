package io.weir.journal.internal;

import io.weir.function.FunctionName;
import io.weir.function.InvalidFunction;
import io.weir.invocation.Guarantee;
import io.weir.invocation.Invocation;
import io.weir.invocation.InvocationJournal.Entry;
import io.weir.invocation.InvocationJournal.Output;
import io.weir.invocation.KeptOutcome;
import io.weir.invocation.Payload;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** Facts as bytes, by a number for each kind. */
final class FactCodec {
  static final int ACCEPTED = 1;
  static final int DONE = 2;
  static final int ATTEMPTED = 3;
  static final int DEAD = 4;
  static final int DROPPED = 5;
  static final int FORGOTTEN = 6;
  static final int OUTPUT = 7;
  static final int RECEIVED = 8;
  static final int SETTLED = 9;
  static final int PUT = 10;
  static final int DELETED = 11;
  static final int SUPPRESSED = 12;
  static final int CHECKPOINT = 13;

  private FactCodec() {}

  static int type(Fact fact) {
    return fact instanceof Fact.Accepted ? ACCEPTED
        : fact instanceof Fact.Done ? DONE
        : fact instanceof Fact.Attempted ? ATTEMPTED
        : fact instanceof Fact.Dead ? DEAD
        : fact instanceof Fact.Dropped ? DROPPED
        : fact instanceof Fact.Forgotten ? FORGOTTEN
        : fact instanceof Fact.Output ? OUTPUT
        : fact instanceof Fact.Received ? RECEIVED
        : fact instanceof Fact.Settled ? SETTLED
        : fact instanceof Fact.Put ? PUT
        : fact instanceof Fact.Deleted ? DELETED
        : fact instanceof Fact.Suppressed ? SUPPRESSED
        : CHECKPOINT;
  }

  static byte[] encode(Fact fact) {
    Encoder to = new Encoder();
    if (fact instanceof Fact.Accepted accepted) {
      to.number(accepted.number()).number(accepted.at());
      entry(to, accepted.entry());
    } else if (fact instanceof Fact.Done done) {
      to.number(done.number()).number(done.at()).text(done.function().value()).optional(done.key());
      outcome(to, done.outcome());
    } else if (fact instanceof Fact.Attempted attempted) {
      to.number(attempted.number()).number(attempted.attempts());
    } else if (fact instanceof Fact.Dead dead) {
      to.number(dead.number()).number(dead.at()).text(dead.reason()).text(dead.detail()).number(dead.attempts());
    } else if (fact instanceof Fact.Dropped dropped) {
      to.number(dropped.number());
    } else if (fact instanceof Fact.Forgotten forgotten) {
      to.text(forgotten.function().value()).text(forgotten.key());
    } else if (fact instanceof Fact.Output output) {
      to.number(output.number()).number(output.at()).number(output.event()).text(output.function().value());
      output(to, output.output());
    } else if (fact instanceof Fact.Received received) {
      to.number(received.output());
    } else if (fact instanceof Fact.Settled settled) {
      to.number(settled.output());
    } else if (fact instanceof Fact.Put put) {
      to.text(put.function().value()).text(put.key()).number(put.expires()).bytes(put.value());
    } else if (fact instanceof Fact.Deleted deleted) {
      to.text(deleted.function().value()).text(deleted.key());
    } else if (fact instanceof Fact.Suppressed suppressed) {
      to.text(suppressed.function().value()).number(suppressed.count());
    } else if (fact instanceof Fact.Checkpoint checkpoint) {
      to.number(checkpoint.upTo()).number(checkpoint.digests().size());
      checkpoint.digests().forEach(digest -> digest.encode(to));
    }
    return to.done();
  }

  /** What is known of an event before it has a number; safe on any thread. */
  static byte[] entry(Entry entry) {
    Encoder to = new Encoder();
    entry(to, entry);
    return to.done();
  }

  /** The same as {@code encode} makes of the whole fact. */
  static byte[] accepted(long number, long at, byte[] entry) {
    return new Encoder().number(number).number(at).raw(entry).done();
  }

  private static void entry(Encoder to, Entry entry) {
    Invocation invocation = entry.invocation();
    to.text(invocation.function().value()).optional(entry.key()).text(entry.order()).headers(entry.notes());
    to.text(invocation.id()).text(invocation.trigger()).text(invocation.subject()).text(invocation.method())
        .text(invocation.target()).headers(invocation.headers());
    to.fixed(invocation.arrived().getEpochSecond()).number(invocation.arrived().getNano());
    to.text(invocation.guarantee().name()).bytes(body(invocation.body()));
  }

  static byte[] body(Payload payload) {
    try (InputStream in = payload.open()) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException("the body of an invocation cannot be read", e);
    }
  }

  private static void outcome(Encoder to, KeptOutcome outcome) {
    to.number(outcome.status()).headers(outcome.headers()).bytes(outcome.body()).text(outcome.detail());
  }

  private static void output(Encoder to, Output output) {
    to.text(output.channel()).text(output.target()).text(output.order()).headers(output.headers())
        .bytes(output.body());
  }

  /** @throws Damaged if the bytes are not those of a fact of this kind */
  static Fact decode(int type, ByteBuffer bytes) {
    try {
      return fact(type, new Decoder(bytes));
    } catch (InvalidFunction | DateTimeException e) {
      throw new Damaged("a record of kind " + type + " holds what was never written", e);
    }
  }

  private static Fact fact(int type, Decoder from) {
    return switch (type) {
      case ACCEPTED -> new Fact.Accepted(from.number(), from.number(), entry(from));
      case DONE -> new Fact.Done(from.number(), from.number(), function(from), from.optional(), outcome(from));
      case ATTEMPTED -> new Fact.Attempted(from.number(), (int) from.number());
      case DEAD -> new Fact.Dead(from.number(), from.number(), from.text(), from.text(), (int) from.number());
      case DROPPED -> new Fact.Dropped(from.number());
      case FORGOTTEN -> new Fact.Forgotten(function(from), from.text());
      case OUTPUT -> new Fact.Output(from.number(), from.number(), from.number(), function(from), output(from));
      case RECEIVED -> new Fact.Received(from.number());
      case SETTLED -> new Fact.Settled(from.number());
      case PUT -> new Fact.Put(function(from), from.text(), from.number(), from.bytes());
      case DELETED -> new Fact.Deleted(function(from), from.text());
      case SUPPRESSED -> new Fact.Suppressed(function(from), from.number());
      case CHECKPOINT -> checkpoint(from);
      default -> throw new Damaged("there are no records of kind " + type, null);
    };
  }

  private static FunctionName function(Decoder from) {
    return new FunctionName(from.text());
  }

  private static Entry entry(Decoder from) {
    FunctionName function = function(from);
    var key = from.optional();
    String order = from.text();
    var notes = from.headers();
    String id = from.text();
    String trigger = from.text();
    String subject = from.text();
    String method = from.text();
    String target = from.text();
    var headers = from.headers();
    Instant arrived = Instant.ofEpochSecond(from.fixed(), from.number());
    Guarantee guarantee = guarantee(from.text());
    return new Entry(new Invocation(id, function, trigger, subject, method, target, headers,
        Payload.of(from.bytes()), arrived, guarantee, false), key, order, notes);
  }

  private static Guarantee guarantee(String name) {
    for (Guarantee guarantee : Guarantee.values()) {
      if (guarantee.name().equals(name)) {
        return guarantee;
      }
    }
    throw new Damaged("there is no guarantee " + name, null);
  }

  private static KeptOutcome outcome(Decoder from) {
    return new KeptOutcome((int) from.number(), from.headers(), from.bytes(), from.text());
  }

  private static Output output(Decoder from) {
    return new Output(from.text(), from.text(), from.text(), from.headers(), from.bytes());
  }

  private static Fact.Checkpoint checkpoint(Decoder from) {
    long upTo = from.number();
    long count = from.number();
    List<Digest> digests = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      digests.add(Digest.decode(from));
    }
    return new Fact.Checkpoint(upTo, digests);
  }
}
