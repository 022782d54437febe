package io.weir.invocation;

import java.util.concurrent.CompletionStage;

/** Takes an invocation to its outcome. Thread-safe. */
public interface Invoker {

  /**
   * Starts the invocation and returns at once; waiting for an instance holds no thread.
   *
   * <p>The stage always completes normally, on a thread of the invoker that may block while an answer is read. When it
   * completes the promise of the invocation's guarantee is kept or its failure is final.
   */
  CompletionStage<Outcome> invoke(Invocation invocation);
}
