package io.weir.forecast.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class HybridHistogramTest {
  private static final long MINUTE = 60_000;
  private final HybridHistogram histogram = new HybridHistogram();
  private final Span span = new Span();

  @Test
  void isWarmFromTheFifthPercentileLessATenthToTheLastPlusATenth() {
    for (int i = 0; i < 60; i++) {
      histogram.arrived(0, (30 + i % 3) * MINUTE + 1_000, 0);
    }

    histogram.next(0, 0, 0, span);

    assertThat(span.from).isEqualTo(27 * MINUTE);
    assertThat(span.to).isEqualTo((long) (33 * MINUTE * 1.1));
  }

  @Test
  void keepsFourHoursWhenNoBinStandsOut() {
    Random random = new Random(1);
    for (int i = 0; i < 500; i++) {
      histogram.arrived(0, random.nextInt((int) (240 * MINUTE)), 0);
    }

    histogram.next(0, 0, 0, span);

    assertThat(span.from).isZero();
    assertThat(span.to).isEqualTo(240 * MINUTE);
  }

  @Test
  void asksArimaWhenMostIdleTimesAreLongerThanItsBins() {
    for (int i = 0; i < 10; i++) {
      histogram.arrived(0, (360 + i % 2) * MINUTE, 0);
    }

    histogram.next(0, 0, 0, span);

    assertThat(span.from).isBetween(300 * MINUTE, 320 * MINUTE);
    assertThat(span.to).isBetween(410 * MINUTE, 420 * MINUTE);
  }

  @Test
  void arimaStaysWithinWhatItSaw() {
    assertThat(Arima.next(new double[] {10, 20, 30, 40, 50, 60}))
        .hasValueSatisfying(next -> assertThat(next).isBetween(10.0, 60.0));
    assertThat(Arima.next(new double[] {7, 7, 7, 7})).hasValue(7.0);
    assertThat(Arima.next(new double[] {})).isEmpty();
    assertThat(Arima.next(new double[] {1, 1e12}).orElse(1.0)).isBetween(1.0, 1e12);
  }
}
