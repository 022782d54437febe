package io.weir.gateway.http.internal;

import io.weir.function.FunctionName;
import io.weir.function.Promise;
import io.weir.invocation.Acceptance;
import io.weir.invocation.Answers;
import io.weir.invocation.Courier;
import io.weir.invocation.Invocation;
import io.weir.invocation.InvocationJournal;
import io.weir.invocation.InvocationJournal.Accepted;
import io.weir.invocation.Outcome;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/** Makes one attempt for each event; one that fails is a dead letter. */
final class MemoryCourier implements Courier {
  final AtomicInteger looks = new AtomicInteger();
  final List<Promise> promises = new CopyOnWriteArrayList<>();
  volatile Answers answers;
  /** Whether it is away: events are accepted all the same. */
  volatile boolean away;
  private final MemoryJournal journal;
  private final Function<Invocation, CompletionStage<Outcome>> invoker;

  MemoryCourier(MemoryJournal journal, Function<Invocation, CompletionStage<Outcome>> invoker) {
    this.journal = journal;
    this.invoker = invoker;
  }

  @Override
  public CompletionStage<Acceptance> accept(InvocationJournal.Entry entry, Promise promise) {
    promises.add(promise);
    return journal.accept(entry).thenApply(acceptance -> {
      if (acceptance instanceof Acceptance.Taken && !away) {
        handle(new Accepted(acceptance.number(), Fakes.NOON, entry, 0));
      }
      return acceptance;
    });
  }

  @Override
  public void look() {
    looks.incrementAndGet();
    if (!away) {
      journal.pending(0, 100).forEach(this::handle);
    }
  }

  @Override
  public String problem(FunctionName function) {
    return "";
  }

  private void handle(Accepted event) {
    if (answers != null) {
      invoker.apply(event.entry().invocation()).thenAccept(outcome -> end(event, outcome));
    }
  }

  private void end(Accepted event, Outcome outcome) {
    if (outcome instanceof Outcome.Replied reply && reply.status() < 500) {
      try {
        Answers.Ending ending = answers.ending(event.entry(), reply);
        journal.commit(event.number(), ending.outcome(), ending.outputs(), List.of());
        answers.kept(event, ending.outcome());
      } catch (IOException e) {
        dead(event, "connection-reset", String.valueOf(e.getMessage()));
      }
    } else if (outcome instanceof Outcome.Replied reply) {
      dead(event, "status-" + reply.status(), "the function answered with status " + reply.status());
    } else if (outcome instanceof Outcome.Failed failed) {
      dead(event, failed.code(), failed.detail());
    }
  }

  private void dead(Accepted event, String reason, String detail) {
    journal.deadLetter(event.number(), reason, detail, 1);
    answers.died(event, reason, detail);
  }
}
