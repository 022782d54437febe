package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever is killed, the rest goes on and nothing that was accepted is lost. */
class CrashIT {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final Pattern PID = Pattern.compile("pid (\\d+)|$");
  private static Gateway gateway;

  @BeforeAll
  static void start() throws Exception {
    gateway = Gateway.start("crash");
    gateway.importProbe();
    gateway.deploy("""
        functions:
          counter:
            image: localhost/probe:1
            memory: 32MiB
            triggers: [{mqtt: count/+}]
            output: counted/{1}
            idle: 10m
          slow:
            image: localhost/probe:1
            memory: 32MiB
            triggers: [{mqtt: slow/+, path: /sleep/400}]
            output: slowly/{1}
            concurrency: 4
            idle: 10m
        """);
  }

  @AfterAll
  static void stop() throws Exception {
    gateway.close();
  }

  @Test
  void anInstanceIsAdoptedWhenTheGatewayWasKilled() throws Exception {
    assertThat(gateway.post("/function/counter/", "x").statusCode()).isEqualTo(200);
    Object before = gateway.instancesOf("counter").get(0).get("name");

    gateway.killAndRestart();

    assertThat(gateway.post("/function/counter/", "x").statusCode()).isEqualTo(200);
    assertThat(gateway.instancesOf("counter")).singleElement().satisfies(i -> assertThat(i.get("name")).isEqualTo(before));
    assertThat(gateway.counter("instances.starting")).isZero();
  }

  @Test
  void messagesFlowAgainAfterTheGatewayWasKilled() throws Exception {
    try (Mqtt mqtt = new Mqtt(gateway, "counted/#")) {
      mqtt.publish("count/first", "first");
      mqtt.next(SOON);

      gateway.killAndRestart();
      mqtt.reconnect();
      Set<String> sent = new HashSet<>();
      for (int i = 0; i < 50; i++) {
        mqtt.publish("count/" + i, "n" + i);
        sent.add("n" + i);
      }

      while (!sent.isEmpty()) {
        sent.remove(mqtt.next(SOON).text());
      }
    }
  }

  /** The bundled broker goes down with the gateway, in order: it saves what is not acknowledged, and what waits. */
  @Test
  void messagesInWorkWhenTheGatewayIsKilledAreAnsweredAfterwards() throws Exception {
    try (Mqtt mqtt = new Mqtt(gateway, "slowly/#")) {
      Set<String> unanswered = new HashSet<>();
      for (int i = 0; i < 40; i++) {
        mqtt.publish("slow/" + i, "s" + i);
        unanswered.add("s" + i);
      }
      unanswered.remove(mqtt.next(SOON).text());
      assertThat(unanswered).as("still in work or waiting").isNotEmpty();

      gateway.killAndRestart();
      mqtt.reconnect();

      while (!unanswered.isEmpty()) {
        unanswered.remove(mqtt.next(SOON).text());
      }
    }
  }

  @Test
  void noMessageIsLostWhenTheBrokerRestartsMidStream() throws Exception {
    try (Mqtt mqtt = new Mqtt(gateway, "counted/#")) {
      Set<String> sent = new HashSet<>();
      for (int i = 0; i < 600; i++) {
        if (i == 200 || i == 400) {
          broker().destroy();
        }
        mqtt.publish("count/" + i, "b" + i);
        sent.add("b" + i);
      }
      mqtt.reconnect();

      while (!sent.isEmpty()) {
        sent.remove(mqtt.next(SOON).text());
      }
    }
  }

  /** What Mosquitto had accepted but not saved dies with it; what comes after must be served as if nothing had been. */
  @Test
  void messagesFlowAgainAfterTheBrokerWasKilled() throws Exception {
    try (Mqtt mqtt = new Mqtt(gateway, "counted/#")) {
      mqtt.publish("count/before", "before");
      assertThat(mqtt.next(SOON).text()).isEqualTo("before");

      ProcessHandle killed = broker();
      killed.destroyForcibly();
      killed.onExit().join();
      mqtt.reconnect();
      // The new one knows no subscriptions, so what comes before the gateway does is for nobody.
      await("messages flow again").atMost(SOON).until(() -> {
        mqtt.publish("count/again", "again");
        return mqtt.poll(Duration.ofSeconds(1)).isPresent();
      });
      Set<String> sent = new HashSet<>();
      for (int i = 0; i < 100; i++) {
        mqtt.publish("count/" + i, "k" + i);
        sent.add("k" + i);
      }

      while (!sent.isEmpty()) {
        sent.remove(mqtt.next(SOON).text());
      }
    }
  }

  @Test
  void functionsServeOnWhileThePodmanServiceIsDead() throws Exception {
    assertThat(gateway.post("/function/counter/", "x").statusCode()).isEqualTo(200);
    long service = gateway.processes().stream().filter(line -> line.contains("system service"))
        .mapToLong(line -> Long.parseLong(line.split(" ")[0])).findFirst().orElseThrow();

    ProcessHandle.of(service).orElseThrow().destroyForcibly();

    assertThat(gateway.post("/function/counter/", "alive").body()).isEqualTo("alive");
    await().atMost(SOON).until(() -> gateway.get("/healthz").statusCode() == 200);
    gateway.deploy("""
        functions:
          afterwards:
            image: localhost/probe:1
            memory: 32MiB
        """);
    assertThat(gateway.post("/function/afterwards/", "new").body()).isEqualTo("new");
  }

  @Test
  void frozenFunctionsServeWhileThePodmanServiceIsDead() throws Exception {
    assertThat(gateway.post("/function/counter/", "x").statusCode()).isEqualTo(200);
    gateway.rest("counter", "frozen");
    String frozen = instance("counter");
    long service = gateway.processes().stream().filter(line -> line.contains("system service"))
        .mapToLong(line -> Long.parseLong(line.split(" ")[0])).findFirst().orElseThrow();

    ProcessHandle.of(service).orElseThrow().destroyForcibly();

    assertThat(gateway.post("/function/counter/", "thawed").body()).isEqualTo("thawed");
    assertThat(instance("counter")).isEqualTo(frozen);
    assertThat(gateway.lastInvocation("counter")).containsEntry("coldFrom", "frozen");
    await().atMost(SOON).until(() -> gateway.get("/healthz").statusCode() == 200);
  }

  /** Nobody is left to tell Podman of the end. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void anInstanceIsReplacedWhoseConmonDiedBeforeIt(boolean called) throws Exception {
    assertThat(gateway.post("/function/counter/", "x").statusCode()).isEqualTo(200);
    String lost = instance("counter");
    Containers containers = gateway.containers();
    for (ProcessHandle conmon : containers.conmons(lost)) {
      conmon.destroyForcibly();
      conmon.onExit().join();
    }
    assertThat(gateway.post("/function/counter/", "orphan").body()).isEqualTo("orphan");
    assertThat(instance("counter")).isEqualTo(lost);

    for (long pid : containers.processes(lost)) {
      ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    }

    if (called) {
      await().atMost(SOON).until(() -> gateway.post("/function/counter/", "next").body().equals("next"));
      assertThat(instance("counter")).isNotEqualTo(lost);
    }
    await().atMost(SOON).until(() -> gateway.instancesOf("counter").stream().noneMatch(i -> i.get("id").equals(lost)));
    // The OCI runtime removes the cgroup first and its own note of the container after that.
    await().atMost(SOON).untilAsserted(() -> {
      assertThat(containers.ids()).doesNotContain(lost);
      assertThat(containers.runtimeStates()).noneMatch(state -> state.endsWith(lost));
    });
  }

  private static String instance(String function) {
    assertThat(gateway.instancesOf(function)).hasSize(1);
    return gateway.instancesOf(function).get(0).get("id").toString();
  }

  @Test
  void aStoppedGatewayLeavesNothingAndStartsAgainWithItsFunctions() throws Exception {
    assertThat(gateway.post("/function/counter/", "x").statusCode()).isEqualTo(200);

    gateway.stop();
    await().atMost(SOON).untilAsserted(() -> assertThat(gateway.processes()).isEmpty());
    gateway.killAndRestart();

    assertThat(gateway.post("/function/counter/", "y").body()).isEqualTo("y");
  }

  private static ProcessHandle broker() {
    await().atMost(SOON).until(() -> brokerState().group(1) != null
        && ProcessHandle.of(Long.parseLong(brokerState().group(1))).isPresent());
    return ProcessHandle.of(Long.parseLong(brokerState().group(1))).orElseThrow();
  }

  /** The broker's state with its pid as group 1, empty while it does not run. */
  private static Matcher brokerState() {
    Object state = ((Map<?, ?>) gateway.json("/api/v1/status").get("broker")).get("state");
    Matcher found = PID.matcher(String.valueOf(state));
    assertThat(found.find()).isTrue();
    return found;
  }
}
