package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.eclipse.paho.mqttv5.common.MqttMessage;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;
import org.eclipse.paho.mqttv5.common.packet.UserProperty;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.jr.ob.JSON;

/** The examples as their READMEs say: built by {@code weir image build}, deployed by {@code weir deploy}, fed by MQTT. */
class ExamplesIT {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static Gateway gateway;

  @TempDir
  private Path folder;

  @BeforeAll
  static void start() throws Exception {
    gateway = Gateway.start("examples", Map.of());
    for (var example : Map.of("thermo-alert", "python", "echo", "static", "aggregate", "node", "convert", "java").entrySet()) {
      assertThat(ok("image", "build", example.getValue(), example(example.getKey()), "--tag",
          "localhost/weir/" + example.getKey() + ":1").out()).isEqualTo("localhost/weir/" + example.getKey() + ":1\n");
    }
  }

  @AfterEach
  void removeFunctions() {
    gateway.list("/api/v1/functions", "functions").forEach(f -> gateway.delete("/api/v1/functions/" + f.get("name")));
  }

  @AfterAll
  static void stop() throws Exception {
    gateway.close();
  }

  @Test
  void echoReturnsWhatItIsSentByMqttAndByHttp() throws Exception {
    ok("deploy", example("echo"));
    try (Mqtt mqtt = new Mqtt(gateway, "echo/+/out")) {
      MqttMessage binary = new MqttMessage(new byte[] {0, (byte) 0xFF, 10, 13});
      binary.setQos(1);
      MqttProperties properties = new MqttProperties();
      properties.setContentType("application/x-raw");
      binary.setProperties(properties);
      mqtt.publish("echo/hall/in", binary);

      Mqtt.Received answer = mqtt.next(SOON);
      assertThat(answer.topic()).isEqualTo("echo/hall/out");
      assertThat(answer.message().getPayload()).containsExactly(0, 0xFF, 10, 13);
      assertThat(answer.message().getProperties().getContentType()).isEqualTo("application/x-raw");
    }
    assertThat(gateway.post("/echo", "by its own path").body()).isEqualTo("by its own path");
    assertThat(ok("invoke", "echo", "-d", "by name").out()).isEqualTo("by name\n");
  }

  @Test
  void thermoAlertAnswersTheAnomalyAndNothingElse() throws Exception {
    ok("deploy", example("thermo-alert"));
    try (Mqtt mqtt = new Mqtt(gateway, "alerts/#")) {
      for (int i = 0; i < 60; i++) {
        mqtt.publish("sensors/attic/temperature", "{\"value\": " + (20 + i % 3) + "}");
      }
      await().atMost(SOON).until(() -> outcomes("thermo-alert", "sensors/attic/temperature").size() == 60);
      assertThat(outcomes("thermo-alert", "sensors/attic/temperature")).containsOnly("no-content");

      mqtt.publish("sensors/attic/temperature", "{\"value\": 35, \"timestamp\": \"today\"}");

      Mqtt.Received alert = mqtt.next(SOON);
      assertThat(alert.topic()).isEqualTo("alerts/attic/temperature");
      assertThat(alert.message().getProperties().getContentType()).isEqualTo("application/json");
      Map<String, Object> report = JSON.std.mapFrom(alert.text());
      assertThat(report).containsEntry("sensor", "sensors/attic/temperature").containsEntry("time", "today")
          .containsEntry("readings", 60);
      assertThat(mqtt.isSilent()).isTrue();
    }
  }

  @Test
  void thermoAlertFindsTheFailureNearTheEndOfARecordingAndNoReadingIsLost() throws Exception {
    ok("deploy", example("thermo-alert"));
    Recording recording = recording();
    try (Mqtt mqtt = new Mqtt(gateway, "alerts/office/temperature")) {
      Map<String, Object> account = ok("replay", "--csv", recording.csv.toString(), "--topic", "sensors/office/temperature",
          "--rate", "500", "--json").json();

      int alerts = (int) account.get("answered");
      assertThat(account).containsEntry("complete", true).containsEntry("sent", recording.readings)
          .containsEntry("noContent", recording.readings - alerts).containsEntry("missing", 0)
          .containsEntry("answersByTopic", Map.of("alerts/office/temperature", alerts));
      List<String> times = new ArrayList<>();
      for (int i = 0; i < alerts; i++) {
        times.add(String.valueOf(JSON.std.mapFrom(mqtt.next(SOON).text()).get("time")));
      }
      assertThat(times).anyMatch(time -> time.startsWith(recording.failure)).hasSizeLessThan(recording.readings / 100);
      assertThat(mqtt.isSilent()).isTrue();
    }
  }

  @Test
  void aggregateTellsAWindowWhenTheNextOneBegins() throws Exception {
    ok("deploy", example("aggregate"));
    try (Mqtt mqtt = new Mqtt(gateway, "means/#")) {
      mqtt.publish("sensors/lab/humidity", "40", event("a", "2026-01-01T00:00:01Z"));
      mqtt.publish("sensors/lab/humidity", "{\"value\": 50}", event("b", "2026-01-01T00:00:09.999Z"));
      await().atMost(SOON).until(() -> outcomes("aggregate", "sensors/lab/humidity").size() == 2);
      mqtt.publish("sensors/lab/humidity", "99", event("c", "2026-01-01T00:00:10Z"));

      Mqtt.Received mean = mqtt.next(SOON);
      assertThat(mean.topic()).isEqualTo("means/lab/humidity");
      assertThat(JSON.std.mapFrom(mean.text())).containsEntry("topic", "sensors/lab/humidity").containsEntry("count", 2)
          .containsEntry("mean", 45).containsEntry("from", "2026-01-01T00:00:00.000Z");
    }
    assertThat(outcomes("aggregate", "sensors/lab/humidity")).containsExactly("replied", "no-content", "no-content");
  }

  @Test
  void convertAnswersInTheOtherUnitAndFeedsThermoAlert() throws Exception {
    ok("deploy", example("convert"), example("thermo-alert"));
    try (Mqtt mqtt = new Mqtt(gateway, "sensors/+/temperature")) {
      mqtt.publish("raw/oven/temperature", "71.6");

      Mqtt.Received converted = mqtt.next(SOON);
      assertThat(converted.topic()).isEqualTo("sensors/oven/temperature");
      assertThat(JSON.std.mapFrom(converted.text())).containsEntry("value", 22.0).containsEntry("unit", "C");
    }
    await().atMost(SOON).untilAsserted(() ->
        assertThat(outcomes("thermo-alert", "sensors/oven/temperature")).containsExactly("no-content"));
    assertThat(ok("invoke", "convert", "--path", "/?from=psi&to=kPa", "--data", "14.7").out()).contains("101.35", "kPa");
    Gateway.Result refused = gateway.weir("invoke", "convert", "--path", "/?from=psi&to=m", "--data", "1");
    assertThat(refused.exitCode()).isEqualTo(1);
    assertThat(refused.out()).contains("psi is a pressure, m is a length");
  }

  @Test
  void aProgramThatDoesNotCompileIsToldByItsLine() throws Exception {
    Files.writeString(folder.resolve("main.py"), "import os\n\ndef wrong(:\n");
    Files.writeString(folder.resolve("main.c"), "int main(\n");
    Files.writeString(folder.resolve("Main.java"), "class Main {\n  int x = ;\n}\n");
    for (var wrong : Map.of("python", "line 3", "static", "main.c:1", "java", "Main.java:2").entrySet()) {
      Gateway.Result refused = gateway.weir("image", "build", wrong.getKey(), folder.toString(), "--tag", "localhost/wrong:1");
      assertThat(refused.exitCode()).as(wrong + refused.err()).isEqualTo(1);
      assertThat(refused.err()).contains(wrong.getValue()).doesNotContain("Exception");
    }
    assertThat(gateway.weir("image", "exists", "localhost/wrong:1").exitCode()).isEqualTo(1);
  }

  /** How the messages of one topic ended, newest first. */
  private static List<Object> outcomes(String function, String subject) {
    return gateway.list("/api/v1/invocations?function=" + function + "&limit=1000", "invocations").stream()
        .filter(ended -> ended.get("subject").equals(subject)).map(ended -> ended.get("result")).toList();
  }

  private static UserProperty[] event(String id, String time) {
    return new UserProperty[] {new UserProperty("specversion", "1.0"), new UserProperty("id", id),
        new UserProperty("source", "it"), new UserProperty("type", "reading"), new UserProperty("time", time)};
  }

  private static String example(String name) {
    return gateway.home().resolve("examples").resolve(name).toString();
  }

  private static Gateway.Result ok(String... line) throws Exception {
    Gateway.Result result = gateway.weir(line);
    assertThat(result.exitCode()).as(String.join(" ", line) + ": " + result.out() + result.err()).isZero();
    return result;
  }

  /** @param failure how the timestamps of the failure begin */
  private record Recording(Path csv, int readings, String failure) {}

  /** The office temperatures of the Numenta Anomaly Benchmark where they are at hand, else a series of that shape. */
  private Recording recording() throws Exception {
    String named = System.getenv("WEIR_NAB_CSV");
    Path csv = named == null ? null : Path.of(named);
    for (Path at = Path.of("").toAbsolutePath(); csv == null && at != null; at = at.getParent()) {
      Path shared = at.resolve("shared/data/nab-ambient-temperature.csv");
      csv = Files.isRegularFile(shared) ? shared : null;
    }
    if (csv == null || !Files.isRegularFile(csv)) {
      return generated(folder.resolve("generated.csv"));
    }
    // The data set's own label of the failure.
    return new Recording(csv, (int) Files.readAllLines(csv).stream().filter(line -> !line.isBlank()).count() - 1, "2014-04-13");
  }

  private static Recording generated(Path csv) throws Exception {
    Random random = new Random(2014);
    StringBuilder text = new StringBuilder("timestamp,value\n");
    LocalDateTime time = LocalDateTime.of(2026, 1, 1, 0, 0);
    int readings = 3000;
    int failure = 2850;
    for (int i = 0; i < readings; i++) {
      double value = 70 + 2 * Math.sin(i * Math.PI / 12) + random.nextGaussian() - (i >= failure && i < failure + 10 ? 15 : 0);
      text.append(time.plusHours(i).format(DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss"))).append(',').append(value).append('\n');
    }
    Files.writeString(csv, text, StandardCharsets.UTF_8);
    return new Recording(csv, readings, time.plusHours(failure).toLocalDate().toString());
  }
}
