package io.weir.forecast.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class TimersTest {
  private static final float WORTH = 3_500_000;
  private final Timers timers = new Timers();
  private final Span span = new Span();
  private long last = -1;

  private void arrive(long at) {
    timers.arrived(at, last < 0 ? -1 : at - last, WORTH);
    last = at;
  }

  @Test
  void findsAPeriodWithJitter() {
    Random random = new Random(3);
    for (int i = 0; i < 12; i++) {
      arrive(i * 900_000L + random.nextInt(3_000));
    }

    assertThat(timers.next(last, last + 60_000, WORTH, span)).isTrue();
    assertThat(span.from).isBetween(12 * 900_000L - 40_000, 12 * 900_000L);
    assertThat(span.to).isBetween(12 * 900_000L + 3_000, 12 * 900_000L + 40_000);
  }

  @Test
  void followsALoopThatSleepsAndSoDrifts() {
    Random random = new Random(4);
    long at = 0;
    for (int i = 0; i < 30; i++) {
      arrive(at);
      at += 600_000 + 4_000 + random.nextInt(3_000);
    }

    assertThat(timers.next(last, last + 60_000, WORTH, span)).isTrue();
    assertThat(span.from).isLessThan(at);
    assertThat(span.to).isGreaterThan(at).isLessThan(at + 60_000);
  }

  @Test
  void keepsTwoTimersOfOneFunctionApart() {
    for (long at = 0; at < 20 * 3_600_000L; at += 60_000) {
      if (at % 1_800_000 == 0 || at % 3_000_000 == 600_000) {
        arrive(at);
      }
    }

    long now = 20 * 3_600_000L;
    for (long tick : new long[] {72_000_000, 72_600_000, 73_800_000}) {
      // There may be others, as for a third timer that gaps of ten minutes suggest.
      do {
        assertThat(timers.next(last, now, WORTH, span)).isTrue();
        now = span.to;
      } while (span.to <= tick);
      assertThat(span.from).isLessThanOrEqualTo(tick);
      arrive(tick);
      now = tick + 1_000;
    }
  }

  @Test
  void expectsTheNextTickWhenOneWasMissedAndGivesUpWhenAllAre() {
    for (int i = 0; i < 20; i++) {
      arrive(i * 3_600_000L);
    }

    assertThat(timers.next(last, last + 3_700_000, WORTH, span)).isTrue();
    assertThat(span.from).isBetween(last + 2 * 3_600_000L - 300_000, last + 2 * 3_600_000L);
    timers.next(last, last + 10 * 3_600_000L, WORTH, span);
    assertThat(span.isNever()).isTrue();
  }

  @Test
  void hasNoOpinionOfChance() {
    Random random = new Random(5);
    long at = 0;
    int opinions = 0;
    for (int i = 0; i < 500; i++) {
      arrive(at);
      opinions += timers.next(last, last + 1_000, WORTH, span) ? 1 : 0;
      at += (long) (-1_200_000 * Math.log(1 - random.nextDouble()));
    }

    assertThat(opinions).isLessThan(50);
  }
}
