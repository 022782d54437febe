package io.weir.invocation;

import io.weir.function.FunctionName;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;

/**
 * What the gateway promised, kept through power cuts: events that were accepted and how they ended, messages that are
 * still to be sent, the functions' state, dead letters. Optional service; thread-safe.
 *
 * <p>Whatever returns a stage returns at once. The stage completes when the change is on the disk, on the thread that
 * writes for everybody, so what depends on it must not block. It completes exceptionally with {@link JournalFull} or
 * {@link JournalUnavailable}; then the journal does not count on the change, although one that was on its way to a
 * failing disk may be found there after a restart. Changes are made in the order in which one thread asks for them.
 *
 * <p>Whatever returns a value sees only what is on the disk, and may read from it.
 *
 * <p>Events and outputs have numbers that grow in the order of their acceptance and are never used again.
 */
public interface InvocationJournal {

  // --- events --------------------------------------------------------------------------------------------------------

  /**
   * Takes an event in, unless its key was accepted before: then it is not taken again, and the answer says what became
   * of it. Only {@link Acceptance.Taken} asks for work.
   *
   * @throws IllegalArgumentException if the invocation is streamed or its body can be read only once
   */
  CompletionStage<Acceptance> accept(Entry entry);

  /**
   * Ends an event: outcome, outputs and changes of its function's state together, or none of them. For at least once
   * there are no changes. The outcome is kept only if the event has a key.
   *
   * @return whether it counted; false if the event had ended already, then nothing of this is kept
   */
  CompletionStage<Boolean> commit(long event, KeptOutcome outcome, List<Output> outputs, List<StateChange> changes);

  /** Remembers how many attempts a pending event has used up; false if it is not pending. */
  CompletionStage<Boolean> attempted(long event, int attempts);

  /** Ends an event that nobody could handle; it is kept until it is dropped or replayed. False if it is not pending. */
  CompletionStage<Boolean> deadLetter(long event, String reason, String detail, int attempts);

  /**
   * Lets a key mean another event from now on, as an MQTT packet id does after PUBREL. The event itself stays what it
   * is. Wait for the stage before the other side may use the key again.
   */
  CompletionStage<Void> forget(FunctionName function, String key);

  /** What became of the event with this key; empty if it is unknown or was forgotten. */
  Optional<Acceptance> find(FunctionName function, String key);

  /** Events that are accepted and have not ended, oldest first, those above a number; the first is above 0. */
  List<Accepted> pending(long after, int limit);

  // --- outputs -------------------------------------------------------------------------------------------------------

  /** Outputs that are still to be sent by a channel, in the order of their commits, those above a number. */
  List<Outgoing> outgoing(String channel, long after, int limit);

  /**
   * Remembers that the receiver has an output and only waits for its release, as after PUBREC: from then on it must not
   * be sent again, only released. False if it is not to be sent any more.
   */
  CompletionStage<Boolean> received(long output);

  /** The output needs nothing any more, as after PUBACK or PUBCOMP. False if that was known. */
  CompletionStage<Boolean> settled(long output);

  /**
   * Has a task run whenever a channel got new outputs, until the handle is closed; on the writing thread, so it must
   * not block. What was there before is found by {@link #outgoing}.
   */
  AutoCloseable watch(String channel, Runnable task);

  // --- state ---------------------------------------------------------------------------------------------------------

  /** The value of a function's key; empty if there is none, or its time is over. */
  Optional<byte[]> state(FunctionName function, String key);

  /** The keys of a function's state, in order. */
  List<String> stateKeys(FunctionName function);

  /** How much state a function has and may have. */
  default StateRoom stateRoom(FunctionName function) {
    return StateRoom.DEFAULT;
  }

  /** Changes a function's state by itself, all of it or nothing. */
  CompletionStage<Void> change(FunctionName function, List<StateChange> changes);

  // --- dead letters --------------------------------------------------------------------------------------------------

  /** Dead letters, oldest first, those above a number. */
  List<DeadLetter> deadLetters(long after, int limit);

  /** Throws a dead letter away; false if there is none of this number. */
  CompletionStage<Boolean> drop(long event);

  /**
   * Accepts an event in place of a dead letter, which is gone then; the event may be an edited one. Its number is a new
   * one; empty if there is no such dead letter. A key is taken over, whoever had it.
   */
  CompletionStage<OptionalLong> replay(long deadLetter, Entry entry);

  // --- proof ---------------------------------------------------------------------------------------------------------

  /**
   * Reads the whole journal again and counts what happened from one moment until before another. Takes as long as
   * reading the files takes.
   */
  Audit audit(Instant from, Instant to);

  /** How full the journal is and what it did to the disk since it was opened. */
  Usage usage();

  /**
   * An event as it is accepted.
   *
   * @param invocation what to do; held in memory
   * @param key by which the event is known when it comes again, unique within its function; empty: it cannot be known
   * @param order events of a function with the same text are to be handled one after the other
   * @param notes what the gateway needs to answer it after a restart, such as a response topic
   */
  record Entry(Invocation invocation, Optional<String> key, String order, List<Header> notes) {
    public Entry {
      notes = List.copyOf(notes);
    }
  }

  /**
   * How much state a function has and may have, in bytes.
   *
   * @param used what it has, in the journal's bytes: somewhat more than its keys and values
   * @param limit what it may have
   * @param largestValue what one value may have
   */
  record StateRoom(long used, long limit, int largestValue) {
    /** A default journal in which nothing is. */
    public static final StateRoom DEFAULT = new StateRoom(0, 1 << 20, 1 << 16);
  }

  /** An event that was accepted and has not ended. */
  record Accepted(long number, Instant at, Entry entry, int attempts) {}

  /** An event that nobody could handle. */
  record DeadLetter(long number, Instant at, Entry entry, String reason, String detail, int attempts) {}

  /**
   * A message that is to be sent because an event ended.
   *
   * @param channel who sends it
   * @param target where to, such as a topic
   * @param order outputs with the same text are to be sent one after the other
   * @param headers what the channel needs beside the body
   * @param body not copied; must not change
   */
  record Output(String channel, String target, String order, List<Header> headers, byte[] body) {
    public Output {
      headers = List.copyOf(headers);
    }
  }

  /**
   * An output that is still to be sent.
   *
   * @param event the number of the event it belongs to
   * @param received whether the receiver has it and only waits for its release
   */
  record Outgoing(long number, long event, FunctionName function, Output output, boolean received) {}

  /**
   * How full the journal is, and what it did since it was opened.
   *
   * @param live bytes that are kept for somebody
   * @param limit bytes that may be; acceptance ends a fifth earlier
   * @param files bytes of all files
   * @param pending events that have not ended
   * @param outgoing outputs that are still to be sent
   * @param deadLetters dead letters
   * @param remembered ended events whose key is still known
   * @param states keys of all functions' states
   * @param written bytes written to the disk, preallocation included
   * @param syncs how often the disk was made to keep them
   * @param groups how many groups of changes were written
   * @param records how many changes
   * @param copied records that were written again to free old files
   * @param duplicates events that came again and were not taken
   * @param refused changes that were refused because the journal was full
   * @param setAside files that were damaged or foreign and are kept beside the journal
   * @param functions bytes kept for each function
   */
  record Usage(long live, long limit, long files, long pending, long outgoing, long deadLetters, long remembered,
      long states, long written, long syncs, long groups, long records, long copied, long duplicates, long refused,
      int setAside, Map<FunctionName, Long> functions) {
    public Usage {
      functions = Map.copyOf(functions);
    }
  }
}
