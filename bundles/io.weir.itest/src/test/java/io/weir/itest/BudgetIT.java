package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What happens when functions want more memory than they may have together. Each of these holds most of the budget. */
class BudgetIT {
  private static final Duration SOON = Duration.ofSeconds(30);
  private static final long HELD = 50L << 20;
  private static Gateway gateway;

  @BeforeAll
  static void start() throws Exception {
    gateway = Gateway.start("budget", Map.of("io.weir.pool/memory.budget.mib", "100", "io.weir.pool/calibrate", "false"));
    gateway.importProbe();
  }

  @AfterAll
  static void stop() throws Exception {
    gateway.close();
  }

  @AfterEach
  void removeFunctions() {
    gateway.list("/api/v1/functions", "functions").forEach(f -> gateway.delete("/api/v1/functions/" + f.get("name")));
    await().atMost(SOON).until(() -> gateway.list("/api/v1/instances", "instances").isEmpty());
  }

  @Test
  void theOneThatIdlesGivesWayAndSaysSoWhenItComesBack() {
    gateway.deploy(function("first", ""));
    gateway.deploy(function("second", ""));
    fill("first");

    assertThat(gateway.post("/function/second/", "mine").body()).isEqualTo("mine");

    assertThat(gateway.instancesOf("first")).isEmpty();
    gateway.rest("second", "image");
    assertThat(gateway.post("/function/first/", "back").body()).isEqualTo("back");
    assertThat(gateway.lastInvocation("first")).containsEntry("coldCause", "evicted");
    assertThat(gateway.counter("cold-starts.evicted")).isPositive();
  }

  @Test
  void nobodyGivesWayWhoWorks() {
    gateway.deploy(function("working", ""));
    gateway.deploy(function("waiting", ""));
    fill("working");
    CompletableFuture<HttpResponse<String>> work = gateway.client().sendAsync(gateway.request("/function/working/sleep/3000")
        .POST(HttpRequest.BodyPublishers.ofString("done")).build(), HttpResponse.BodyHandlers.ofString());
    await().atMost(SOON).until(() -> gateway.instancesOf("working").get(0).get("inFlight").equals(1));

    HttpResponse<String> refused = gateway.post("/function/waiting/", "x");

    assertThat(refused.statusCode()).as(refused.body()).isEqualTo(503);
    assertThat(refused.body()).contains("out-of-memory", "memory.budget.mib", "100 MiB");
    assertThat(refused.headers().firstValue("Retry-After")).isPresent();
    assertThat(work.join().body()).isEqualTo("done");
    assertThat(gateway.post("/function/waiting/", "now").body()).isEqualTo("now");
  }

  @Test
  void theLessImportantOneDoesNotTakeTheMoreImportantOnesPlace() {
    gateway.deploy(function("precious", "priority: high"));
    gateway.deploy(function("cheap", "priority: low"));
    fill("precious");

    assertThat(gateway.post("/function/cheap/", "x").statusCode()).isEqualTo(503);

    assertThat(gateway.instancesOf("precious")).hasSize(1);
    assertThat(gateway.post("/function/precious/", "still").body()).isEqualTo("still");
  }

  @Test
  void whatCannotEverFitIsRefusedAtOnce() {
    HttpResponse<String> refused = gateway.post("/api/v1/functions", """
        functions:
          giant:
            image: localhost/probe:1
            memory: 101MiB
        """, "Content-Type", "application/yaml");

    assertThat(refused.statusCode()).as(refused.body()).isEqualTo(400);
    assertThat(refused.body()).contains("\"line\":4", "memory", "100 MiB", "memory.budget.mib");
  }

  /** Makes it hold so much that nothing like it fits beside it, and waits until that is known. */
  private static void fill(String function) {
    assertThat(gateway.post("/function/" + function + "/hold/50", "x").statusCode()).isEqualTo(200);
    await().atMost(SOON).until(() ->
        ((Number) gateway.instancesOf(function).get(0).get("memoryBytes")).longValue() >= HELD);
    await().atMost(SOON).until(() -> gateway.instancesOf(function).get(0).get("state").equals("frozen"));
    assertThat(((Number) gateway.instancesOf(function).get(0).get("memoryBytes")).longValue()).isGreaterThan(HELD);
  }

  private static String function(String name, String more) {
    return "functions:\n  " + name + ":\n    image: localhost/probe:1\n    memory: 64MiB\n    rest: frozen\n"
        + more.lines().map(line -> "    " + line.strip() + "\n").reduce("", String::concat);
  }
}
