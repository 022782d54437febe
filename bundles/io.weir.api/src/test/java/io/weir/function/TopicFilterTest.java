package io.weir.function;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TopicFilterTest {

  /** The examples of MQTT 5.0 §4.7, and the corners between them. */
  @ParameterizedTest
  @CsvSource({
      "a, a, ''", "a/b, a/b, ''", "+, a, a", "+/+, a/b, a|b", "/+, /finance, finance", "+/+, /finance, |finance",
      "a/+/c, a/b/c, b", "a/+, a/, ''", "sport/#, sport, ''", "sport/#, sport/, ''", "sport/#, sport/a/b, a/b",
      "#, a/b/c, a/b/c", "#, /, /", "+/#, a, a|", "+/#, a/b/c, a|b/c", "$SYS/#, $SYS/x, x", "$SYS/+, $SYS/x, x",
      "+/b/#, a/b, a|"})
  void matchesAndCaptures(String filter, String topic, String captured) {
    TopicFilter it = new TopicFilter(filter);
    List<String> expected = it.wildcards() == 0 ? List.of() : List.of(captured.split("\\|", -1));

    assertThat(it.match(topic)).contains(expected);
  }

  @ParameterizedTest
  @CsvSource({"a, b", "a, a/b", "a/b, a", "A, a", "+, a/b", "a/+, a", "a/+/c, a/c", "sport/+, sport", "a/#, ab",
      "sport/#, sports", "#, $SYS", "+, $SYS", "+/x, $SYS/x", "#, $SYS/x", "+/#, $SYS/x", "/+, a", "+, /a"})
  void doesNotMatch(String filter, String topic) {
    assertThat(new TopicFilter(filter).match(topic)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a+", "+a", "a/b+", "#/a", "a/#/b", "a#", "##", "++", "+/#/+", "$share/g/a", "a\0b"})
  void refusesWhatIsNoFilter(String value) {
    assertThatThrownBy(() -> new TopicFilter(value)).isInstanceOfSatisfying(InvalidFunction.class,
        e -> assertThat(e.key()).isEqualTo("mqtt"));
  }

  @Test
  void countsItsLengthInBytes() {
    new TopicFilter("€".repeat(21_845));
    assertThatThrownBy(() -> new TopicFilter("€".repeat(21_846))).isInstanceOf(InvalidFunction.class);
  }

  @Property
  void capturesSoMuchThatTheTopicCanBeMadeAgain(@ForAll("levels") List<String> topicLevels,
      @ForAll List<Boolean> wild, @ForAll boolean hash) {
    List<String> levels = new ArrayList<>(topicLevels);
    for (int i = 0; i < levels.size(); i++) {
      if (i < wild.size() && wild.get(i) && !(i == 0 && levels.get(0).startsWith("$"))) {
        levels.set(i, "+");
      }
    }
    if (hash) {
      levels.add("#");
    }
    TopicFilter filter = new TopicFilter(String.join("/", levels));

    Optional<List<String>> captured = filter.match(String.join("/", topicLevels));

    assertThat(captured).isPresent();
    assertThat(captured.get()).hasSize(filter.wildcards());
    List<String> again = new ArrayList<>();
    int next = 0;
    for (String level : levels) {
      String text = level.equals("+") || level.equals("#") ? captured.get().get(next++) : level;
      if (!level.equals("#") || !text.isEmpty()) {
        again.add(text);
      }
    }
    assertThat(String.join("/", again)).isEqualTo(String.join("/", topicLevels));
  }

  @Property
  void matchesOnlyItselfWithoutWildcards(@ForAll("levels") List<String> a, @ForAll("levels") List<String> b) {
    String filter = String.join("/", a);
    String topic = String.join("/", b);

    assertThat(new TopicFilter(filter).match(topic).isPresent()).isEqualTo(filter.equals(topic));
  }

  @Provide
  Arbitrary<List<String>> levels() {
    return Arbitraries.of("a", "b", "", "ab", "$SYS", " ").list().ofMinSize(1).ofMaxSize(5)
        .filter(levels -> !String.join("/", levels).isEmpty());
  }
}
