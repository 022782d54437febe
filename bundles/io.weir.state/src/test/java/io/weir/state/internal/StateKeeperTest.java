package io.weir.state.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.weir.function.FunctionName;
import io.weir.invocation.InvocationJournal.StateRoom;
import io.weir.invocation.JournalFull;
import io.weir.invocation.JournalUnavailable;
import io.weir.invocation.StateAttempts;
import io.weir.invocation.StateChange;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StateKeeperTest {
  private static final FunctionName NAME = new FunctionName("f");
  private static final FunctionName OTHER = new FunctionName("g");

  @TempDir Path data;
  private final MemoryState journal = new MemoryState();
  private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private StateKeeper keeper;

  @BeforeEach
  void start() throws IOException {
    keeper = new StateKeeper(data);
    keeper.journal(journal);
  }

  @AfterEach
  void stop() {
    keeper.close();
  }

  private Map<String, String> environment(FunctionName function) {
    return keeper.of(function, Optional.of(InetAddress.getLoopbackAddress()));
  }

  private HttpRequest.Builder request(FunctionName function, String key, String... headers) {
    Map<String, String> found = environment(function);
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(found.get("WEIR_STATE_URL") + key))
        .header("Authorization", "Bearer " + found.get("WEIR_STATE_TOKEN"));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return request;
  }

  private HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
    return client.send(request.build(), BodyHandlers.ofString());
  }

  private HttpResponse<String> get(String key, String... headers) throws Exception {
    return send(request(NAME, key, headers).GET());
  }

  private HttpResponse<String> put(String key, String value, String... headers) throws Exception {
    return send(request(NAME, key, headers).PUT(BodyPublishers.ofString(value)));
  }

  private HttpResponse<String> delete(String key, String... headers) throws Exception {
    return send(request(NAME, key, headers).DELETE());
  }

  private static void assertProblem(HttpResponse<String> answer, int status, String code) {
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
    assertThat(answer.headers().firstValue("Content-Type")).contains("application/problem+json");
    assertThat(answer.body()).contains("\"code\":\"" + code + "\"");
  }

  private static String[] of(StateAttempts.Attempt attempt) {
    return new String[] {"Weir-Attempt", attempt.id()};
  }

  // --- by itself -----------------------------------------------------------------------------------------------------

  @Test
  void keepsWhatIsPutAndForgetsWhatIsDeleted() throws Exception {
    assertProblem(get("/k"), 404, "no-such-key");

    HttpResponse<String> put = put("/k", "v");
    assertThat(put.statusCode()).isEqualTo(204);
    HttpResponse<String> got = get("/k");
    assertThat(got.body()).isEqualTo("v");
    assertThat(got.headers().firstValue("ETag")).isPresent().isEqualTo(put.headers().firstValue("ETag"));
    assertThat(send(request(NAME, "/k").method("HEAD", BodyPublishers.noBody())).headers().firstValue("Content-Length"))
        .contains("1");

    assertThat(delete("/k").statusCode()).isEqualTo(204);
    assertThat(get("/k").statusCode()).isEqualTo(404);
    assertThat(delete("/k").statusCode()).isEqualTo(204);
  }

  @Test
  void saysThatItIsKeptOnlyWhenItIs() throws Exception {
    journal.eager = false;
    CompletableFuture<HttpResponse<String>> put =
        client.sendAsync(request(NAME, "/k").PUT(BodyPublishers.ofString("v")).build(), BodyHandlers.ofString());
    awaitAsked();
    assertThat(put).isNotDone();

    journal.write();
    assertThat(put.get(10, TimeUnit.SECONDS).statusCode()).isEqualTo(204);
  }

  private void awaitAsked() {
    while (journal.waiting() == 0) {
      Thread.onSpinWait();
    }
  }

  @Test
  void listsKeysAndTakesThemAsTheyAreMeant() throws Exception {
    put("/b", "1");
    put("/a%2Fb%20%22%C3%BC", "2");

    assertThat(get("").body()).isEqualTo("{\"keys\":[\"a/b \\\"ü\",\"b\"]}");
    assertThat(get("/a/b%20%22%C3%BC").body()).isEqualTo("2");
  }

  @Test
  void changesOnlyWhatIsAsExpected() throws Exception {
    String tag = put("/k", "1", "If-None-Match", "*").headers().firstValue("ETag").orElseThrow();
    assertProblem(put("/k", "x", "If-None-Match", "*"), 412, "precondition-failed");
    assertProblem(put("/k", "x", "If-Match", "\"other\""), 412, "precondition-failed");
    assertProblem(delete("/none", "If-Match", "*"), 412, "precondition-failed");

    assertThat(put("/k", "2", "If-Match", tag).statusCode()).isEqualTo(204);
    assertProblem(put("/k", "3", "If-Match", tag), 412, "precondition-failed");
    assertThat(get("/k").body()).isEqualTo("2");
  }

  @Test
  void ofManyThatExpectTheSameOneSucceeds() throws Exception {
    journal.eager = false;
    List<CompletableFuture<HttpResponse<String>>> puts = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      puts.add(client.sendAsync(request(NAME, "/k", "If-None-Match", "*").PUT(BodyPublishers.ofString("v" + i)).build(),
          BodyHandlers.ofString()));
    }
    awaitAsked();
    journal.eager = true;
    journal.write();

    List<Integer> statuses = new ArrayList<>();
    for (CompletableFuture<HttpResponse<String>> put : puts) {
      statuses.add(put.get(10, TimeUnit.SECONDS).statusCode());
    }
    assertThat(statuses).containsOnlyOnce(204).containsOnly(204, 412);
  }

  // --- while an event is handled -------------------------------------------------------------------------------------

  @Test
  void anAttemptSeesWhatItChangedAndNobodyElseDoes() throws Exception {
    put("/gone", "1");
    StateAttempts.Attempt attempt = keeper.begin(NAME, "e1");
    assertThat(put("/k", "new", of(attempt)).statusCode()).isEqualTo(204);
    assertThat(delete("/gone", of(attempt)).statusCode()).isEqualTo(204);

    assertThat(get("/k", of(attempt)).body()).isEqualTo("new");
    assertThat(get("/gone", of(attempt)).statusCode()).isEqualTo(404);
    assertThat(get("", of(attempt)).body()).isEqualTo("{\"keys\":[\"k\"]}");
    assertThat(get("/k").statusCode()).isEqualTo(404);
    assertThat(get("/gone").body()).isEqualTo("1");

    StateAttempts.Ending ending = attempt.close();
    assertThat(ending.counts()).isTrue();
    assertThat(ending.changes()).extracting(StateChange::key).containsExactly("k", "gone");
  }

  @Test
  void anAttemptThatHasEndedChangesNothing() throws Exception {
    StateAttempts.Attempt first = keeper.begin(NAME, "e1");
    put("/k", "first", of(first));
    first.drop();
    StateAttempts.Attempt second = keeper.begin(NAME, "e1");

    assertProblem(put("/k", "late", of(first)), 409, "attempt-over");
    assertProblem(get("/k", of(first)), 409, "attempt-over");
    assertProblem(put("/k", "?", "Weir-Attempt", "unknown"), 409, "attempt-over");
    assertThat(get("/k", of(second)).statusCode()).isEqualTo(404);
    assertThat(second.close().changes()).isEmpty();
  }

  @Test
  void anEventsIdAloneDoesNotSayWhichAttempt() throws Exception {
    StateAttempts.Attempt attempt = keeper.begin(NAME, "e1");

    assertProblem(put("/k", "v", "ce-id", "e1"), 400, "attempt-missing");
    assertProblem(put("/k", "v", "ce-id", "e2", "Weir-Attempt", attempt.id()), 409, "attempt-over");
    assertThat(put("/k", "v", "ce-id", "e1", "Weir-Attempt", attempt.id()).statusCode()).isEqualTo(204);
    assertThat(put("/k", "v", "ce-id", "e9").statusCode()).isEqualTo(204);
  }

  @Test
  void anAttemptThatSawWhatHasChangedDoesNotCount() throws Exception {
    StateAttempts.Attempt a = keeper.begin(NAME, "a");
    StateAttempts.Attempt b = keeper.begin(NAME, "b");
    StateAttempts.Attempt c = keeper.begin(NAME, "c");
    get("/k", of(a));
    get("/k", of(b));
    get("/else", of(c));
    put("/k", "1", of(a));
    put("/k", "1", of(b));
    put("/k", "blind", of(c));

    assertThat(a.close().counts()).isTrue();
    StateAttempts.Ending late = b.close();
    assertThat(late.counts()).isFalse();
    assertThat(late.why()).contains("key k");
    assertThat(c.close().counts()).as("it read nothing of that").isTrue();
  }

  @Test
  void whoReadsWaitsForWhatIsBeingKept() throws Exception {
    StateAttempts.Attempt a = keeper.begin(NAME, "a");
    put("/k", "1", of(a));
    StateAttempts.Ending ending = a.close();
    StateAttempts.Attempt b = keeper.begin(NAME, "b");
    CompletableFuture<HttpResponse<String>> read =
        client.sendAsync(request(NAME, "/k", of(b)).GET().build(), BodyHandlers.ofString());
    assertThat(get("/other").statusCode()).isEqualTo(404);
    assertThat(read).isNotDone();

    journal.apply(NAME, ending.changes());
    a.settled();
    assertThat(read.get(10, TimeUnit.SECONDS).body()).isEqualTo("1");
    assertThat(b.close().counts()).isTrue();
  }

  @Test
  void whatIsPutByItselfInvalidatesWhatAnAttemptSaw() throws Exception {
    StateAttempts.Attempt attempt = keeper.begin(NAME, "a");
    get("/k", of(attempt));
    put("/k", "1");

    assertThat(attempt.close().counts()).isFalse();
  }

  @Test
  void attemptsDoNotOutliveTheirKeeper() throws Exception {
    StateAttempts.Attempt attempt = keeper.begin(NAME, "a");
    put("/k", "1", of(attempt));
    keeper.close();

    assertThat(attempt.close().counts()).isFalse();
  }

  // --- who it is -----------------------------------------------------------------------------------------------------

  @Test
  void aFunctionSeesNothingOfAnother() throws Exception {
    put("/k", "1");
    StateAttempts.Attempt mine = keeper.begin(NAME, "a");

    assertThat(send(request(OTHER, "/k").GET()).statusCode()).isEqualTo(404);
    assertThat(send(request(OTHER, "").GET()).body()).isEqualTo("{\"keys\":[]}");
    assertProblem(send(request(OTHER, "/k", of(mine)).GET()), 409, "attempt-over");
    String url = environment(NAME).get("WEIR_STATE_URL") + "/k";
    assertProblem(send(HttpRequest.newBuilder(URI.create(url))), 401, "no-token");
    String token = environment(OTHER).get("WEIR_STATE_TOKEN").replaceFirst("^g", "f");
    assertProblem(send(HttpRequest.newBuilder(URI.create(url)).header("Authorization", "Bearer " + token)), 401, "no-token");
  }

  @Test
  void instancesOfBeforeFindTheirWayAfterARestart() throws Exception {
    Map<String, String> before = environment(NAME);
    keeper.close();
    start();

    assertThat(environment(NAME)).isEqualTo(before);
    assertThat(put("/k", "1").statusCode()).isEqualTo(204);
    assertThat(Files.getPosixFilePermissions(data.resolve("state.secret"))).hasSize(2);
  }

  @Test
  void aFunctionThatCannotReachTheGatewayFindsNothing() {
    assertThat(keeper.of(NAME, Optional.empty())).isEmpty();
  }

  // --- bad input -----------------------------------------------------------------------------------------------------

  @Test
  void refusesWhatIsNoKey() throws Exception {
    assertThat(raw(head("GET", "/%") + "\r\n")).startsWith("HTTP/1.1 400 ").contains("bad-key");
    assertThat(raw(head("GET", "/%G0") + "\r\n")).startsWith("HTTP/1.1 400 ").contains("bad-key");
    assertProblem(get("/%FF"), 400, "bad-key");
    assertProblem(get("/" + "k".repeat(257)), 400, "bad-key");
    assertThat(put("/" + "k".repeat(256), "v").statusCode()).isEqualTo(204);
    assertProblem(put("/", "v"), 405, "method-not-allowed");
    assertProblem(send(request(NAME, "/k").POST(BodyPublishers.ofString("v"))), 405, "method-not-allowed");
    assertProblem(send(request(NAME, "s")), 404, "not-found");
    for (String ttl : List.of("0", "-1", "1.5", "soon", "99999999999")) {
      assertProblem(put("/k", "v", "Weir-TTL", ttl), 400, "bad-ttl");
    }
  }

  @Test
  void refusesWhatIsTooLarge() throws Exception {
    assertProblem(put("/k", "v".repeat((1 << 16) + 1)), 413, "too-large");
    assertProblem(put("/k", "v".repeat(1 << 20)), 413, "too-large");
    assertThat(put("/k", "v".repeat(1 << 16)).statusCode()).isEqualTo(204);
    StateAttempts.Attempt attempt = keeper.begin(NAME, "a");
    for (int i = 0; i < 3; i++) {
      assertThat(put("/" + i, "v".repeat(1 << 16), of(attempt)).statusCode()).isEqualTo(204);
    }
    assertProblem(put("/3", "v".repeat(1 << 16), of(attempt)), 413, "attempt-too-large");
    assertThat(put("/2", "v", of(attempt)).statusCode()).isEqualTo(204);
    assertThat(put("/3", "v".repeat(1 << 15), of(attempt)).statusCode()).isEqualTo(204);
  }

  @Test
  void refusesWhatThereIsNoRoomForWhileItCanStillBeSaid() throws Exception {
    put("/old", "v".repeat(2000));
    journal.room = new StateRoom(2500, 3000, 1 << 16);
    StateAttempts.Attempt attempt = keeper.begin(NAME, "a");

    assertProblem(put("/new", "v".repeat(2000), of(attempt)), 507, "state-full");
    assertThat(put("/old", "w".repeat(2000), of(attempt)).statusCode()).isEqualTo(204);
    journal.failure = new JournalFull(JournalFull.Reason.STATE, "full");
    assertProblem(put("/k", "v"), 507, "state-full");
    journal.failure = new JournalFull(JournalFull.Reason.TOTAL, "full");
    assertProblem(put("/k", "v"), 503, "journal-full");
    journal.failure = new JournalUnavailable("no disk", null);
    assertProblem(put("/k", "v"), 503, "journal-unavailable");
    keeper.journal(null);
    assertProblem(get("/k"), 503, "journal-unavailable");
  }

  @Test
  void answersWhatIsNoRequestAndGoesOn() throws Exception {
    assertThat(raw("NONSENSE\r\n\r\n")).startsWith("HTTP/1.1 400 ");
    assertThat(raw("GET /state/k HTTP/1.1\r\nno field\r\n\r\n")).startsWith("HTTP/1.1 400 ");
    assertThat(raw("PUT /state/k HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"))
        .startsWith("HTTP/1.1 411 ").contains("length-required");
    assertThat(raw("PUT /state/k HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx")).startsWith("HTTP/1.1 400 ");
    assertThat(raw("GET /state/k HTTP/1.1\r\nX: " + "x".repeat(20_000) + "\r\n\r\n")).startsWith("HTTP/1.1 431 ");
    assertThat(get("/k").statusCode()).isEqualTo(404);
  }

  private String head(String method, String key) {
    return method + " /state" + key + " HTTP/1.1\r\nConnection: close\r\nAuthorization: Bearer "
        + environment(NAME).get("WEIR_STATE_TOKEN") + "\r\n";
  }

  @Test
  void answersRequestsThatCameTogetherAndThoseThatAskFirst() throws Exception {
    String authorization = "Authorization: Bearer " + environment(NAME).get("WEIR_STATE_TOKEN") + "\r\n";

    String answers = raw("PUT /state/k HTTP/1.1\r\n" + authorization + "Content-Length: 3\r\n\r\none"
        + "GET /state/k HTTP/1.1\r\n" + authorization + "\r\n"
        + "PUT /state/k HTTP/1.1\r\n" + authorization + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n", "two"
        + "GET /state/k HTTP/1.1\r\nConnection: close\r\n" + authorization + "\r\n");

    assertThat(answers.split("HTTP/1\\.1 ")).hasSize(6);
    assertThat(answers).contains("\r\n\r\none").contains("100 Continue").endsWith("\r\n\r\ntwo");
  }

  /** Sends the parts, each once something was answered to the one before, and reads until the connection is closed. */
  private String raw(String... parts) throws Exception {
    URI at = URI.create(environment(NAME).get("WEIR_STATE_URL"));
    try (Socket socket = new Socket(at.getHost(), at.getPort())) {
      socket.setSoTimeout(20_000);
      InputStream in = socket.getInputStream();
      StringBuilder answer = new StringBuilder();
      for (String part : parts) {
        while (answer.length() == 0 && part != parts[0] || part != parts[0] && !answer.toString().contains("100 Continue")) {
          answer.append((char) in.read());
        }
        socket.getOutputStream().write(part.getBytes(UTF_8));
      }
      return answer.append(new String(in.readAllBytes(), UTF_8)).toString();
    }
  }

  @Test
  void aFunctionWithTooManyConnectionsLosesThoseItDoesNotUse() throws Exception {
    URI at = URI.create(environment(NAME).get("WEIR_STATE_URL"));
    List<Socket> sockets = new ArrayList<>();
    try {
      for (int i = 0; i < 80; i++) {
        sockets.add(new Socket(at.getHost(), at.getPort()));
      }
      sockets.get(0).setSoTimeout(20_000);

      assertThat(sockets.get(0).getInputStream().read()).isEqualTo(-1);
      assertThat(get("/k").statusCode()).isEqualTo(404);
    } finally {
      for (Socket socket : sockets) {
        socket.close();
      }
    }
  }
}
