package io.weir.function;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.AlphaChars;
import net.jqwik.api.constraints.NotEmpty;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FunctionSpecTest {
  private static final Limits LIMITS = new Limits(64 << 20, 1, 64);
  private static final Scaling SCALING = new Scaling(0, 1, 8, Duration.ofSeconds(60));
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private static FunctionSpec spec(String image, int port, List<Trigger> triggers, Optional<String> output,
      Limits limits, Scaling scaling, Duration timeout, Map<String, String> environment) {
    return new FunctionSpec(new FunctionName("echo"), new Source.Image(image), port, triggers, output.map(TopicTemplate::new), limits,
        scaling, timeout, environment);
  }

  private static FunctionSpec withEnvironment(Map<String, String> environment) {
    return spec("localhost/echo:1", 8080, List.of(), Optional.empty(), LIMITS, SCALING, TIMEOUT, environment);
  }

  private static void refused(String key, ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOfSatisfying(InvalidFunction.class, e -> {
      assertThat(e.key()).isEqualTo(key);
      assertThat(e).hasMessageStartingWith(key + ": ");
    });
  }

  @ParameterizedTest
  @ValueSource(strings = {"echo", "localhost/echo:1", "localhost:5000/a/b_c.d:v1.2", "docker.io/library/busybox",
      "a/b@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"})
  void takesImageReferences(String image) {
    assertThat(spec(image, 80, List.of(), Optional.empty(), LIMITS, SCALING, TIMEOUT, Map.of()).source().toString()).isEqualTo(image);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "a b", "-a", "a:", "a/B", "a@sha256:12", "a;rm -rf", "a\nb", "https://x/y"})
  void refusesWhatIsNoImageReference(String image) {
    refused("image", () -> spec(image, 80, List.of(), Optional.empty(), LIMITS, SCALING, TIMEOUT, Map.of()));
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 65_536})
  void refusesAPortOutOfRange(int port) {
    refused("port", () -> spec("x", port, List.of(), Optional.empty(), LIMITS, SCALING, TIMEOUT, Map.of()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"PT0S", "PT0.099S", "PT1H0.001S", "PT-1S"})
  void refusesATimeoutOutOfRange(Duration timeout) {
    refused("timeout", () -> spec("x", 80, List.of(), Optional.empty(), LIMITS, SCALING, timeout, Map.of()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "1A", "A-B", "A B", "A=B", "Ä"})
  void refusesAVariableThatIsNone(String name) {
    refused("env", () -> withEnvironment(Map.of(name, "x")));
  }

  @Test
  void refusesAPlaceholderThatATriggerDoesNotFill() {
    List<Trigger> triggers = List.of(new Trigger.Mqtt(new TopicFilter("a/+/+"), 1, "/"),
        new Trigger.Mqtt(new TopicFilter("b/+"), 1, "/"));

    spec("x", 80, triggers, Optional.of("out/{1}"), LIMITS, SCALING, TIMEOUT, Map.of());
    refused("output", () -> spec("x", 80, triggers, Optional.of("out/{2}"), LIMITS, SCALING, TIMEOUT, Map.of()));
    spec("x", 80, List.of(new Trigger.Http("/x")), Optional.of("out/{2}"), LIMITS, SCALING, TIMEOUT, Map.of());
  }

  @ParameterizedTest
  @CsvSource({"6291455, 1, 1, memory", "0, 1, 1, memory", "6291456, 0.009, 1, cpus", "6291456, NaN, 1, cpus",
      "6291456, 1025, 1, cpus", "6291456, 1, 0, pids", "6291456, 1, 32769, pids"})
  void refusesLimitsOutOfRange(long memory, double cpus, int pids, String key) {
    refused(key, () -> new Limits(memory, cpus, pids));
  }

  @ParameterizedTest
  @CsvSource({"-1, 1, 1, PT1S, instances.min", "2, 1, 1, PT1S, instances.min", "0, 0, 1, PT1S, instances.max",
      "0, 101, 1, PT1S, instances.max", "0, 1, 0, PT1S, concurrency", "0, 1, 1001, PT1S, concurrency",
      "0, 1, 1, PT0.999S, idle", "0, 1, 1, PT24H0.001S, idle"})
  void refusesScalingOutOfRange(int min, int max, int concurrency, Duration idle, String key) {
    refused(key, () -> new Scaling(min, max, concurrency, idle));
  }

  @Test
  void takesTheEdgesOfEveryRange() {
    new Limits(Limits.MIN_MEMORY, Limits.MIN_CPUS, 1);
    new Limits(1L << 40, 1024, Limits.MAX_PIDS);
    new Scaling(0, 1, 1, Duration.ofSeconds(1));
    new Scaling(100, Scaling.MAX_INSTANCES, Scaling.MAX_CONCURRENCY, Duration.ofHours(24));
    spec("x", 1, List.of(), Optional.empty(), LIMITS, SCALING, Duration.ofMillis(100), Map.of());
    spec("x", 65_535, List.of(), Optional.empty(), LIMITS, SCALING, Duration.ofHours(1), Map.of());
  }

  @Test
  void keepsItsRevisionBetweenReleases() {
    assertThat(withEnvironment(Map.of("B", "2", "A", "1")).revision()).isEqualTo("4ecf4e13c761");
  }

  @Property
  void hasTheSameRevisionInWhateverOrderTheEnvironmentIsWritten(
      @ForAll Map<@AlphaChars @NotEmpty String, @AlphaChars String> environment) {
    assertThat(withEnvironment(new LinkedHashMap<>(environment)).revision())
        .isEqualTo(withEnvironment(new HashMap<>(environment)).revision()).matches("[0-9a-f]{12}");
  }

  @Test
  void changesItsRevisionExactlyWhenAContainerMustBeReplaced() {
    String base = withEnvironment(Map.of()).revision();

    assertThat(withEnvironment(Map.of("A", "1")).revision()).isNotEqualTo(base);
    assertThat(withEnvironment(Map.of("A", "1, B=2")).revision())
        .isNotEqualTo(withEnvironment(Map.of("A", "1", "B", "2")).revision());
    assertThat(spec("localhost/echo:2", 8080, List.of(), Optional.empty(), LIMITS, SCALING, TIMEOUT, Map.of())
        .revision()).isNotEqualTo(base);
    assertThat(spec("localhost/echo:1", 81, List.of(), Optional.empty(), LIMITS, SCALING, TIMEOUT, Map.of())
        .revision()).isNotEqualTo(base);
    assertThat(spec("localhost/echo:1", 8080, List.of(), Optional.empty(), new Limits(65 << 20, 1, 64), SCALING,
        TIMEOUT, Map.of()).revision()).isNotEqualTo(base);
    assertThat(spec("localhost/echo:1", 8080, List.of(new Trigger.Http("/x")), Optional.of("a"), LIMITS,
        new Scaling(1, 2, 3, Duration.ofSeconds(5)), Duration.ofSeconds(1), Map.of()).revision()).isEqualTo(base);
  }

  @Test
  void cannotBeChangedFromOutside() {
    Map<String, String> environment = new HashMap<>(Map.of("A", "1"));
    FunctionSpec spec = withEnvironment(environment);
    environment.put("A", "2");

    assertThat(spec.environment()).containsEntry("A", "1");
    assertThatThrownBy(() -> spec.environment().put("B", "x")).isInstanceOf(UnsupportedOperationException.class);
    assertThatThrownBy(() -> spec.triggers().clear()).isInstanceOf(UnsupportedOperationException.class);
  }
}
