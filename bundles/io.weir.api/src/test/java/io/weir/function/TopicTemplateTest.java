package io.weir.function;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TopicTemplateTest {
  @ParameterizedTest
  @CsvSource({"alerts, alerts, 0", "alerts/{1}/x, alerts/A/x, 1", "{2}/{1}, B/A, 2", "{1}{1}, AA, 1", "a/{3}, a/C, 3"})
  void putsInWhatTheWildcardsMatched(String template, String topic, int placeholders) {
    assertThat(new TopicTemplate(template).expand(List.of("A", "B", "C"))).isEqualTo(topic);
    assertThat(new TopicTemplate(template).placeholders()).isEqualTo(placeholders);
  }

  @Property
  void takesWhatWasMatchedLiterally(@ForAll @Size(2) List<String> captured) {
    assertThat(new TopicTemplate("a/{2}/{1}").expand(captured))
        .isEqualTo("a/" + captured.get(1) + "/" + captured.get(0));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a/+", "a/#", "$SYS/a", "{0}", "{x}", "{1", "1}", "{}", "{-1}", "a\0", "+\n"})
  void refusesWhatCannotBecomeATopic(String value) {
    assertThatThrownBy(() -> new TopicTemplate(value)).isInstanceOfSatisfying(InvalidFunction.class,
        e -> assertThat(e.key()).isEqualTo("output"));
  }

  @Test
  void takesAHugePlaceholderForOneThatNoTriggerHas() {
    assertThat(new TopicTemplate("{99999999999}").placeholders()).isEqualTo(Integer.MAX_VALUE);
  }
}
