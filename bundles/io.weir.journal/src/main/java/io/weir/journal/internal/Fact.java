package io.weir.journal.internal;

import io.weir.function.FunctionName;
import io.weir.invocation.InvocationJournal.Entry;
import io.weir.invocation.KeptOutcome;
import java.util.List;
import java.util.Optional;

/**
 * What a record says. Facts are absolute: told again in the same order they lead to the same, and one that is missing
 * does not change what the others mean.
 */
sealed interface Fact {

  record Accepted(long number, long at, Entry entry) implements Fact {}

  /** Its key is here again, so that it is known after the event itself is gone. */
  record Done(long number, long at, FunctionName function, Optional<String> key, KeptOutcome outcome) implements Fact {}

  record Attempted(long number, int attempts) implements Fact {}

  record Dead(long number, long at, String reason, String detail, int attempts) implements Fact {}

  /** A dead letter that is gone. */
  record Dropped(long number) implements Fact {}

  record Forgotten(FunctionName function, String key) implements Fact {}

  record Output(long number, long at, long event, FunctionName function,
      io.weir.invocation.InvocationJournal.Output output) implements Fact {}

  record Received(long output) implements Fact {}

  record Settled(long output) implements Fact {}

  /** @param expires when the value is over, in milliseconds since 1970; 0: never */
  record Put(FunctionName function, String key, long expires, byte[] value) implements Fact {}

  record Deleted(FunctionName function, String key) implements Fact {}

  /** Events of a function that came again. */
  record Suppressed(FunctionName function, long count) implements Fact {}

  /** What is left of segments that are gone: all of them, up to this one. */
  record Checkpoint(long upTo, List<Digest> digests) implements Fact {}
}
