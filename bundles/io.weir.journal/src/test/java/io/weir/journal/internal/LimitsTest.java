package io.weir.journal.internal;

import static io.weir.journal.internal.Samples.DOOR;
import static io.weir.journal.internal.Samples.THERMO;
import static io.weir.journal.internal.Samples.entry;
import static io.weir.journal.internal.Samples.outcome;
import static io.weir.journal.internal.Samples.output;
import static io.weir.journal.internal.Samples.put;
import static org.assertj.core.api.Assertions.assertThat;

import io.weir.function.FunctionName;
import io.weir.invocation.Acceptance;
import io.weir.invocation.Audit;
import io.weir.invocation.InvocationJournal.Accepted;
import io.weir.invocation.InvocationJournal.Usage;
import io.weir.invocation.JournalFull;
import io.weir.invocation.JournalFull.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

class LimitsTest {
  private Rig rig = new Rig(3, Samples.settings());

  private long take(FunctionName function, String key, int bytes) {
    return rig.get(rig.journal().accept(entry(function, key, "x".repeat(bytes)))).number();
  }

  private boolean end(long event) {
    return rig.get(rig.journal().commit(event, outcome("ok"), List.of(), List.of()));
  }

  private Reason refusal(CompletionStage<?> stage) {
    Throwable why = rig.failure(stage);
    assertThat(why).isInstanceOf(JournalFull.class);
    return ((JournalFull) why).reason();
  }

  /** Accepts until it is refused, and says why. */
  private Reason fill(FunctionName function, List<Long> taken) {
    for (int i = 0;; i++) {
      CompletionStage<Acceptance> stage = rig.journal().accept(entry(function, "", "x".repeat(50_000)));
      rig.turn();
      rig.tidy();
      if (stage.toCompletableFuture().isCompletedExceptionally()) {
        return refusal(stage);
      }
      taken.add(stage.toCompletableFuture().join().number());
      assertThat(i).isLessThan(10_000);
    }
  }

  @Test
  void oneFunctionDoesNotFillTheJournalForOthers() {
    List<Long> taken = new ArrayList<>();

    assertThat(fill(THERMO, taken)).isEqualTo(Reason.FUNCTION);

    assertThat(rig.journal().usage().functions().get(THERMO)).isLessThanOrEqualTo(4L << 20);
    take(DOOR, "d", 100);
    assertThat(end(taken.get(0))).isTrue();
    take(THERMO, "t", 100);
  }

  @Test
  void aFullJournalStillEndsWhatItAccepted() {
    List<Long> taken = new ArrayList<>();
    for (char name = 'a'; name < 'h'; name++) {
      fill(new FunctionName(String.valueOf(name)), taken);
    }
    assertThat(refusal(rig.journal().accept(entry(DOOR, "", "x".repeat(50_000))))).isEqualTo(Reason.TOTAL);

    rig.reopen();

    assertThat(rig.journal().usage().pending()).isEqualTo(taken.size());
    for (long event : taken) {
      assertThat(rig.get(rig.journal().commit(event, outcome("ok"),
          List.of(output("c", "t", "y".repeat(40_000))), List.of()))).isTrue();
      rig.tidy();
    }
    assertThat(rig.journal().outgoing("c", 0, 10_000)).hasSize(taken.size());
    rig.journal().outgoing("c", 0, 10_000).forEach(out -> rig.get(rig.journal().settled(out.number())));
    take(DOOR, "d", 50_000);
  }

  @Test
  void outputsThatDoNotFitAreRefusedAndTheEventStaysPending() {
    rig.close();
    Settings normal = rig.settings;
    rig = new Rig(3, new Settings(normal.folder(), normal.window(), 1 << 20, 16, 1 << 20, normal.maxAge(),
        normal.rememberBytes(), normal.rememberFor(), normal.stateBytes(), normal.valueBytes()));
    List<Long> taken = new ArrayList<>();
    fill(THERMO, taken);
    String large = "y".repeat(400_000);

    assertThat(refusal(rig.journal().commit(taken.get(0), outcome(""), List.of(output("c", "t", large)), List.of())))
        .isEqualTo(Reason.FUNCTION);

    assertThat(rig.journal().outgoing("c", 0, 10)).isEmpty();
    assertThat(rig.get(rig.journal().deadLetter(taken.get(0), "outbox-full", "", 1))).isTrue();
  }

  @Test
  void whatIsTooLargeIsToldSo() {
    assertThat(refusal(rig.journal().accept(entry(THERMO, "", new byte[2 << 20])))).isEqualTo(Reason.TOO_LARGE);
    assertThat(refusal(rig.journal().accept(entry(THERMO, "", new byte[(1 << 19) - 8192]))))
        .isEqualTo(Reason.TOO_LARGE);
    long event = take(THERMO, "k", 10);
    assertThat(refusal(rig.journal().commit(event, outcome("x".repeat(600_000)), List.of(), List.of())))
        .isEqualTo(Reason.TOO_LARGE);
    assertThat(refusal(rig.journal().change(THERMO, List.of(put("k", "x".repeat(65_537))))))
        .isEqualTo(Reason.TOO_LARGE);
    assertThat(refusal(rig.journal().change(THERMO, List.of(put("", "x"))))).isEqualTo(Reason.TOO_LARGE);
    assertThat(refusal(rig.journal().commit(event, outcome(""), List.of(), List.of(put("k".repeat(513), "x")))))
        .isEqualTo(Reason.TOO_LARGE);
    assertThat(rig.journal().pending(0, 10)).hasSize(1);
    rig.get(rig.journal().accept(entry(THERMO, "", new byte[500_000])));
  }

  @Test
  void stateHasALimitOfItsOwn() {
    for (int i = 0; i < 15; i++) {
      rig.get(rig.journal().change(THERMO, List.of(put("k" + i, "x".repeat(65_000)))));
    }
    assertThat(refusal(rig.journal().change(THERMO, List.of(put("a", "x".repeat(65_000)), put("b", "x".repeat(65_000))))))
        .isEqualTo(Reason.STATE);
    assertThat(rig.journal().stateKeys(THERMO)).as("all of a change or nothing").hasSize(15);

    rig.get(rig.journal().change(THERMO, List.of(put("k0", "small"), put("k1", "small"))));
    rig.get(rig.journal().change(THERMO, List.of(put("a", "x".repeat(65_000)))));
  }

  @Test
  void aFunctionThatIsStuckForTooLongGetsNoMore() {
    long event = take(THERMO, "k", 10);
    rig.now += Duration.ofMinutes(61).toMillis();

    assertThat(refusal(rig.journal().accept(entry(THERMO, "l", "")))).isEqualTo(Reason.AGE);
    take(DOOR, "d", 10);

    end(event);
    take(THERMO, "l", 10);
  }

  @Test
  void whatEndedIsRememberedForATimeAndForSoMuch() {
    end(take(THERMO, "old", 10));
    rig.now += Duration.ofMinutes(61).toMillis();
    assertThat(rig.get(rig.journal().accept(entry(DOOR, "other", "")))).isInstanceOf(Acceptance.Taken.class);
    rig.turn();
    assertThat(rig.journal().find(THERMO, "old")).isEmpty();

    List<Long> events = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      events.add(take(THERMO, "k" + i, 10));
      rig.get(rig.journal().commit(events.get(i), outcome("y".repeat(50_000)), List.of(), List.of()));
    }
    rig.reopen();
    Usage usage = rig.journal().usage();
    assertThat(usage.remembered()).isBetween(15L, 21L);
    assertThat(rig.journal().find(THERMO, "k39")).get().isInstanceOf(Acceptance.Done.class);
    assertThat(rig.journal().find(THERMO, "k0")).isEmpty();
  }

  @Test
  void aLongLifeNeedsNoMoreDiskAndLosesNothing() {
    long stays = take(THERMO, "stays", 1000);
    rig.get(rig.journal().attempted(stays, 4));
    long letter = take(THERMO, "letter", 1000);
    rig.get(rig.journal().deadLetter(letter, "reason", "detail", 2));
    long forgotten = take(THERMO, "reused", 1000);
    rig.get(rig.journal().forget(THERMO, "reused"));
    long sent = take(THERMO, "sent", 10);
    rig.get(rig.journal().commit(sent, outcome("kept"), List.of(output("c", "t", "held")), List.of(put("s", "v"))));
    long output = rig.journal().outgoing("c", 0, 1).get(0).number();
    rig.get(rig.journal().received(output));
    long written = 0;
    for (int i = 0; i < 3000; i++) {
      end(take(DOOR, "", 20_000));
      rig.tidy();
      written += 20_000;
      rig.now += 100;
      if (i % 500 == 0) {
        rig.reopen();
      }
    }

    assertThat(written).isGreaterThan(3L * 16 << 20);
    assertThat(rig.ledger().log().segments().size()).isLessThanOrEqualTo(16);
    assertThat(rig.disk.names()).hasSizeLessThanOrEqualTo(18).noneMatch(name -> name.endsWith("damaged"));
    for (int i = 0; i < 2; i++) {
      assertThat(rig.journal().pending(0, 10)).extracting(Accepted::number).containsExactly(stays, forgotten);
      assertThat(rig.journal().pending(0, 10).get(0).attempts()).isEqualTo(4);
      assertThat(rig.journal().find(THERMO, "reused")).isEmpty();
      assertThat(rig.journal().deadLetters(0, 10)).singleElement()
          .satisfies(dead -> assertThat(dead.detail()).isEqualTo("detail"));
      assertThat(rig.journal().outgoing("c", 0, 10)).singleElement()
          .satisfies(out -> assertThat(out.received()).isTrue());
      assertThat(rig.journal().state(THERMO, "s").map(Samples::text)).contains("v");
      assertThat(rig.journal().find(THERMO, "sent")).get().isInstanceOf(Acceptance.Done.class);
      Audit audit = rig.journal().audit(Instant.EPOCH, Instant.ofEpochMilli(Long.MAX_VALUE));
      assertThat(audit.problems()).isEmpty();
      assertThat(audit.accepted()).isEqualTo(3004);
      assertThat(audit.done()).isEqualTo(3001);
      assertThat(audit.deadLettered()).isEqualTo(1);
      assertThat(audit.pending()).isEqualTo(2);
      rig.reopen();
    }
  }

  @Test
  void theAuditOfASpanCountsThatSpan() {
    Instant before = Instant.ofEpochMilli(rig.now);
    take(THERMO, "1", 10);
    rig.now += 10_000;
    Instant between = Instant.ofEpochMilli(rig.now - 5000);
    long second = take(THERMO, "2", 10);
    rig.now += 10_000;
    Instant later = Instant.ofEpochMilli(rig.now - 5000);
    end(second);

    Audit early = rig.journal().audit(before, between);
    Audit middle = rig.journal().audit(between, later);
    Audit late = rig.journal().audit(later, Instant.ofEpochMilli(rig.now + 1));

    assertThat(List.of(early.accepted(), early.done(), early.pending())).containsExactly(1L, 0L, 1L);
    assertThat(List.of(middle.accepted(), middle.done(), middle.pending())).containsExactly(1L, 0L, 2L);
    assertThat(List.of(late.accepted(), late.done(), late.pending())).containsExactly(0L, 1L, 1L);
  }

  @Test
  void manyShareOneForce() {
    int before = rig.disk.forces;
    List<CompletionStage<Acceptance>> stages = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      stages.add(rig.journal().accept(entry(THERMO, "k" + i, "x".repeat(100))));
    }
    rig.turn();

    assertThat(stages).allMatch(stage -> stage.toCompletableFuture().isDone());
    assertThat(rig.disk.forces - before).as("the group, the header and two spare files at most").isLessThanOrEqualTo(2);
    assertThat(rig.journal().usage().groups()).isEqualTo(1);
  }
}
