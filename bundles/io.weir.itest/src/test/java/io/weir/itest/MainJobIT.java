package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.eclipse.paho.mqttv5.common.MqttMessage;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;
import org.eclipse.paho.mqttv5.common.packet.UserProperty;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What Weir is for: events start containers and get their answers; what goes wrong stays where it is. */
class MainJobIT {
  private static final Duration SOON = Duration.ofSeconds(30);
  private static Gateway gateway;

  @BeforeAll
  static void start() throws Exception {
    gateway = Gateway.start("main", Map.of("io.weir.pool/start.timeout.seconds", "4"));   // one never listens
    gateway.importProbe();
  }

  @AfterAll
  static void stop() throws Exception {
    gateway.close();
  }

  @Test
  void aSensorsMessageStartsAContainerAndGetsItsAnswer() throws Exception {
    gateway.deploy(function("sensor", """
            triggers: [{mqtt: it/+/temperature}]
            output: alerts/{1}
        """));
    assertThat(gateway.instancesOf("sensor")).as("nothing runs for nobody").noneMatch(i -> i.get("state").equals("ready"));
    try (Mqtt mqtt = new Mqtt(gateway, "alerts/#")) {
      mqtt.publish("it/cellar/temperature", "21.5");

      Mqtt.Received answer = mqtt.next(SOON);

      assertThat(answer.topic()).isEqualTo("alerts/cellar");
      assertThat(answer.text()).isEqualTo("21.5");
    }
    assertThat(gateway.instancesOf("sensor")).hasSize(1);
    Map<String, Object> ended = gateway.list("/api/v1/invocations?function=sensor", "invocations").get(0);
    assertThat(((Number) ended.get("coldStartMs")).doubleValue()).isPositive();
    assertThat(ended.get("result")).isEqualTo("replied");
  }

  @Test
  void anMqtt5RequestIsAnsweredWhereItAsked() throws Exception {
    gateway.deploy(function("ask", """
            triggers: [{mqtt: ask/it}]
        """));
    try (Mqtt mqtt = new Mqtt(gateway, "replies/42")) {
      MqttMessage request = new MqttMessage("question".getBytes(StandardCharsets.UTF_8));
      request.setQos(1);
      MqttProperties properties = new MqttProperties();
      properties.setResponseTopic("replies/42");
      properties.setCorrelationData(new byte[] {4, 2});
      properties.setUserProperties(List.of(new UserProperty("X-Test", "1")));
      request.setProperties(properties);
      mqtt.publish("ask/it", request);

      Mqtt.Received answer = mqtt.next(SOON);

      assertThat(answer.text()).isEqualTo("question");
      assertThat(answer.message().getProperties().getCorrelationData()).containsExactly(4, 2);
      assertThat(answer.message().getProperties().getContentType()).isEqualTo("text/plain");
      assertThat(answer.message().getProperties().getUserProperties())
          .anyMatch(p -> p.getKey().equalsIgnoreCase("x-subject") && p.getValue().equals("ask/it"));
    }
  }

  @Test
  void aHundredRequestsForASleepingFunctionStartOneContainer() {
    gateway.deploy(function("burst", """
            instances: {min: 0, max: 3}
            concurrency: 100
            pids: 128
        """));
    List<CompletableFuture<HttpResponse<String>>> all = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      all.add(gateway.client().sendAsync(gateway.request("/function/burst/")
          .POST(HttpRequest.BodyPublishers.ofString("n" + i)).build(), HttpResponse.BodyHandlers.ofString()));
    }
    Set<String> hosts = new HashSet<>();
    for (int i = 0; i < all.size(); i++) {
      HttpResponse<String> response = all.get(i).join();
      assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
      assertThat(response.body()).isEqualTo("n" + i);
      hosts.add(host(response));
    }
    assertThat(hosts).hasSize(1);
  }

  @Test
  void anIdleInstanceIsStoppedAndTheNextRequestStartsAnother() {
    gateway.deploy(function("idler", """
            idle: 1s
            rest: image
        """));
    HttpResponse<String> first = gateway.post("/function/idler/", "x");
    assertThat(first.statusCode()).as(first.body()).isEqualTo(200);

    await().atMost(SOON).until(() -> gateway.instancesOf("idler").isEmpty());
    HttpResponse<String> next = gateway.post("/function/idler/", "x");
    assertThat(next.statusCode()).as(next.body()).isEqualTo(200);

    assertThat(host(next)).isNotEqualTo(host(first));
  }

  @Test
  void aMissingImageIsToldAndHealsWhenTheImageComes() throws Exception {
    gateway.deploy(function("noimage", "").replace("localhost/probe:1", "localhost/not-there:1"));

    HttpResponse<String> response = gateway.post("/function/noimage/", "x");

    assertThat(response.statusCode()).isEqualTo(502);
    assertThat(response.headers().firstValue("Content-Type").orElse("")).startsWith("application/problem+json");
    assertThat(response.body()).contains("no-such-image").contains("localhost/not-there:1");
  }

  @Test
  void aContainerThatNeverListensIsToldAndRemoved() {
    gateway.deploy(function("deaf", """
            env: {BEHAVE: deaf}
        """));

    HttpResponse<String> response = gateway.post("/function/deaf/", "x");

    assertThat(response.statusCode()).isEqualTo(502);
    assertThat(response.body()).contains("never-listened").contains("8080").contains("$PORT");
    await().atMost(SOON).until(() -> gateway.instancesOf("deaf").isEmpty());
  }

  @Test
  void aContainerThatCrashesAtStartIsToldWithItsLastWords() {
    gateway.deploy(function("crash", """
            env: {BEHAVE: crash}
        """));

    HttpResponse<String> response = gateway.post("/function/crash/", "x");

    assertThat(response.statusCode()).isEqualTo(502);
    assertThat(response.body()).contains("start-failed").contains("exit code 3").contains("cannot find my database");
    assertThat(gateway.get("/api/v1/functions/crash/logs").body()).contains("cannot find my database");
  }

  @Test
  void anInstanceKilledForMemoryIsReportedAsThatAndReplaced() {
    gateway.deploy(function("hog", """
            memory: 16MiB
        """));
    assertThat(gateway.post("/function/hog/", "x").statusCode()).isEqualTo(200);

    HttpResponse<String> response = gateway.post("/function/hog/hog", "x");

    assertThat(response.statusCode()).isEqualTo(502);
    await().atMost(SOON).until(() -> gateway.counter("instances.oom-killed") > 0);
    assertThat(gateway.post("/function/hog/", "again").body()).isEqualTo("again");
  }

  @Test
  void anInstanceThatDiesInACallFailsThatCallOnly() {
    gateway.deploy(function("fragile", ""));
    assertThat(gateway.post("/function/fragile/exit", "x").statusCode()).isEqualTo(502);

    HttpResponse<String> next = gateway.post("/function/fragile/", "x");
    assertThat(next.statusCode()).as(next.body()).isEqualTo(200);
  }

  @Test
  void aSlowAnswerTimesOutWith504() {
    gateway.deploy(function("slow", """
            timeout: 1500ms
        """));
    assertThat(gateway.post("/function/slow/", "x").statusCode()).isEqualTo(200);

    HttpResponse<String> response = gateway.post("/function/slow/sleep/5000", "x");

    assertThat(response.statusCode()).isEqualTo(504);
    assertThat(response.body()).contains("timeout").contains("1500 ms");
  }

  @Test
  void aFunctionThatFailsForGoodDoesNotBlockItsNeighbour() throws Exception {
    gateway.deploy(function("broken", """
            triggers: [{mqtt: shared/+}]
            env: {BEHAVE: crash}
        """));
    gateway.deploy(function("neighbour", """
            triggers: [{mqtt: shared/+}]
            output: neighbour/{1}
        """));
    try (Mqtt mqtt = new Mqtt(gateway, "neighbour/#")) {
      for (int i = 0; i < 100; i++) {
        mqtt.publish("shared/" + i, "n" + i);
      }
      Set<String> answered = new HashSet<>();
      while (answered.size() < 100) {
        answered.add(mqtt.next(SOON).text());
      }
    }
    gateway.delete("/api/v1/functions/broken");
  }

  @Test
  void aBodyOverTheLimitIsRefused() {
    gateway.deploy(function("large", ""));

    HttpResponse<String> response = gateway.post("/function/large/", "x".repeat((1 << 20) + 1));

    assertThat(response.statusCode()).isEqualTo(413);
    assertThat(response.body()).contains("1048576");
    assertThat(gateway.post("/function/large/", "x".repeat(1 << 20)).body()).hasSize(1 << 20);
  }

  @Test
  void aFileInTheWatchedFolderIsAppliedChangedAndRemovedLive() throws Exception {
    Path file = gateway.functionsFolder().resolve("watched.yaml");
    Files.writeString(file, function("watched", "    triggers: [{http: /watched}]\n"));
    await().atMost(SOON).until(() -> gateway.post("/watched/x", "1").statusCode() == 200);

    Files.writeString(file, function("watched", "    triggers: [{http: /elsewhere}]\n"));
    await().atMost(SOON).until(() -> gateway.post("/elsewhere", "1").statusCode() == 200);
    assertThat(gateway.post("/watched/x", "1").statusCode()).isEqualTo(404);

    Files.delete(file);
    await().atMost(SOON).until(() -> gateway.get("/api/v1/functions/watched").statusCode() == 404);
  }

  @Test
  void aWrongFileIsRefusedByLineAndWhatRunsGoesOn() throws Exception {
    Path file = gateway.functionsFolder().resolve("wrong.yaml");
    Files.writeString(file, function("steady", ""));
    await().atMost(SOON).until(() -> gateway.post("/function/steady/", "1").statusCode() == 200);
    Object instance = gateway.instancesOf("steady").get(0).get("name");

    Files.writeString(file, function("steady", "    memmory: 64MiB\n"));

    await().atMost(SOON).untilAsserted(() -> assertThat(gateway.list("/api/v1/status", "problems"))
        .anySatisfy(problem -> {
          assertThat(problem.get("source").toString()).endsWith("wrong.yaml");
          assertThat(((Number) problem.get("line")).intValue()).isEqualTo(4);
          assertThat(problem.get("message").toString()).contains("memmory");
        }));
    assertThat(gateway.post("/function/steady/", "2").statusCode()).isEqualTo(200);
    assertThat(gateway.instancesOf("steady").get(0).get("name")).isEqualTo(instance);
    Files.delete(file);
  }

  @Test
  void badDeclarationsAreRefusedWithWhatWhereAndHow() {
    gateway.deploy(function("owner", "    triggers: [{http: /owned}]\n"));
    record Bad(String yaml, String... words) {}
    List<Bad> all = List.of(
        new Bad("functions: [", "line"),
        new Bad(function("Big", ""), "name", "lower-case"),
        new Bad(function("a", "    port: 70000\n"), "port", "1..65535"),
        new Bad(function("a", "    memory: 1MiB\n"), "memory", "6MiB"),
        new Bad(function("a", "    triggers: [{mqtt: a/b+/c}]\n"), "'+'"),
        new Bad(function("a", "    triggers: [{http: /owned}]\n"), "/owned", "owner"),
        new Bad(function("a", "    instances: {min: 3, max: 2}\n"), "instances.min"),
        new Bad(function("a", "    colour: red\n"), "colour"));
    for (Bad bad : all) {
      HttpResponse<String> response = gateway.post("/api/v1/functions", bad.yaml(), "Content-Type", "application/yaml");
      assertThat(response.statusCode()).as(bad.yaml() + response.body()).isEqualTo(400);
      assertThat(response.body()).contains(bad.words());
    }
    assertThat(gateway.get("/api/v1/functions/a").statusCode()).isEqualTo(404);
    assertThat(gateway.post("/owned", "x").statusCode()).isEqualTo(200);
  }

  @Test
  void aNewRevisionTakesOverWithoutALostRequest() {
    gateway.deploy(function("rolling", "    env: {REV: \"1\"}\n"));
    assertThat(gateway.post("/function/rolling/", "x").statusCode()).isEqualTo(200);
    Object before = gateway.instancesOf("rolling").get(0).get("revision");

    gateway.deploy(function("rolling", "    env: {REV: \"2\"}\n"));

    await().atMost(SOON).until(() -> {
      assertThat(gateway.post("/function/rolling/", "x").statusCode()).isEqualTo(200);
      return gateway.instancesOf("rolling").stream().noneMatch(i -> i.get("revision").equals(before));
    });
  }

  /** Which container answered; whether it is still there is another question. */
  private static String host(HttpResponse<String> response) {
    return response.headers().firstValue("X-Host").orElseThrow();
  }

  private static String function(String name, String more) {
    return "functions:\n  " + name + ":\n    image: localhost/probe:1\n"
        + more.lines().map(line -> "    " + line.strip() + "\n").reduce("", String::concat);
  }
}
