package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.eclipse.paho.mqttv5.common.MqttMessage;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;
import org.eclipse.paho.mqttv5.common.packet.UserProperty;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a trigger promises holds, whoever is killed meanwhile. */
class DeliveryIT {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final Duration QUIET = Duration.ofMillis(500);
  private static final Pattern PENDING = Pattern.compile("(\\d+) events? pending.*");
  private static final Pattern PID = Pattern.compile("pid (\\d+)");
  private static Gateway gateway;

  @BeforeAll
  static void start() throws Exception {
    gateway = Gateway.start("delivery", Map.of("io.weir.pool/start.timeout.seconds", "4",
        "io.weir.broker/autosave.seconds", "1", "io.weir.journal/function.max.mib", "1"));
    gateway.importProbe();
    gateway.deploy("""
        functions:
          atleast:
            image: localhost/probe:1
            memory: 32MiB
            triggers: [{mqtt: atleast/+/in, path: /sleep/200}]
            output: atleast/{1}/out
            concurrency: 4
            idle: 10m
          exactly:
            image: localhost/probe:1
            memory: 32MiB
            triggers: [{mqtt: exactly/+/in, path: /sleep/200, delivery: exactly-once}]
            output: exactly/{1}/out
            concurrency: 4
            idle: 10m
          later:
            image: localhost/probe:1
            memory: 32MiB
            triggers: [{mqtt: later/+/in, path: /sleep/3000}]
            output: later/{1}/out
            concurrency: 16
            idle: 10m
          large:
            image: localhost/probe:1
            memory: 32MiB
            triggers: [{mqtt: large/+/in, path: /sleep/300}]
            output: large/{1}/out
            concurrency: 2
            idle: 10m
          ordered:
            image: localhost/probe:1
            memory: 32MiB
            triggers: [{mqtt: ordered/+/in, path: /sleep/20}]
            output: ordered/{1}/out
            concurrency: 8
            idle: 10m
          broken:
            image: localhost/probe:1
            memory: 32MiB
            triggers: [{mqtt: broken/in, path: /status/500, retry: {attempts: 2}}]
            idle: 10m
          mourner:
            image: localhost/probe:1
            memory: 32MiB
            triggers: [{mqtt: weir/dead-letter/broken}]
            output: mourned
            idle: 10m
        """);
  }

  @AfterAll
  static void stop() throws Exception {
    gateway.close();
  }

  @Test
  void everyMessageIsAnsweredThoughTheGatewayIsKilled() throws Exception {
    try (Mqtt mqtt = new Mqtt(gateway, "atleast/+/out")) {
      Set<String> unanswered = new HashSet<>();
      for (int i = 0; i < 40; i++) {
        mqtt.publish("atleast/" + i + "/in", "m" + i);
        unanswered.add("m" + i);
      }
      unanswered.remove(mqtt.next(SOON).text());

      gateway.killAndRestart();
      mqtt.reconnect();

      while (!unanswered.isEmpty()) {
        unanswered.remove(mqtt.next(SOON).text());
      }
    }
  }

  /** With a broker that stays, so that it is the gateway alone that could say something twice. */
  @Test
  void everyMessageIsAnsweredExactlyOnceThoughTheGatewayIsKilledAgainAndAgain(@TempDir Path folder) throws Exception {
    try (Mosquitto broker = new Mosquitto(folder);
        Gateway killed = Gateway.start("delivery2", Map.of("io.weir.broker/url", "tcp://127.0.0.1:" + broker.port));
        Mqtt mqtt = new Mqtt(broker.port, 2, "exactly/+/out")) {
      killed.importProbe();
      killed.deploy("""
          functions:
            exactly:
              image: localhost/probe:1
              memory: 32MiB
              triggers: [{mqtt: exactly/+/in, path: /sleep/100, delivery: exactly-once}]
              output: exactly/{1}/out
              concurrency: 4
              idle: 10m
          """);
      killed.awaitReady();
      List<String> sent = new ArrayList<>();
      List<String> answers = new ArrayList<>();
      for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 20; i++) {
          mqtt.publish("exactly/" + i % 10 + "/in", message("e" + sent.size()));
          sent.add("e" + sent.size());
        }
        for (int i = 0; i <= round; i++) {
          answers.add(mqtt.next(SOON).text());
        }
        killed.killAndRestart();
      }
      while (answers.size() < sent.size()) {
        answers.add(mqtt.next(SOON).text());
      }
      for (int i = 0; i < 10; i++) {  // whatever came twice would come before the answer to what comes after it
        mqtt.publish("exactly/" + i + "/in", message("last" + i));
        sent.add("last" + i);
        answers.add(mqtt.next(SOON).text());
      }

      assertThat(answers).containsExactlyInAnyOrderElementsOf(sent);
      assertThat(mqtt.poll(QUIET)).isEmpty();
    }
  }

  @Test
  void aMessageThatItsSenderSendsAgainIsNotHandledAgain() throws Exception {
    try (Mqtt mqtt = new Mqtt(gateway, 2, "exactly/+/out")) {
      mqtt.publish("exactly/x/in", event("twice", "id-1"));
      assertThat(mqtt.next(SOON).text()).isEqualTo("twice");
      gateway.killAndRestart();
      mqtt.reconnect();

      mqtt.publish("exactly/x/in", event("twice", "id-1"));
      mqtt.publish("exactly/x/in", event("next", "id-2"));
      assertThat(mqtt.next(SOON).text()).isEqualTo("next");
    }
  }

  @Test
  void answersWaitWhileTheBrokerIsDead() throws Exception {
    try (Mqtt mqtt = new Mqtt(gateway, "later/+/out")) {
      awaitSaved();
      Set<String> unanswered = new HashSet<>();
      for (int i = 0; i < 10; i++) {
        mqtt.publish("later/" + i + "/in", "l" + i);
        unanswered.add("l" + i);
      }
      await().atMost(SOON).until(() -> pending() == 10);

      ProcessHandle broker = broker();
      broker.destroyForcibly();
      broker.onExit().join();
      mqtt.reconnect();

      while (!unanswered.isEmpty()) {
        unanswered.remove(mqtt.next(SOON).text());
      }
    }
  }

  @Test
  void aFullJournalHoldsTheBrokerBackAndFlowsAgain() throws Exception {
    try (Mqtt mqtt = new Mqtt(gateway, "large/+/out")) {
      String ballast = "x".repeat(60 << 10);
      Set<String> unanswered = new HashSet<>();
      for (int i = 0; i < 40; i++) {
        mqtt.publish("large/" + i + "/in", i + " " + ballast);
        unanswered.add(i + " " + ballast);
      }
      await().atMost(SOON).until(() -> Files.readString(gateway.log()).contains("large: the journal takes no messages now"));

      while (!unanswered.isEmpty()) {
        unanswered.remove(mqtt.next(SOON).text());
      }
      await().atMost(SOON).until(() -> pending() == 0);
    }
  }

  @Test
  void messagesOfATopicAreAnsweredInOrderThoughTheGatewayIsKilled() throws Exception {
    try (Mqtt mqtt = new Mqtt(gateway, "ordered/+/out")) {
      for (int i = 0; i < 60; i++) {
        mqtt.publish("ordered/" + i % 3 + "/in", "o" + i);
      }
      Map<String, List<String>> answers = new TreeMap<>();
      for (int i = 0; i < 10; i++) {
        add(answers, mqtt.next(SOON));
      }
      gateway.killAndRestart();
      mqtt.reconnect();
      while (answers.values().stream().mapToLong(list -> list.stream().distinct().count()).sum() < 60) {
        add(answers, mqtt.next(SOON));
      }

      answers.forEach((topic, texts) -> {
        int topicNumber = Integer.parseInt(topic.split("/")[1]);
        assertThat(texts.stream().distinct()).containsExactlyElementsOf(
            Stream.iterate(topicNumber, n -> n < 60, n -> n + 3).map(n -> "o" + n).toList());
      });
    }
  }

  private static void add(Map<String, List<String>> answers, Mqtt.Received answer) {
    answers.computeIfAbsent(answer.topic(), topic -> new ArrayList<>()).add(answer.text());
  }

  @Test
  void whatFailsForGoodIsToldOnItsTopic() throws Exception {
    try (Mqtt mqtt = new Mqtt(gateway, "mourned")) {
      mqtt.publish("broken/in", "poor thing");

      assertThat(mqtt.next(SOON).text()).isEqualTo("poor thing");
    }
  }

  // --- what the tests are made of ------------------------------------------------------------------------------------

  private static MqttMessage message(String text) {
    MqttMessage message = new MqttMessage(text.getBytes(StandardCharsets.UTF_8));
    message.setQos(2);
    message.setProperties(new MqttProperties());
    return message;
  }

  private static MqttMessage event(String text, String id) {
    MqttMessage message = message(text);
    message.getProperties().setUserProperties(List.of(new UserProperty("specversion", "1.0"),
        new UserProperty("id", id), new UserProperty("source", "/test"), new UserProperty("type", "t")));
    return message;
  }

  private static int pending() {
    Matcher found = PENDING.matcher(part("delivery"));
    return found.matches() ? Integer.parseInt(found.group(1)) : -1;
  }

  private static String part(String name) {
    return gateway.list("/api/v1/status", "parts").stream().filter(part -> part.get("name").equals(name))
        .map(part -> part.get("state").toString()).findFirst().orElse("");
  }

  /** Returns once the broker has saved who has subscribed until now. */
  private static void awaitSaved() throws Exception {
    FileTime since = FileTime.from(Instant.now());
    Path data = gateway.log().getParent().getParent();
    await().atMost(SOON).until(() -> saved(data).filter(time -> time.compareTo(since) > 0).isPresent());
  }

  private static Optional<FileTime> saved(Path data) throws Exception {
    try (Stream<Path> files = Files.walk(data, 3)) {
      for (Path file : files.filter(path -> path.endsWith("mosquitto.db")).toList()) {
        return Optional.of(Files.getLastModifiedTime(file));
      }
    } catch (UncheckedIOException e) {
      // a file went meanwhile
    }
    return Optional.empty();
  }

  private static ProcessHandle broker() {
    Matcher found = PID.matcher(String.valueOf(((Map<?, ?>) gateway.json("/api/v1/status").get("broker")).get("state")));
    assertThat(found.find()).isTrue();
    return ProcessHandle.of(Long.parseLong(found.group(1))).orElseThrow();
  }
}
