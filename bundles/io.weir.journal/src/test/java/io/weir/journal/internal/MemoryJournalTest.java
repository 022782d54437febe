package io.weir.journal.internal;

import io.weir.invocation.InvocationJournal;
import java.time.Duration;
import java.util.concurrent.CompletionStage;

class MemoryJournalTest extends JournalContract {
  private long now = 1_700_000_000_000L;
  private final MemoryJournal journal = new MemoryJournal(() -> now);

  @Override
  InvocationJournal journal() {
    return journal;
  }

  @Override
  <T> T get(CompletionStage<T> stage) {
    return stage.toCompletableFuture().join();
  }

  @Override
  void reopen() {
    // It forgets nothing.
  }

  @Override
  void pass(Duration time) {
    now += time.toMillis();
  }
}
