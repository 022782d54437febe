package io.weir.invocation;

import io.weir.invocation.InvocationJournal.Accepted;
import io.weir.invocation.InvocationJournal.Entry;
import io.weir.invocation.InvocationJournal.Output;
import java.io.IOException;
import java.util.List;

/**
 * What follows from the answers of functions, told by a gateway that brings events; a service of each such gateway.
 * Nothing of it may block. Events whose gateway is not there wait for it.
 */
public interface Answers {

  /** Whose events these are: the {@link Invocation#trigger()}. */
  String trigger();

  /**
   * What is kept and what is sent because the function answered; reads and closes the answer. The events may have been
   * accepted long ago, and by a gateway of another version.
   */
  Ending ending(Entry entry, Outcome.Replied reply) throws IOException;

  /**
   * An event is about to end like this, and what it sends may be sent twice: so it may be sent before the journal has it,
   * but not before anything that was to be sent earlier. The journal tells of it as of all others.
   */
  default void ending(Accepted event, List<Output> outputs) {}

  /** An event ended like this, and that is on the disk. */
  default void kept(Accepted event, KeptOutcome outcome) {}

  /** An event became a dead letter. */
  void died(Accepted event, String reason, String detail);

  /** How an event ends. */
  record Ending(KeptOutcome outcome, List<Output> outputs) {
    public Ending {
      outputs = List.copyOf(outputs);
    }
  }
}
