package io.weir.function;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FunctionNameTest {
  @ParameterizedTest
  @ValueSource(strings = {"a", "thermo-alert", "a1", "a--b"})
  void takesDnsLabels(String value) {
    assertThat(new FunctionName(value)).hasToString(value);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "A", "1a", "-a", "a-", "a_b", "a.b", "ä", "a b", "a/b", "a\n"})
  void refusesEverythingElse(String value) {
    assertThatThrownBy(() -> new FunctionName(value)).isInstanceOf(InvalidFunction.class)
        .hasMessageStartingWith("name: '" + value + "' is not allowed; use 1 to 63");
  }

  @Test
  void isAtMost63Long() {
    new FunctionName("a".repeat(63));
    assertThatThrownBy(() -> new FunctionName("a".repeat(64))).isInstanceOf(InvalidFunction.class);
  }

  @Property
  void isNeverAnythingThatNeedsEscapingInAUrl(@ForAll @StringLength(max = 70) String value) {
    try {
      new FunctionName(value);
    } catch (InvalidFunction e) {
      return;
    }
    assertThat(value.chars()).allMatch(c -> c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-');
  }
}
