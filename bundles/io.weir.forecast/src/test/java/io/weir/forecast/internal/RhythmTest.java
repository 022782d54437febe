package io.weir.forecast.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class RhythmTest {
  private static final long MINUTE = 60_000;
  private static final long HOUR = 60 * MINUTE;
  private static final long DAY = 24 * HOUR;
  /** A midnight. */
  private static final long BEGIN = 1_700_438_400_000L;
  private static final float WORTH = HOUR;

  private final Rhythm rhythm = new Rhythm();
  private final Span span = new Span();
  private long last = BEGIN;

  /** Calls by chance between two hours of some days, every quarter of an hour on average. */
  private void observe(int days, int fromHour, int toHour) {
    Random random = new Random(3);
    for (int day = 0; day < days; day++) {
      double at = fromHour * HOUR;
      while ((at -= 15 * MINUTE * Math.log(1 - random.nextDouble())) < toHour * HOUR) {
        long now = BEGIN + day * DAY + (long) at;
        rhythm.arrived(now, now - last, WORTH);
        last = now;
      }
    }
  }

  private boolean warm(long at) {
    rhythm.next(last, at, WORTH, span);
    return span.from <= at && at < span.to;
  }

  @Test
  void isThereInTheMorningAndNotByNight() {
    observe(6, 8, 18);

    long midnight = BEGIN + 6 * DAY;
    assertThat(warm(midnight - 2 * HOUR)).isFalse();
    assertThat(warm(midnight + 4 * HOUR)).isFalse();
    rhythm.next(last, midnight, WORTH, span);
    assertThat(span.from).isBetween(midnight + 7 * HOUR, midnight + 8 * HOUR);
    assertThat(warm(midnight + 8 * HOUR + 30 * MINUTE)).isTrue();
  }

  @Test
  void holdsWhileCallsComeHoweverLongOneIsWorth() {
    observe(6, 8, 18);
    long noon = BEGIN + 6 * DAY + 12 * HOUR;
    rhythm.arrived(noon, noon - last, WORTH);
    last = noon;

    // A call every quarter of an hour: that none comes for one and a quarter is chance.
    assertThat(warm(noon + 75 * MINUTE)).isTrue();
  }

  @Test
  void givesUpWhereNothingComesAnyMore() {
    observe(6, 8, 18);

    assertThat(warm(BEGIN + 6 * DAY + 8 * HOUR + 30 * MINUTE)).isTrue();
    assertThat(warm(BEGIN + 6 * DAY + 15 * HOUR)).isFalse();
    rhythm.next(last, BEGIN + 7 * DAY, WORTH, span);
    assertThat(span.isNever()).isTrue();
  }

  @Test
  void aNewRhythmReplacesTheOld() {
    observe(6, 8, 18);
    long night = BEGIN + 6 * DAY;
    for (int day = 0; day < 12; day++) {
      for (int quarter = 0; quarter < 12; quarter++) {
        long at = night + day * DAY + HOUR + quarter * 15 * MINUTE;
        rhythm.arrived(at, at - last, WORTH);
        last = at;
      }
    }

    long midnight = night + 12 * DAY;
    assertThat(warm(midnight + HOUR + 5 * MINUTE)).isTrue();
    assertThat(warm(midnight + 13 * HOUR)).isFalse();
  }

  @Test
  void knowsNothingOfShortGapsAndHoldsThroughThem() {
    for (int i = 0; i < 100; i++) {
      last += MINUTE;
      rhythm.arrived(last, MINUTE, WORTH);
    }

    assertThat(rhythm.holds(last, last + 5 * MINUTE, WORTH)).isTrue();
    assertThat(warm(last + 5 * MINUTE)).isTrue();
    assertThat(warm(last + 30 * MINUTE)).isFalse();
  }
}
