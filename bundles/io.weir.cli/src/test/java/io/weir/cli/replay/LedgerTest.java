package io.weir.cli.replay;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.cli.gateway.EventStream.Event;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class LedgerTest {
  private final AtomicLong now = new AtomicLong();

  private Ledger ledger(String... functions) {
    return new Ledger("run", List.of(functions), now::get);
  }

  private static Map<String, Object> ended(String invocation, String function, String result) {
    return Map.of("invocation", invocation, "function", function, "result", result, "status", result.equals("rejected") ? 400 : 0,
        "detail", result.equals("failed") ? "timeout" : "", "coldStartMs", 12);
  }

  @Test
  void isCompleteWhenEveryMessageHasItsOutcomeFromEveryListener() {
    Ledger ledger = ledger("a", "b");
    ledger.sent(0);
    ledger.ended(ended("run-0", "a", "replied"));
    assertThat(ledger.account(1).complete()).isFalse();
    assertThat(ledger.account(1).missing()).isEqualTo(1);

    ledger.ended(ended("run-0/b", "b", "no-content"));

    assertThat(ledger.account(1).complete()).isTrue();
    assertThat(ledger.inFlight()).isZero();
  }

  @Test
  void countsARepeatedOutcomeOnce() {
    Ledger ledger = ledger("a");
    ledger.sent(0);
    ledger.ended(ended("run-0", "a", "no-content"));
    ledger.ended(ended("run-0", "a", "no-content"));

    Ledger.Account account = ledger.account(1);
    assertThat(account.noContent()).isEqualTo(1);
    assertThat(account.repeated()).isEqualTo(1);
    assertThat(account.complete()).isTrue();
  }

  @Test
  void passesOverWhatIsNotItsOwn() {
    Ledger ledger = ledger("a");
    ledger.sent(0);
    ledger.ended(ended("other-0", "a", "replied"));
    ledger.ended(ended("run-", "a", "replied"));
    ledger.ended(ended("run-00000000000000000001", "a", "replied"));
    ledger.ended(ended("run-0", "stranger", "replied"));
    ledger.heard(new Event("part", Map.of("part", "broker")));

    assertThat(ledger.account(1).missing()).isEqualTo(1);
  }

  @Test
  void aRejectedOrFailedMessageIsToldWithItsCause() {
    Ledger ledger = ledger("a");
    ledger.sent(0);
    ledger.sent(1);
    ledger.ended(ended("run-0", "a", "rejected"));
    ledger.ended(ended("run-1", "a", "failed"));

    Ledger.Account account = ledger.account(1);
    assertThat(account.complete()).isFalse();
    assertThat(account.missing()).isZero();
    assertThat(account.causes()).extracting(Map.Entry::getKey).containsExactly("a rejected 400", "a failed: timeout");
  }

  @Test
  void aMessageTheBrokerDidNotTakeOwesNothingButIsNoSuccess() {
    Ledger ledger = ledger("a");
    ledger.sent(0);
    ledger.notSent(0, "connection lost");

    Ledger.Account account = ledger.account(1);
    assertThat(account.missing()).isZero();
    assertThat(account.notSent()).isEqualTo(1);
    assertThat(account.complete()).isFalse();
  }

  @Test
  void aRunWithoutMessagesIsNoSuccess() {
    assertThat(ledger("a").account(1).complete()).isFalse();
  }

  @Test
  void measuresFromSendingToOutcome() {
    Ledger ledger = ledger("a");
    for (int i = 0; i < 100; i++) {
      now.set(0);
      ledger.sent(i);
      now.set((i + 1) * 1_000_000L);
      ledger.ended(ended(ledger.id(i), "a", "replied"));
    }

    assertThat(ledger.account(2).p50()).isEqualTo(50);
    assertThat(ledger.account(2).p99()).isEqualTo(99);
    assertThat(ledger.account(2).perSecond()).isEqualTo(50);
    assertThat(ledger.account(2).coldStartMillis()).isEqualTo(12);
  }

  @Test
  void waitsForTheLastAnswersWhereOthersWerePublished() throws Exception {
    Ledger ledger = ledger("a");
    for (int i = 0; i < 2; i++) {
      ledger.sent(i);
      ledger.ended(ended(ledger.id(i), "a", "replied"));
    }
    ledger.heard(new Event("published", Map.of("invocation", "run-0", "topic", "alerts/x", "bytes", 5)));
    FutureTask<Map<String, Long>> waiting = new FutureTask<>(() -> {
      ledger.awaitAnswers(0, 20_000);
      return ledger.account(1).answers();
    });
    Thread thread = new Thread(waiting);
    thread.start();
    while (!waiting.isDone() && thread.getState() != Thread.State.TIMED_WAITING) {
      Thread.onSpinWait();
    }

    ledger.heard(new Event("published", Map.of("invocation", "run-1", "topic", "alerts/x", "bytes", 5)));

    assertThat(waiting.get(20, TimeUnit.SECONDS)).containsExactly(Map.entry("alerts/x", 2L));
  }

  @Test
  void waitsAMomentOnlyWhereNoAnswerIsPublished() throws Exception {
    Ledger ledger = ledger("a");
    ledger.sent(0);
    ledger.ended(ended("run-0", "a", "replied"));

    ledger.awaitAnswers(1, Long.MAX_VALUE / 1_000_000 / 4);

    assertThat(ledger.account(1).answers()).isEmpty();
  }

  @Test
  void countsAnswersPerTopic() {
    Ledger ledger = ledger("a");
    ledger.heard(new Event("published", Map.of("invocation", "run-0", "topic", "alerts/x", "bytes", 5)));
    ledger.heard(new Event("published", Map.of("invocation", "other-0", "topic", "alerts/x", "bytes", 5)));

    assertThat(ledger.account(1).answers()).containsExactly(Map.entry("alerts/x", 1L));
  }
}
