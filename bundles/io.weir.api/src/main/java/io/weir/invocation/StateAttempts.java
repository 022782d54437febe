package io.weir.invocation;

import io.weir.function.FunctionName;
import java.util.List;

/**
 * What functions change of their state while they handle events, held back until it is kept together with the event's
 * outcome. Optional service, which may come and go; thread-safe, and nothing of it blocks.
 */
public interface StateAttempts {
  /** Header field of the call by which the function is told of the attempt; it passes it back with every request. */
  String HEADER = "Weir-Attempt";

  /** Begins an attempt at an event. Each has to be closed or dropped. */
  Attempt begin(FunctionName function, String event);

  /** One attempt at one event. */
  interface Attempt {

    /** Value of the header field; never used again, not after a restart either. */
    String id();

    /** Ends the attempt: from now on nothing is changed in its name. */
    Ending close();

    /** Ends the attempt and forgets what it changed; nothing if it has ended. */
    void drop();

    /**
     * What {@link #close} told is kept now, or never will be. Until then nobody reads those keys. Nothing if the attempt
     * was dropped, or this is known.
     */
    void settled();
  }

  /**
   * What became of an attempt.
   *
   * @param counts false if the attempt saw what has changed meanwhile, or what it changed was lost: then it must not
   *     count, and the event is handled afresh
   * @param changes in the order in which they were made
   * @param why for people, if it does not count
   */
  record Ending(boolean counts, List<StateChange> changes, String why) {
    public Ending {
      changes = List.copyOf(changes);
    }
  }
}
