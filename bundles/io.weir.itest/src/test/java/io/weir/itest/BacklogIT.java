package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A journal that is as full as it may be, which is what it was made for. */
class BacklogIT {
  private static final int FUNCTIONS = 3;
  /** What a board with less than a gigabyte gets. */
  private static final String HEAP = "64m";
  private static final Duration LONG = Duration.ofSeconds(120);

  @Test
  void aGatewayWithAsMuchToDoAsItMayKeepStartsAgainAndHasLostNothing() throws Exception {
    try (Gateway gateway = Gateway.start("backlog", Map.of(), Map.of("WEIR_HEAP", HEAP))) {
      StringBuilder yaml = new StringBuilder("functions:\n");
      for (int i = 0; i < FUNCTIONS; i++) {
        yaml.append("  later").append(i).append(":\n    image: localhost/not-yet:1\n    triggers: [{mqtt: backlog/").append(i)
            .append("/+, retry: {attempts: 1000}}]\n");
      }
      gateway.deploy(yaml.toString());
      try (Mqtt mqtt = new Mqtt(gateway)) {
        for (int i = 0; !full(gateway); i++) {
          for (int j = 0; j < 500; j++) {
            mqtt.publish("backlog/" + i % FUNCTIONS + "/" + j % 100, "a reading of a sensor, number " + j);
          }
        }
      }
      long pending = pending(gateway);
      assertThat(pending).isGreaterThan(10_000);

      gateway.killAndRestart();

      gateway.awaitReady();
      await().atMost(LONG).untilAsserted(() -> assertThat(pending(gateway)).isGreaterThanOrEqualTo(pending));
    }
  }

  /** To four fifths, where acceptance ends. */
  private static boolean full(Gateway gateway) {
    Map<String, Object> journal = gateway.json("/api/v1/journal");
    return number(journal, "liveBytes") > 0.79 * number(journal, "limitBytes");
  }

  private static long number(Map<String, Object> journal, String key) {
    return ((Number) journal.get(key)).longValue();
  }

  private static long pending(Gateway gateway) {
    return number(gateway.json("/api/v1/journal"), "pending");
  }
}
