package io.weir.gateway.mqtt.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

class EventTimeTest {
  @Test
  void writesMicrosecondsAlways() {
    assertThat(EventTime.text(Instant.parse("2026-11-22T05:48:54Z"))).isEqualTo("2026-11-22T05:48:54.000000Z");
    assertThat(EventTime.text(Instant.parse("2026-11-22T05:48:54.000007999Z"))).isEqualTo("2026-11-22T05:48:54.000007Z");
  }

  @Property
  void writesWhatReadsAsTheSameTime(@ForAll @LongRange(min = 0, max = 7_000_000_000L) long second,
      @ForAll @IntRange(max = 999_999_999) int nano) {
    Instant time = Instant.ofEpochSecond(second, nano);

    assertThat(Instant.parse(EventTime.text(time))).isEqualTo(time.truncatedTo(ChronoUnit.MICROS));
  }
}
