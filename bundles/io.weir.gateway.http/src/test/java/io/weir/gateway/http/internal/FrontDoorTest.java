package io.weir.gateway.http.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.invocation.Guarantee;
import io.weir.invocation.Header;
import io.weir.invocation.Invocation;
import io.weir.invocation.Outcome;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class FrontDoorTest {
  private final BlockingQueue<Invocation> seen = new ArrayBlockingQueue<>(100);
  private TestServer server;

  @BeforeEach
  void start() throws Exception {
    server = new TestServer();
    answer(invocation -> Fakes.replied(200, "ok"));
  }

  @AfterEach
  void stop() throws Exception {
    server.close();
  }

  private void answer(Fakes.Behaviour behaviour) {
    server.fakes.behaviour = invocation -> {
      seen.add(invocation);
      return behaviour.answer(invocation);
    };
  }

  @Test
  void passesMethodPathQueryAndBodyAsTheClientWroteThem() throws Exception {
    answer(invocation -> Fakes.replied(201, new String(invocation.body().open().readAllBytes(),
        StandardCharsets.UTF_8).toUpperCase()));

    HttpResponse<String> response = server.send(server.request("/function/echo/a%20b/c?x=%2F&y=1+2")
        .method("PATCH", BodyPublishers.ofString("hello")));

    assertThat(response.statusCode()).isEqualTo(201);
    assertThat(response.body()).isEqualTo("HELLO");
    Invocation invocation = seen.take();
    assertThat(invocation.method()).isEqualTo("PATCH");
    assertThat(invocation.target()).isEqualTo("/a%20b/c?x=%2F&y=1+2");
    assertThat(invocation.function().value()).isEqualTo("echo");
    assertThat(invocation.trigger()).isEqualTo("http");
    assertThat(invocation.streamed()).isTrue();
    assertThat(invocation.guarantee()).isEqualTo(Guarantee.AT_MOST_ONCE);
    assertThat(invocation.body().repeatable()).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"/function/echo, /", "/function/echo/, /", "/function/echo?q, /?q", "/thermo, /", "/thermo/x/y, /x/y",
      "/thermo?a=b, /?a=b", "/th%65rmo/x, /x", "/function/ech%6f/x, /x"})
  void cutsThePrefixOff(String path, String target) throws Exception {
    assertThat(server.get(path).statusCode()).isEqualTo(200);

    assertThat(seen.take().target()).isEqualTo(target);
  }

  @Test
  void saysWhoAskedAndDropsWhatIsBetweenNeighboursOnly() throws Exception {
    try (TestServer.Raw raw = server.raw("GET /function/echo/x HTTP/1.1\r\nHost: shed:8480\r\n"
        + "Connection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nProxy-Authorization: secret\r\nX-Forwarded-For: 10.0.0.9\r\n"
        + "X-Forwarded-Host: liar\r\nWeir-Attempt: 1\r\ntraceparent: 00-ab-cd-01\r\nAccept: a\r\nAccept: b\r\nce-id: mine\r\n\r\n")) {
      assertThat(raw.untilEnd()).startsWith("HTTP/1.1 200").contains("Weir-Invocation: mine");
    }

    Invocation invocation = seen.take();
    assertThat(invocation.id()).isEqualTo("mine");
    assertThat(invocation.headers()).containsExactlyInAnyOrder(new Header("traceparent", "00-ab-cd-01"),
        new Header("Accept", "a"), new Header("Accept", "b"), new Header("ce-id", "mine"),
        new Header("X-Forwarded-For", "10.0.0.9, 127.0.0.1"), new Header("X-Forwarded-Host", "shed:8480"),
        new Header("X-Forwarded-Proto", "http"), new Header("X-Forwarded-Prefix", "/function/echo"),
        new Header("Weir-Invocation", "mine"));
  }

  @Test
  void makesUpAnIdThatIsNeverTheSame() throws Exception {
    String first = server.get("/function/echo").headers().firstValue("Weir-Invocation").orElseThrow();
    String second = server.get("/function/echo").headers().firstValue("Weir-Invocation").orElseThrow();

    assertThat(first).isNotBlank().isNotEqualTo(second).isEqualTo(seen.take().id());
  }

  @Test
  void passesTheAnswersFieldsBack() throws Exception {
    answer(invocation -> Fakes.replied(299, new ByteArrayInputStream(new byte[] {1, 2}), 2, Duration.ofMillis(83),
        () -> { }, new Header("Set-Cookie", "a=1"), new Header("Set-Cookie", "b=2"), new Header("Connection", "close"),
        new Header("Content-Type", "application/x-mine"), new Header("Date", "yesterday")));

    HttpResponse<String> response = server.get("/function/echo");

    assertThat(response.statusCode()).isEqualTo(299);
    assertThat(response.headers().allValues("Set-Cookie")).containsExactly("a=1", "b=2");
    assertThat(response.headers().allValues("Content-Type")).containsExactly("application/x-mine");
    assertThat(response.headers().allValues("Date")).containsExactly("yesterday");
    assertThat(response.headers().firstValue("Server-Timing")).contains("cold;dur=83.0");
    assertThat(response.headers().firstValue("Connection")).isEmpty();
    assertThat(response.headers().firstValue("Content-Length")).contains("2");
  }

  @Test
  void keepsTheLengthOfAHeadAnswer() throws Exception {
    answer(invocation -> Fakes.replied(200, InputStream.nullInputStream(), 4711, Duration.ZERO, () -> { }));

    HttpResponse<String> response = server.send(server.request("/function/echo")
        .method("HEAD", BodyPublishers.noBody()));

    assertThat(response.headers().firstValue("Content-Length")).contains("4711");
    assertThat(response.body()).isEmpty();
  }

  @Test
  void showsTheFirstChunkBeforeTheFunctionHasWrittenTheSecond() throws Exception {
    PipedOutputStream function = new PipedOutputStream();
    PipedInputStream body = new PipedInputStream(function);
    CountDownLatch closed = new CountDownLatch(1);
    answer(invocation -> Fakes.replied(200, body, -1, Duration.ZERO, closed::countDown));

    InputStream response = server.send(server.request("/function/echo"), HttpResponse.BodyHandlers.ofInputStream())
        .body();
    function.write("one".getBytes(StandardCharsets.US_ASCII));
    function.flush();
    assertThat(response.readNBytes(3)).asString().isEqualTo("one");
    assertThat(closed.getCount()).isOne();
    function.write("two".getBytes(StandardCharsets.US_ASCII));
    function.close();

    assertThat(response.readAllBytes()).asString().isEqualTo("two");
    assertThat(closed.await(10, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void letsTheFunctionReadBeforeTheClientHasSentEverything() throws Exception {
    CountDownLatch firstRead = new CountDownLatch(1);
    answer(invocation -> {
      InputStream in = invocation.body().open();
      String first = new String(in.readNBytes(3), StandardCharsets.US_ASCII);
      firstRead.countDown();
      return Fakes.replied(200, first + "+" + new String(in.readAllBytes(), StandardCharsets.US_ASCII));
    });

    try (TestServer.Raw raw = server.raw("POST /function/echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        + "Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n")) {
      assertThat(firstRead.await(10, TimeUnit.SECONDS)).isTrue();
      raw.write("3\r\ntwo\r\n0\r\n\r\n");
      assertThat(raw.untilEnd()).startsWith("HTTP/1.1 200").endsWith("one+two\n");
    }
    assertThat(seen.take().body().repeatable()).isFalse();
  }

  @Test
  void streamsALargeBodyBothWays() throws Exception {
    byte[] large = new byte[1 << 20];
    new java.util.Random(1).nextBytes(large);
    answer(invocation -> {
      byte[] read = invocation.body().open().readAllBytes();
      return Fakes.replied(200, new ByteArrayInputStream(read), read.length, Duration.ZERO, () -> { });
    });

    byte[] back = server.send(server.request("/function/echo").POST(BodyPublishers.ofByteArray(large)),
        HttpResponse.BodyHandlers.ofByteArray()).body();

    assertThat(back).isEqualTo(large);
    assertThat(seen.take().body().length()).isEqualTo(large.length);
  }

  @Test
  void refusesABodyThatSaysItIsTooLarge() throws Exception {
    HttpResponse<String> response = server.send(server.request("/function/echo")
        .POST(BodyPublishers.ofByteArray(new byte[(1 << 20) + 1])));

    problem(response, 413, "too-large");
    assertThat(seen).isEmpty();
  }

  @Test
  void refusesABodyThatTurnsOutTooLarge() throws Exception {
    answer(invocation -> Fakes.replied(200, "" + invocation.body().open().readAllBytes().length));

    HttpResponse<String> response = server.send(server.request("/function/echo").POST(
        BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(new byte[(1 << 20) + 1]))));

    problem(response, 413, "too-large");
  }

  @Test
  void answersTheNextRequestAfterOneWhoseBodyItDidNotNeed() throws Exception {
    try (TestServer.Raw raw = server.raw("POST /function/nobody HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n")) {
      raw.socket.setSoTimeout(200);
      assertThatThrownBy(raw::line).as("an answer ahead of the body").isInstanceOf(SocketTimeoutException.class);
      raw.socket.setSoTimeout(20_000);
      raw.write("oneGET /function/nobody HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

      assertThat(raw.untilEnd().split("HTTP/1.1 404", -1)).hasSize(3);
    }
  }

  @Test
  void saysThatTheConnectionEndsWhereItDoesNotReadABody() throws Exception {
    answer(invocation -> Fakes.replied(200, "enough"));

    for (String path : new String[] {"/function/echo", "/function/nobody"}) {
      try (TestServer.Raw raw = server.raw("POST " + path + " HTTP/1.1\r\nHost: x\r\n"
          + "Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n")) {
        assertThat(raw.untilEnd()).startsWith("HTTP/1.1 " + (path.endsWith("echo") ? 200 : 404))
            .containsIgnoringCase("\nConnection: close\n");
      }
    }
  }

  @Test
  void takesABodyOfExactlyTheLimit() throws Exception {
    answer(invocation -> Fakes.replied(200, "" + invocation.body().open().readAllBytes().length));

    assertThat(server.send(server.request("/function/echo").POST(
        BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(new byte[1 << 20])))).body()).isEqualTo("1048576");
  }

  @Test
  void resetsTheConnectionWhenTheFunctionBreaksOff() throws Exception {
    CountDownLatch closed = new CountDownLatch(1);
    answer(invocation -> Fakes.replied(200, new InputStream() {
      private int left = 3;

      @Override
      public int read() throws IOException {
        if (left-- > 0) {
          return 'x';
        }
        throw new IOException("function died");
      }

      @Override
      public int read(byte[] bytes, int offset, int length) throws IOException {
        bytes[offset] = (byte) read();
        return 1;
      }
    }, -1, Duration.ZERO, closed::countDown));

    try (TestServer.Raw raw = server.raw("GET /function/echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")) {
      StringBuilder text = new StringBuilder();
      try {
        for (String line = raw.line(); line != null; line = raw.line()) {
          text.append(line).append('\n');
        }
      } catch (java.net.SocketException e) {
        text.append("reset");
      }
      assertThat(text.toString()).startsWith("HTTP/1.1 200").contains("x").doesNotContain("\n0\n");
    }
    assertThat(closed.await(10, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void closesTheAnswerWhenTheClientIsGone() throws Exception {
    CountDownLatch closed = new CountDownLatch(1);
    answer(invocation -> Fakes.replied(200, new InputStream() {
      @Override
      public int read() {
        return 'x';
      }
    }, -1, Duration.ZERO, closed::countDown));

    TestServer.Raw raw = server.raw("GET /function/echo HTTP/1.1\r\nHost: x\r\n\r\n");
    assertThat(raw.line()).startsWith("HTTP/1.1 200");
    raw.close();

    assertThat(closed.await(20, TimeUnit.SECONDS)).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"timeout, 504", "waited-too-long, 504", "connection-reset, 502", "connection-refused, 502",
      "start-failed, 502", "never-listened, 502", "no-such-image, 502", "engine-unavailable, 503",
      "invalid-request, 400"})
  void saysWhyThereIsNoAnswer(String code, int status) throws Exception {
    answer(invocation -> new Outcome.Failed(code, "it broke", true));

    HttpResponse<String> response = server.post("/function/echo", "x");

    problem(response, status, code);
    assertThat(TestServer.json(response)).containsEntry("detail", "it broke");
    assertThat(response.headers().firstValue("Retry-After").isPresent()).isEqualTo(status == 503);
  }

  @Test
  void saysWhenToTryAgain() throws Exception {
    answer(invocation -> new Outcome.Refused(Outcome.Reason.QUEUE_FULL, "100 wait", Duration.ofMillis(2100)));
    HttpResponse<String> full = server.get("/function/echo");
    problem(full, 503, "queue-full");
    assertThat(full.headers().firstValue("Retry-After")).contains("3");

    answer(invocation -> new Outcome.Refused(Outcome.Reason.OUT_OF_MEMORY, "64MiB of 64MiB", Duration.ofSeconds(4)));
    HttpResponse<String> memory = server.get("/function/echo");
    problem(memory, 503, "out-of-memory");
    assertThat(memory.headers().firstValue("Retry-After")).contains("4");

    answer(invocation -> new Outcome.Refused(Outcome.Reason.STARTING, "coming", Duration.ofSeconds(1)));
    problem(server.get("/function/echo"), 503, "starting");

    answer(invocation -> new Outcome.Refused(Outcome.Reason.STOPPING, "going down", Duration.ZERO));
    HttpResponse<String> stopping = server.get("/function/echo");
    problem(stopping, 503, "stopping");
    assertThat(stopping.headers().firstValue("Retry-After")).contains("1");

    answer(invocation -> new Outcome.Refused(Outcome.Reason.UNKNOWN_FUNCTION, "gone", Duration.ZERO));
    problem(server.get("/function/echo"), 404, "unknown-function");
  }

  @Test
  void doesNotDenyAFunctionThatMayBeAboutToCome() throws Exception {
    server.fakes.ready = false;
    HttpResponse<String> starting = server.get("/function/nobody");
    problem(starting, 503, "starting");
    assertThat(starting.headers().firstValue("Retry-After")).contains("1");

    server.fakes.ready = true;
    problem(server.get("/function/nobody"), 404, "unknown-function");
    server.fakes.ready = false;
    problem(server.get("/function/nobody"), 404, "unknown-function");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/function/nobody", "/function/", "/function", "/function/No_Name/x", "/function/%41"})
  void knowsNoSuchFunction(String path) throws Exception {
    problem(server.get(path), 404, "unknown-function");
    assertThat(seen).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"/function/echo/../thermo/", "/function/echo/./x", "/function/echo/x/..",
      "/function/echo/%2e%2e/x", "/function/echo/.%2E/x", "/function/echo/..;a/x", "/x/../function/echo/y"})
  void neverPassesAPathThatClimbs(String path) throws Exception {
    try (TestServer.Raw raw = server.raw("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")) {
      assertThat(raw.line()).startsWith("HTTP/1.1 400");
    }
    assertThat(seen).isEmpty();
  }

  @Test
  void answersEvenWithoutAnInvoker() throws Exception {
    server.fakes.without = true;

    problem(server.get("/function/echo"), 503, "engine-unavailable");
  }

  @Test
  void servesManyAtOnceOnOneConnectionEach() throws Exception {
    answer(invocation -> Fakes.replied(200, invocation.target()));
    List<Integer> numbers = java.util.stream.IntStream.range(0, 64).boxed().toList();

    List<String> answers = numbers.parallelStream().map(i -> {
      try {
        return server.post("/function/echo/" + i, "x").body();
      } catch (Exception e) {
        return e.toString();
      }
    }).toList();

    assertThat(answers).containsExactlyElementsOf(numbers.stream().map(i -> "/" + i).toList());
  }

  private static void problem(HttpResponse<String> response, int status, String code) throws Exception {
    assertThat(response.statusCode()).isEqualTo(status);
    assertThat(response.headers().firstValue("Content-Type")).contains("application/problem+json");
    assertThat(TestServer.json(response)).containsEntry("code", code).containsEntry("status", status)
        .containsEntry("type", "urn:weir:problem:" + code).containsKeys("title", "detail");
  }
}
