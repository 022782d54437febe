package io.weir.gateway.http.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.function.Promise.Level;
import io.weir.invocation.Header;
import io.weir.invocation.Invocation;
import io.weir.invocation.JournalFull;
import io.weir.invocation.JournalUnavailable;
import io.weir.invocation.Outcome;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class KeptCallsTest {
  private final BlockingQueue<Invocation> seen = new LinkedBlockingQueue<>();
  private final CountDownLatch released = new CountDownLatch(1);
  private TestServer server;

  @BeforeEach
  void start() throws Exception {
    server = new TestServer();
    answer(invocation -> Fakes.replied(201, "made " + text(invocation), new Header("X-Number", "1"),
        new Header("X-Number", "2"), new Header("Content-Type", "text/x-mine"), new Header("Connection", "close")));
  }

  @AfterEach
  void stop() throws Exception {
    released.countDown();
    server.close();
  }

  private void answer(Fakes.Behaviour behaviour) {
    server.fakes.behaviour = invocation -> {
      seen.add(invocation);
      return behaviour.answer(invocation);
    };
  }

  private void answerOnlyWhenReleased() {
    answer(invocation -> {
      try {
        released.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      return Fakes.replied(200, "late");
    });
  }

  private static String text(Invocation invocation) throws java.io.IOException {
    return new String(invocation.body().open().readAllBytes(), StandardCharsets.UTF_8);
  }

  private HttpResponse<String> call(String path, String body, String... headers) throws Exception {
    return server.send(with(server.request(path), headers).POST(BodyPublishers.ofString(body)));
  }

  private HttpResponse<String> keyed(String key, String body) throws Exception {
    return call("/function/echo/x", body, "Idempotency-Key", key);
  }

  private HttpResponse<String> async(String body, String... more) throws Exception {
    return server.send(with(server.request("/function/echo/x").header("Prefer", "respond-async"), more)
        .POST(BodyPublishers.ofString(body)));
  }

  private static HttpRequest.Builder with(HttpRequest.Builder request, String... headers) {
    return headers.length == 0 ? request : request.headers(headers);
  }

  private static void problem(HttpResponse<String> response, int status, String code) throws Exception {
    assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
    assertThat(TestServer.json(response)).containsEntry("code", code);
  }

  private static String field(HttpResponse<?> response, String name) {
    return response.headers().firstValue(name).orElse("");
  }

  /** Asks until it has ended. */
  private Map<String, Object> outcome(String path) throws Exception {
    Map<String, Object> outcome = TestServer.json(server.get(path));
    while ("pending".equals(outcome.get("state"))) {
      Thread.onSpinWait();
      outcome = TestServer.json(server.get(path));
    }
    return outcome;
  }

  @Test
  void answersTheSameKeyFromTheJournal() throws Exception {
    HttpResponse<String> first = keyed("\"k-1\"", "21.5");
    HttpResponse<String> second = keyed("\"k-1\"", "21.5");

    assertThat(first.statusCode()).isEqualTo(201);
    assertThat(first.body()).isEqualTo("made 21.5");
    assertThat(first.headers().firstValue("Weir-Replayed")).isEmpty();
    assertThat(second.statusCode()).isEqualTo(201);
    assertThat(second.body()).isEqualTo("made 21.5");
    assertThat(second.headers().allValues("X-Number")).containsExactly("1", "2");
    assertThat(second.headers().allValues("Content-Type")).containsExactly("text/x-mine");
    assertThat(second.headers().firstValue("Connection")).isEmpty();
    assertThat(second.headers().firstValue("Weir-Replayed")).contains("true");
    assertThat(field(second, "Weir-Invocation")).isNotEmpty().isEqualTo(field(first, "Weir-Invocation"));
    assertThat(second.headers().map().keySet()).noneMatch(name -> name.startsWith(":"));
    assertThat(seen).singleElement().satisfies(invocation -> {
      assertThat(invocation.streamed()).isFalse();
      assertThat(invocation.trigger()).isEqualTo("http");
      assertThat(invocation.target()).isEqualTo("/x");
      assertThat(invocation.headers()).contains(new Header("Idempotency-Key", "\"k-1\""));
    });
    assertThat(server.fakes.courier.promises).allMatch(promise -> promise.level() == Level.EXACTLY_ONCE);
  }

  @Test
  void handlesOtherKeysAndOtherFunctionsKeysByThemselves() throws Exception {
    keyed("\"k-1\"", "1");
    keyed("\"k-2\"", "1");
    call("/thermo/x", "1", "Idempotency-Key", "\"k-1\"");
    call("/function/echo/x", "1");

    assertThat(seen).hasSize(4);
  }

  @Test
  void refusesAKeyForAnotherCall() throws Exception {
    keyed("\"k-1\"", "1");

    problem(keyed("\"k-1\"", "2"), 422, "key-reused");
    problem(call("/function/echo/y", "1", "Idempotency-Key", "\"k-1\""), 422, "key-reused");
    problem(call("/function/echo/x", "1", "Idempotency-Key", "\"k-1\"", "Content-Type", "a/b"), 422, "key-reused");
    problem(server.send(server.request("/function/echo/x").header("Idempotency-Key", "\"k-1\"")
        .PUT(BodyPublishers.ofString("1"))), 422, "key-reused");
    problem(async("2", "Idempotency-Key", "\"k-1\""), 422, "key-reused");
    assertThat(seen).hasSize(1);
    assertThat(keyed("\"k-1\"", "1").statusCode()).isEqualTo(201);
  }

  @Test
  void letsTheSameCallComeBackLaterWhileTheFirstIsRunning() throws Exception {
    answerOnlyWhenReleased();
    CompletableFuture<HttpResponse<String>> first = CompletableFuture.supplyAsync(() -> {
      try {
        return keyed("\"k-1\"", "1");
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    });
    seen.take();

    HttpResponse<String> second = keyed("\"k-1\"", "1");
    HttpResponse<String> other = keyed("\"k-1\"", "2");
    released.countDown();

    problem(second, 409, "still-running");
    assertThat(field(second, "Retry-After")).isEqualTo("1");
    assertThat(second.headers().firstValue("Weir-Replayed")).isEmpty();
    problem(other, 422, "key-reused");
    assertThat(first.get().body()).isEqualTo("late");
    assertThat(keyed("\"k-1\"", "1").body()).isEqualTo("late");
    assertThat(seen).isEmpty();
  }

  @Test
  void letsACallGoOnWhoseCallerHasNoTime() throws Exception {
    answerOnlyWhenReleased();

    HttpResponse<String> response = call("/function/echo/x", "1", "Idempotency-Key", "k", "Prefer", "wait=1");
    released.countDown();

    problem(response, 504, "still-running");
    assertThat(outcome((String) TestServer.json(response).get("outcome"))).containsEntry("state", "done");
    assertThat(call("/function/echo/x", "1", "Idempotency-Key", "k").body()).isEqualTo("late");
    assertThat(seen).hasSize(1);
  }

  @Test
  void keepsTheAnswerForACallerThatWentAway() throws Exception {
    answerOnlyWhenReleased();
    server.raw("POST /function/echo/x HTTP/1.1\r\nHost: x\r\nIdempotency-Key: \"k\"\r\nContent-Length: 1\r\n\r\n1").close();
    seen.take();
    released.countDown();

    HttpResponse<String> again;
    do {
      again = call("/function/echo/x", "1", "Idempotency-Key", "k");
    } while (again.statusCode() == 409);

    assertThat(again.statusCode()).as("the first one had no Content-Type either").isEqualTo(200);
    assertThat(again.body()).isEqualTo("late");
    assertThat(seen).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"\"\"", "\"a", "a\"", "a b", "\"a\" ", "\"a\"b", "a,b", "\"a\u00e4\"", "\"a\\"})
  void wantsAKeyThatIsOne(String key) throws Exception {
    try (TestServer.Raw raw = server.raw("POST /function/echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nIdempotency-Key: "
        + key + "\r\nContent-Length: 0\r\n\r\n")) {
      assertThat(raw.untilEnd()).startsWith(key.equals("\"a\" ") ? "HTTP/1.1 201" : "HTTP/1.1 400");
    }
    problem(call("/function/echo", "", "Idempotency-Key", "x".repeat(256)), 400, "bad-idempotency-key");
    problem(call("/function/echo", "", "Idempotency-Key", "a", "Idempotency-Key", "b"), 400, "bad-idempotency-key");
  }

  @Test
  void doesNotMindWhetherTheKeyIsQuoted() throws Exception {
    keyed("\"8e03978e-40d5-43e8-bc93-6894a57f9324\"", "1");

    assertThat(field(keyed("8e03978e-40d5-43e8-bc93-6894a57f9324", "1"), "Weir-Replayed")).isEqualTo("true");
  }

  @Test
  void refusesABodyThatIsTooLargeToKeep() throws Exception {
    String large = "x".repeat(TestServer.MAX_KEPT + 1);

    problem(keyed("k", large), 413, "too-large");
    problem(async(large), 413, "too-large");
    problem(server.send(server.request("/function/echo").header("Idempotency-Key", "k").POST(BodyPublishers.ofInputStream(
        () -> new ByteArrayInputStream(large.getBytes(StandardCharsets.UTF_8))))), 413, "too-large");
    assertThat(call("/function/echo", large).statusCode()).as("without a key").isEqualTo(201);
    assertThat(keyed("k", "x".repeat(TestServer.MAX_KEPT)).statusCode()).as("answer and all").isEqualTo(502);
  }

  @Test
  void saysEachTimeThatAnAnswerWasTooLargeToKeep() throws Exception {
    answer(invocation -> Fakes.replied(200, "x".repeat(TestServer.MAX_KEPT + 1)));

    problem(keyed("k", "1"), 502, "answer-too-large");
    HttpResponse<String> second = keyed("k", "1");
    problem(second, 502, "answer-too-large");
    assertThat(field(second, "Weir-Replayed")).isEqualTo("true");
    assertThat(seen).hasSize(1);
  }

  @Test
  void keepsNoAnswerThatBrokeOff() throws Exception {
    answer(invocation -> Fakes.replied(200, InputStream.nullInputStream(), 5, Duration.ZERO, () -> { }));

    problem(keyed("k", "1"), 502, "dead-letter");
  }

  @Test
  void answersAHeadWithoutABody() throws Exception {
    answer(invocation -> Fakes.replied(200, InputStream.nullInputStream(), 4711, Duration.ZERO, () -> { }));

    for (int i = 0; i < 2; i++) {
      HttpResponse<String> response = server.send(server.request("/function/echo").header("Idempotency-Key", "k")
          .method("HEAD", BodyPublishers.noBody()));
      assertThat(response.statusCode()).isEqualTo(200);
      assertThat(response.headers().firstValue("Content-Length")).contains("4711");
    }
    assertThat(seen).hasSize(1);
  }

  @Test
  void saysWhereTheOutcomeOfACallWillBe() throws Exception {
    answerOnlyWhenReleased();

    HttpResponse<String> accepted = server.send(server.request("/function/echo/x")
        .header("Prefer", "handling=lenient, respond-async; wait=10").header("Prefer", "wait=10, respond-async, return=minimal")
        .POST(BodyPublishers.ofString("1")));

    assertThat(accepted.statusCode()).isEqualTo(202);
    assertThat(field(accepted, "Preference-Applied")).isEqualTo("respond-async");
    String location = field(accepted, "Location");
    assertThat(location).startsWith("/api/v1/outcomes/echo.");
    assertThat(TestServer.json(accepted)).containsEntry("outcome", location);
    HttpResponse<String> pending = server.get(location);
    assertThat(TestServer.json(pending)).containsEntry("state", "pending").containsEntry("attempts", 0)
        .containsEntry("function", "echo").containsEntry("answer", null);
    assertThat(field(pending, "Retry-After")).isEqualTo("1");
    released.countDown();
    assertThat(outcome(location)).containsEntry("state", "done").containsEntry("answer",
        TestServer.json("{\"status\": 200, \"headers\": [], \"body\": \"late\", \"bodyBase64\": null}"));
    assertThat(seen.take().headers().stream().filter(header -> header.name().equalsIgnoreCase("Prefer")))
        .extracting(Header::value).containsExactly("handling=lenient, respond-async; wait=10, return=minimal");
    assertThat(server.fakes.courier.promises).allMatch(promise -> promise.level() == Level.AT_LEAST_ONCE);
    problem(server.get("/api/v1/outcomes/echo.nobody"), 404, "unknown-outcome");
    problem(server.get("/api/v1/outcomes/echo.0123456789012345678901"), 404, "unknown-outcome");
  }

  @Test
  void tellsTheSameCallTheSamePlace() throws Exception {
    answerOnlyWhenReleased();
    HttpResponse<String> first = async("1", "Idempotency-Key", "k");
    HttpResponse<String> second = async("1", "Idempotency-Key", "k");
    problem(keyed("k", "1"), 409, "still-running");
    released.countDown();
    outcome(field(first, "Location"));
    HttpResponse<String> third = async("1", "Idempotency-Key", "k");

    assertThat(List.of(first.statusCode(), second.statusCode(), third.statusCode())).containsOnly(202);
    assertThat(field(second, "Location")).isEqualTo(field(first, "Location")).isEqualTo(field(third, "Location"));
    assertThat(field(first, "Weir-Replayed")).isEmpty();
    assertThat(field(second, "Weir-Replayed")).isEqualTo("true");
    assertThat(keyed("k", "1").body()).isEqualTo("late");
    assertThat(seen).hasSize(1);
  }

  @Test
  void tellsOfADeadLetterAndOfWhatBecomesOfIt() throws Exception {
    answer(invocation -> Fakes.replied(500, "no"));

    HttpResponse<String> first = keyed("k", "1");
    HttpResponse<String> second = keyed("k", "1");
    String location = (String) TestServer.json(first).get("outcome");

    problem(first, 502, "dead-letter");
    assertThat(TestServer.json(first)).containsEntry("reason", "status-500").containsEntry("deadLetter", 1);
    problem(second, 502, "dead-letter");
    assertThat(field(second, "Weir-Replayed")).isEqualTo("true");
    problem(keyed("k", "2"), 422, "key-reused");
    assertThat(TestServer.json(server.get(location))).containsEntry("state", "dead").containsEntry("reason", "status-500")
        .containsEntry("deadLetter", 1);
    assertThat(seen).hasSize(1);

    answer(invocation -> Fakes.replied(200, "mended " + text(invocation)));
    server.post("/api/v1/dead-letters/1/replay", "{\"body\": \"3\"}");
    assertThat(outcome(location)).containsEntry("state", "done");
    assertThat(keyed("k", "1").body()).as("the call is still the one that was made").isEqualTo("mended 3");
  }

  @Test
  void finishesWhatAnEarlierGatewayAccepted() throws Exception {
    server.fakes.courier.away = true;
    String location = field(async("1", "Idempotency-Key", "k"), "Location");

    server.fakes.courier.away = false;
    try (KeptCalls later = new KeptCalls(server.fakes, 1000, 1000, Clock.systemUTC())) {
      server.fakes.courier.answers = later;
      server.fakes.courier.look();
      assertThat(outcome(location)).containsEntry("state", "done");
    }
    assertThat(keyed("k", "1").body()).isEqualTo("made 1");
    assertThat(seen).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource({"FUNCTION, 503, journal-full", "TOTAL, 503, journal-full", "DISK, 503, journal-full",
      "BUSY, 503, journal-full", "TOO_LARGE, 413, too-large"})
  void saysThatTheJournalIsFull(JournalFull.Reason reason, int status, String code) throws Exception {
    server.fakes.journal.failure = new JournalFull(reason, "no room");

    for (HttpResponse<String> response : List.of(keyed("k", "1"), async("1"))) {
      problem(response, status, code);
      assertThat(response.headers().firstValue("Retry-After").isPresent()).isEqualTo(status == 503);
      assertThat(response.headers().firstValue("Location")).isEmpty();
    }
    server.fakes.journal.failure = null;
    assertThat(keyed("k", "1").statusCode()).isEqualTo(201);
    assertThat(call("/function/echo", "1").statusCode()).isEqualTo(201);
  }

  @Test
  void saysThatTheJournalCannotWrite() throws Exception {
    server.fakes.journal.failure = new JournalUnavailable("the disk is read-only", null);

    problem(keyed("k", "1"), 503, "journal-unavailable");
    assertThat(seen).isEmpty();
    assertThat(call("/function/echo", "1").statusCode()).isEqualTo(201);
  }

  @Test
  void servesOtherCallsWhereThereIsNoJournal() throws Exception {
    server.fakes.withoutJournal = true;

    problem(keyed("k", "1"), 503, "journal-unavailable");
    problem(async("1"), 503, "journal-unavailable");
    problem(server.get("/api/v1/outcomes/echo.0123456789012345678901"), 503, "journal-unavailable");
    assertThat(seen).isEmpty();
    HttpResponse<String> plain = call("/function/echo", "1", "Prefer", "return=minimal, wait=5");
    assertThat(plain.statusCode()).isEqualTo(201);
    assertThat(seen.take().headers()).contains(new Header("Prefer", "return=minimal, wait=5"));
    assertThat(plain.headers().firstValue("Preference-Applied")).isEmpty();
  }

  @Test
  void knowsNoOutcomeOfAFunctionThatIsNotThere() throws Exception {
    problem(call("/function/nobody", "1", "Idempotency-Key", "k"), 404, "unknown-function");
    answer(invocation -> new Outcome.Failed("timeout", "too slow", true));
    assertThat(TestServer.json(keyed("k", "1"))).containsEntry("reason", "timeout");
  }
}
