package io.weir.function;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TriggerTest {
  @ParameterizedTest
  @CsvSource({"/a, /a, true", "/a, /a/, true", "/a, /a/b, true", "/a, /ab, false", "/a/b, /a, false", "/a, /A, false"})
  void coversWholeSegments(String path, String request, boolean covers) {
    assertThat(new Trigger.Http(path).covers(request)).isEqualTo(covers);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "/", "a", "/a/", "/a//b", "/a/../b", "/..", "/a/.", "/a?b", "/a b", "/a#b", "/api",
      "/api/v1", "/function", "/function/x", "/healthz", "/console", "/console/main.js"})
  void refusesAPathThatIsNoneOrNotForFunctions(String path) {
    assertThatThrownBy(() -> new Trigger.Http(path)).isInstanceOfSatisfying(InvalidFunction.class,
        e -> assertThat(e.key()).isEqualTo("http"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"/apis", "/functions", "/a.b/c~d", "/a%20b", "/healthz2", "/consoles"})
  void takesPathsOfOnesOwn(String path) {
    assertThat(new Trigger.Http(path).path()).isEqualTo(path);
  }

  @Test
  void refusesAnMqttTriggerOutOfRange() {
    TopicFilter filter = new TopicFilter("a");

    for (int qos : new int[] {-1, 3}) {
      assertThatThrownBy(() -> new Trigger.Mqtt(filter, qos, "/")).hasMessage("qos: '" + qos
          + "' is not allowed; use 0, 1 or 2");
    }
    assertThatThrownBy(() -> new Trigger.Mqtt(filter, 1, "events")).isInstanceOf(InvalidFunction.class);
    assertThat(new Trigger.Mqtt(filter, 2, "/events/x").path()).isEqualTo("/events/x");
  }
}
