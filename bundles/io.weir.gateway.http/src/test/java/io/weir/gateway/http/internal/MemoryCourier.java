package io.weir.gateway.http.internal;

import io.weir.function.FunctionName;
import io.weir.function.Promise;
import io.weir.invocation.Acceptance;
import io.weir.invocation.Courier;
import io.weir.invocation.InvocationJournal;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;

/** Brings events to their end when it is told to. */
final class MemoryCourier implements Courier {
  final AtomicInteger looks = new AtomicInteger();
  private final MemoryJournal journal;

  MemoryCourier(MemoryJournal journal) {
    this.journal = journal;
  }

  @Override
  public CompletionStage<Acceptance> accept(InvocationJournal.Entry entry, Promise promise) {
    return journal.accept(entry);
  }

  @Override
  public void look() {
    looks.incrementAndGet();
  }

  @Override
  public String problem(FunctionName function) {
    return "";
  }
}
