package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A broker that was there before the gateway and is somebody else's. */
class ExternalBrokerIT {
  private static final Duration SOON = Duration.ofSeconds(30);

  @TempDir
  private static Path folder;
  private static Mosquitto mosquitto;
  private static int port;
  private static Gateway gateway;

  @BeforeAll
  static void start() throws Exception {
    mosquitto = new Mosquitto(folder);
    port = mosquitto.port;
    gateway = Gateway.start("xbroker", Map.of("io.weir.broker/url", "tcp://127.0.0.1:" + port));
    gateway.importProbe();
  }

  @AfterAll
  static void stop() throws Exception {
    try {
      if (gateway != null) {
        gateway.close();
        assertThat(mosquitto.isAlive()).as("the broker is not ours to stop").isTrue();
      }
    } finally {
      mosquitto.close();
    }
  }

  @Test
  void itsMessagesAreAnsweredAndNoBrokerIsStarted() throws Exception {
    gateway.deploy("""
        functions:
          guest:
            image: localhost/probe:1
            triggers: [{mqtt: guest/+/in}]
            output: guest/{1}/out
        """);
    try (Mqtt mqtt = new Mqtt(port, "guest/+/out")) {
      mqtt.publish("guest/a/in", "first");
      assertThat(mqtt.next(SOON).text()).isEqualTo("first");
      assertThat(gateway.weir("publish", "--topic", "guest/b/in", "-m", "second").exitCode()).isZero();
      assertThat(mqtt.next(SOON).topic()).isEqualTo("guest/b/out");
    }

    assertThat(gateway.json("/api/v1/status").get("broker")).asInstanceOf(
        org.assertj.core.api.InstanceOfAssertFactories.MAP).containsEntry("bundled", false)
        .containsEntry("uri", "tcp://127.0.0.1:" + port);
    assertThat(gateway.processes()).noneMatch(line -> line.contains("mosquitto"));
    assertThat(ProcessHandle.of(gateway.pid()).orElseThrow().descendants().map(p -> p.info().command().orElse("")))
        .noneMatch(command -> command.contains("mosquitto"));
  }
}
