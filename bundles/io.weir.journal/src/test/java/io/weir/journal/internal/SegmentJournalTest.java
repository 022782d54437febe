package io.weir.journal.internal;

import io.weir.invocation.InvocationJournal;
import java.time.Duration;
import java.util.concurrent.CompletionStage;

class SegmentJournalTest extends JournalContract {
  private final Rig rig = new Rig(1, Samples.settings());

  @Override
  InvocationJournal journal() {
    return rig.journal();
  }

  @Override
  <T> T get(CompletionStage<T> stage) {
    return rig.get(stage);
  }

  @Override
  void reopen() {
    rig.reopen();
  }

  @Override
  void pass(Duration time) {
    rig.now += time.toMillis();
  }
}
