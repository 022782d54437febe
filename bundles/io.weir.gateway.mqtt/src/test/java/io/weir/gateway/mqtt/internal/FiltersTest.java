package io.weir.gateway.mqtt.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Limits;
import io.weir.function.Scaling;
import io.weir.function.Source;
import io.weir.function.TopicFilter;
import io.weir.function.Trigger;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FiltersTest {

  @ParameterizedTest
  @CsvSource({"a/#, a/+", "a/#, a", "a/#, a/b/#", "#, a/+/c", "+/b, a/b", "+/+, +/b", "a, a", "$x/#, $x/+", "+/#, +/+"})
  void containsWhatMatchesLess(String outer, String inner) {
    assertThat(Filters.contains(outer, inner)).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"a/+, a/#", "a/+, a", "a/+/c, a/b/+", "#, $SYS/x", "+/x, $SYS/x", "a, a/b", "a/b, a", "a/b, a/+", "+, #"})
  void containsNothingElse(String outer, String inner) {
    assertThat(Filters.contains(outer, inner)).isFalse();
  }

  @Test
  void asksForTheHighestQosOfWhatAFilterContains() {
    FunctionSpec function = new FunctionSpec(new FunctionName("f"), new Source.Image("localhost/test:1"), 8080,
        List.of(trigger("a/b", 2), trigger("a/#", 0), trigger("x/+", 1)), Optional.empty(), new Limits(64 << 20, 1, 64),
        new Scaling(0, 1, 1, Duration.ofSeconds(60)), Duration.ofSeconds(10), Map.of());

    assertThat(Filters.of(function, trigger -> true)).isEqualTo(Map.of("a/#", 2, "x/+", 1));
  }

  private static Trigger.Mqtt trigger(String filter, int qos) {
    return new Trigger.Mqtt(new TopicFilter(filter), qos, "/");
  }
}
