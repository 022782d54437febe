package io.weir.registry.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Language;
import io.weir.function.Limits;
import io.weir.function.Network;
import io.weir.function.Priority;
import io.weir.function.Promise;
import io.weir.function.Rung;
import io.weir.function.Scaling;
import io.weir.function.Source;
import io.weir.function.TopicFilter;
import io.weir.function.TopicTemplate;
import io.weir.function.Trigger;
import java.time.Duration;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.osgi.util.converter.Converters;

class FunctionPropertiesTest {

  @Property(tries = 500)
  void readsWhatItWrote(@ForAll("functions") FunctionSpec spec) {
    assertThat(FunctionProperties.read("io.weir.function~x", FunctionProperties.write(spec, "api"))).isEqualTo(spec);
  }

  private static Arbitrary<Promise> promises() {
    return Combinators.combine(Arbitraries.of(Promise.Level.AT_LEAST_ONCE, Promise.Level.EXACTLY_ONCE),
        Arbitraries.of("topic", "none", "property:device", "property:é=").map(Promise.Order::of),
        Combinators.combine(Arbitraries.integers().between(1, 1000), Arbitraries.longs().between(1_000, 86_400_000)
            .map(Duration::ofMillis)).as(Promise.Retry::new), Arbitraries.of(Promise.Urgency.class)).as(Promise::new);
  }

  @Provide
  Arbitrary<FunctionSpec> functions() {
    Arbitrary<Map<String, String>> env = Arbitraries.maps(
        Arbitraries.strings().alpha().ofMinLength(1).ofMaxLength(8),
        Arbitraries.strings().withChars("ab \\\"nr\n\r\t=#:'é").ofMaxLength(12)).ofMaxSize(4);
    Arbitrary<Trigger> mqtt = Combinators.combine(
        Arbitraries.of("a", "#", "+/x", "a b/c", "x qos=2", "x path=/y", "s/+/#", "ä/€", "x fast=kernel"), Arbitraries.integers()
            .between(0, 2), Arbitraries.of("/", "/a", "/a;b=1/c%20d"), promises()).as((filter, qos, path, promise) ->
            new Trigger.Mqtt(new TopicFilter(filter), qos, path, false, new Promise(qos == 2 ? promise.level()
                : Promise.Level.of(qos), promise.order(), promise.retry(), promise.urgency())));
    Arbitrary<List<Trigger>> triggers = Arbitraries.oneOf(mqtt, Arbitraries.of("/x", "/y/z").map(Trigger.Http::new))
        .list().ofMaxSize(4).uniqueElements(trigger ->
            trigger instanceof Trigger.Mqtt it ? it.filter().value() : trigger.toString());
    Arbitrary<Limits> limits = Combinators.combine(Arbitraries.longs().between(6 << 20, 1L << 40),
        Arbitraries.doubles().between(0.01, 64), Arbitraries.integers().between(1, 1000)).as(Limits::new);
    Arbitrary<Optional<Rung>> rests = Arbitraries.of(Rung.IMAGE, Rung.FROZEN, Rung.RUNNING).optional();
    Arbitrary<Scaling> scaling = Combinators.combine(Arbitraries.integers().between(0, 9),
        Arbitraries.integers().between(9, 100), Arbitraries.integers().between(1, 1000),
        Arbitraries.longs().between(1000, 86_400_000).map(Duration::ofMillis), rests, Arbitraries.of(Priority.class))
        .as(Scaling::new);
    Arbitrary<Source> handlers = Combinators.combine(Arbitraries.of(Language.class),
        Arbitraries.of("handler", "Thermo", "_a-1"),
        Arbitraries.strings().withChars("ab \\\"\n\r\t=#:'é€{}$[").ofMinLength(1).ofMaxLength(40)
            .filter(code -> !code.isBlank()))
        .as((language, file, code) -> new Source.Handler(language, file + language.suffix(), code));
    Arbitrary<Source> sources = Arbitraries.oneOf(handlers,
        Arbitraries.of("localhost/x:1", "docker.io/library/redis").map(Source.Image::new));
    Arbitrary<Duration> timeout = Arbitraries.longs().between(100, 3_600_000).map(Duration::ofMillis);
    Arbitrary<Optional<TopicTemplate>> outputs = Arbitraries.of("", "a b/c")
        .map(text -> text.isEmpty() ? Optional.empty() : Optional.of(new TopicTemplate(text)));
    Arbitrary<Network> networks = Combinators.combine(Arbitraries.integers().between(1024, 65_535).optional(),
        Arbitraries.of("10.0.0.0/8", "fd00::/8", "192.168.1.7").list().ofMaxSize(3),
        Arbitraries.integers().between(0, 100_000), Arbitraries.integers().between(0, 100_000),
        Arbitraries.of("any", "192.168.1.10:443", "[fd00::1]:53").list().ofMaxSize(3))
        .as((port, from, rate, burst, egress) -> new Network(
            port.map(OptionalInt::of).orElse(OptionalInt.empty()), from, rate, burst, egress));
    return Combinators.combine(sources, env, triggers, limits, scaling, timeout, outputs, networks).as(
        (source, variables, all, limit, scale, time, output, network) -> new FunctionSpec(new FunctionName("x"), source,
            80, all, output, limit, scale, time, variables, network));
  }

  @Test
  void keepsEachRungWhereAnImageRests() {
    for (Rung rung : Rung.values()) {
      FunctionSpec spec = FunctionProperties.read("io.weir.function~x", properties("image", "x", "rest", rung.label()));

      assertThat(spec.scaling().rest()).contains(rung);
      assertThat(FunctionProperties.read("io.weir.function~x", FunctionProperties.write(spec, "api"))).isEqualTo(spec);
    }
  }

  @Test
  void hasTheDefaultsThatItsDescriptionPromises() {
    FunctionConfig promised = Converters.standardConverter().convert(Map.of("image", "x")).to(FunctionConfig.class);
    FunctionSpec written = World.parse("functions: {x: {image: x}}").get(0).spec();
    Hashtable<String, Object> all = new Hashtable<>();
    all.put("name", "x");
    all.put("image", promised.image());
    all.put("runtime", promised.runtime());
    all.put("handler", promised.handler());
    all.put("code", promised.code());
    all.put("port", promised.port());
    all.put("triggers", promised.triggers());
    all.put("output", promised.output());
    all.put("memory", promised.memory());
    all.put("cpus", promised.cpus());
    all.put("pids", promised.pids());
    all.put("instances.min", promised.instances_min());
    all.put("instances.max", promised.instances_max());
    all.put("concurrency", promised.concurrency());
    all.put("idle", promised.idle());
    all.put("rest", promised.rest());
    all.put("priority", promised.priority());
    all.put("timeout", promised.timeout());
    all.put("env", promised.env());
    all.put("service.port", promised.service_port());
    all.put("service.from", promised.service_from());
    all.put("service.rate", promised.service_rate());
    all.put("service.burst", promised.service_burst());
    all.put("egress", promised.egress());

    assertThat(FunctionProperties.read("io.weir.function~x", all)).isEqualTo(written);
    assertThat(FunctionProperties.read("io.weir.function~x", properties("image", "x"))).isEqualTo(written);
  }

  @Test
  void readsWhoBringsMessages() {
    FunctionSpec spec = FunctionProperties.read("io.weir.function~x", properties("image", "x", "triggers",
        "mqtt a/b fast=kernel\nmqtt a/c qos=0 path=/c fast=kernel\nmqtt a/d"));

    assertThat(spec.triggers()).containsExactly(new Trigger.Mqtt(new TopicFilter("a/b"), 1, "/", true),
        new Trigger.Mqtt(new TopicFilter("a/c"), 0, "/c", true), new Trigger.Mqtt(new TopicFilter("a/d"), 1, "/"));
    assertThat(FunctionProperties.read("io.weir.function~x", FunctionProperties.write(spec, "api"))).isEqualTo(spec);
  }

  @Test
  void readsWhatPeopleWriteIntoConfigurationFiles() {
    FunctionSpec spec = FunctionProperties.read("io.weir.function~x", properties("image", "x", "port", " 81 ",
        "cpus", 2, "memory", 67108864L, "triggers", new String[] {"mqtt   s/+   qos=0", "", "http /y"},
        "env", "A=1\n\nB = a=b\r\nC=", "instances.max", ""));

    assertThat(spec.port()).isEqualTo(81);
    assertThat(spec.limits()).isEqualTo(new Limits(64 << 20, 2, 64));
    assertThat(spec.triggers()).containsExactly(new Trigger.Mqtt(new TopicFilter("s/+"), 0, "/"),
        new Trigger.Http("/y"));
    assertThat(spec.environment()).isEqualTo(Map.of("A", "1", "B", " a=b", "C", ""));
    assertThat(spec.scaling().max()).isOne();
  }

  @Test
  void readsAProgramThatIsWrittenInAConfiguration() {
    FunctionSpec spec = FunctionProperties.read("io.weir.function~x", properties("runtime", "python", "image", "",
        "code", new String[] {"def handle(event):", "  return event"}));

    assertThat(spec.source()).isEqualTo(new Source.Handler(Language.PYTHON, "handler.py",
        "def handle(event):\n  return event"));
    assertThatThrownBy(() -> FunctionProperties.read("io.weir.function~x", properties("runtime", "python", "handler",
        "a.py"))).hasMessage("code: is missing; a configuration has no files beside it, so write the program of 'a.py' "
            + "here");
  }

  @Test
  void takesTheNameFromKuraOrThePidWhereNoneIsWritten() {
    assertThat(FunctionProperties.read("io.weir.function~x", properties("image", "x")).name().value()).isEqualTo("x");
    assertThat(FunctionProperties.read("io.weir.function-17-1", properties("image", "x", "kura.service.pid", "k"))
        .name().value()).isEqualTo("k");
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "triggers | coap x     | triggers: 'coap x' is not allowed; use 'mqtt FILTER qos=1 path=/' or 'http /PATH'",
      "triggers | mqtt a qos=9 | qos: '9' is not allowed; use 0, 1 or 2",
      "env      | A          | env: 'A' is not allowed; use KEY=VALUE on each line",
      "cpus     | half       | cpus: 'half' is not allowed; use a number, for example 0.5",
      "idle     | soon       | idle: 'soon' is not allowed; use a whole number with ms, s, m or h",
      "rest     | warm       | rest: 'warm' is not allowed; use auto, image, created, armed, frozen or running",
      "priority | urgent     | priority: 'urgent' is not allowed; use low, normal or high",
      "service.port | 80    | service.port: '80' is not allowed; use 1024..65535",
      "service.from | LAN   | service.from: 'LAN' is not allowed; use a network such as",
      "egress   | all        | egress: 'all' is not allowed; use 'any', a network such as",
      "runtime  | python     | runtime: excludes image; remove one of them",
      "image    | ?          | image: '?' is not allowed; use an image reference"})
  void saysWhichValueIsWrong(String key, String value, String message) {
    assertThatThrownBy(() -> FunctionProperties.read("io.weir.function~x", properties("image", "x", key, value)))
        .hasMessageStartingWith(message);
  }

  private static Hashtable<String, Object> properties(Object... keysAndValues) {
    Hashtable<String, Object> properties = new Hashtable<>();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      properties.put((String) keysAndValues[i], keysAndValues[i + 1]);
    }
    return properties;
  }
}
