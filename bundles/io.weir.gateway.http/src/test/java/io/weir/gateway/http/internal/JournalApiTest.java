package io.weir.gateway.http.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.function.FunctionName;
import io.weir.invocation.Guarantee;
import io.weir.invocation.Header;
import io.weir.invocation.Invocation;
import io.weir.invocation.InvocationJournal.Accepted;
import io.weir.invocation.InvocationJournal.Entry;
import io.weir.invocation.JournalFull;
import io.weir.invocation.JournalUnavailable;
import io.weir.invocation.Payload;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class JournalApiTest {
  private final TestServer server = new TestServer();
  private final MemoryJournal journal = server.fakes.journal;
  private int keys;

  JournalApiTest() throws Exception {
    server.fakes.courier.away = true;
  }

  @AfterEach
  void stop() throws Exception {
    server.close();
  }

  /** Returns its number. */
  private long letter(String function, byte[] body, Header... headers) {
    Invocation event = new Invocation("id-1", new FunctionName(function), "mqtt", "sensors/a/t", "POST", "/x?y",
        List.of(headers), Payload.of(body), Fakes.NOON, Guarantee.AT_LEAST_ONCE, false);
    long number = journal.accept(new Entry(event, Optional.of("key " + keys++), "sensors/a/t",
        List.of(new Header("topic", "answers")))).toCompletableFuture().join().number();
    journal.deadLetter(number, "status-500", "the function answered with status 500", 6);
    return number;
  }

  private long letter(String function) {
    return letter(function, "21.5".getBytes(StandardCharsets.UTF_8));
  }

  private HttpResponse<String> delete(String path) throws Exception {
    return server.send(server.request(path).DELETE());
  }

  private static void problem(HttpResponse<String> response, int status, String code) throws Exception {
    assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
    assertThat(TestServer.json(response)).containsEntry("code", code);
  }

  private static List<Object> numbers(Map<String, Object> page) {
    List<Object> numbers = new ArrayList<>();
    ((List<?>) page.get("deadLetters")).forEach(letter -> numbers.add(((Map<?, ?>) letter).get("number")));
    return numbers;
  }

  @Test
  void listsDeadLettersOldestFirst() throws Exception {
    letter("thermo");

    assertThat(server.get("/api/v1/dead-letters").body()).isEqualTo("{\"deadLetters\":[{\"number\":1,"
        + "\"at\":\"2026-11-21T12:00:00Z\",\"function\":\"thermo\",\"trigger\":\"mqtt\",\"subject\":\"sensors/a/t\","
        + "\"id\":\"id-1\",\"arrived\":\"2026-11-21T12:00:00Z\",\"reason\":\"status-500\","
        + "\"detail\":\"the function answered with status 500\",\"attempts\":6,\"bytes\":4}],\"next\":null,\"total\":1}");
  }

  @Test
  void leadsFromPageToPageOfOneFunctionsLetters() throws Exception {
    for (int i = 0; i < 40; i++) {
      letter(i % 4 == 0 ? "thermo" : "echo");
    }

    Map<String, Object> first = TestServer.json(server.get("/api/v1/dead-letters?function=thermo&limit=6"));
    Map<String, Object> second = TestServer.json(server.get("/api/v1/dead-letters?function=thermo&limit=6&after="
        + first.get("next")));

    assertThat(numbers(first)).containsExactly(1, 5, 9, 13, 17, 21);
    assertThat(numbers(second)).containsExactly(25, 29, 33, 37);
    assertThat(second).containsEntry("next", null).containsEntry("total", 40);
    assertThat(numbers(TestServer.json(server.get("/api/v1/dead-letters?function=gone")))).isEmpty();
  }

  @Test
  void showsThePayloadButNoCredentials() throws Exception {
    letter("thermo", "grün".getBytes(StandardCharsets.UTF_8), new Header("Content-Type", "text/plain"),
        new Header("authorization", "Bearer hush"));
    letter("thermo", new byte[] {0, 1, (byte) 0xff});

    HttpResponse<String> text = server.get("/api/v1/dead-letters/1");

    assertThat(TestServer.json(text)).containsEntry("method", "POST").containsEntry("target", "/x?y")
        .containsEntry("body", "grün").containsEntry("bodyBase64", null).containsEntry("number", 1);
    assertThat(text.body()).contains("{\"name\":\"Content-Type\",\"value\":\"text/plain\"}",
        "{\"name\":\"authorization\",\"value\":null}").doesNotContain("hush");
    assertThat(TestServer.json(server.get("/api/v1/dead-letters/2"))).containsEntry("body", null)
        .containsEntry("bodyBase64", "AAH/");
  }

  @Test
  void triesALetterAgainWithAllItHad() throws Exception {
    letter("thermo", "21.5".getBytes(StandardCharsets.UTF_8), new Header("Authorization", "Bearer hush"));

    HttpResponse<String> response = server.post("/api/v1/dead-letters/1/replay", "");

    assertThat(response.body()).isEqualTo("{\"number\":2}");
    Accepted again = journal.pending(0, 9).get(0);
    assertThat(again.number()).isEqualTo(2);
    assertThat(again.entry().key()).contains("key 0");
    assertThat(again.entry().order()).isEqualTo("sensors/a/t");
    assertThat(again.entry().notes()).containsExactly(new Header("topic", "answers"));
    assertThat(again.entry().invocation().id()).isEqualTo("id-1");
    assertThat(again.entry().invocation().headers()).containsExactly(new Header("Authorization", "Bearer hush"));
    assertThat(again.entry().invocation().arrived()).as("its deadline begins anew").isAfter(Fakes.NOON);
    assertThat(again.entry().invocation().body().open().readAllBytes()).asString().isEqualTo("21.5");
    assertThat(server.fakes.courier.looks).hasValue(1);
    problem(server.post("/api/v1/dead-letters/1/replay", ""), 404, "unknown-dead-letter");
  }

  @Test
  void triesAnEditedLetter() throws Exception {
    letter("thermo", "21,5".getBytes(StandardCharsets.UTF_8), new Header("Content-Type", "text/plain"),
        new Header("X-Bad", "1"), new Header("X-Good", "1"));
    letter("thermo");

    assertThat(server.post("/api/v1/dead-letters/1/replay", """
        {"body": "21.5 °C", "headers": {"content-type": "application/json", "x-bad": null, "X-New": "2"}}""").statusCode())
        .isEqualTo(200);
    assertThat(server.post("/api/v1/dead-letters/2/replay", "{\"bodyBase64\": \"AAH/\"}").statusCode()).isEqualTo(200);

    Invocation first = journal.pending(0, 9).get(0).entry().invocation();
    assertThat(first.headers()).containsExactly(new Header("X-Good", "1"),
        new Header("content-type", "application/json"), new Header("X-New", "2"));
    assertThat(first.body().open().readAllBytes()).asString().isEqualTo("21.5 °C");
    assertThat(journal.pending(0, 9).get(1).entry().invocation().body().open().readAllBytes())
        .containsExactly(0, 1, 0xff);
  }

  @ParameterizedTest
  @ValueSource(strings = {"[]", "{\"body\": 1}", "{\"body\": \"a\", \"bodyBase64\": \"AAH/\"}", "{\"bodyBase64\": \"?\"}",
      "{\"headers\": []}", "{\"headers\": {\"Content-Length\": \"3\"}}", "{\"headers\": {\"a b\": \"3\"}}",
      "{\"headers\": {\"X\": \"a\\r\\nB: c\"}}", "{\"headers\": {\"X\": 1}}", "{\"headers\": {\"Transfer-Encoding\": null}}"})
  void keepsALetterThatWasEditedWrongly(String edit) throws Exception {
    letter("thermo");

    assertThat(server.post("/api/v1/dead-letters/1/replay", edit).statusCode()).isEqualTo(400);
    assertThat(journal.deadLetters(0, 9)).hasSize(1);
  }

  @Test
  void triesAllLettersOfAFunctionOnce() throws Exception {
    for (int i = 0; i < 20; i++) {
      letter(i % 2 == 0 ? "thermo" : "echo");
    }

    assertThat(server.post("/api/v1/dead-letters/replay?function=thermo", "").body()).isEqualTo("{\"replayed\":10}");

    assertThat(journal.pending(0, 99)).extracting(accepted -> accepted.entry().invocation().function().value())
        .hasSize(10).containsOnly("thermo");
    assertThat(journal.deadLetters(0, 99)).extracting(letter -> letter.entry().invocation().function().value())
        .hasSize(10).containsOnly("echo");
    problem(server.post("/api/v1/dead-letters/replay", ""), 400, "missing-parameter");
    problem(server.post("/api/v1/dead-letters/replay?function=Q", ""), 400, "bad-parameter");
  }

  @Test
  void keepsTheLettersOfAFunctionThatIsGone() throws Exception {
    letter("gone");

    problem(server.post("/api/v1/dead-letters/1/replay", ""), 404, "unknown-function");
    problem(server.post("/api/v1/dead-letters/replay?function=gone", ""), 404, "unknown-function");
    assertThat(numbers(TestServer.json(server.get("/api/v1/dead-letters?function=gone")))).containsExactly(1);
  }

  @Test
  void dropsNothingThatIsNotConfirmed() throws Exception {
    letter("thermo");
    letter("thermo");
    letter("echo");
    letter("thermo");

    problem(delete("/api/v1/dead-letters/1"), 400, "unconfirmed");
    problem(delete("/api/v1/dead-letters/1?confirm=yes"), 400, "unconfirmed");
    problem(delete("/api/v1/dead-letters?function=thermo"), 400, "unconfirmed");
    problem(delete("/api/v1/dead-letters?confirm=true"), 400, "missing-parameter");
    assertThat(journal.deadLetters(0, 9)).hasSize(4);

    assertThat(delete("/api/v1/dead-letters/1?confirm=true").statusCode()).isEqualTo(204);
    problem(delete("/api/v1/dead-letters/1?confirm=true"), 404, "unknown-dead-letter");
    problem(delete("/api/v1/dead-letters/one?confirm=true"), 404, "unknown-dead-letter");
    assertThat(delete("/api/v1/dead-letters?function=thermo&confirm=true&last=3").body()).isEqualTo("{\"dropped\":1}");
    assertThat(delete("/api/v1/dead-letters?function=thermo&confirm=true").body()).isEqualTo("{\"dropped\":1}");
    assertThat(journal.deadLetters(0, 9)).hasSize(1);
  }

  @Test
  void saysWhenTheJournalIsFullOrCannotWrite() throws Exception {
    letter("thermo");
    journal.failure = new JournalFull(JournalFull.Reason.FUNCTION, "thermo has enough");
    HttpResponse<String> full = server.post("/api/v1/dead-letters/1/replay", "");
    problem(full, 503, "journal-full");
    assertThat(full.headers().firstValue("Retry-After")).isPresent();
    assertThat(TestServer.json(full)).containsEntry("detail", "thermo has enough").containsEntry("full", "function");
    assertThat(TestServer.json(server.post("/api/v1/dead-letters/replay?function=thermo", ""))).containsEntry("replayed", 0);
    journal.failure = new JournalFull(JournalFull.Reason.TOO_LARGE, "too much");
    problem(server.post("/api/v1/dead-letters/1/replay", ""), 413, "too-large");
    journal.failure = new JournalUnavailable("read-only", null);
    problem(delete("/api/v1/dead-letters/1?confirm=true"), 503, "journal-unavailable");
    assertThat(journal.deadLetters(0, 9)).hasSize(1);
  }

  @Test
  void provesWhatHappenedInASpanOfTime() throws Exception {
    assertThat(server.get("/api/v1/audit?from=2026-11-21T11:00:00Z&to=2026-11-21T12:00:00Z").body()).isEqualTo(
        "{\"from\":\"2026-11-21T11:00:00Z\",\"to\":\"2026-11-21T12:00:00Z\",\"accepted\":7,\"done\":4,\"deadLettered\":1,"
        + "\"pending\":2,\"duplicates\":3,\"unbroken\":true,\"problems\":[],\"head\":\"c0ffee\"}");

    Instant before = Instant.now().minusMillis(1);
    journal.unbroken = false;
    assertThat(TestServer.json(server.get("/api/v1/audit"))).containsEntry("unbroken", false)
        .containsEntry("problems", List.of("2.seg: flipped"));
    assertThat(journal.auditedFrom).isEqualTo(Instant.EPOCH);
    assertThat(journal.auditedTo).isAfter(before);
    problem(server.get("/api/v1/audit?from=yesterday"), 400, "bad-parameter");
    problem(server.get("/api/v1/audit?from=2026-11-21T12:00:00Z&to=2026-11-21T11:00:00Z"), 400, "bad-parameter");
  }

  @Test
  void tellsWhatTheJournalHoldsAndWhatItDoesToTheDisk() throws Exception {
    letter("thermo");
    String usage = "{\"liveBytes\":1048576,\"limitBytes\":20971520,\"fileBytes\":8388608,\"pending\":0,\"outgoing\":5,"
        + "\"deadLetters\":1,\"remembered\":0,\"stateKeys\":9,\"writtenBytes\":3000,\"syncs\":10,\"groups\":12,"
        + "\"changes\":40,\"copied\":2,\"bytesPerChange\":75.0,\"syncsPerChange\":0.25,\"duplicates\":3,\"refused\":1,"
        + "\"setAside\":0,\"functions\":{\"thermo\":4096}}";

    assertThat(server.get("/api/v1/journal").body()).isEqualTo(usage);
    assertThat(server.get("/api/v1/status").body()).contains("\"journal\":" + usage);
    assertThat(server.get("/api/v1/metrics").body()).contains("weir_journal_dead_letters 1\n",
        "# TYPE weir_journal_written_bytes_total counter\nweir_journal_written_bytes_total 3000\n",
        "weir_journal_syncs_total 10\n", "weir_journal_function_bytes{function=\"thermo\"} 4096\n");
    assertThat(server.send(server.request("/api/v1/metrics").header("Accept", "application/openmetrics-text")).body())
        .contains("# TYPE weir_journal_written_bytes counter\nweir_journal_written_bytes_total 3000\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET /dead-letters", "GET /dead-letters/1", "DELETE /dead-letters/1?confirm=true",
      "DELETE /dead-letters?function=thermo&confirm=true", "POST /dead-letters/1/replay",
      "POST /dead-letters/replay?function=thermo", "GET /audit", "GET /journal"})
  void saysWhatToDoWhereThereIsNoJournal(String request) throws Exception {
    server.fakes.without = true;
    String[] words = request.split(" ");

    HttpResponse<String> response = server.send(server.request("/api/v1" + words[1])
        .method(words[0], BodyPublishers.noBody()));

    problem(response, 503, "journal-unavailable");
    assertThat(response.body()).contains("/api/v1/status", "io.weir.journal");
    assertThat(server.get("/api/v1/status").body()).contains("\"journal\":null");
    assertThat(server.get("/api/v1/metrics").body()).doesNotContain("weir_journal");
  }
}
