package io.weir.delivery.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.event.GatewayEvent;
import io.weir.function.Promise;
import io.weir.function.Promise.Level;
import io.weir.function.Promise.Order;
import io.weir.function.Promise.Retry;
import io.weir.function.Promise.Urgency;
import io.weir.invocation.Acceptance;
import io.weir.invocation.Header;
import io.weir.invocation.InvocationJournal.DeadLetter;
import io.weir.invocation.InvocationJournal.Outgoing;
import io.weir.invocation.JournalFull;
import io.weir.invocation.JournalUnavailable;
import io.weir.invocation.Outcome;
import io.weir.invocation.StateChange;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class EngineTest {
  private static final Promise ALARM =
      new Promise(Level.AT_LEAST_ONCE, Order.TOPIC, Retry.DEFAULT, Urgency.ALARM);
  private static final Promise EXACTLY = new Promise(Level.EXACTLY_ONCE);

  private final Bench bench = new Bench().start();

  private static Promise retry(int attempts, Duration deadline) {
    return new Promise(Level.AT_LEAST_ONCE, Order.TOPIC, new Retry(attempts, deadline), Urgency.NORMAL);
  }

  @Test
  void keepsTheOutcomeTogetherWithWhatIsSent() {
    bench.accept("a", "t");
    bench.answer("a", 200);

    assertThat(bench.committed()).containsExactly("a");
    assertThat(bench.disk.outgoing.values()).singleElement().extracting(Outgoing::event).isEqualTo(1L);
    assertThat(bench.engine.pending()).isZero();
  }

  @Test
  void handlesEventsOfOneOrderOneAfterTheOtherAndOthersAtOnce() {
    bench.accept("a1", "a");
    bench.accept("a2", "a");
    bench.accept("b1", "b");
    assertThat(bench.working()).containsExactly("a1", "b1");

    bench.answer("a1", 200);
    assertThat(bench.working()).containsExactly("b1", "a2");
  }

  @Test
  void whatComesExactlyOnceWaitsUntilTheLastOneIsKept() {
    bench.journal.eager = false;
    bench.accept("a1", "a", EXACTLY, Optional.of("1"));
    bench.accept("a2", "a", EXACTLY, Optional.of("2"));
    bench.journal.write(2);
    bench.answer("a1", 200);
    assertThat(bench.working()).isEmpty();

    bench.journal.write(1);
    assertThat(bench.working()).containsExactly("a2");
  }

  private Attempts attempts() {
    Attempts attempts = new Attempts();
    bench.states = attempts;
    return attempts;
  }

  private String attempt(String id) {
    return bench.call(id).invocation().headers().stream().filter(header -> header.name().equals("Weir-Attempt"))
        .map(Header::value).collect(Collectors.joining());
  }

  @Test
  void keepsWhatAnAttemptChangedTogetherWithItsOutcome() {
    Attempts attempts = attempts();
    bench.accept("a", "t", EXACTLY, Optional.of("1"));
    assertThat(attempt("a")).isEqualTo("a-1");
    bench.journal.eager = false;
    bench.answer("a", 200);
    assertThat(attempts.log).containsExactly("began a-1", "closed a-1");

    bench.journal.write(1);
    assertThat(bench.disk.changes).extracting(StateChange::key).containsExactly("a-1");
    assertThat(attempts.log).last().isEqualTo("settled a-1");
  }

  @Test
  void keepsNothingOfAnAttemptThatFailedOrWasRejected() {
    Attempts attempts = attempts();
    bench.accept("a", "t", EXACTLY, Optional.of("1"));
    bench.answer("a", 500);
    bench.pass(Duration.ofSeconds(1));
    assertThat(attempt("a")).isEqualTo("a-2");
    bench.end("a", new Outcome.Failed("timeout", "", true));
    bench.pass(Duration.ofSeconds(1));
    bench.answer("a", 400);

    assertThat(bench.committed()).containsExactly("a");
    assertThat(bench.disk.changes).isEmpty();
    assertThat(attempts.log).contains("dropped a-1", "dropped a-2", "dropped a-3").noneMatch(what -> what.startsWith("closed"));
  }

  @Test
  void handlesAfreshWhatSawWhatHasChangedAndDoesNotCountThat() {
    Attempts attempts = attempts();
    attempts.counts = false;
    bench.accept("a1", "a", EXACTLY, Optional.of("1"));
    bench.accept("a2", "a", EXACTLY, Optional.of("2"));
    for (int i = 0; i < 30; i++) {
      assertThat(bench.call("a1").number()).isEqualTo(1);
      bench.answer("a1", 200);
      assertThat(bench.working()).isEmpty();
      bench.pass(Duration.ofMillis(20));
      assertThat(bench.working()).containsExactly("a1");
    }
    assertThat(bench.committed()).isEmpty();

    attempts.counts = true;
    bench.answer("a1", 200);
    assertThat(bench.committed()).containsExactly("a1");
    assertThat(bench.working()).containsExactly("a2");
  }

  @Test
  void tellsNoAttemptToWhatMayCountTwice() {
    Attempts attempts = attempts();
    bench.accept("a", "t");

    assertThat(attempt("a")).isEmpty();
    bench.answer("a", 200);
    assertThat(attempts.log).isEmpty();
  }

  @Test
  void stateThatFindsNoRoomMakesADeadLetter() {
    Attempts attempts = attempts();
    bench.accept("a", "t", EXACTLY, Optional.of("1"));
    bench.disk.stateIsFull = true;
    bench.answer("a", 200);
    bench.pass(Duration.ofSeconds(2));

    assertThat(bench.disk.dead.values()).extracting(DeadLetter::reason).containsExactly("state-full");
    assertThat(bench.died).containsExactly("a state-full");
    assertThat(attempts.log).last().isEqualTo("settled a-1");
  }

  @Test
  void startsNoMoreThanTheFunctionCanHave() {
    bench.function = Optional.of(Bench.spec(1, 2));
    for (int i = 0; i < 9; i++) {
      bench.accept("m" + i, "t" + i);
    }
    assertThat(bench.working()).hasSize(4);

    bench.answer("m2", 204);
    assertThat(bench.working()).hasSize(4).endsWith("m4");
  }

  @Test
  void anAlarmOvertakesWhatWaitsAndFindsAPlaceFree() {
    bench.function = Optional.of(Bench.spec(1, 4, Bench.alarms()));
    for (int i = 0; i < 9; i++) {
      bench.accept("m" + i, "t" + i);
    }
    assertThat(bench.working()).as("one of four places is for alarms").hasSize(3);

    bench.accept("alarm", "t0", ALARM, Optional.empty());
    assertThat(bench.working()).endsWith("alarm");
  }

  @Test
  void alarmsLeaveSomethingToTheRest() {
    bench.function = Optional.of(Bench.spec(1, 1, Bench.alarms()));
    bench.accept("first", "t");
    bench.accept("alarm", "alarms", ALARM, Optional.empty());
    bench.accept("second", "t");
    for (int i = 0; i < 40; i++) {
      bench.accept("alarm" + i, "a" + i, ALARM, Optional.empty());
    }
    bench.answer("first", 200);

    int alarms = 0;
    while (!bench.working().contains("second")) {
      bench.answer(bench.working().get(0), 200);
      alarms++;
    }
    assertThat(alarms).isBetween(5, 12);
  }

  @Test
  void triesAgainWithGrowingDelaysAndThenGivesUp() {
    bench.accept("a", "t", retry(3, Duration.ofHours(1)), Optional.empty());
    bench.answer("a", 503);
    assertThat(bench.working()).isEmpty();
    bench.pass(Duration.ofMillis(199));
    assertThat(bench.working()).isEmpty();
    bench.pass(Duration.ofMillis(1));
    bench.end("a", new Outcome.Failed("timeout", "too slow", true));
    bench.pass(Duration.ofMillis(399));
    assertThat(bench.working()).isEmpty();
    bench.pass(Duration.ofMillis(1));
    assertThat(bench.call("a").number()).isEqualTo(3);
    bench.answer("a", 500);

    assertThat(bench.disk.dead.values()).singleElement().satisfies(letter -> {
      assertThat(letter.reason()).isEqualTo("status-500");
      assertThat(letter.attempts()).isEqualTo(3);
    });
    assertThat(bench.died).containsExactly("a status-500");
    assertThat(bench.told).filteredOn(GatewayEvent.Retrying.class::isInstance).hasSize(2);
  }

  @Test
  void givesUpWhenTheDeadlineIsOver() {
    bench.accept("a", "t", retry(100, Duration.ofSeconds(1)), Optional.empty());
    bench.answer("a", 500);
    bench.pass(Duration.ofSeconds(1));
    bench.answer("a", 500);

    assertThat(bench.disk.dead.values()).extracting(DeadLetter::detail).first().asString().contains("deadline");
  }

  @Test
  void whatFailsHoldsBackOnlyWhatWaitsForIt() {
    bench.accept("a1", "a");
    bench.accept("a2", "a");
    bench.answer("a1", 500);
    bench.accept("b1", "b");
    assertThat(bench.working()).containsExactly("b1");

    bench.pass(Duration.ofMillis(200));
    bench.answer("a1", 200);
    assertThat(bench.working()).containsExactly("b1", "a2");
  }

  @Test
  void whatIsRejectedIsDoneAndWhatMakesNoSenseIsDead() {
    bench.accept("a", "a");
    bench.answer("a", 422);
    bench.accept("b", "b");
    bench.answer("b", 302);
    bench.accept("c", "c");
    bench.end("c", new Outcome.Failed("reply-too-large", "more than allowed", false));

    assertThat(bench.committed()).containsExactly("a");
    assertThat(bench.died).containsExactly("b status-302", "c reply-too-large");
  }

  @Test
  void leavesAFunctionAloneThatOnlyFailsAndAsksOnce() {
    bench.settings = new Settings(32, 1000, 1 << 20, Duration.ofMillis(200), Duration.ofSeconds(30), 3,
        Duration.ofSeconds(60));
    bench.start();
    for (String id : List.of("a", "b", "c", "d", "e")) {
      bench.accept(id, id);
    }
    for (String id : List.of("a", "b", "c", "d", "e")) {
      bench.answer(id, 500);
    }
    assertThat(bench.engine.leftAlone()).containsExactly(Bench.NAME);
    assertThat(bench.engine.problem(Bench.NAME)).contains("5 events wait");
    bench.pass(Duration.ofMillis(999));
    assertThat(bench.working()).isEmpty();

    bench.pass(Duration.ofMillis(1));
    assertThat(bench.working()).hasSize(1);
    bench.answer(bench.working().get(0), 200);
    assertThat(bench.working()).hasSize(4);
    assertThat(bench.engine.leftAlone()).isEmpty();
  }

  @Test
  void aRefusalCountsAsNoAttempt() {
    bench.accept("a", "a", retry(1, Duration.ofHours(1)), Optional.empty());
    bench.end("a", new Outcome.Refused(Outcome.Reason.QUEUE_FULL, "full", Duration.ofSeconds(1)));
    bench.accept("b", "b");
    assertThat(bench.working()).isEmpty();

    bench.pass(Duration.ofSeconds(1));
    assertThat(bench.working()).containsExactly("a", "b");
    assertThat(bench.call("a").number()).isEqualTo(1);
  }

  @Test
  void theEventsOfARemovedFunctionBecomeDeadLetters() {
    bench.accept("a", "a");
    for (int i = 0; i < 40 && bench.died.isEmpty(); i++) {
      bench.end("a", new Outcome.Refused(Outcome.Reason.UNKNOWN_FUNCTION, "no such function", Duration.ZERO));
      bench.pass(Duration.ofSeconds(2));
    }

    assertThat(bench.died).containsExactly("a unknown-function");
  }

  @Test
  void aFunctionThatIsDeclaredLaterGetsItsEvents() {
    bench.accept("a", "a");
    bench.journal.crash();
    bench.function = Optional.empty();
    bench.start();
    bench.pass(Duration.ofSeconds(20));
    assertThat(bench.working()).isEmpty();

    bench.function = Optional.of(Bench.spec(1, 1));
    bench.pass(Duration.ofMillis(250));
    assertThat(bench.working()).containsExactly("a");
  }

  @Test
  void goesOnAfterACrashInOrderWithTheAttemptsOfBefore() {
    bench.accept("a1", "a");
    bench.accept("a2", "a");
    bench.answer("a1", 500);
    bench.journal.crash();

    bench.start();

    assertThat(bench.working()).containsExactly("a1");
    assertThat(bench.call("a1").number()).isEqualTo(2);
    bench.answer("a1", 200);
    bench.answer("a2", 200);
    assertThat(bench.committed()).containsExactly("a1", "a2");
  }

  @Test
  void doesNotRunAgainWhatHasEnded() {
    bench.accept("a", "t", EXACTLY, Optional.of("k"));
    bench.answer("a", 200);

    CompletionStage<Acceptance> again = bench.accept("a", "t", EXACTLY, Optional.of("k"));

    assertThat(again.toCompletableFuture()).isCompletedWithValueMatching(Acceptance.Done.class::isInstance);
    assertThat(bench.working()).isEmpty();
    assertThat(bench.engine.pending()).isZero();
  }

  @Test
  void acceptsNoMoreThanMayWait() {
    bench.settings = new Settings(32, 2, 1 << 20, Duration.ofMillis(200), Duration.ofSeconds(30), 10,
        Duration.ofSeconds(60));
    bench.start();
    bench.accept("a", "t");
    bench.accept("b", "t");
    CompletionStage<Acceptance> refused = bench.accept("c", "t", new Promise(Level.AT_LEAST_ONCE), Optional.empty());
    assertThat(refused.toCompletableFuture()).isCompletedExceptionally();

    bench.answer("a", 200);
    assertThat(bench.accept("c", "t", new Promise(Level.AT_LEAST_ONCE), Optional.empty()).toCompletableFuture())
        .isCompletedWithValueMatching(Acceptance.Taken.class::isInstance);
  }

  @Test
  void readsAgainWhatItHasNoMemoryFor() {
    bench.settings = new Settings(32, 1000, 0, Duration.ofMillis(200), Duration.ofSeconds(30), 10,
        Duration.ofSeconds(60));
    bench.start();
    bench.accept("a", "t");
    bench.read();

    bench.answer("a", 200);
    assertThat(bench.committed()).containsExactly("a");
  }

  @Test
  void asksAgainUntilTheJournalTakesTheEnds() {
    bench.accept("a1", "a");
    bench.accept("a2", "a");
    bench.accept("b", "b");
    bench.journal.failure = new JournalUnavailable("read-only", null);
    bench.answer("a1", 200);
    assertThat(bench.working()).as("nothing more is begun").containsExactly("b");
    bench.answer("b", 200);
    bench.pass(Duration.ofSeconds(3));
    assertThat(bench.committed()).isEmpty();

    bench.journal.failure = null;
    bench.pass(Duration.ofSeconds(1));
    assertThat(bench.committed()).containsExactly("a1", "b");
    assertThat(bench.working()).containsExactly("a2");
  }

  @Test
  void anAnswerThatTheJournalNeverTakesMakesADeadLetter() {
    bench.accept("a", "a");
    bench.journal.failure = new JournalFull(JournalFull.Reason.TOO_LARGE, "too large");
    bench.answer("a", 200);
    bench.journal.failure = null;
    bench.pass(Duration.ofSeconds(1));

    assertThat(bench.died).containsExactly("a answer-too-large");
  }

  @Test
  void findsWhatSomebodyElseHadReplayed() {
    bench.accept("a", "a");
    bench.answer("a", 502);
    for (int i = 0; i < 5; i++) {
      bench.pass(Duration.ofSeconds(30));
      bench.answer("a", 502);
    }
    DeadLetter letter = bench.disk.dead.get(1L);
    bench.journal.replay(1, letter.entry());
    bench.pass(Duration.ofSeconds(5));

    bench.answer("a", 200);
    assertThat(bench.committed()).containsExactly("a");
  }

  @Test
  void eventsWaitForTheirGateway() {
    bench.accept("a", "a");
    bench.journal.crash();
    Bench later = new Bench(bench.disk);
    later.answering = false;
    later.start();
    assertThat(later.working()).isEmpty();
    assertThat(later.engine.homeless()).isEqualTo("mqtt");

    later.beginAnswering();
    assertThat(later.working()).containsExactly("a");
    assertThat(later.engine.homeless()).isNull();
  }
}
