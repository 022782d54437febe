package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.RepeatedTest;
import tools.jackson.jr.ob.JSON;

/** A clean stop leaves nothing, however little of an earlier life the gateway has found by then. */
class StopIT {
  private static Gateway gateway;

  @BeforeAll
  static void start() throws Exception {
    gateway = Gateway.start("stop");
    gateway.importProbe();
    assertThat(gateway.weir("image", "runtime", "python").exitCode()).isZero();
    StringBuilder yaml = new StringBuilder("functions:\n  handler: {runtime: python, handler: h.py, memory: 64MiB, idle: 10m}\n");
    for (String rest : List.of("running", "frozen", "armed", "created")) {
      yaml.append("  ").append(rest).append(": {image: \"localhost/probe:1\", memory: 32MiB, idle: 10m}\n");
    }
    assertThat(gateway.post("/api/v1/functions", JSON.std.asString(Map.of("yaml", yaml.toString(), "files",
        Map.of("h.py", "def handle(event):\n    return 'x'\n"))), "Content-Type", "application/json").statusCode())
        .isEqualTo(200);
  }

  @AfterAll
  static void stop() throws Exception {
    gateway.close();
  }

  @RepeatedTest(4)
  void nothingIsLeftOfAKilledGatewayThatWasStoppedAsSoonAsItWasReadyAgain() throws Exception {
    for (String rest : List.of("running", "frozen", "armed", "created")) {
      gateway.rest(rest, rest);
    }
    assertThat(gateway.post("/function/handler/", "x").statusCode()).isEqualTo(200);
    await().atMost(Gateway.LONG).until(() -> !((List<?>) gateway.json("/api/v1/status").get("runners")).isEmpty());
    assertThat(gateway.list("/api/v1/instances", "instances")).hasSize(5);

    gateway.killAndRestart();
    gateway.stop();

    gateway.assertNothingIsLeft();
    gateway.startAgain();
  }
}
