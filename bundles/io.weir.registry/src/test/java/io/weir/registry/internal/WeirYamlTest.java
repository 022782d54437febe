package io.weir.registry.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.function.FunctionSpec;
import io.weir.function.Language;
import io.weir.function.Limits;
import io.weir.function.Network;
import io.weir.function.Priority;
import io.weir.function.Promise;
import io.weir.function.Promise.Level;
import io.weir.function.Promise.Order;
import io.weir.function.Promise.Retry;
import io.weir.function.Promise.Urgency;
import io.weir.function.Rung;
import io.weir.function.Scaling;
import io.weir.function.Source;
import io.weir.function.TopicFilter;
import io.weir.function.TopicTemplate;
import io.weir.function.Trigger;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class WeirYamlTest {
  @Test
  void readsEveryKey() {
    FunctionSpec spec = World.parse("""
        functions:
          thermo-alert:
            image: localhost/weir/thermo-alert:1
            port: 9090
            triggers:
              - mqtt: sensors/+/temperature
                qos: 2
                path: /events
              - mqtt: '#'
              - http: /thermo
            memory: 64MiB
            cpus: 0.5
            pids: 32
            instances: {min: 1, max: 2}
            concurrency: 4
            idle: 90s
            rest: armed
            priority: high
            timeout: 1500ms
            env: {THRESHOLD: "3.5", N: 007, B: true, TEXT: "a\\nb"}
        """).get(0).spec();

    assertThat(spec.name().value()).isEqualTo("thermo-alert");
    assertThat(spec.source().toString()).isEqualTo("localhost/weir/thermo-alert:1");
    assertThat(spec.port()).isEqualTo(9090);
    assertThat(spec.triggers()).containsExactly(
        new Trigger.Mqtt(new TopicFilter("sensors/+/temperature"), 2, "/events"),
        new Trigger.Mqtt(new TopicFilter("#"), 1, "/"), new Trigger.Http("/thermo"));
    assertThat(spec.limits()).isEqualTo(new Limits(64 << 20, 0.5, 32));
    assertThat(spec.scaling()).isEqualTo(new Scaling(1, 2, 4, Duration.ofSeconds(90), Optional.of(Rung.ARMED),
        Priority.HIGH));
    assertThat(spec.timeout()).isEqualTo(Duration.ofMillis(1500));
    assertThat(spec.environment()).isEqualTo(Map.of("THRESHOLD", "3.5", "N", "007", "B", "true", "TEXT", "a\nb"));
  }

  @Test
  void readsWhoBringsMessages() {
    FunctionSpec spec = World.parse("""
        functions:
          fast:
            image: x:1
            triggers:
              - {mqtt: sensors/1/temperature, qos: 0, fast: kernel}
              - mqtt: sensors/2/temperature
        """).get(0).spec();

    assertThat(spec.triggers()).containsExactly(
        new Trigger.Mqtt(new TopicFilter("sensors/1/temperature"), 0, "/", true),
        new Trigger.Mqtt(new TopicFilter("sensors/2/temperature"), 1, "/"));
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', textBlock = """
      6 | - {mqtt: a/b, qos: 1,~fast: turbo} | trigger.fast: 'turbo' is not allowed; use kernel, or leave it away
      5 | - {mqtt: a/+,~fast: kernel} | trigger.mqtt: 'a/+' is not allowed; use one exact topic with fast: kernel
      5 | - {mqtt: a12345678901234567890123456789012345678901234567890123456789012345, fast: kernel} | trigger.mqtt: 'a12
      6 | - {mqtt: a/b,~qos: 2, fast: kernel} | trigger.qos: '2' is not allowed; use 0 or 1 with fast: kernel
      6 | - {mqtt: a/b,~fast: kernel}~- mqtt: a/# | fast: topic 'a/b' matches another trigger of the function, too
      3 | - {mqtt: a/b, fast: kernel} | output: excludes fast: kernel of trigger 'a/b', which drops what the function
      """)
  void refusesWhatTheKernelCannotBring(int line, String trigger, String message) {
    String output = line == 3 ? "output: x" : "pids: 9";
    assertThatThrownBy(() -> World.parse("functions:\n  f:\n    " + output + "\n    triggers:\n      "
        + trigger.replace("~-", "\n      -").replace("~", "\n        ") + "\n    image: x:1\n"))
        .isInstanceOfSatisfying(YamlFault.class, fault -> {
          assertThat(fault).hasMessageStartingWith("function f: " + message);
          assertThat(fault.line()).isEqualTo(line);
        });
  }

  @Test
  void readsWhatIsPromised() {
    FunctionSpec spec = World.parse("""
        functions:
          f:
            image: x:1
            triggers:
              - {mqtt: a, delivery: exactly-once, order: "property:device", priority: alarm}
              - mqtt: b
                retry: {attempts: 3, deadline: 2m}
                order: none
              - {mqtt: c, delivery: at-most-once}
              - {mqtt: d, delivery: at-least-once, qos: 2}
        """).get(0).spec();

    assertThat(spec.triggers()).containsExactly(
        mqtt("a", 2, new Promise(Level.EXACTLY_ONCE, Order.of("property:device"), Retry.DEFAULT, Urgency.ALARM)),
        mqtt("b", 1, new Promise(Level.AT_LEAST_ONCE, Order.NONE, new Retry(3, Duration.ofMinutes(2)), Urgency.NORMAL)),
        mqtt("c", 0, new Promise(Level.AT_MOST_ONCE)), mqtt("d", 2, new Promise(Level.AT_LEAST_ONCE)));
  }

  private static Trigger mqtt(String filter, int qos, Promise promise) {
    return new Trigger.Mqtt(new TopicFilter(filter), qos, "/", false, promise);
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', textBlock = """
      6 | delivery: twice              | delivery: 'twice' is not allowed; use at-most-once, at-least-once or exactly-once
      7 | qos: 1~delivery: at-most-once | delivery: 'at-most-once' is not allowed; use qos: 0 with it (with qos: 1 the broker
      7 | qos: 0~delivery: at-least-once | delivery: 'at-least-once' is not allowed; use qos: 1 or 2 with it (with qos: 0 the
      6 | delivery: exactly-once~qos: 1 | delivery: 'exactly-once' is not allowed; use qos: 2 with it (with qos: 1 the broker
      6 | order: device                | order: 'device' is not allowed; use topic, none, or property:NAME
      6 | order: 'property:'           | order: 'property:' is not allowed; use topic, none, or property:NAME
      6 | priority: high               | priority: 'high' is not allowed; use alarm or normal
      7 | retry:~  attempts: 0         | retry.attempts: '0' is not allowed; use 1..1000
      8 | retry:~  attempts: 1~  deadline: 10ms | retry.deadline: 'PT0.01S' is not allowed; use 1s..720h
      7 | retry:~  delay: 1s           | retry: unknown key 'delay'; allowed are attempts, deadline
      6 | retry: 5                     | retry must be a mapping of keys to values
      7 | fast: kernel~order: none     | order: 'none' is not allowed; use topic with fast: kernel, or leave fast away
      7 | fast: kernel~priority: alarm | priority: 'alarm' is not allowed; use normal with fast: kernel
      7 | fast: kernel~retry: {attempts: 2} | retry: excludes fast: kernel
      5 | delivery: exactly-once~fast: kernel | qos: '2' is not allowed; use 0 or 1 with fast: kernel, which is never exact
      """)
  void refusesPromisesThatMakeNoSense(int line, String keys, String message) {
    assertThatThrownBy(() -> World.parse("functions:\n  f:\n    image: x:1\n    triggers:\n      - mqtt: a/b\n        "
        + keys.replace("~", "\n        ") + "\n"))
        .isInstanceOfSatisfying(YamlFault.class, fault -> {
          assertThat(fault).hasMessageStartingWith("function f: trigger." + message);
          assertThat(fault.line()).isEqualTo(line);
        });
  }

  @Test
  void fillsInTheDefaults() {
    FunctionSpec spec = World.parse(World.yaml("echo")).get(0).spec();

    assertThat(spec.port()).isEqualTo(8080);
    assertThat(spec.triggers()).isEmpty();
    assertThat(spec.output()).isEmpty();
    assertThat(spec.limits()).isEqualTo(new Limits(128 << 20, 1, 64));
    assertThat(spec.scaling()).isEqualTo(new Scaling(0, 1, 8, Duration.ofHours(1), Optional.empty(), Priority.NORMAL));
    assertThat(spec.timeout()).isEqualTo(Duration.ofSeconds(30));
    assertThat(spec.environment()).isEmpty();
  }

  @Test
  void readsSeveralFunctionsAnchorsAndAPlaceholder() {
    List<FunctionSpec> specs = World.parse("""
        functions:
          a:
            image: x:1
            triggers: [{mqtt: s/+/t}]
            output: alerts/{1}/t
            env: &shared {A: "1"}
          b: {image: "x:1", env: *shared}
        """).stream().map(Declaration::spec).toList();

    assertThat(specs).extracting(spec -> spec.name().value()).containsExactly("a", "b");
    assertThat(specs.get(0).output()).contains(new TopicTemplate("alerts/{1}/t"));
    assertThat(specs.get(1).environment()).containsEntry("A", "1");
  }

  @Test
  void readsHandlersFromFilesAndFromTheTextItself() {
    List<FunctionSpec> specs = WeirYaml.parse("""
        functions:
          file: {runtime: python, handler: thermo.py}
          inline:
            runtime: node
            code: |
              exports.handle = event => event
          both:
            runtime: java
            handler: Thermo.java
            code: class Thermo {}
          named: {runtime: java, code: 'class Handler {}'}
        """, HandlerFiles.of(Map.of("thermo.py", "  pass\n", "Thermo.java", "not this one"))).stream()
        .map(Declaration::spec).toList();

    assertThat(specs).extracting(FunctionSpec::source).containsExactly(
        new Source.Handler(Language.PYTHON, "thermo.py", "  pass\n"),
        new Source.Handler(Language.NODE, "handler.js", "exports.handle = event => event\n"),
        new Source.Handler(Language.JAVA, "Thermo.java", "class Thermo {}"),
        new Source.Handler(Language.JAVA, "Handler.java", "class Handler {}"));
  }

  @Test
  void readsNoFileByANameThatIsNotPlain() {
    for (String name : new String[] {"../thermo.py", "/etc/thermo.py", "a/b.py", "thermo.txt", ".py", "-x.py"}) {
      assertThatThrownBy(() -> WeirYaml.parse("functions:\n  a:\n    runtime: python\n    handler: " + name,
          file -> {
            throw new AssertionError("read " + file);
          })).isInstanceOfSatisfying(YamlFault.class, fault -> {
            assertThat(fault).hasMessageStartingWith("function a: handler: '" + name + "' is not allowed; use a plain file "
                + "name that ends in .py");
            assertThat(fault.line()).isEqualTo(4);
          });
    }
  }

  @Test
  void readsWhoMayTalkWithAFunction() {
    List<FunctionSpec> specs = World.parse("""
        functions:
          short: {image: x, service: 9001, egress: [any]}
          long:
            image: x
            service: {port: 9002, from: [192.168.1.0/24, "fd00::/8"], rate: 50, burst: 100}
            egress: [10.0.0.0/8, "192.168.1.10:443", "[fd00::1]:53"]
          limited: {image: x, service: {rate: 5}}
          none: {image: x}
        """).stream().map(Declaration::spec).toList();

    assertThat(specs).extracting(FunctionSpec::network).containsExactly(
        new Network(OptionalInt.of(9001), List.of(), 0, 0, List.of("any")),
        new Network(OptionalInt.of(9002), List.of("192.168.1.0/24", "fd00::/8"), 50, 100,
            List.of("10.0.0.0/8", "192.168.1.10:443", "[fd00::1]:53")),
        new Network(OptionalInt.empty(), List.of(), 5, 0, List.of()), Network.DEFAULT);
  }

  @Test
  void readsNoFunctions() {
    assertThat(World.parse("functions: {}")).isEmpty();
  }

  static Stream<Arguments> faults() {
    return Stream.of(
        fault(1, "the text is empty; write 'functions: {}' to mean none", ""),
        fault(1, "the text is empty", "# nothing but a comment"),
        fault(1, "functions is empty; write 'functions: {}' to mean none", "functions:"),
        fault(1, "the text must be a mapping of keys to values, but is a list", "- a"),
        fault(1, "the text must be a mapping of keys to values, but is the text 'hello'", "hello"),
        fault(1, "the text: unknown key 'function'; did you mean 'functions'?", "function: {}"),
        fault(2, "the text: unknown key 'version'; allowed are functions", "functions: {}", "version: 1"),
        fault(2, "functions is there twice, first on line 1; remove one", "functions: {}", "functions: {}"),
        fault(1, "functions must be a mapping of keys to values, but is a list", "functions: [a]"),
        fault(4, "functions.a is there twice, first on line 2; remove one", "functions:", "  a:", "    image: x",
            "  a:", "    image: x"),
        fault(2, "function A: name: 'A' is not allowed; use 1 to 63 lower-case letters", "functions:", "  A:",
            "    image: x"),
        fault(2, "function a: it must be a mapping of keys to values, but is empty", "functions:", "  a:"),
        fault(2, "function a: image: is missing; name the container image, for example", "functions:", "  a: {}"),
        in(4, "image is there twice, first on line 3; remove one", "image: y"),
        in(4, "unknown key 'memroy'; did you mean 'memory'?", "memroy: 64MiB"),
        in(4, "unknown key 'replicas'; allowed are image, runtime, handler, code, port,", "replicas: 3"),
        in(4, "port must be a whole number, but is the text '8080'", "port: '8080'"),
        in(4, "port must be a whole number, but is '80.5'", "port: 80.5"),
        in(4, "port: '0' is not allowed; use 1..65535", "port: 0"),
        in(4, "port: '99999999999' is not allowed; use a whole number", "port: 99999999999"),
        in(4, "port must be a whole number, but is empty", "port:"),
        in(4, "triggers must be a list, each entry on a line of its own that begins with '-', but is a mapping",
            "triggers: {mqtt: a}"),
        in(5, "trigger must be a mapping of keys to values, but is the text 'mqtt'", "triggers:", "  - mqtt"),
        in(5, "trigger: needs 'mqtt: FILTER' or 'http: /PATH'", "triggers:", "  - qos: 1"),
        in(5, "trigger: unknown key 'mqt'; did you mean 'mqtt'?", "triggers:", "  - mqt: a"),
        in(6, "trigger: either mqtt or http; begin another entry with '-'", "triggers:", "  - mqtt: a",
            "    http: /b"),
        in(6, "trigger: unknown key 'qos'; allowed are http", "triggers:", "  - http: /a", "    qos: 1"),
        in(5, "trigger.mqtt: 'a/#/b' is not allowed; use '#' only as the last level", "triggers:", "  - mqtt: a/#/b"),
        in(5, "trigger.mqtt: 'a+' is not allowed; use '+' and '#' only as a whole level", "triggers:", "  - mqtt: a+"),
        in(5, "trigger.mqtt: '$share/g/a' is not allowed; use the filter without $share/GROUP/", "triggers:",
            "  - mqtt: $share/g/a"),
        in(5, "trigger.mqtt is empty; a filter that begins with '#' needs quotes: '#'", "triggers:", "  - mqtt: #"),
        in(5, "trigger.mqtt: ' a' is not allowed; use a filter without blanks", "triggers:", "  - mqtt: ' a'"),
        in(6, "trigger.qos: '3' is not allowed; use 0, 1 or 2", "triggers:", "  - mqtt: a", "    qos: 3"),
        in(6, "trigger.path: 'x' is not allowed; use an absolute URL path", "triggers:", "  - mqtt: a", "    path: x"),
        in(5, "trigger.http: '/api/x' is not allowed; use a path of your own", "triggers:", "  - http: /api/x"),
        in(5, "trigger.http: '/healthz' is not allowed; use a path of your own", "triggers:", "  - http: /healthz"),
        in(5, "trigger.http: '/a/' is not allowed; use a path of your own", "triggers:", "  - http: /a/"),
        in(5, "trigger.http: '/a/../b' is not allowed; use an absolute URL path", "triggers:", "  - http: /a/../b"),
        in(4, "triggers: 'a/b' is there twice; remove one", "triggers:", "  - mqtt: a/b", "  - mqtt: a/b"),
        in(4, "output: 'a/+' is not allowed; use a topic without '+'", "output: a/+"),
        in(4, "output must be text, but is '5'; put it in quotes", "output: 5"),
        in(4, "output must be text, but is empty", "output:"),
        in(6, "output: 'a/{2}' uses {2}, but trigger 's/+' has 1 wildcards", "triggers:", "  - mqtt: s/+",
            "output: a/{2}"),
        in(4, "memory: '64MB' is not allowed; use a whole number with KiB, MiB or GiB, for example 64MiB",
            "memory: 64MB"),
        in(4, "memory: '1048576 bytes' is not allowed; use 6MiB or more", "memory: 1MiB"),
        in(4, "memory: '99999999999999GiB' is not allowed; use a smaller number", "memory: 99999999999999GiB"),
        in(4, "memory must be a number with a unit, but is a list", "memory: [1]"),
        in(4, "cpus: '0.001' is not allowed; use 0.01..1024 cores", "cpus: 0.001"),
        in(4, "cpus must be a number, but is the text 'half'", "cpus: half"),
        in(4, "cpus: '.nan' is not allowed; use a number, for example 0.5", "cpus: .nan"),
        in(4, "pids: '0' is not allowed; use 1..32768", "pids: 0"),
        in(5, "instances.max: '101' is not allowed; use 1..100", "instances:", "  max: 101"),
        in(5, "instances.min: '3' is not allowed; use 0..2 (instances.max)", "instances:", "  min: 3", "  max: 2"),
        in(4, "instances.min: '2' is not allowed; use 0..1 (instances.max)", "instances: {min: 2}"),
        in(4, "instances: unknown key 'mix'; did you mean 'min'?", "instances: {mix: 2}"),
        in(4, "instances must be a mapping of keys to values, but is '2'", "instances: 2"),
        in(4, "concurrency: '0' is not allowed; use 1..1000", "concurrency: 0"),
        in(4, "idle: '30' is not allowed; use a whole number with ms, s, m or h, for example 30s", "idle: 30"),
        in(4, "idle: 'PT0.1S' is not allowed; use 1s..24h", "idle: 100ms"),
        in(4, "timeout: 'PT2H' is not allowed; use 100ms..1h", "timeout: 2h"),
        in(4, "rest: 'warm' is not allowed; use auto, image, created, armed, frozen or running", "rest: warm"),
        in(4, "rest must be text, but is empty", "rest:"),
        in(4, "priority: 'urgent' is not allowed; use low, normal or high", "priority: urgent"),
        in(4, "runtime: excludes image; remove one of them", "runtime: python", "code: pass"),
        in(4, "handler: needs a runtime; say which language it is", "handler: a.py"),
        in(4, "code: needs a runtime; say which language it is", "code: pass"),
        handler(3, "runtime: 'ruby' is not allowed; use python, node or java", "runtime: ruby"),
        handler(3, "handler: is missing; name a file beside the weir.yaml, for example handler.js", "runtime: node"),
        handler(4, "handler: 'a.py' was not sent along; 'weir deploy' sends the files", "runtime: python",
            "handler: a.py"),
        handler(4, "handler: handler.py is empty", "runtime: python", "code: ' '"),
        handler(4, "handler: handler.py is longer than 262144 bytes; build an image for it instead", "runtime: python",
            "code: " + "x".repeat(262_145)),
        handler(5, "rest: 'armed' is not allowed; use auto, image, frozen or running; a runner is preloaded",
            "runtime: python", "code: pass", "rest: armed"),
        handler(5, "rest: 'created' is not allowed", "runtime: python", "code: pass", "rest: created"),
        in(5, "env: 'A-B' is not allowed; use letters, digits and '_'", "env:", "  A-B: x"),
        in(6, "env.B must be text, a number, true or false, but is empty", "env:", "  A: x", "  B:"),
        in(5, "env.A must be text, a number, true or false, but is a list", "env:", "  A: [x]"),
        in(4, "service.port: '80' is not allowed; use 1024..65535", "service: 80"),
        in(4, "service must be a whole number, but is the text '9001x'", "service: 9001x"),
        in(4, "service must be a mapping of keys to values, but is a list", "service: [9001]"),
        in(4, "service must be a whole number, but is empty", "service:"),
        in(4, "service: unknown key 'prot'; did you mean 'port'?", "service: {prot: 9001}"),
        in(5, "service.port: '65536' is not allowed; use 1024..65535", "service:", "  port: 65536"),
        in(7, "service.from: '10.0.0.0/33' is not allowed; use a network such as 192.168.1.0/24", "service:", "  from:",
            "    - 10.0.0.0/8", "    - 10.0.0.0/33"),
        in(5, "service.from must be a list", "service:", "  from: 10.0.0.0/8"),
        in(6, "service.burst: '-1' is not allowed; use 0..100000", "service:", "  rate: 5", "  burst: -1"),
        in(6, "egress: 'all' is not allowed; use 'any', a network such as", "egress:", "  - any", "  - all"),
        in(5, "egress: each entry must be text, for example 10.0.0.0/8", "egress:", "  - {any: 1}"),
        in(4, "image is there twice", "image: !!java.net.URL [x]"),
        in(4, "output must be text, but is", "output: !!java.net.URL x"),
        fault(3, "this is not YAML: ", "functions:", "  a:", "   image: [x"),
        fault(3, "this is not YAML: while scanning for the next token: found character '\\t(TAB)'", "functions:",
            "  a:", "\timage: x"),
        fault(2, "this is not YAML: ", "functions: {}", "--- second"),
        fault(1, "this is not YAML: ", "functions: *nothing"),
        fault(1, "nested deeper than 16 levels; no weir.yaml needs that", "[".repeat(100_000)));
  }

  private static Arguments fault(int line, String message, String... lines) {
    return Arguments.of(line, message, String.join("\n", lines));
  }

  private static Arguments in(int line, String message, String... lines) {
    return fault(line, "function a: " + message, "functions:\n  a:\n    image: x\n"
        + String.join("\n", Stream.of(lines).map(each -> "    " + each).toList()));
  }

  private static Arguments handler(int line, String message, String... lines) {
    return fault(line, "function a: " + message, "functions:\n  a:\n"
        + String.join("\n", Stream.of(lines).map(each -> "    " + each).toList()));
  }

  @ParameterizedTest
  @MethodSource("faults")
  void saysWhatIsWrongAndWhere(int line, String message, String yaml) {
    assertThatThrownBy(() -> World.parse(yaml)).isInstanceOfSatisfying(YamlFault.class, fault -> {
      assertThat(fault).hasMessageStartingWith(message);
      assertThat(fault.line()).isEqualTo(line);
    });
  }
}
