package io.weir.invocation;

import io.weir.function.FunctionName;
import io.weir.function.Promise;
import java.util.concurrent.CompletionStage;

/**
 * Takes events to their end and keeps what was promised about them: in order, again where that helps, into the journal,
 * over restarts. Thread-safe. There is one exactly while there is an {@link InvocationJournal}.
 */
public interface Courier {

  /**
   * Accepts an event, and has it handled if it is new.
   *
   * <p>The stage completes once the event is on the disk, on a thread that must not be blocked. It fails as
   * {@link InvocationJournal#accept} does, and with {@link JournalFull} while too many of the function's events wait:
   * then it is not accepted, and whoever brought it may try again later.
   *
   * @param entry its order need not tell triggers apart
   */
  CompletionStage<Acceptance> accept(InvocationJournal.Entry entry, Promise promise);

  /** Takes up what somebody else had accepted, such as a dead letter that is replayed; otherwise found within seconds. */
  void look();

  /** What operators should know now about one function, in a line; empty if all is well. */
  String problem(FunctionName function);
}
