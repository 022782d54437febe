package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** HTTP calls that were promised something get it, whoever is killed meanwhile; people see it and can mend it. */
class KeptCallsIT {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static Gateway gateway;

  @BeforeAll
  static void start() throws Exception {
    gateway = Gateway.start("kept");
    gateway.importProbe();
    gateway.deploy("""
        functions:
          probe:
            image: localhost/probe:1
            memory: 32MiB
            concurrency: 4
            idle: 10m
        """);
  }

  @AfterAll
  static void stop() throws Exception {
    gateway.close();
  }

  private static HttpResponse<String> keyed(String path, String key, String body) {
    return gateway.post("/function/probe" + path, body, "Idempotency-Key", '"' + key + '"');
  }

  private static Map<?, ?> outcome(String location) {
    await().atMost(SOON).until(() -> !"pending".equals(gateway.json(location).get("state")));
    return gateway.json(location);
  }

  @Test
  void aCallThatWasAnsweredIsAnsweredTheSameAfterTheGatewayWasKilled() throws Exception {
    HttpResponse<String> first = keyed("/count", "once", "1");
    assertThat(keyed("/count", "twice", "1").body()).as("the function itself would answer otherwise")
        .isNotEqualTo(first.body());

    gateway.killAndRestart();
    gateway.awaitReady();
    HttpResponse<String> again = keyed("/count", "once", "1");

    assertThat(first.statusCode()).as(first.body()).isEqualTo(200);
    assertThat(again.statusCode()).isEqualTo(200);
    assertThat(again.body()).isEqualTo(first.body());
    assertThat(again.headers().firstValue("Weir-Replayed")).contains("true");
    assertThat(again.headers().firstValue("Weir-Invocation")).isEqualTo(first.headers().firstValue("Weir-Invocation"));
    assertThat(keyed("/count", "once", "2").statusCode()).isEqualTo(422);
  }

  @Test
  void aCallThatNobodyWaitsForIsHandledThoughTheGatewayIsKilled() throws Exception {
    HttpResponse<String> accepted = gateway.post("/function/probe/sleep/2000", "kept", "Prefer", "respond-async");
    assertThat(accepted.statusCode()).as(accepted.body()).isEqualTo(202);

    gateway.killAndRestart();
    gateway.awaitReady();

    assertThat(outcome(accepted.headers().firstValue("Location").orElseThrow())).satisfies(outcome -> {
      assertThat(outcome.get("state")).isEqualTo("done");
      assertThat(((Map<?, ?>) outcome.get("answer")).get("body")).isEqualTo("kept");
    });
  }

  @Test
  void aCallThatNobodyCouldHandleIsMendedByPeople() throws Exception {
    HttpResponse<String> failed = keyed("/mend", "mend", "!500");
    assertThat(failed.statusCode()).as(failed.body()).isEqualTo(502);

    List<?> letters = (List<?>) gateway.weir("dlq", "list", "--function", "probe", "--json").json().get("deadLetters");
    String number = String.valueOf(((Map<?, ?>) letters.get(letters.size() - 1)).get("number"));
    assertThat(gateway.weir("dlq", "show", number).out()).contains("status-500", "POST /mend", "!500");
    Gateway.Result edited = gateway.weir("dlq", "edit", number, "-d", "mended");

    assertThat(edited.exitCode()).as(edited.err()).isZero();
    await().atMost(SOON).untilAsserted(() -> {
      HttpResponse<String> again = keyed("/mend", "mend", "!500");
      assertThat(again.statusCode()).as(again.body()).isEqualTo(200);
      assertThat(again.body()).isEqualTo("mended");
    });
    assertThat(gateway.weir("dlq", "list", "--function", "probe").out()).doesNotContain("/mend");
  }

  @Test
  void theJournalProvesWhatItDid() throws Exception {
    keyed("/proof", "proof", "1");
    keyed("/proof", "proof", "1");

    Gateway.Result audit = gateway.weir("audit", "--json");

    assertThat(audit.exitCode()).as(audit.out()).isZero();
    assertThat(audit.json()).containsEntry("unbroken", true).containsEntry("problems", List.of());
    assertThat(((Number) audit.json().get("done")).longValue()).isPositive();
    assertThat(gateway.get("/api/v1/metrics").body()).contains("weir_journal_syncs_total");
    assertThat(gateway.weir("status").out()).contains("journal keeps", "journal wrote");
  }
}
