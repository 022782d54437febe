package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.eclipse.paho.mqttv5.common.MqttException;
import org.eclipse.paho.mqttv5.common.MqttMessage;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;
import org.eclipse.paho.mqttv5.common.packet.UserProperty;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.jr.ob.JSON;

/** What functions remember counts together with what they answer, whoever is killed meanwhile. */
class StateIT {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final Duration QUIET = Duration.ofMillis(500);
  /** The example of docs/function-contract.md. */
  private static final String HANDLER = """
      import os, urllib.error, urllib.request

      def state(event, method, key, value=None):
          request = urllib.request.Request(os.environ["WEIR_STATE_URL"] + "/" + key, value, method=method)
          request.add_header("Authorization", "Bearer " + os.environ["WEIR_STATE_TOKEN"])
          if event.headers.get("Weir-Attempt"):
              request.add_header("Weir-Attempt", event.headers.get("Weir-Attempt"))
          try:
              return urllib.request.urlopen(request).read()
          except urllib.error.HTTPError as e:
              if e.code == 404:
                  return None
              raise

      def handle(event):
          count = int(state(event, "GET", "count") or 0) + 1
          state(event, "PUT", "count", str(count).encode())
          return f"{count} {event.text}"
      """;
  private static Gateway gateway;

  @BeforeAll
  static void start() throws Exception {
    gateway = Gateway.start("state", Map.of("io.weir.pool/start.timeout.seconds", "4",
        "io.weir.broker/autosave.seconds", "1"));
    gateway.importProgram("localhost/tally:1", Programs.compileStatic("tally"), "1");
    gateway.deploy("""
        functions:
          line:
            image: localhost/tally:1
            memory: 32MiB
            triggers: [{mqtt: line/in, path: /count, delivery: exactly-once}]
            output: line/out
            idle: 10m
          crowd:
            image: localhost/tally:1
            memory: 32MiB
            triggers: [{mqtt: crowd/+/in, path: /count, delivery: exactly-once}]
            output: crowd/out
            concurrency: 4
            idle: 10m
          failing:
            image: localhost/tally:1
            memory: 32MiB
            triggers: [{mqtt: failing/in, path: /count, delivery: exactly-once, retry: {attempts: 2}}]
            output: failing/out
            idle: 10m
          other:
            image: localhost/tally:1
            memory: 32MiB
            idle: 10m
        """);
  }

  @AfterAll
  static void stop() throws Exception {
    gateway.close();
  }

  @Test
  void everyMessageOfATopicIsCountedOnceThoughTheGatewayIsKilledAgainAndAgain() throws Exception {
    List<String> answers = counted("line", 200, 5, i -> "line/in");

    assertThat(answers.stream().map(StateIT::number)).containsExactlyElementsOf(numbers(200));
    assertThat(ask("line", "GET /state/count HTTP/1.1", "")).endsWith("\r\n\r\n200");
  }

  @Test
  void messagesThatAreHandledAtOnceAreCountedTogether() throws Exception {
    List<String> answers = counted("crowd", 100, 4, i -> "crowd/" + i % 10 + "/in");

    assertThat(answers.stream().map(StateIT::number)).containsExactlyInAnyOrderElementsOf(numbers(100));
    assertThat(ask("crowd", "GET /state/count HTTP/1.1", "")).endsWith("\r\n\r\n100");
  }

  private static int number(String answer) {
    return Integer.parseInt(answer.split(" ")[0]);
  }

  private static List<Integer> numbers(int last) {
    return IntStream.rangeClosed(1, last).boxed().toList();
  }

  /**
   * Has a sensor send messages all the while, kills the gateway again and again, and returns the answers in their order,
   * one to each message. A broker that dies with the gateway may lose messages that the gateway never had, so the sensor
   * sends them again as long as there is no answer; the gateway knows them by their ids. Such a broker may also pass an answer on
   * once more, when nothing waits in the gateway's outbox: the same words are the same answer, while one to a message that was
   * counted twice has another number.
   */
  private static List<String> counted(String function, int messages, int kills, IntFunction<String> topic) throws Exception {
    Set<String> answers = new LinkedHashSet<>();
    Set<String> unanswered = ConcurrentHashMap.newKeySet();
    IntStream.rangeClosed(1, messages).forEach(i -> unanswered.add("m" + i));
    Thread sensor = new Thread(() -> {
      while (!unanswered.isEmpty()) {
        try (Mqtt mqtt = new Mqtt(gateway)) {
          for (int i = 1; i <= messages; i++) {
            if (unanswered.contains("m" + i)) {
              mqtt.publishOrFail(topic.apply(i), message("m" + i, function + "-" + i));
            }
          }
        } catch (MqttException e) {
          // the broker is being restarted; with another client, because Paho's may never connect again
        }
      }
    }, "sensor");
    sensor.start();
    try (Mqtt listener = new Mqtt(gateway, 2, function + "/out")) {
      while (answers.size() < messages) {
        String answer = listener.next(SOON).text();
        unanswered.remove(answer.split(" ")[1]);
        if (answers.add(answer) && answers.size() % (messages / (kills + 1)) == 0 && answers.size() < messages) {
          gateway.killAndRestart();
          listener.reconnect();
        }
      }
      sensor.join(SOON.toMillis());
      assertThat(sensor.getStackTrace()).as("the sensor has ended").isEmpty();
      for (Optional<Mqtt.Received> late = listener.poll(QUIET); late.isPresent(); late = listener.poll(QUIET)) {
        assertThat(answers).contains(late.get().text());
      }
    } finally {
      sensor.interrupt();
    }
    assertThat(unanswered).isEmpty();
    return List.copyOf(answers);
  }

  @Test
  void anEventThatFailsLeavesTheStateAsItWas() throws Exception {
    try (Mqtt mqtt = new Mqtt(gateway, 2, "failing/out")) {
      mqtt.publish("failing/in", message("first"));
      assertThat(mqtt.next(SOON).text()).isEqualTo("1 first");
      mqtt.publish("failing/in", message("!500"));
      mqtt.publish("failing/in", message("!400"));
      mqtt.publish("failing/in", message("last"));

      while (!mqtt.next(SOON).text().equals("2 last")) {
        // what the 400 said
      }
    }
    assertThat(ask("failing", "GET /state/count HTTP/1.1", "")).endsWith("\r\n\r\n2");
  }

  @Test
  void functionsSeeNothingOfEachOther() throws Exception {
    assertThat(ask("line", "PUT /state/mine HTTP/1.1", "secret")).startsWith("HTTP/1.1 204");
    assertThat(ask("line", "GET /state/mine HTTP/1.1", "")).endsWith("secret");

    assertThat(ask("other", "GET /state/mine HTTP/1.1", "")).startsWith("HTTP/1.1 404").contains("no-such-key");
    assertThat(ask("other", "GET /state/mine HTTP/1.1\r\nAuthorization: Bearer line.AAAA", "")).startsWith("HTTP/1.1 401");
    assertThat(ask("other", "GET /state/mine HTTP/1.1\r\nAuthorization: Basic bGluZTo=", "")).startsWith("HTTP/1.1 401");
  }

  @Test
  void whatIsPutByItselfOutlivesTheGateway() throws Exception {
    assertThat(ask("other", "PUT /state/a%20b/%C3%BC HTTP/1.1", "kept")).startsWith("HTTP/1.1 204");
    gateway.killAndRestart();

    await().atMost(SOON).untilAsserted(() ->
        assertThat(ask("other", "GET /state/a%20b/%C3%BC HTTP/1.1", "")).endsWith("\r\n\r\nkept"));
    assertThat(ask("other", "GET /state/ HTTP/1.1", "")).endsWith("{\"keys\":[\"a b/ü\"]}");
    assertThat(ask("other", "DELETE /state/a%20b/%C3%BC HTTP/1.1", "")).startsWith("HTTP/1.1 204");
    assertThat(ask("other", "GET /state/ HTTP/1.1", "")).endsWith("{\"keys\":[]}");
  }

  @Test
  void whatBelongsToNoEventInWorkIsRefused() throws Exception {
    assertThat(ask("other", "PUT /state/x HTTP/1.1\r\nWeir-Attempt: of-yesterday", "late")).startsWith("HTTP/1.1 409")
        .contains("attempt-over");
    assertThat(ask("other", "GET /state/x HTTP/1.1", "")).startsWith("HTTP/1.1 404");
  }

  @Test
  void aHandlerCountsAsTheContractSays() throws Exception {
    Gateway.Result made = gateway.weir("image", "runtime", "python");
    assertThat(made.exitCode()).as(made.err()).isZero();
    HttpResponse<String> deployed = gateway.post("/api/v1/functions", JSON.std.asString(Map.of("yaml", """
        functions:
          counter:
            runtime: python
            handler: counter.py
            triggers: [{mqtt: counter/in, delivery: exactly-once}]
            output: counter/out
        """, "files", Map.of("counter.py", HANDLER))), "Content-Type", "application/json");
    assertThat(deployed.statusCode()).as(deployed.body()).isEqualTo(200);

    try (Mqtt mqtt = new Mqtt(gateway, 2, "counter/out")) {
      mqtt.publish("counter/in", message("a"));
      mqtt.publish("counter/in", message("b"));
      assertThat(mqtt.next(SOON).text()).isEqualTo("1 a");
      assertThat(mqtt.next(SOON).text()).isEqualTo("2 b");
      gateway.killAndRestart();
      mqtt.reconnect();

      mqtt.publish("counter/in", message("c"));
      String answer = mqtt.next(SOON).text();
      while (Set.of("1 a", "2 b").contains(answer)) {
        answer = mqtt.next(SOON).text();   // passed on once more, see above
      }
      assertThat(answer).isEqualTo("3 c");
    }
  }

  // --- what the tests are made of ------------------------------------------------------------------------------------

  private static MqttMessage message(String text) {
    MqttMessage message = new MqttMessage(text.getBytes(StandardCharsets.UTF_8));
    message.setQos(2);
    message.setProperties(new MqttProperties());
    return message;
  }

  private static MqttMessage message(String text, String id) {
    MqttMessage message = message(text);
    message.getProperties().setUserProperties(List.of(new UserProperty("specversion", "1.0"),
        new UserProperty("id", id), new UserProperty("source", "/sensor"), new UserProperty("type", "t")));
    return message;
  }

  /** What a function's state answers when the function asks for this. */
  private static String ask(String function, String head, String value) {
    int length = value.getBytes(StandardCharsets.UTF_8).length;
    return gateway.post("/function/" + function + "/ask", head + "\r\nConnection: close\r\nContent-Length: " + length
        + "\r\n\r\n" + value).body();
  }
}
