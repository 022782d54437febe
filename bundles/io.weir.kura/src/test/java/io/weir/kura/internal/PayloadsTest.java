package io.weir.kura.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.invocation.Header;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Map;
import org.eclipse.kura.message.KuraPayload;
import org.eclipse.kura.message.KuraPosition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PayloadsTest {
  private static final Instant NOON = Instant.parse("2026-11-30T12:00:00Z");

  private static KuraPayload payload(String type, String answer) {
    return Payloads.payload(List.of(new Header("content-type", type)), answer.getBytes(StandardCharsets.UTF_8), NOON);
  }

  @Test
  void writesAllThereIsAsJson() {
    KuraPayload payload = new KuraPayload();
    payload.setTimestamp(Date.from(NOON));
    KuraPosition position = new KuraPosition();
    position.setLatitude(46.5);
    payload.setPosition(position);
    payload.addMetric("n", 5L);
    payload.addMetric("raw", new byte[] {1});

    assertThat(Payloads.json(payload)).asString(StandardCharsets.UTF_8).isEqualTo(
        "{\"timestamp\":\"2026-11-30T12:00:00Z\",\"position\":{\"latitude\":46.5},\"metrics\":{\"n\":5,\"raw\":\"AQ==\"}}");
  }

  @Test
  void makesMetricsOfAnObject() {
    KuraPayload payload = payload("application/json; charset=utf-8",
        "{\"n\": 5, \"x\": 0.5, \"ok\": true, \"s\": \"a\", \"in\": {\"a\": [1]}, \"no\": null, \"big\": 99999999999999999999}");

    assertThat(payload.metrics()).isEqualTo(Map.of("n", 5L, "x", 0.5, "ok", true, "s", "a", "in", "{\"a\":[1]}", "big", 1e20));
    assertThat(payload.getBody()).isNull();
    assertThat(payload.getTimestamp()).isEqualTo(Date.from(NOON));
  }

  @Test
  void takesMetricsAndBodyFromWhereTheyAreNamed() {
    KuraPayload payload = payload("application/json", "{\"metrics\": {\"n\": 5}, \"body\": \"AQID\"}");

    assertThat(payload.metrics()).isEqualTo(Map.of("n", 5L));
    assertThat(payload.getBody()).containsExactly(1, 2, 3);
  }

  @ParameterizedTest
  @ValueSource(strings = {"[1, 2]", "5", "{broken", ""})
  void handsOnWhatIsNoObjectAsItIs(String answer) {
    assertThat(payload("application/json", answer).getBody()).asString(StandardCharsets.UTF_8).isEqualTo(answer);
  }

  @Test
  void handsOnWhatIsNotJsonAsItIs() {
    KuraPayload payload = payload("image/png", "{\"n\": 5}");

    assertThat(payload.getBody()).asString(StandardCharsets.UTF_8).isEqualTo("{\"n\": 5}");
    assertThat(payload.metrics()).isEqualTo(Map.of("content.type", "image/png"));
  }
}
