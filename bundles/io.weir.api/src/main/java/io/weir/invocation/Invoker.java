package io.weir.invocation;

import java.util.concurrent.CompletionStage;

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
   * Runs a task once the calling thread has completed every stage whose outcome it knows by now; at once on a thread that
   * completes none. So what many outcomes lead to can be done in one go, for example written to one connection. The task
   * must not block.
   */
  default void afterwards(Runnable task) {
    task.run();
  }
}
