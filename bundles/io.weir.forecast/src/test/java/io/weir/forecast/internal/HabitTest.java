package io.weir.forecast.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class HabitTest {
  private static final float WORTH = 3_600_000;
  private final Habit habit = new Habit(new Surroundings(), 100);
  private long at;

  private void gaps(int count, double mean) {
    Random random = new Random(1);
    for (int i = 0; i < count; i++) {
      long gap = 1_000 + Math.round(-mean * Math.log(1 - random.nextDouble()));
      at += gap;
      habit.arrived(at, gap, WORTH);
    }
  }

  @Test
  void ofFewGapsItWaitsForAsLongAsAColdStartIsWorth() {
    gaps(1, 5_000);

    assertThat(habit.patience(WORTH)).isEqualTo((long) WORTH);
  }

  @Test
  void aSilenceManyTimesAsLongAsAllGapsIsTheEnd() {
    gaps(200, 30_000);

    assertThat(habit.patience(WORTH)).isBetween(120_000L, 900_000L);
  }

  @Test
  void whereGapsAreLongItWaitsLonger() {
    gaps(200, 300_000);
    long longer = habit.patience(WORTH);

    assertThat(longer).isBetween(1_500_000L, (long) WORTH);
  }

  @Test
  void aCrowdDoesNotBuryWhatIsKnownOfOtherTimes() {
    gaps(100, 900_000);
    gaps(2_000, 1_000);

    assertThat(habit.patience(WORTH)).isGreaterThan((long) (0.9 * WORTH));
  }

  @Test
  void itNeverWaitsLongerThanAColdStartIsWorth() {
    gaps(50, 30_000_000);

    assertThat(habit.patience(WORTH)).isLessThanOrEqualTo((long) WORTH);
    assertThat(habit.patience(60_000)).isLessThanOrEqualTo(60_000);
  }
}
