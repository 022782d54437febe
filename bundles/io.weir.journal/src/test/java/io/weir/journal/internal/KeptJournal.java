package io.weir.journal.internal;

import io.weir.event.Events;
import io.weir.event.GatewayEvent;
import io.weir.invocation.InvocationJournal;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/** A journal on a real disk with its thread, as the gateway has it. */
final class KeptJournal implements AutoCloseable {
  final List<GatewayEvent> told = new CopyOnWriteArrayList<>();
  private final JournalKeeper keeper;
  private final CompletableFuture<InvocationJournal> offered = new CompletableFuture<>();
  private final CompletableFuture<Void> takenBack = new CompletableFuture<>();

  KeptJournal(Settings settings, LongSupplier clock) {
    this.keeper = new JournalKeeper(settings, clock, new Events() {
      @Override
      public void publish(GatewayEvent event) {
        told.add(event);
      }

      @Override
      public List<GatewayEvent> recent() {
        return told;
      }

      @Override
      public AutoCloseable subscribe(Consumer<GatewayEvent> listener) {
        throw new UnsupportedOperationException();
      }

      @Override
      public Map<String, Long> counters() {
        return Map.of();
      }
    }, journal -> {
      offered.complete(journal);
      return () -> takenBack.complete(null);
    });
  }

  JournalKeeper keeper() {
    return keeper;
  }

  CompletableFuture<InvocationJournal> offered() {
    return offered;
  }

  InvocationJournal journal() {
    return offered.orTimeout(60, TimeUnit.SECONDS).join();
  }

  @Override
  public void close() {
    keeper.close();
  }
}
