package io.weir.forecast.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.api.Test;

class StepsTest {
  private final Span span = new Span();

  static Stream<Steps> both() {
    return Stream.of(new SmoothedMarkov(), new Regression());
  }

  @ParameterizedTest
  @MethodSource("both")
  void steadyDemandStaysWarmAndSilenceGoesCold(Steps steps) {
    for (long minute = 0; minute < 120; minute++) {
      steps.count(minute * Steps.STEP + 5_000, 3);
    }
    long last = 119 * Steps.STEP + 5_000;

    steps.next(last, last, 0, span);
    assertThat(span.to).isGreaterThanOrEqualTo(121 * Steps.STEP);
    assertThat(steps.expected(last, last, Steps.STEP)).isBetween(1.5, 4.5);
    steps.next(last, last + 3_600_000, 0, span);
    assertThat(span.isNever()).isTrue();
  }

  @Test
  void theChainOfResidualsLearnsAnAlternation() {
    SmoothedMarkov hotc = new SmoothedMarkov();
    for (long minute = 0; minute < 400; minute++) {
      if (minute % 2 == 0) {
        hotc.count(minute * Steps.STEP, 10);
      }
    }

    // After a full minute an empty one, after an empty one a full one.
    double afterFull = hotc.expected(398 * Steps.STEP, 398 * Steps.STEP, Steps.STEP);
    double afterEmpty = hotc.expected(398 * Steps.STEP, 400 * Steps.STEP, Steps.STEP);
    assertThat(afterFull).isLessThan(4);
    assertThat(afterEmpty).isGreaterThan(6);
  }

  @Test
  void regressionLearnsAPeriodOfItsLags() {
    Regression regression = new Regression();
    for (long minute = 0; minute < 400; minute++) {
      if (minute % 4 == 0) {
        regression.count(minute * Steps.STEP, 8);
      }
    }

    assertThat(regression.expected(396 * Steps.STEP, 396 * Steps.STEP, Steps.STEP)).isLessThan(1);
    assertThat(regression.expected(396 * Steps.STEP, 400 * Steps.STEP, Steps.STEP)).isGreaterThan(6);
  }
}
