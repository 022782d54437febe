package io.weir.journal.internal;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Something that somebody wants the writing thread to do. */
final class Request<T> {

  /** Adds to a group what it takes, and says what the answer is once that is written. May be asked again. */
  interface Decision<T> {
    T decide(Batch batch);
  }

  private final CompletableFuture<T> stage = new CompletableFuture<>();
  private final long bytes;
  private final boolean grows;
  private final Decision<T> decision;
  private @Nullable T answer;
  private boolean depends;

  /**
   * @param bytes that it takes in memory, about
   * @param grows whether it may make what is kept more, so that it needs room which others do not
   */
  Request(long bytes, boolean grows, Decision<T> decision) {
    this.bytes = bytes;
    this.grows = grows;
    this.decision = decision;
  }

  CompletionStage<T> stage() {
    return stage;
  }

  long bytes() {
    return bytes;
  }

  boolean grows() {
    return grows;
  }

  void decide(Batch batch) {
    batch.begin();
    answer = decision.decide(batch);
    depends = batch.end();
  }

  /** Whether the answer holds only if the group gets written. */
  boolean depends() {
    return depends;
  }

  void answer() {
    stage.complete(answer);
  }

  void fail(RuntimeException why) {
    stage.completeExceptionally(why);
  }
}
