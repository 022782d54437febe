package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where functions rest, how they come back from there, and that every cold start says why. */
class LadderIT {
  private static final Duration SOON = Duration.ofSeconds(30);
  /**
   * Surplus instances are kept for a stable window of the autoscaler, which is a minute, after it woke them last; and it may
   * for another one after the six seconds in which it sees a burst.
   */
  private static final Duration SCALES_IN = Duration.ofMinutes(3);
  private static Gateway gateway;

  @BeforeAll
  static void start() throws Exception {
    gateway = Gateway.start("ladder", Map.of("io.weir.pool/calibrate", "false"));
    gateway.importProbe();
  }

  @AfterAll
  static void stop() throws Exception {
    gateway.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"image", "created", "armed", "frozen"})
  void aFunctionAnswersFromEveryRungAndSaysWhichItWas(String rung) {
    String name = "from-" + rung;
    gateway.deploy(function(name, ""));
    assertThat(gateway.post("/function/" + name + "/", "first").body()).isEqualTo("first");
    String kind = rung.equals("frozen") ? "resumes" : "cold-starts.scaled-to-zero";
    long before = gateway.counter(kind);

    gateway.rest(name, rung);

    assertThat(states(name)).isEqualTo(rung.equals("image") ? List.of() : List.of(rung));
    assertThat(gateway.post("/function/" + name + "/", "again").body()).isEqualTo("again");
    assertThat(gateway.lastInvocation(name)).containsEntry("coldFrom", rung).containsEntry("coldCause", "scaled-to-zero");
    assertThat(((Number) gateway.lastInvocation(name).get("coldStartMs")).doubleValue()).isPositive();
    assertThat(gateway.counter(kind)).isEqualTo(before + 1);
    if (!rung.equals("frozen")) {
      assertThat(gateway.get("/api/v1/metrics").body())
          .contains("weir_cold_starts_total{cause=\"scaled-to-zero\",from=\"" + rung + "\"} 1\n");
    }
  }

  @Test
  void aFrozenInstanceGetsNoCpuUntilTheNextCall() throws Exception {
    gateway.deploy(function("busy", "cpus: 0.2"));
    assertThat(gateway.post("/function/busy/spin", "x").statusCode()).isEqualTo(200);
    String id = id("busy");
    Containers containers = gateway.containers();
    long started = containers.cpuTime(id);
    await().atMost(SOON).until(() -> containers.cpuTime(id) > started);

    await().atMost(SOON).until(() -> states("busy").equals(List.of("frozen")));

    assertThat(containers.frozen(id)).isTrue();
    long used = containers.cpuTime(id);
    await().during(Duration.ofMillis(500)).atMost(SOON).until(() -> containers.cpuTime(id) == used);
    assertThat(gateway.post("/function/busy/", "awake").body()).isEqualTo("awake");
    assertThat(containers.frozen(id)).isFalse();
    await().atMost(SOON).until(() -> containers.cpuTime(id) > used);
    gateway.delete("/api/v1/functions/busy");
  }

  @Test
  void anIdleInstanceFreezesByItselfAndAMessageWakesIt() throws Exception {
    gateway.deploy(function("sleeper", """
        triggers: [{mqtt: sleeper/in}]
        output: sleeper/out
        """));
    try (Mqtt mqtt = new Mqtt(gateway, "sleeper/out")) {
      mqtt.publish("sleeper/in", "one");
      assertThat(mqtt.next(SOON).text()).isEqualTo("one");
      String id = id("sleeper");
      await().atMost(SOON).until(() -> states("sleeper").equals(List.of("frozen")));

      mqtt.publish("sleeper/in", "two");

      assertThat(mqtt.next(SOON).text()).isEqualTo("two");
      assertThat(id("sleeper")).isEqualTo(id);
      await().atMost(SOON).untilAsserted(() ->
          assertThat(gateway.lastInvocation("sleeper")).containsEntry("coldFrom", "frozen"));
    }
  }

  @Test
  void aFunctionThatRestsRunningIsNotFrozen() {
    gateway.deploy(function("awake", "rest: running"));
    gateway.deploy(function("dozing", "rest: frozen"));
    assertThat(gateway.post("/function/awake/", "x").statusCode()).isEqualTo(200);
    assertThat(gateway.post("/function/dozing/", "x").statusCode()).isEqualTo(200);

    await().atMost(SOON).until(() -> states("dozing").equals(List.of("frozen")));

    assertThat(states("awake")).isEqualTo(List.of("ready"));
    assertThat(gateway.post("/function/awake/", "x").statusCode()).isEqualTo(200);
    assertThat(gateway.lastInvocation("awake")).containsEntry("coldFrom", "").containsEntry("coldCause", "");
  }

  @ParameterizedTest
  @ValueSource(strings = {"created", "armed"})
  void aNewFunctionIsPreparedBeforeItsFirstCall(String rung) {
    String name = "new-" + rung;
    gateway.deploy(function(name, "rest: " + rung));

    await().atMost(SOON).until(() -> states(name).equals(List.of(rung)));

    assertThat(gateway.post("/function/" + name + "/", "x").body()).isEqualTo("x");
    assertThat(gateway.lastInvocation(name)).containsEntry("coldFrom", rung).containsEntry("coldCause", "never-started");
  }

  @Test
  void aFunctionWithoutAWishIsPreparedToo() {
    gateway.deploy(function("any", ""));

    await().atMost(SOON).until(() -> states("any").equals(List.of("armed")) || states("any").equals(List.of("created")));
  }

  @Test
  void whatCannotScaleIsRefusedWithItsLine() {
    for (String line : List.of("concurrency: 0", "instances: {min: 3, max: 2}", "rest: cellar", "priority: urgent")) {
      HttpResponse<String> response = gateway.post("/api/v1/functions", function("unfit", line),
          "Content-Type", "application/yaml");

      assertThat(response.statusCode()).as(line).isEqualTo(400);
      assertThat(response.body()).contains("\"line\":4");
    }
    assertThat(gateway.put("/api/v1/functions/nobody/rung", "{\"rung\":\"armed\"}").statusCode()).isEqualTo(404);
    gateway.deploy(function("steady", ""));
    assertThat(gateway.put("/api/v1/functions/steady/rung", "{\"rung\":\"cellar\"}").statusCode()).isEqualTo(400);
  }

  @Test
  void anInstanceThatHangsIsReplaced() {
    gateway.deploy(function("hanging", """
        timeout: 1500ms
        concurrency: 2
        """));
    assertThat(gateway.post("/function/hanging/", "x").statusCode()).isEqualTo(200);
    String hung = id("hanging");

    assertThat(gateway.post("/function/hanging/hang", "x").statusCode()).isEqualTo(504);
    assertThat(gateway.post("/function/hanging/", "x").statusCode()).isEqualTo(504);

    HttpResponse<String> next = gateway.post("/function/hanging/", "better");
    assertThat(next.body()).isEqualTo("better");
    assertThat(gateway.lastInvocation("hanging")).containsEntry("coldCause", "crashed");
    assertThat(gateway.counter("instances.hung")).isPositive();
    await().atMost(SOON).until(() -> !gateway.containers().ids().contains(hung));
  }

  @Test
  void aFunctionThatAlwaysCrashesIsBrokenUntilABetterOneComes() {
    gateway.deploy(function("crashing", "env: {BEHAVE: crash}"));
    await().atMost(SOON).untilAsserted(() -> {
      assertThat(gateway.post("/function/crashing/", "x").statusCode()).isIn(502, 503);
      assertThat(broken("crashing")).isNotNull();
    });
    assertThat(broken("crashing").get("detail").toString()).contains("exit code 3", "cannot find my database");
    assertThat(((Number) broken("crashing").get("failures")).intValue()).isGreaterThanOrEqualTo(3);
    assertThat(gateway.post("/function/crashing/", "x").body()).contains("cannot find my database");

    gateway.deploy(function("crashing", ""));

    assertThat(gateway.post("/function/crashing/", "mended").body()).isEqualTo("mended");
    assertThat(broken("crashing")).isNull();
  }

  @Test
  void aRebuiltImageIsUsedByTheNextCall() throws Exception {
    gateway.importProbe("localhost/rebuilt:1", "one");
    gateway.deploy(function("rebuilt", "").replace("localhost/probe:1", "localhost/rebuilt:1"));
    assertThat(version("rebuilt")).isEqualTo("one");
    gateway.rest("rebuilt", "frozen");

    gateway.importProbe("localhost/rebuilt:1", "two");

    await().atMost(SOON).until(() -> version("rebuilt").equals("two"));
  }

  @Test
  void aBurstMakesMoreInstancesAndTheirEndCostsNoRequest() {
    gateway.deploy(function("elastic", """
        instances: {min: 0, max: 3}
        concurrency: 1
        """));
    List<CompletableFuture<HttpResponse<String>>> all = new ArrayList<>();
    for (int i = 0; i < 24; i++) {
      all.add(gateway.client().sendAsync(gateway.request("/function/elastic/sleep/300")
          .POST(HttpRequest.BodyPublishers.ofString("n" + i)).build(), HttpResponse.BodyHandlers.ofString()));
    }
    Set<String> hosts = new HashSet<>();
    for (int i = 0; i < all.size(); i++) {
      HttpResponse<String> response = all.get(i).join();
      assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
      assertThat(response.body()).isEqualTo("n" + i);
      hosts.add(response.headers().firstValue("X-Host").orElseThrow());
    }
    assertThat(hosts).hasSize(3);
    assertThat(gateway.counter("cold-starts.burst")).isPositive();

    await().atMost(SCALES_IN).until(() -> {
      HttpResponse<String> response = gateway.post("/function/elastic/", "x");
      assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
      return gateway.instancesOf("elastic").size() == 1;
    });
  }

  @Test
  void theCommandLineMeasuresAndMovesFunctions() throws Exception {
    gateway.deploy(function("measured", ""));

    Gateway.Result table = gateway.weir("calibrate", "measured");

    assertThat(table.exitCode()).as(table.err()).isZero();
    assertThat(table.out()).contains("FUNCTION", "RUNG", "RESUME", "MEMORY", "measured");
    assertThat(table.out().lines().map(line -> line.replaceAll("^\\s*measured\\s+(\\S+).*", "$1")))
        .contains("frozen", "armed", "created", "image");
    assertThat(gateway.weir("calibrate").out()).contains("measured");

    Gateway.Result moved = gateway.weir("rest", "measured", "armed");

    assertThat(moved.exitCode()).as(moved.err()).isZero();
    assertThat(states("measured")).isEqualTo(List.of("armed"));
    assertThat(gateway.weir("rest", "measured", "cellar").exitCode()).isEqualTo(2);
  }

  private static List<Object> states(String function) {
    return gateway.instancesOf(function).stream().map(instance -> instance.get("state")).toList();
  }

  private static String id(String function) {
    List<Map<String, Object>> instances = gateway.instancesOf(function);
    assertThat(instances).hasSize(1);
    return instances.get(0).get("id").toString();
  }

  private static String version(String function) {
    return gateway.post("/function/" + function + "/", "x").headers().firstValue("X-Version").orElse("");
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> broken(String function) {
    return (Map<String, Object>) gateway.json("/api/v1/functions/" + function).get("broken");
  }

  private static String function(String name, String more) {
    return "functions:\n  " + name + ":\n    image: localhost/probe:1\n"
        + more.lines().map(line -> "    " + line.strip() + "\n").reduce("", String::concat)
        + "    memory: 32MiB\n";
  }
}
