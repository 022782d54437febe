package io.weir.cli.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TopicsTest {
  @ParameterizedTest
  @CsvSource({"a/b,a/b,true", "a/+,a/b,true", "a/+,a,false", "a/+,a/b/c,false", "a/#,a,true", "a/#,a/b/c,true", "#,a/b,true",
      "#,$SYS/x,false", "+/x,$SYS/x,false", "a/+,a/,true", "a,a/,false", "+,a,true"})
  void matchesAsTheStandardSays(String filter, String topic, boolean matches) {
    assertThat(Topics.matches(filter, topic)).isEqualTo(matches);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a/+", "#"})
  void refusesTopicsThatNothingCanBePublishedTo(String topic) {
    assertThatThrownBy(() -> Topics.requireName(topic)).hasMessageContaining("no topic to publish to");
  }

  @Test
  void findsTheFunctionsThatListen() {
    var functions = Json.object("""
        {"functions":[{"name":"a","triggers":[{"mqtt":"s/+"},{"http":"/a"}]},{"name":"b","triggers":[{"mqtt":"t/#"}]},{"name":"c"}]}""");

    assertThat(Topics.listeners(functions, "s/1")).containsExactly("a");
  }
}
