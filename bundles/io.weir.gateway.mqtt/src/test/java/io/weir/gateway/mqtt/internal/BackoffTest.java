package io.weir.gateway.mqtt.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class BackoffTest {
  private static final Duration FIRST = Duration.ofMillis(100);
  private static final Duration LONGEST = Duration.ofMillis(300);

  private final Backoff backoff = new Backoff(FIRST, LONGEST);

  @Test
  void waitsAtRandomUpToABoundThatDoubles() {
    assertThat(backoff.next()).isPositive().isLessThanOrEqualTo(FIRST);
    assertThat(backoff.next()).isPositive().isLessThanOrEqualTo(FIRST.multipliedBy(2));
    assertThat(backoff.exhausted()).isTrue();
    for (int i = 0; i < 1000; i++) {
      assertThat(backoff.next()).isPositive().isLessThanOrEqualTo(LONGEST);
    }
  }

  @Test
  void beginsAgainAfterSuccess() {
    backoff.next();
    backoff.next();
    backoff.reset();

    assertThat(backoff.exhausted()).isFalse();
    assertThat(backoff.next()).isLessThanOrEqualTo(FIRST);
  }
}
