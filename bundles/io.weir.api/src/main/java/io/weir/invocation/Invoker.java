package io.weir.invocation;

import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;

/** Takes an invocation to its outcome. Thread-safe. */
public interface Invoker {

  /**
   * Starts the invocation and returns at once; waiting for an instance holds no thread.
   *
   * <p>The stage always completes normally. If the invocation is streamed, it does so on a thread of the invoker that may
   * block while the answer is read; if not, on one that serves others as well and must not be blocked. When it completes
   * the promise of the invocation's guarantee is kept or its failure is final.
   */
  CompletionStage<Outcome> invoke(Invocation invocation);

  /**
   * Makes one attempt, for somebody who decides himself whether there is another; otherwise as {@link #invoke}. The
   * invocation is not streamed.
   *
   * @param number which attempt it is, counted from 1
   * @param again whether another will follow this outcome; then the invocation is not told to have ended
   */
  default CompletionStage<Outcome> attempt(Invocation invocation, int number, Predicate<Outcome> again) {
    return invoke(invocation);
  }

  /**
   * Runs a task once the calling thread has completed every stage whose outcome it knows by now; at once on a thread that
   * completes none. So what many outcomes lead to can be done in one go, for example written to one connection. The task
   * must not block.
   */
  default void afterwards(Runnable task) {
    task.run();
  }
}
