package io.weir.runner.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.function.Language;
import io.weir.function.Source;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the runner of every language does. The handler of each does what the path says: {@code /event} tells what arrived,
 * {@code /env} the variable GREETING, {@code /nothing} returns nothing, {@code /bytes} bytes, {@code /own} a status, a
 * header and a body of its own, {@code /fail} throws, {@code /split} has a line break in a header, {@code /meet} waits
 * until two requests are in it; anything else returns the body as text after having printed it.
 */
abstract class RunnerContract {
  @TempDir
  private static Path folder;
  private RunnerProcess runner;

  abstract Language language();

  /** @return a handler as the class comment says */
  abstract String handler();

  /** Its line 3 does not parse. */
  abstract String malformed();

  /** Fails when it is loaded, in line 2, with the message {@code no luck}. */
  abstract String unlucky();

  /** Parses, and has no handle. */
  abstract String empty();

  /** A folder of this class, so that what must be compiled is compiled once. */
  @BeforeEach
  void start() throws Exception {
    runner = new RunnerProcess(language(), folder.resolve(language().label()));
  }

  @AfterEach
  void stop() throws Exception {
    runner.close();
  }

  private Source.Handler file(String code) {
    return new Source.Handler(language(), "Thermo" + language().suffix(), code);
  }

  private void load() throws IOException {
    assertThat(runner.load(file(handler()), Map.of("GREETING", "hi \"you\"\n\u00e4\ud83d\ude00"))).isEmpty();
  }

  @Test
  void servesNothingBeforeAHandlerIsLoaded() throws Exception {
    assertThat(runner.get("/").statusCode()).isEqualTo(503);
    assertThat(runner.get("/.weir/load").statusCode()).isEqualTo(503);
    assertThat(runner.post("/x", "{}").statusCode()).isEqualTo(503);
  }

  @Test
  void handsTheEventToTheHandler() throws Exception {
    load();

    HttpResponse<String> answer = runner.post("/event?a=1&b=%20x&a=2", "{\"value\": 1.5}", "ce-id", "17", "ce-type", "t",
        "ce-source", "/s", "ce-subject", "sensors/a", "ce-time", "2026-01-01T00:00:00Z", "X-Own", "own");

    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    assertThat(answer.headers().firstValue("content-type")).contains("application/json");
    assertThat(answer.body().replaceAll("\\s*([,:])\\s*", "$1")).isEqualTo("{\"method\":\"POST\",\"path\":\"/event\","
        + "\"query\":{\"a\":\"2\",\"b\":\" x\"},\"header\":\"own\",\"text\":\"{\\\"value\\\":1.5}\",\"value\":1.5,"
        + "\"id\":\"17\",\"type\":\"t\",\"source\":\"/s\",\"subject\":\"sensors/a\",\"time\":\"2026-01-01T00:00:00Z\"}");
  }

  @Test
  void setsTheEnvironmentBeforeTheCodeRuns() throws Exception {
    load();

    assertThat(runner.get("/env").body()).isEqualTo("hi \"you\"\n\u00e4\ud83d\ude00");
  }

  @Test
  void answersWhatTheHandlerReturns() throws Exception {
    load();

    assertThat(runner.post("/", "t\u00e4xt").body()).isEqualTo("t\u00e4xt");
    assertThat(runner.post("/", "x").headers().firstValue("content-type")).contains("text/plain; charset=utf-8");
    assertThat(runner.get("/nothing").statusCode()).isEqualTo(204);
    assertThat(runner.get("/bytes").headers().firstValue("content-type")).contains("application/octet-stream");
    assertThat(runner.http().send(runner.to("/bytes").build(), BodyHandlers.ofByteArray()).body()).containsExactly(0, 255, 10);
    HttpResponse<String> own = runner.get("/own");
    assertThat(own.statusCode()).isEqualTo(422);
    assertThat(own.headers().firstValue("x-own")).contains("yes");
    assertThat(own.headers().firstValue("content-type")).contains("text/csv");
    assertThat(own.body()).isEqualTo("a,b");
  }

  @Test
  void answersAHeadWithoutABody() throws Exception {
    load();

    HttpResponse<String> answer = runner.http().send(
        runner.to("/own").method("HEAD", BodyPublishers.noBody()).build(), BodyHandlers.ofString());

    assertThat(answer.statusCode()).isEqualTo(422);
    assertThat(answer.headers().firstValue("content-length")).contains("3");
    assertThat(answer.body()).isEmpty();
    assertThat(runner.get("/own").body()).isEqualTo("a,b");
  }

  @Test
  void takesABodyInChunks() throws Exception {
    load();
    String large = "0123456789abcdef".repeat(20_000);

    assertThat(runner.postInChunks("/quiet", new ByteArrayInputStream(large.getBytes(StandardCharsets.UTF_8))).body())
        .isEqualTo(large);
  }

  @Test
  void keepsAConnectionOpenBetweenRequests() throws Exception {
    load();

    try (Socket socket = new Socket(runner.address.getAddress(), runner.address.getPort())) {
      socket.setSoTimeout((int) RunnerProcess.SOON.toMillis());
      for (String word : List.of("one", "two")) {
        OutputStream out = socket.getOutputStream();
        out.write(("POST /quiet HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n" + word).getBytes(StandardCharsets.US_ASCII));
        String answer = "";
        while (!answer.endsWith(word)) {
          int next = socket.getInputStream().read();
          assertThat(next).as(answer).isNotNegative();
          answer += (char) next;
        }
        assertThat(answer).startsWith("HTTP/1.1 200 ");
      }
    }
  }

  @Test
  void servesRequestsAtTheSameTime() throws Exception {
    load();

    List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      answers.add(runner.http().sendAsync(runner.to("/meet").build(), BodyHandlers.ofString()));
    }

    for (CompletableFuture<HttpResponse<String>> answer : answers) {
      assertThat(answer.get(RunnerProcess.SOON.toSeconds(), TimeUnit.SECONDS).body()).isEqualTo("met");
    }
  }

  @Test
  void writesWhatTheHandlerPrintsToTheLogAtOnceAndNothingElse() throws Exception {
    assertThat(runner.get("/").statusCode()).isEqualTo(503);
    load();
    runner.post("/", "h\u00e4llo");

    assertThat(runner.nextLine()).isEqualTo("h\u00e4llo");
    assertThat(runner.saidMore()).isEmpty();
  }

  @Test
  void anExceptionIs500WithAShortTextAndATraceInTheLog() throws Exception {
    load();

    HttpResponse<String> answer = runner.get("/fail");

    assertThat(answer.statusCode()).isEqualTo(500);
    assertThat(answer.body()).contains("out of order").hasLineCount(1);
    StringBuilder trace = new StringBuilder();
    while (!trace.toString().matches("(?s).*Thermo.*") || !trace.toString().contains("out of order")) {
      trace.append(runner.nextLine()).append('\n');
    }
    assertThat(runner.post("/", "goes on").body()).isEqualTo("goes on");
  }

  @Test
  void aHeaderWithALineBreakIsNotSent() throws Exception {
    load();

    HttpResponse<String> answer = runner.get("/split");

    assertThat(answer.statusCode()).isEqualTo(500);
    assertThat(answer.headers().firstValue("injected")).isEmpty();
  }

  @Test
  void theLoadingPathsBelongToTheFunctionOnceItIsLoaded() throws Exception {
    load();

    assertThat(runner.post("/.weir/load", "mine").body()).isEqualTo("mine");
    assertThat(runner.post("/.weir/check", "mine").body()).isEqualTo("mine");
  }

  @Test
  void checksWithoutRunning() throws Exception {
    assertThat(runner.check(file(handler()))).isEmpty();
    assertThat(runner.check(file(unlucky()))).isEmpty();
    assertThat(runner.check(file(malformed())).orElseThrow()).startsWith("line 3: ");
    assertThat(runner.get("/event").statusCode()).isEqualTo(503);
    assertThat(runner.saidMore()).isEmpty();
  }

  @Test
  void refusesWhatDoesNotParseOrHasNoHandle() throws Exception {
    assertThat(runner.load(file(malformed()), Map.of()).orElseThrow()).startsWith("line 3: ");
    try (RunnerProcess another = new RunnerProcess(language(), folder.resolve(language().label()))) {
      assertThat(another.load(file(empty()), Map.of()).orElseThrow()).contains("handle");
    }
  }

  @Test
  void saysWhereLoadingFailedAndIsUselessAfterwards() throws Exception {
    assertThat(runner.load(file(unlucky()), Map.of()).orElseThrow()).contains("no luck").containsPattern("Thermo\\S*(\", line |:)2")
        .doesNotContain("runner.py").doesNotContain("runner.js").doesNotContain("weir.Runner");

    assertThatThrownBy(() -> runner.load(file(handler()), Map.of())).hasMessageContaining("503");
    assertThat(runner.get("/event").statusCode()).isEqualTo(503);
  }

  @Test
  void endsSoonAfterSigterm() throws Exception {
    load();
    HttpRequest waiting = runner.to("/meet").build();
    runner.http().sendAsync(waiting, BodyHandlers.ofString());

    runner.process.destroy();

    assertThat(runner.process.waitFor(RunnerProcess.SOON.toSeconds(), TimeUnit.SECONDS)).isTrue();
  }
}
