package io.weir.pool.internal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class AutoscalerTest {
  private static final long SECOND = 1_000_000_000L;
  private static final long START = 17 * SECOND + 123;
  private final Autoscaler autoscaler = new Autoscaler(START);

  @Test
  void wantsNothingForNothing() {
    assertThat(autoscaler.desired(at(30), 8, 0)).isZero();
  }

  @Test
  void followsTheAverageOfAMinute() {
    autoscaler.record(at(0), 12);

    assertThat(autoscaler.desired(at(60), 8, 2)).as("12 requests, 5.6 for each").isEqualTo(3);
  }

  @Test
  void forgetsWhatIsOlderThanAMinute() {
    autoscaler.record(at(0), 100);
    autoscaler.record(at(10), 1);

    assertThat(autoscaler.desired(at(130), 8, 1)).isEqualTo(1);
  }

  @Test
  void remembersWhatWasWithinAMinute() {
    autoscaler.record(at(0), 60);
    autoscaler.record(at(30), 0);

    assertThat(autoscaler.desired(at(59.5), 10, 4)).as("30 on average, 7 for each").isEqualTo(5);
  }

  @Test
  void panicsWhenTheLastSecondsCallForTwiceWhatThereIs() {
    autoscaler.record(at(0), 1);
    autoscaler.record(at(60), 40);

    assertThat(autoscaler.desired(at(66), 8, 1)).isGreaterThanOrEqualTo(6);
    assertThat(autoscaler.panicking(at(66))).isTrue();
  }

  @Test
  void neverGoesDownWhileItPanics() {
    autoscaler.record(at(0), 40);
    int peak = autoscaler.desired(at(6), 8, 1);
    autoscaler.record(at(7), 0);

    assertThat(autoscaler.desired(at(20), 8, peak)).isEqualTo(peak);
    assertThat(autoscaler.desired(at(150), 8, peak)).isLessThan(peak);
  }

  @Test
  void goesDownByHalfAtMost() {
    autoscaler.record(at(0), 40);
    autoscaler.desired(at(1), 8, 7);
    autoscaler.record(at(2), 0);

    assertThat(autoscaler.desired(at(200), 8, 8)).isEqualTo(4);
  }

  @Test
  void aShortBurstOnOneInstanceIsNoReasonForAnother() {
    autoscaler.record(at(100), 8);
    autoscaler.record(at(100.05), 0);

    assertThat(autoscaler.desired(at(102), 8, 1)).isEqualTo(1);
  }

  private static long at(double seconds) {
    return START + (long) (seconds * SECOND);
  }
}
