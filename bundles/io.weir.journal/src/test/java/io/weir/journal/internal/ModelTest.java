package io.weir.journal.internal;

import static io.weir.journal.internal.Samples.DOOR;
import static io.weir.journal.internal.Samples.THERMO;
import static io.weir.journal.internal.Samples.body;
import static io.weir.journal.internal.Samples.entry;
import static io.weir.journal.internal.Samples.outcome;
import static io.weir.journal.internal.Samples.output;
import static io.weir.journal.internal.Samples.text;
import static org.assertj.core.api.Assertions.assertThat;

import io.weir.function.FunctionName;
import io.weir.invocation.Acceptance;
import io.weir.invocation.Audit;
import io.weir.invocation.InvocationJournal;
import io.weir.invocation.InvocationJournal.Entry;
import io.weir.invocation.InvocationJournal.Output;
import io.weir.invocation.JournalFull;
import io.weir.invocation.JournalUnavailable;
import io.weir.invocation.StateChange;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/**
 * Whatever is asked for, in whatever order, and wherever the power is cut or the disk fails meanwhile: the journal is
 * where its model is. What was on its way then may have happened or not, each by itself, but only as a whole.
 */
class ModelTest {
  /** @param kind what to do; a and b choose with which event, output or key */
  record Step(int kind, int a, int b) {
    @Override
    public String toString() {
      return kind + "(" + a + "," + b + ")";
    }
  }

  /**
   * Something asked for, which the model is asked for as well once it happened.
   *
   * @param at when the journal tried to write it; empty if it did not yet
   */
  private record Asked(String what, CompletionStage<?> answer, BiFunction<InvocationJournal, ModelTest, Object> again,
      OptionalLong at) {

    Asked tried(long now) {
      return new Asked(what, answer, again, OptionalLong.of(now));
    }
  }

  private static final List<FunctionName> FUNCTIONS = List.of(THERMO, DOOR);

  private Rig rig;
  private MemoryJournal model;
  private final List<Asked> asked = new ArrayList<>();
  /** What the disk refused; it may still be found there when the journal is opened the next time. */
  private final List<Asked> limbo = new ArrayList<>();
  private int serial;
  private long groups;

  @Provide
  Arbitrary<List<Step>> steps() {
    Arbitrary<Integer> kind = Arbitraries.frequency(
        net.jqwik.api.Tuple.of(20, 0), net.jqwik.api.Tuple.of(14, 1), net.jqwik.api.Tuple.of(3, 2),
        net.jqwik.api.Tuple.of(4, 3), net.jqwik.api.Tuple.of(2, 4), net.jqwik.api.Tuple.of(3, 5),
        net.jqwik.api.Tuple.of(4, 6), net.jqwik.api.Tuple.of(7, 7), net.jqwik.api.Tuple.of(3, 8),
        net.jqwik.api.Tuple.of(6, 9), net.jqwik.api.Tuple.of(20, 10), net.jqwik.api.Tuple.of(2, 11),
        net.jqwik.api.Tuple.of(2, 12), net.jqwik.api.Tuple.of(8, 13), net.jqwik.api.Tuple.of(3, 14),
        net.jqwik.api.Tuple.of(2, 15));
    return Combinators.combine(kind, Arbitraries.integers().between(0, 40), Arbitraries.integers().between(0, 40))
        .as(Step::new).list().ofMinSize(1).ofMaxSize(90);
  }

  @Property(tries = 500)
  void theJournalIsWhereItsModelIs(@ForAll("steps") List<Step> steps, @ForAll long seed) {
    rig = new Rig(seed, new Settings(Path.of("nowhere"), Duration.ZERO, 64 << 10, 6, 60 << 10, Duration.ofDays(9),
        40 << 10, Duration.ofDays(9), 20 << 10, 4096));
    model = new MemoryJournal(() -> rig.now);
    asked.clear();
    limbo.clear();
    serial = 0;
    groups = 0;
    for (Step step : steps) {
      step(step);
    }
    turn();
    same();
    rig.reopen();
    limbo.forEach(each -> asked.add(each));
    limbo.clear();
    settle(List.of());
    same();
  }

  private void step(Step step) {
    int a = step.a;
    int b = step.b;
    FunctionName function = FUNCTIONS.get(a % 2);
    switch (step.kind) {
      case 0 -> {
        Entry entry = entry(function, b % 5 == 0 ? "" : "k" + b % 5, "e" + serial++ + "x".repeat(b == 7 ? 9000 : b * 9));
        ask("accept", rig.journal().accept(entry), (journal, test) -> journal.accept(entry));
      }
      case 1 -> event(a, (real, body) -> {
        List<Output> outputs = new ArrayList<>();
        for (int i = 0; i < b % 3; i++) {
          outputs.add(output("c" + i, "t", "o" + serial++));
        }
        List<StateChange> changes = b % 4 == 0 ? List.of() : List.of(change(b, "s" + serial++), change(a, "s" + serial++));
        String answer = "r" + serial++;
        ask("commit", rig.journal().commit(real, outcome(answer), outputs, changes),
            (journal, test) -> journal.commit(number(journal, body), outcome(answer), outputs, changes));
      });
      case 2 -> event(a, (real, body) -> ask("attempted", rig.journal().attempted(real, b),
          (journal, test) -> journal.attempted(number(journal, body), b)));
      case 3 -> event(a, (real, body) -> ask("deadLetter", rig.journal().deadLetter(real, "r" + b, "d", b),
          (journal, test) -> journal.deadLetter(number(journal, body), "r" + b, "d", b)));
      case 4 -> letter(a, (real, body) -> ask("drop", rig.journal().drop(real),
          (journal, test) -> journal.drop(letter(journal, body))));
      case 5 -> letter(a, (real, body) -> {
        Entry before = rig.journal().deadLetters(real - 1, 1).get(0).entry();
        Entry entry = entry(before.invocation().function(), before.key().orElse(""), "e" + serial++);
        ask("replay", rig.journal().replay(real, entry), (journal, test) -> journal.replay(letter(journal, body), entry));
      });
      case 6 -> ask("forget", rig.journal().forget(function, "k" + b % 5),
          (journal, test) -> journal.forget(function, "k" + b % 5));
      case 7 -> out(a, (real, body) -> ask("settled", rig.journal().settled(real),
          (journal, test) -> journal.settled(out(journal, body))));
      case 8 -> out(a, (real, body) -> ask("received", rig.journal().received(real),
          (journal, test) -> journal.received(out(journal, body))));
      case 9 -> {
        List<StateChange> changes = List.of(change(b, "s" + serial++));
        ask("change", rig.journal().change(function, changes), (journal, test) -> journal.change(function, changes));
      }
      case 10 -> {
        turn();
        same();
      }
      case 11 -> {
        turn();
        rig.tidy();
        same();
      }
      case 12 -> restart(() -> {
        rig.disk.kill();
        rig.open();
      });
      case 13 -> cut(a, b);
      case 14 -> {
        rig.disk.failForces = 1 + a % 3;
        turn();
        rig.disk.failForces = 0;
        rig.now += 2000;
        same();
      }
      default -> {
        rig.now += 10_000L * a;
        same();
      }
    }
    if (asked.size() + limbo.size() > 6) {
      turn();
      same();
    }
  }

  private static StateChange change(int which, String value) {
    return which % 5 == 0 ? new StateChange.Delete("s" + which % 3)
        : new StateChange.Put("s" + which % 3, value.getBytes(),
            which % 5 == 1 ? Optional.of(Duration.ofSeconds(30)) : Optional.empty());
  }

  private void ask(String what, CompletionStage<?> answer, BiFunction<InvocationJournal, ModelTest, Object> again) {
    asked.add(new Asked(what, answer, again, OptionalLong.empty()));
  }

  // --- who is meant, by what it carries: numbers may differ ------------------------------------------------------------

  private interface Meant {
    void is(long number, String body);
  }

  private void event(int which, Meant then) {
    var all = rig.journal().pending(0, 1000);
    if (!all.isEmpty()) {
      var one = all.get(which % all.size());
      then.is(one.number(), body(one.entry()));
    }
  }

  private void letter(int which, Meant then) {
    var all = rig.journal().deadLetters(0, 1000);
    if (!all.isEmpty()) {
      var one = all.get(which % all.size());
      then.is(one.number(), body(one.entry()));
    }
  }

  private void out(int which, Meant then) {
    var all = rig.journal().outgoing("c" + which % 2, 0, 1000);
    if (!all.isEmpty()) {
      var one = all.get(which % all.size());
      then.is(one.number(), text(one.output().body()));
    }
  }

  private static long number(InvocationJournal journal, String body) {
    return journal.pending(0, 1000).stream().filter(each -> body(each.entry()).equals(body)).findFirst()
        .map(each -> each.number()).orElse(-1L);
  }

  private static long letter(InvocationJournal journal, String body) {
    return journal.deadLetters(0, 1000).stream().filter(each -> body(each.entry()).equals(body)).findFirst()
        .map(each -> each.number()).orElse(-1L);
  }

  private static long out(InvocationJournal journal, String body) {
    return java.util.stream.Stream.of("c0", "c1").flatMap(channel -> journal.outgoing(channel, 0, 1000).stream())
        .filter(each -> text(each.output().body()).equals(body)).findFirst().map(each -> each.number()).orElse(-1L);
  }

  // --- what happens ----------------------------------------------------------------------------------------------------

  /** Has everything that was asked for written, and asks the model for the same. */
  private void turn() {
    lookForGroups();
    rig.turn();
    for (Asked each : asked) {
      Throwable error = rig.failure(each.answer);
      if (error == null) {
        Object expected = join(each.again.apply(model, this));
        assertThat(describe(join(each.answer))).as(each.what).isEqualTo(describe(expected));
      } else if (error instanceof JournalUnavailable) {
        limbo.add(each.tried(rig.now));
      } else {
        assertThat(error).as(each.what).isInstanceOf(JournalFull.class);
      }
    }
    asked.clear();
    lookForGroups();
  }

  /** Whatever is written after something was refused says that it does not count. */
  private void lookForGroups() {
    long now = rig.journal().usage().groups();
    if (now > groups) {
      limbo.clear();
    }
    groups = now;
  }

  private static Object join(Object stage) {
    return ((CompletionStage<?>) stage).toCompletableFuture().join();
  }

  /** The power is cut some operations later, and maybe once more while the journal is opened again. */
  private void cut(int operations, int again) {
    rig.disk.cutAfter(operations);
    try {
      rig.turn();
      rig.tidy();
    } catch (StormFolder.PowerCut e) {
      // This is where the gateway ends.
    }
    restart(() -> {
      rig.disk.crash();
      if (again < 12) {
        rig.disk.cutAfter(again);
        try {
          rig.open();
        } catch (StormFolder.PowerCut e) {
          rig.disk.crash();
        }
        rig.disk.crash();
      }
      rig.open();
    });
  }

  private void restart(Runnable how) {
    List<Asked> certain = asked.stream().filter(each -> each.answer.toCompletableFuture().isDone()
        && !each.answer.toCompletableFuture().isCompletedExceptionally()).toList();
    lookForGroups();
    asked.addAll(0, limbo);
    limbo.clear();
    how.run();
    groups = rig.journal().usage().groups();
    settle(certain);
  }

  /** Finds out what of that which was on its way happened; what was answered must have. */
  private void settle(List<Asked> certain) {
    String real = all(rig.journal());
    List<String> possible = new ArrayList<>();
    for (int subset = (1 << asked.size()) - 1; subset >= 0; subset--) {
      MemoryJournal candidate = new MemoryJournal(model);
      boolean legal = true;
      for (int i = 0; i < asked.size() && legal; i++) {
        boolean happened = (subset >> i & 1) != 0;
        legal = happened || !certain.contains(asked.get(i));
        if (happened) {
          try {
            happen(asked.get(i), candidate);
          } catch (CompletionException e) {
            legal = false;
          }
        }
      }
      if (legal) {
        String description = all(candidate);
        if (description.equals(real)) {
          model = candidate;
          asked.clear();
          return;
        }
        possible.add(description);
      }
    }
    assertThat(List.of(real)).as("one of what may be, after " + asked.stream().map(Asked::what).toList())
        .containsAnyElementsOf(possible);
  }

  /** At the time at which the journal tried, since what is kept for a while is kept from then on. */
  private void happen(Asked one, MemoryJournal candidate) {
    long now = rig.now;
    rig.now = one.at.orElse(now);
    try {
      join(one.again.apply(candidate, this));
    } finally {
      rig.now = now;
    }
  }

  private void same() {
    assertThat(all(rig.journal())).isEqualTo(all(model));
    Audit audit = rig.journal().audit(Instant.EPOCH, Instant.ofEpochMilli(Long.MAX_VALUE));
    assertThat(audit.problems()).isEmpty();
    assertThat(audit.pending()).isEqualTo(model.pending.size());
    assertThat(rig.report().findings()).noneMatch(finding -> finding.contains("damaged"));
  }

  private static String describe(Object answer) {
    if (answer instanceof Acceptance acceptance) {
      return acceptance.getClass().getSimpleName()
          + (acceptance instanceof Acceptance.Pending pending ? pending.attempts()
          : acceptance instanceof Acceptance.Done done ? text(done.outcome().body())
          : acceptance instanceof Acceptance.Dead dead ? dead.reason() : "");
    }
    return answer instanceof OptionalLong number ? String.valueOf(number.isPresent()) : String.valueOf(answer);
  }

  private static String who(InvocationJournal journal, long number) {
    return journal.pending(number - 1, 1).stream().filter(each -> each.number() == number)
        .map(each -> body(each.entry())).findFirst().orElse("");
  }

  /** All that can be seen of a journal but numbers. */
  private static String all(InvocationJournal journal) {
    StringBuilder all = new StringBuilder();
    journal.pending(0, 1000).forEach(each -> all.append("pending ").append(shortly(body(each.entry()))).append(' ')
        .append(each.attempts()).append('\n'));
    journal.deadLetters(0, 1000).forEach(each -> all.append("dead ").append(shortly(body(each.entry()))).append(' ')
        .append(each.reason()).append(each.attempts()).append('\n'));
    for (String channel : List.of("c0", "c1")) {
      journal.outgoing(channel, 0, 1000).forEach(each -> all.append(channel).append(' ')
          .append(text(each.output().body())).append(each.received()).append('\n'));
    }
    for (FunctionName function : FUNCTIONS) {
      journal.stateKeys(function).forEach(key -> all.append(function).append(' ').append(key).append('=')
          .append(text(journal.state(function, key).orElseThrow())).append('\n'));
      for (int i = 0; i < 5; i++) {
        all.append(function).append(" k").append(i).append(' ').append(journal.find(function, "k" + i)
            .map(found -> shortly(describe(found) + who(journal, found.number()))).orElse("-")).append('\n');
      }
    }
    return all.toString();
  }

  private static String shortly(String text) {
    return text.length() < 40 ? text : text.substring(0, 40) + text.length();
  }
}
