package io.weir.journal.internal;

import static io.weir.journal.internal.Samples.THERMO;
import static io.weir.journal.internal.Samples.entry;
import static io.weir.journal.internal.Samples.outcome;
import static io.weir.journal.internal.Samples.output;
import static io.weir.journal.internal.Samples.put;
import static io.weir.journal.internal.Samples.text;

import io.weir.invocation.Acceptance;
import io.weir.invocation.InvocationJournal;
import io.weir.invocation.InvocationJournal.Accepted;
import io.weir.invocation.InvocationJournal.Outgoing;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * A process that is killed: takes numbered events, counts each in its state, sends one output for each; says what it
 * was told is done.
 */
final class CounterMain {
  private CounterMain() {}

  static Settings settings(Path folder) {
    return new Settings(folder, Duration.ofMillis(1), 1 << 20, 6, 2 << 20, Duration.ofDays(1), 1 << 20,
        Duration.ofDays(1), 1 << 16, 4096);
  }

  public static void main(String[] args) {
    InvocationJournal journal =
        new KeptJournal(settings(Path.of(args[0])), System::currentTimeMillis).journal();
    say("open", "0");
    for (Accepted left : journal.pending(0, 1000)) {
      count(journal, left.number(), left.entry().key().orElseThrow());
    }
    for (int next = Integer.parseInt(args[1]);; next += 5) {
      List<CompletionStage<Acceptance>> stages = new ArrayList<>();
      for (int i = next; i < next + 5; i++) {
        stages.add(journal.accept(entry(THERMO, String.valueOf(i), "x".repeat(i * 977 % 12_000))));
      }
      List<Long> numbers = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        numbers.add(stages.get(i).toCompletableFuture().join().number());
        say("accepted", String.valueOf(next + i));
      }
      for (int i = 0; i < 5; i++) {
        count(journal, numbers.get(i), String.valueOf(next + i));
      }
      for (Outgoing out : journal.outgoing("witness", 0, 100)) {
        say("sending", text(out.output().body()));
        journal.settled(out.number()).toCompletableFuture().join();
        say("settled", text(out.output().body()));
      }
    }
  }

  private static void count(InvocationJournal journal, long event, String key) {
    int count = journal.state(THERMO, "count").map(Samples::text).map(Integer::parseInt).orElse(0);
    journal.commit(event, outcome(key), List.of(output("witness", "t", key)),
        List.of(put("count", String.valueOf(count + 1)))).toCompletableFuture().join();
    say("done", key);
  }

  /** Whole lines end in a dot: the last one may not be whole. */
  private static void say(String what, String which) {
    System.out.println(what + " " + which + " .");
  }
}
