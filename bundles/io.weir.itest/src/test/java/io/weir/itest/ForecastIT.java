package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.weir.forecast.Arrival;
import io.weir.forecast.internal.Learned;
import io.weir.function.FunctionName;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Functions are up before they are called, and what was learned outlives the gateway. */
class ForecastIT {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final Duration PERIOD = Duration.ofSeconds(30);
  private static Gateway gateway;

  @BeforeAll
  static void start() throws Exception {
    gateway = Gateway.start("forecast", Map.of("io.weir.pool/calibrate", "false", "io.weir.pool/freeze.after.millis", "100"));
    gateway.importProbe();
  }

  @AfterAll
  static void stop() throws Exception {
    gateway.close();
  }

  @Test
  void aFunctionIsUpBeforeTheCallThatAnothersCallAnnounces() throws Exception {
    deploy("door", "1s");
    deploy("light", "1s");
    for (int i = 0; i < 3; i++) {
      call("door");
      call("light");
      await().atMost(SOON).until(() -> !up("door") && !up("light"));
    }

    call("door");
    await().atMost(SOON).until(() -> states("light").contains("frozen"));
    long hits = prewarms("light", "hits");
    call("light");

    assertThat(gateway.lastInvocation("light")).containsEntry("coldFrom", "frozen");
    assertThat(prewarms("light", "hits")).isEqualTo(hits + 1);
    assertThat(gateway.weir("forecast", "door").out()).contains("followed by light after");

    long calls = arrivals("light");
    gateway.stop();
    gateway.startAgain();
    assertThat(arrivals("light")).isEqualTo(calls);
    assertThat(gateway.weir("forecast", "door").out()).contains("followed by light after");
  }

  @Test
  void aTimersFunctionIsUpBeforeItsTickAlsoAfterARestartAndAMistakeIsCounted() throws Exception {
    deploy("ticking", "10m");
    deploy("stopped", "2s");   // so that a mistake ends soon
    gateway.stop();
    Instant now = Instant.now();
    // The next ticks are 22 and 10 s ahead; to be down for less than 20 s is not worth a start.
    List<Arrival> ticks = new ArrayList<>(ticks("ticking", now.minusSeconds(8)));
    ticks.addAll(ticks("stopped", now.minusSeconds(20)));
    ticks.sort(Comparator.comparing(Arrival::at));
    Learned.write(gateway.data(), ticks);

    gateway.startAgain();
    await().atMost(SOON).until(() -> states("ticking").contains("frozen"));
    call("ticking");

    assertThat(gateway.lastInvocation("ticking")).containsEntry("coldFrom", "frozen");
    assertThat(prewarms("ticking", "hits")).isEqualTo(1);
    assertThat(gateway.get("/api/v1/metrics").body()).contains("weir_prewarm_hits_total{function=\"ticking\"} 1\n");
    Gateway.Result said = gateway.weir("forecast", "ticking");
    assertThat(said.exitCode()).as(said.err()).isZero();
    assertThat(said.out()).contains("timers", "1 hits", "FORECASTER", "habit", "keep-10m");
    assertThat(gateway.weir("forecast").out()).contains("ticking", "stopped", "PREWARMED");

    await().atMost(SOON).until(() -> prewarms("stopped", "wrong") > 0 && !up("stopped"));
    assertThat(prewarms("stopped", "hits")).isZero();
    Gateway.Result unknown = gateway.weir("forecast", "nobody");
    assertThat(unknown.exitCode()).isEqualTo(4);
    assertThat(unknown.err()).contains("there is no function 'nobody'");
    assertThat(gateway.get("/api/v1/functions/nobody/forecast").statusCode()).isEqualTo(404);
  }

  private static List<Arrival> ticks(String function, Instant last) {
    List<Arrival> ticks = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      ticks.add(new Arrival(new FunctionName(function), last.minus(PERIOD.multipliedBy(i))));
    }
    return ticks;
  }

  private static void call(String function) {
    assertThat(gateway.post("/function/" + function + "/", "x").body()).isEqualTo("x");
  }

  private static List<Object> states(String function) {
    return gateway.instancesOf(function).stream().map(instance -> instance.get("state")).toList();
  }

  private static boolean up(String function) {
    return states(function).stream().anyMatch(state -> !List.of("creating", "created", "arming", "armed").contains(state));
  }

  private static long prewarms(String function, String what) {
    return ((Number) ((Map<?, ?>) gateway.json("/api/v1/functions/" + function + "/forecast").get("prewarms")).get(what))
        .longValue();
  }

  private static long arrivals(String function) {
    return ((Number) gateway.json("/api/v1/functions/" + function + "/forecast").get("arrivals")).longValue();
  }

  private static void deploy(String name, String idle) {
    gateway.deploy("functions:\n  " + name + ":\n    image: localhost/probe:1\n    memory: 32MiB\n    idle: " + idle + "\n");
  }
}
