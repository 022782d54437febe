package io.weir.invoker.internal;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.engine.ColdStart;
import io.weir.engine.Lease;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Limits;
import io.weir.function.Scaling;
import io.weir.function.Source;
import io.weir.invocation.Guarantee;
import io.weir.invocation.Header;
import io.weir.invocation.Invocation;
import io.weir.invocation.Outcome;
import io.weir.invocation.Payload;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Against a server that does to a connection what each test says. */
class HeldCallsTest {
  private static final FunctionName HELLO = new FunctionName("hello");
  private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

  private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
  private final HeldCalls calls = new HeldCalls(100_000);
  private final List<Socket> accepted = new ArrayList<>();

  HeldCallsTest() throws IOException {
    server.setSoTimeout(10_000);
  }

  @AfterEach
  void close() throws IOException {
    calls.close();
    for (Socket socket : accepted) {
      socket.close();
    }
    server.close();
  }

  @Test
  void sendsHeadAndBodyTogetherAsTheInvocationSays() throws Exception {
    Call call = call(new Invocation("1", HELLO, "mqtt", "a", "POST", "/x?y=1", List.of(new Header("ce-id", "7"),
        new Header("Connection", "close"), new Header("Content-Length", "99")), Payload.of("body".getBytes(ISO_8859_1)),
        Instant.now(), Guarantee.AT_LEAST_ONCE, false));
    Socket socket = accept();

    assertThat(request(socket)).isEqualTo("POST /x?y=1 HTTP/1.1\r\nce-id: 7\r\nHost: hello\r\nAccept-Encoding: identity\r\n"
        + "User-Agent: weir\r\nContent-Length: 4\r\n\r\nbody");
    answer(socket, "HTTP/1.1 201 Made\r\nX-A: b\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    Outcome.Replied reply = call.reply();
    assertThat(reply.status()).isEqualTo(201);
    assertThat(reply.headers()).containsExactly(new Header("X-A", "b"), new Header("Content-Length", "0"));
  }

  @Test
  void aConnectionServesOneCallAfterTheOther() throws Exception {
    Socket socket = served(event());

    Call second = call(event());
    request(socket);
    answer(socket, OK);

    assertThat(second.reply().body().stream().readAllBytes()).asString().isEqualTo("hi");
  }

  @Test
  void callsAtTheSameTimeHaveConnectionsOfTheirOwn() throws Exception {
    Call first = call(event());
    Socket one = accept();
    Call second = call(event());
    Socket other = accept();

    answer(other, OK);
    second.reply();
    answer(one, OK);
    first.reply();
  }

  @Test
  void anotherInstanceAtTheSameAddressGetsAConnectionOfItsOwn() throws Exception {
    served(event());

    Call second = call(event(), "another", spec(Duration.ofSeconds(10)), address());
    answer(accept(), OK);

    assertThat(second.reply().status()).isEqualTo(200);
  }

  @Test
  void aConnectionTheFunctionClosedMeanwhileCostsNoAttempt() throws Exception {
    for (int i = 0; i < 20; i++) {   // whether the loop sees the end first or the call meets it, is chance
      Socket socket = served(event());
      socket.close();
      Call second = call(event());
      Socket fresh = accept();
      answer(fresh, OK);
      assertThat(second.reply().status()).isEqualTo(200);
      fresh.close();
    }
  }

  @Test
  void aCallLostOnAUsedConnectionIsSentOnceMoreButNotTwice() throws Exception {
    Socket socket = served(event());
    Call second = call(event());
    request(socket);
    socket.close();
    Socket fresh = accept();
    request(fresh);
    fresh.close();

    assertThat(second.failure()).satisfies(failure -> {
      assertThat(failure.code()).isEqualTo("connection-reset");
      assertThat(failure.seen()).isTrue();
      assertThat(failure.connection()).isTrue();
    });
  }

  @Test
  void aCallLostWithItsInstanceMayHaveBeenSeen() throws Exception {
    Socket socket = served(event());
    Call second = call(event());
    request(socket);
    server.close();
    socket.close();

    assertThat(second.failure().code()).isEqualTo("connection-refused");
    assertThat(second.failure().seen()).isTrue();
  }

  @Test
  void whatMayRunOnceOnlyIsNotSentOnceMore() throws Exception {
    Socket socket = served(event());
    Call second = call(invocation(Guarantee.AT_MOST_ONCE, new byte[1]));
    request(socket);
    socket.close();

    assertThat(second.failure().code()).isEqualTo("connection-reset");
  }

  @Test
  void anAnswerThatHasBegunIsNotAskedForAgain() throws Exception {
    Socket socket = served(event());
    Call second = call(event());
    request(socket);
    answer(socket, "HTTP/1.1 200");
    socket.close();

    assertThat(second.failure().code()).isEqualTo("connection-reset");
  }

  @Test
  void aConnectionWithMoreOnItThanTheAnswerIsNotUsedAgain() throws Exception {
    Call first = call(event());
    Socket socket = accept();
    request(socket);
    answer(socket, OK + "HTTP/1.1 200 OK\r\n");
    first.reply();

    assertThat(socket.getInputStream().read()).isEqualTo(-1);
    call(event());
    accept();
  }

  @Test
  void whatIsNoAnswerFailsAndEndsTheConnection() throws Exception {
    Call call = call(event());
    Socket socket = accept();
    request(socket);
    answer(socket, "220 smtp.example ESMTP\r\n\r\n");

    assertThat(call.failure()).hasMessageContaining("220 smtp.example").extracting(CallFailed::code)
        .isEqualTo("connection-reset");
    assertThat(socket.getInputStream().read()).isEqualTo(-1);
  }

  @Test
  void tooLargeAnAnswerIsNotReadToItsEnd() throws Exception {
    Call call = call(event());
    Socket socket = accept();
    request(socket);
    answer(socket, "HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n");

    assertThat(call.failure().code()).isEqualTo("reply-too-large");
    assertThat(call.failure().connection()).isFalse();
  }

  @Test
  void nobodyThereIsToldAsNotSeen() throws Exception {
    InetSocketAddress nowhere;
    try (ServerSocket closed = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      nowhere = new InetSocketAddress(InetAddress.getLoopbackAddress(), closed.getLocalPort());
    }

    CallFailed failure = call(event(), "fake", spec(Duration.ofSeconds(10)), nowhere).failure();

    assertThat(failure.code()).isEqualTo("connection-refused");
    assertThat(failure.seen()).isFalse();
  }

  @Test
  void aSlowAnswerIsATimeoutEachTimeAndEndsTheConnection() throws Exception {
    FunctionSpec hasty = spec(Duration.ofSeconds(1));
    Call first = call(event(), "fake", hasty, address());
    Socket socket = accept();
    request(socket);
    answer(socket, OK);
    first.reply();

    Call second = call(event(), "fake", hasty, address());
    request(socket);

    assertThat(second.failure().code()).isEqualTo("timeout");
    assertThat(second.failure()).hasMessageContaining("1000 ms");
    assertThat(socket.getInputStream().read()).isEqualTo(-1);
  }

  @Test
  void aShorterTimeoutThanTheOneBeforeHoldsAtOnce() throws Exception {
    Socket socket = served(event());

    Call second = call(event(), "fake", spec(Duration.ofMillis(100)), address());
    request(socket);

    assertThat(second.failure().code()).isEqualTo("timeout");
  }

  @Test
  void aLargeRequestIsWrittenAsFastAsItIsRead() throws Exception {
    byte[] body = new byte[16 << 20];
    body[body.length - 1] = 'z';
    Call call = call(invocation(Guarantee.AT_LEAST_ONCE, body));
    Socket socket = accept();

    assertThat(request(socket)).endsWith("z").hasSizeGreaterThan(body.length);
    answer(socket, OK);

    assertThat(call.reply().status()).isEqualTo(200);
  }

  @Test
  void anAnswerBeforeTheWholeRequestIsTakenButItsConnectionIsNotUsedAgain() throws Exception {
    Call call = call(invocation(Guarantee.AT_LEAST_ONCE, new byte[16 << 20]));
    Socket socket = accept();
    answer(socket, "HTTP/1.1 413 Too large\r\nContent-Length: 0\r\n\r\n");

    assertThat(call.reply().status()).isEqualTo(413);
    call(event());
    accept();
  }

  @Test
  void anIdleConnectionIsDroppedBeforeTheFunctionDropsIt() throws Exception {
    Socket socket = served(event());
    socket.setSoTimeout(10_000);

    assertThat(socket.getInputStream().read()).isEqualTo(-1);
  }

  @Test
  void aRequestThatWouldBeTwoIsNotSent() {
    Invocation split = new Invocation("1", HELLO, "mqtt", "a", "POST", "/", List.of(new Header("A", "b\r\n\r\nGET /")),
        Payload.of(new byte[0]), Instant.now(), Guarantee.AT_LEAST_ONCE, false);

    assertThatThrownBy(() -> call(split)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void whatIsUnderWayFailsWhenTheGatewayGoesDown() throws Exception {
    Call call = call(event());
    accept();

    calls.await(System.nanoTime() + 1_000_000);
    calls.close();

    assertThat(call.failure().code()).isEqualTo("connection-reset");
    assertThatThrownBy(() -> call(event())).isInstanceOf(RejectedExecutionException.class);
  }

  @Test
  void allOutcomesKnownByNowComeBeforeWhatIsToHappenAfterwards() throws Exception {
    BlockingQueue<String> order = new LinkedBlockingQueue<>();
    Call call = call(event());
    call.outcome.thenRun(() -> {
      calls.afterwards(() -> order.add("afterwards"));
      order.add("told");
    });
    Socket socket = accept();
    request(socket);
    answer(socket, OK);

    assertThat(order.poll(10, TimeUnit.SECONDS)).isEqualTo("told");
    assertThat(order.poll(10, TimeUnit.SECONDS)).isEqualTo("afterwards");
  }

  /** The connection of a call that was answered. */
  private Socket served(Invocation invocation) throws Exception {
    Call call = call(invocation);
    Socket socket = accept();
    request(socket);
    answer(socket, OK);
    call.reply();
    return socket;
  }

  private Socket accept() throws IOException {
    Socket socket = server.accept();
    socket.setSoTimeout(10_000);
    accepted.add(socket);
    return socket;
  }

  private static String request(Socket socket) throws IOException {
    InputStream in = socket.getInputStream();
    StringBuilder head = new StringBuilder();
    while (!head.toString().endsWith("\r\n\r\n")) {
      int next = in.read();
      assertThat(next).as("a request after %s", head).isNotNegative();
      head.append((char) next);
    }
    String length = head.substring(head.lastIndexOf("Content-Length: ") + 16, head.length() - 4);
    return head + new String(in.readNBytes(Integer.parseInt(length)), ISO_8859_1);
  }

  private static void answer(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(ISO_8859_1));
  }

  private InetSocketAddress address() {
    return (InetSocketAddress) server.getLocalSocketAddress();
  }

  private static Invocation event() {
    return invocation(Guarantee.AT_LEAST_ONCE, new byte[1]);
  }

  private static Invocation invocation(Guarantee guarantee, byte[] body) {
    return new Invocation("1", HELLO, "mqtt", "a", "POST", "/", List.of(), Payload.of(body), Instant.now(), guarantee,
        false);
  }

  private static FunctionSpec spec(Duration timeout) {
    return new FunctionSpec(HELLO, new Source.Image("img:1"), 8080, List.of(), Optional.empty(),
        new Limits(64 << 20, 1, 64), new Scaling(0, 1, 8, Duration.ofSeconds(60)), timeout, Map.of());
  }

  private Call call(Invocation invocation) throws CallFailed {
    return call(invocation, "fake", spec(Duration.ofSeconds(10)), address());
  }

  private Call call(Invocation invocation, String instance, FunctionSpec function, InetSocketAddress at)
      throws CallFailed {
    Call call = new Call();
    calls.call(invocation, function, new To(instance, at), Duration.ZERO, System.nanoTime(), call);
    return call;
  }

  private static final class Call implements HeldCall.Listener {
    final CompletableFuture<Object> outcome = new CompletableFuture<>();

    Outcome.Replied reply() throws Exception {
      return (Outcome.Replied) outcome.get(10, TimeUnit.SECONDS);
    }

    CallFailed failure() throws Exception {
      return (CallFailed) outcome.get(10, TimeUnit.SECONDS);
    }

    @Override
    public void replied(Outcome.Replied reply) {
      assertThat(outcome.complete(reply)).isTrue();
    }

    @Override
    public void failed(CallFailed failure) {
      assertThat(outcome.complete(failure)).isTrue();
    }
  }

  private record To(String instance, InetSocketAddress address) implements Lease {
    @Override
    public Optional<ColdStart> coldStart() {
      return Optional.empty();
    }

    @Override
    public void release() {}

    @Override
    public void releaseSuspect() {}

    @Override
    public void releaseTimedOut() {}
  }
}
