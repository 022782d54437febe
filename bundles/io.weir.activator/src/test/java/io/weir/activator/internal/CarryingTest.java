package io.weir.activator.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.activator.internal.World.Client;
import io.weir.engine.LeaseRefused;
import io.weir.event.GatewayEvent;
import io.weir.function.Network;
import io.weir.kernel.KernelSignal;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Connections to service addresses, with real sockets on both sides. */
@Timeout(60)
class CarryingTest {
  @TempDir Path data;
  private final Semaphore closed = new Semaphore(0);
  private World world;

  @BeforeEach
  void start() throws Exception {
    world = new World(data);
  }

  @AfterEach
  void stop() throws Exception {
    world.close();
  }

  @Test
  void keepsAConnectionAliveButNoLease() throws Exception {
    try (Client client = world.connect(world.echo())) {
      for (int i = 0; i < 5; i++) {
        assertThat(client.get("/" + i).body()).isEqualTo("GET /" + i + " HTTP/1.1");
        world.untilAllReturned();
      }
      assertThat(world.origin.connections).as("reused").hasValue(1);
      assertThat(world.origin.heads).noneMatch(head -> head.contains("Connection"));
    }
  }

  @Test
  void moreKeepAliveClientsThanLeasesAllHaveTheirTurn() throws Exception {
    int port = world.echo();
    List<Client> clients = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      clients.add(world.connect(port));
    }
    // Whoever connects is given a lease in advance for a moment.
    assertThat(answers(clients)).hasSize(40).allMatch(answer -> answer.startsWith("GET"));
    world.pool.mostOpen.set(0);
    assertThat(answers(clients)).hasSize(40).allMatch(answer -> answer.startsWith("GET"));
    assertThat(world.pool.mostOpen.get()).as("one request at a time").isEqualTo(1);
    for (Client client : clients) {
      client.close();
    }
  }

  /** One after the other; a lease comes back a little after the client has its answer. */
  private List<String> answers(List<Client> clients) throws Exception {
    List<String> answers = new ArrayList<>();
    for (Client client : clients) {
      answers.add(client.get("/").body());
      world.untilAllReturned();
    }
    return answers;
  }

  @Test
  void endsTheConnectionPolitelyWhereTheNextOneWouldGoDirect() throws Exception {
    int port = world.echo();
    world.activator().setRoutes(new FakeRoutes(false));
    try (Client client = world.connect(port)) {
      client.send("GET /a HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: 5\r\nX-Hop: 1\r\n\r\n");

      assertThat(client.head()).contains("Connection: close");
      assertThat(client.rest()).isEqualTo("GET /a HTTP/1.1");
      assertThat(world.origin.heads.take())
          .isEqualTo("GET /a HTTP/1.1\r\nConnection: close, x-hop\r\nHost: x\r\nX-Hop: 1\r\n\r\n");
    }
    world.untilAllReturned();
  }

  @Test
  void movesAKeepAliveClientToTheDirectWayOnceThereIsOne() throws Exception {
    int port = world.echo();
    try (Client client = world.connect(port)) {
      assertThat(client.get("/1").body()).isEqualTo("GET /1 HTTP/1.1");
      world.activator().setRoutes(new FakeRoutes(true));

      assertThat(client.get("/2").body()).isEqualTo("GET /2 HTTP/1.1");
      assertThat(client.rest()).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({"false", "true"})
  void leavesHttp10AsItIs(boolean routed) throws Exception {
    int port = world.echo();
    if (routed) {
      world.activator().setRoutes(new FakeRoutes(false));
    }
    try (Client client = world.connect(port)) {
      String request = "GET / HTTP/1.0\r\nX: y\r\n\r\n";
      assertThat(client.send(request).rest()).endsWith("GET / HTTP/1.0");
      assertThat(world.origin.heads.take()).isEqualTo(request);
    }
  }

  @ParameterizedTest
  @CsvSource({"false", "true"})
  void passesHeadsOf64KiB(boolean routed) throws Exception {
    int port = world.echo();
    if (routed) {
      world.activator().setRoutes(new FakeRoutes(false));
    }
    String cookie = "c".repeat(65_000);
    try (Client client = world.connect(port)) {
      assertThat(client.send("GET /long HTTP/1.1\r\nCookie: " + cookie + "\r\nHost: x\r\n\r\n").body())
          .isEqualTo("GET /long HTTP/1.1");
      assertThat(world.origin.heads.take()).contains("Cookie: " + cookie + "\r\n").satisfies(head ->
          assertThat(head.contains("Connection: close")).isEqualTo(routed));
    }
  }

  @Test
  void passesAHeadThatIsTooLongToUnderstandAsItIs() throws Exception {
    int port = world.echo();
    world.activator().setRoutes(new FakeRoutes(false));
    String cookie = "c".repeat(200_000);
    try (Client client = world.connect(port)) {
      assertThat(client.send("GET / HTTP/1.1\r\nCookie: " + cookie + "\r\nConnection: close\r\n\r\n").body())
          .isEqualTo("GET / HTTP/1.1");
      assertThat(world.origin.heads.take()).contains(cookie).doesNotStartWith("GET / HTTP/1.1\r\nConnection");
    }
  }

  @Test
  void takesAHeadByteByByteWithoutALease() throws Exception {
    int port = world.echo();
    world.activator().setRoutes(new FakeRoutes(false));
    try (Client client = world.connect(port)) {
      String request = "POST /slow HTTP/1.1\r\nContent-Length: 4\r\n\r\n";
      for (char each : request.toCharArray()) {
        assertThat(world.pool.open).hasValueLessThanOrEqualTo(1);
        client.send(String.valueOf(each));
      }
      assertThat(client.send("bo").send("dy").body()).isEqualTo("body");
      assertThat(world.pool.mostOpen).hasValue(1);
    }
  }

  @Test
  void servesPipelinedRequestsInTheirOrder() throws Exception {
    try (Client client = world.connect(world.echo())) {
      client.send("POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nabGET /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\n");

      assertThat(List.of(client.body(), client.body(), client.body()))
          .containsExactly("ab", "GET /b HTTP/1.1", "GET /c HTTP/1.1");
    }
    world.untilAllReturned();
    assertThat(world.pool.mostOpen).hasValue(1);
  }

  @Test
  void aPipelinedRequestIsLeftUnansweredButNotResetWhereTheConnectionEnds() throws Exception {
    int port = world.echo();
    world.activator().setRoutes(new FakeRoutes(false));
    try (Client client = world.connect(port)) {
      client.get("/a").get("/b");

      assertThat(client.body()).isEqualTo("GET /a HTTP/1.1");
      client.get("/c");
      assertThat(client.rest()).isEmpty();
      assertThat(world.origin.heads).hasSize(1);
    }
  }

  @Test
  void holdsTwentyClientsDuringOneStart() throws Exception {
    int port = world.add(World.function("echo", Network.DEFAULT));
    List<Client> clients = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      clients.add(world.connect(port).get("/" + i));
    }
    World.until("all wait", () -> world.pool.waiting() == 20);

    world.pool.at(world.origin.port());

    for (int i = 0; i < 20; i++) {
      assertThat(clients.get(i).body()).isEqualTo("GET /" + i + " HTTP/1.1");
      clients.get(i).close();
    }
    world.untilAllReturned();
    assertThat(world.pool.asked).as("one each").hasValue(20);
    World.until("all are told of", () -> ended().size() >= 20);
    assertThat(ended()).hasSize(20).allMatch(end -> end.trigger().equals("service") && end.result().equals("replied")
        && end.status() == 200 && end.coldCause().equals("scaled-to-zero") && end.attempts() == 1);
  }

  private List<GatewayEvent.Ended> ended() {
    return world.events.stream().filter(GatewayEvent.Ended.class::isInstance).map(GatewayEvent.Ended.class::cast).toList();
  }

  @Test
  void beginsTheStartBeforeTheClientHasSaidAnything() throws Exception {
    int port = world.add(World.function("echo", Network.DEFAULT));
    try (Client client = world.connect(port)) {
      assertThat(world.pool.calls.poll(20, TimeUnit.SECONDS)).isEqualTo(World.ECHO);
      world.pool.at(world.origin.port());
      assertThat(world.pool.returned.poll(20, TimeUnit.SECONDS)).as("kept from nobody").isEqualTo("released");

      assertThat(client.get("/").body()).startsWith("GET");
    }
  }

  @Test
  void aClientThatSaysNothingIsSentAwayInTime() throws Exception {
    world.hurry(Duration.ofSeconds(1), World.PATIENCE);
    int port = world.echo();
    try (Client silent = world.connect(port); Client slow = world.connect(port).send("GET / HT")) {
      assertThat(silent.rest()).isEmpty();
      assertThat(slow.head()).startsWith("HTTP/1.1 408 ").contains("Connection: close");
    }
    world.untilAllReturned();
  }

  @Test
  void aClientThatGivesUpLeavesNoLease() throws Exception {
    int port = world.add(World.function("echo", Network.DEFAULT));
    Client gone = world.connect(port).get("/");
    Client reset = world.connect(port).get("/");
    World.until("both wait", () -> world.pool.waiting() == 2);
    reset.socket.setSoLinger(true, 0);
    reset.close();
    gone.close();

    world.pool.at(world.origin.port());

    world.untilAllReturned();
    World.until("nobody is left", () -> world.activator().state().endsWith(", 0 connections carried"));
  }

  @Test
  void aClientThatGoesInTheMidstOfTheAnswerLeavesNoLease() throws Exception {
    world.origin.behaviour = (socket, in, out) -> {
      Origin.head(in);
      out.write("HTTP/1.1 200 OK\r\n\r\n".getBytes());
      byte[] much = new byte[1 << 20];
      while (true) {
        out.write(much);
      }
    };
    Client client = world.connect(world.echo()).get("/");
    assertThat(client.head()).contains("200");
    client.close();

    world.untilAllReturned();
  }

  @Test
  void triesAgainOnceWhereNothingWasSent() throws Exception {
    int port = world.echo();
    world.pool.at(World.freePort());

    try (Client client = world.connect(port).get("/")) {
      assertThat(client.head()).startsWith("HTTP/1.1 502 Bad Gateway").contains("application/problem+json");
      assertThat(client.rest()).contains("\"code\":\"connection-refused\"");
    }
    world.untilAllReturned();
    assertThat(world.pool.returned.stream().filter("suspect"::equals)).hasSize(2);
  }

  @Test
  void saysThatTheServerBrokeOffBeforeItAnswered() throws Exception {
    world.origin.behaviour = (socket, in, out) -> {
      Origin.head(in);
      socket.setSoLinger(true, 0);
    };
    try (Client client = world.connect(world.echo()).get("/")) {
      assertThat(client.head()).startsWith("HTTP/1.1 502 ");
      assertThat(client.rest()).contains("\"code\":\"connection-reset\"");
    }
    assertThat(world.lastReturned()).isEqualTo("suspect");
    assertThat(world.origin.connections).as("a request that was sent is not sent again").hasValue(1);
  }

  @Test
  void halfAnAnswerDoesNotLookLikeAWholeOne() throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    world.origin.behaviour = (socket, in, out) -> {
      Origin.head(in);
      out.write("HTTP/1.1 200 OK\r\n\r\nhalf".getBytes());
      out.flush();
      go.await();
      socket.setSoLinger(true, 0);
    };
    try (Client client = world.connect(world.echo()).get("/")) {
      assertThat(client.head()).contains("200");
      assertThat(client.in.readNBytes(4)).isEqualTo("half".getBytes());
      go.countDown();

      assertThatThrownBy(client::rest).isInstanceOf(SocketException.class);
    }
    assertThat(world.lastReturned()).isEqualTo("suspect");
  }

  @Test
  void takesAnotherConnectionIfTheInstanceHasClosedTheOldOne() throws Exception {
    world.origin.behaviour = (socket, in, out) -> {
      String head = Origin.head(in);
      Origin.answer(out, head.substring(0, 6).getBytes(), false);
      socket.close();
      closed.release();
    };
    try (Client client = world.connect(world.echo())) {
      for (int i = 0; i < 3; i++) {
        assertThat(client.get("/" + i).body()).isEqualTo("GET /" + i);
        closed.acquire();
        settle();
      }
    }
  }

  /** Until each loop, of which there are two at most, has looked at what happened at its sockets before. */
  private void settle() throws Exception {
    for (int i = 0; i < 2; i++) {
      try (Client other = world.connect(world.activator().of(World.ECHO).orElseThrow().port())) {
        assertThat(other.get("/settle").head()).contains("200");
      }
    }
    closed.acquire(2);
  }

  @Test
  void answersAClientThatHasClosedItsSide() throws Exception {
    try (Client client = world.connect(world.echo())) {
      client.send("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello");
      client.socket.shutdownOutput();

      assertThat(client.rest()).endsWith("hello");
    }
    world.untilAllReturned();
  }

  @ParameterizedTest
  @CsvSource({"true,true", "true,false", "false,true", "false,false"})
  void carriesTenMegabytesEachWay(boolean chunked, boolean routed) throws Exception {
    byte[] much = new byte[10 << 20];
    new Random(7).nextBytes(much);
    world.origin.behaviour = (socket, in, out) -> {
      String head = Origin.head(in);
      out.write((chunked ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
          : "HTTP/1.1 200 OK\r\nContent-Length: " + much.length + "\r\n\r\n").getBytes());
      for (int sent = 0; sent < much.length;) {
        byte[] part = in.readNBytes(Math.min(50_000, much.length - sent));
        out.write(chunked ? chunk(part, part.length) : part);
        sent += part.length;
      }
      out.write(chunked ? "0\r\n\r\n".getBytes() : new byte[0]);
      assertThat(head).contains("Content-Length");
      in.read();
    };
    int port = world.echo();
    if (routed) {
      world.activator().setRoutes(new FakeRoutes(false));
    }
    try (Client client = world.connect(port)) {
      CompletableFuture<Void> sending = CompletableFuture.runAsync(() -> {
        try {
          client.send("POST / HTTP/1.1\r\nContent-Length: " + much.length + "\r\n\r\n");
          client.out.write(much);
        } catch (IOException e) {
          throw new java.io.UncheckedIOException(e);
        }
      });
      client.head();
      byte[] back = chunked ? dechunked(client.in) : client.in.readNBytes(much.length);
      sending.get(20, TimeUnit.SECONDS);
      assertThat(Arrays.equals(back, much)).isTrue();
      world.untilAllReturned(); // At the end of the answer, though both sides stay connected.
    }
  }

  private static byte[] chunk(byte[] bytes, int length) {
    byte[] head = (Integer.toHexString(length) + "\r\n").getBytes();
    byte[] whole = Arrays.copyOf(head, head.length + length + 2);
    System.arraycopy(bytes, 0, whole, head.length, length);
    whole[whole.length - 2] = '\r';
    whole[whole.length - 1] = '\n';
    return whole;
  }

  private static byte[] dechunked(InputStream in) throws IOException {
    java.io.ByteArrayOutputStream whole = new java.io.ByteArrayOutputStream();
    while (true) {
      StringBuilder size = new StringBuilder();
      for (int next = in.read(); next != '\n'; next = in.read()) {
        size.append((char) next);
      }
      int length = Integer.parseInt(size.toString().strip(), 16);
      whole.write(in.readNBytes(length));
      in.skipNBytes(2);
      if (length == 0) {
        return whole.toByteArray();
      }
    }
  }

  @Test
  void aSlowReaderSlowsTheInstanceDownAndNothingIsHeaped() throws Exception {
    AtomicLong written = new AtomicLong();
    int total = 64 << 20;
    world.origin.behaviour = (socket, in, out) -> {
      Origin.head(in);
      out.write(("HTTP/1.1 200 OK\r\nContent-Length: " + total + "\r\n\r\n").getBytes());
      byte[] part = new byte[64 << 10];
      for (int sent = 0; sent < total; sent += part.length) {
        out.write(part);
        written.addAndGet(part.length);
      }
      in.read();
    };
    try (Client client = world.connect(world.echo()).get("/")) {
      client.head();
      long before = -1;
      for (int same = 0; same < 20; Thread.sleep(10)) {
        same = written.get() == before ? same + 1 : 0;
        before = written.get();
      }
      assertThat(before).as("what sockets hold").isLessThan(total / 2);

      byte[] sink = new byte[1 << 16];
      long read = 0;
      for (int n = client.in.read(sink); read + n < total; n = client.in.read(sink)) {
        read += n;
      }
    }
    world.untilAllReturned();
  }

  @Test
  void aClientThatStallsInTheMidstOfItsBodyKeepsTheInstanceFromNobody() throws Exception {
    world.hurry(World.PATIENCE, Duration.ofSeconds(1));
    try (Client client = world.connect(world.echo()).send("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc")) {
      assertThat(client.head()).startsWith("HTTP/1.1 408 ");
    }
    assertThat(world.lastReturned()).isEqualTo("released");
  }

  @Test
  void anInstanceThatDoesNotAnswerInTimeIsReported() throws Exception {
    world.origin.behaviour = (socket, in, out) -> in.readAllBytes();
    world.pool.at(world.origin.port());
    int port = world.add(World.function("echo", Network.DEFAULT, Duration.ofMillis(800)));
    try (Client client = world.connect(port).get("/")) {
      assertThat(client.head()).startsWith("HTTP/1.1 504 ");
      assertThat(client.rest()).contains("\"code\":\"timeout\"");
    }
    assertThat(world.lastReturned()).isEqualTo("timed-out");
  }

  @Test
  void passesInterimAnswersAndServesOn() throws Exception {
    world.origin.behaviour = (socket, in, out) -> {
      for (String head = Origin.head(in); head != null; head = Origin.head(in)) {
        if (head.contains("100-continue")) {
          out.write("HTTP/1.1 100 Continue\r\n\r\n".getBytes());
        }
        Origin.answer(out, in.readNBytes(Origin.length(head)), false);
      }
    };
    try (Client client = world.connect(world.echo())) {
      client.send("PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
      assertThat(client.head()).isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");
      assertThat(client.send("abc").body()).isEqualTo("abc");
      assertThat(client.send("PUT / HTTP/1.1\r\nContent-Length: 1\r\n\r\nd").body()).isEqualTo("d");
    }
  }

  @Test
  void knowsAnswersThatHaveNoBody() throws Exception {
    world.origin.behaviour = (socket, in, out) -> {
      for (String head = Origin.head(in); head != null; head = Origin.head(in)) {
        out.write(head.startsWith("HEAD") ? "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n".getBytes()
            : "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n".getBytes());
      }
    };
    try (Client client = world.connect(world.echo())) {
      client.send("HEAD / HTTP/1.1\r\n\r\n").head();
      world.untilAllReturned();
      client.get("/").head();
      world.untilAllReturned();
      assertThat(world.origin.connections).hasValue(1);
    }
  }

  @ParameterizedTest
  @CsvSource({"false", "true"})
  void passesAnUpgradeAndHoldsItsLease(boolean routed) throws Exception {
    world.origin.behaviour = (socket, in, out) -> {
      world.origin.heads.add(Origin.head(in));
      out.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n".getBytes());
      for (int next = in.read(); next >= 0; next = in.read()) {
        out.write(next);
      }
      out.write("bye".getBytes());
    };
    int port = world.echo();
    if (routed) {
      world.activator().setRoutes(new FakeRoutes(false));
    }
    try (Client client = world.connect(port)) {
      client.send("GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly");
      assertThat(client.head()).contains("101");
      assertThat(client.in.readNBytes(5)).isEqualTo("early".getBytes());
      client.send("later");
      assertThat(client.in.readNBytes(5)).isEqualTo("later".getBytes());
      assertThat(world.pool.open).hasValue(1);
      client.socket.shutdownOutput();
      assertThat(client.rest()).isEqualTo("bye");
      assertThat(world.origin.heads.take()).contains("Connection: Upgrade").doesNotContain("close");
    }
    world.untilAllReturned();
  }

  @ParameterizedTest
  @CsvSource({"'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'", "'\u0016\u0003\u0001'", "'x'", "' GET'"})
  void passesWhatIsNoHttp1(String preface) throws Exception {
    world.origin.behaviour = (socket, in, out) -> {
      byte[] got = in.readNBytes(preface.length());
      out.write(("got " + new String(got, StandardCharsets.ISO_8859_1)).getBytes(StandardCharsets.ISO_8859_1));
      out.write(in.readAllBytes());
    };
    int port = world.echo();
    world.activator().setRoutes(new FakeRoutes(false));
    try (Client client = world.connect(port).send(preface)) {
      if (preface.equals("x")) {
        client.send("(");
        assertThat(client.in.readNBytes(5)).isEqualTo("got x".getBytes());
      } else {
        assertThat(new String(client.in.readNBytes(4 + preface.length()), StandardCharsets.ISO_8859_1))
            .isEqualTo("got " + preface);
      }
      client.send("more").socket.shutdownOutput();
      assertThat(client.rest()).endsWith("more");
    }
    world.untilAllReturned();
  }

  @ParameterizedTest
  @CsvSource({"QUEUE_FULL,503,3", "OUT_OF_MEMORY,503,3", "WAITED_TOO_LONG,504,3", "START_FAILED,502,3",
      "ENGINE_UNAVAILABLE,503,5"})
  void refusesAsTheFrontDoorDoes(LeaseRefused.Code code, int status, String retryAfter) throws Exception {
    int port = world.add(World.function("echo", Network.DEFAULT));
    try (Client client = world.connect(port).get("/")) {
      World.until("it waits", () -> world.pool.waiting() == 1);
      world.pool.refuse(code);

      String head = client.head();
      assertThat(head).startsWith("HTTP/1.1 " + status + " ").contains("Connection: close")
          .contains("Content-Type: application/problem+json");
      assertThat(head).contains("Retry-After: " + retryAfter + "\r\n");
      assertThat(client.rest()).isEqualTo("{\"type\":\"urn:weir:problem:" + code.label() + "\",\"title\":\""
          + (code.label().substring(0, 1).toUpperCase() + code.label().substring(1)).replace('-', ' ')
          + "\",\"status\":" + status + ",\"detail\":\"not \\\"now\\\"\",\"code\":\"" + code.label() + "\"}");
    }
  }

  @Test
  void asksAPoolAgainThatHasNotHeardOfTheFunctionYet() throws Exception {
    int port = world.add(World.function("echo", Network.DEFAULT));
    world.pool.refuse(LeaseRefused.Code.UNKNOWN_FUNCTION);
    try (Client client = world.connect(port).get("/")) {
      World.until("it was refused", () -> world.pool.asked.get() >= 2);   // one of them to begin a start

      world.pool.accept().at(world.origin.port());

      assertThat(client.body()).startsWith("GET");
    }
    world.untilAllReturned();
  }

  @Test
  void saysThatAFunctionWasRemovedWhileSomebodyWaited() throws Exception {
    int port = world.add(World.function("echo", Network.DEFAULT));
    world.pool.refuse(LeaseRefused.Code.UNKNOWN_FUNCTION);
    try (Client client = world.connect(port).get("/")) {
      World.until("it was refused", () -> world.pool.asked.get() >= 2);

      world.activator().functionRemoved(World.function("echo", Network.DEFAULT));

      assertThat(client.head()).startsWith("HTTP/1.1 404 ").contains("Connection: close");
      assertThat(client.rest()).contains("\"code\":\"unknown-function\"");
    }
  }

  @Test
  void aRefusalReachesAClientThatStillSends() throws Exception {
    int port = world.add(World.function("echo", Network.DEFAULT));
    world.pool.refuse(LeaseRefused.Code.QUEUE_FULL);
    try (Client client = world.connect(port)) {
      client.send("POST / HTTP/1.1\r\nContent-Length: 3000000\r\n\r\n");
      client.out.write(new byte[3_000_000]);
      assertThat(client.head()).startsWith("HTTP/1.1 503 ");
    }
  }

  @Test
  void holdsOnlySoManyConnections() throws Exception {
    world.settings = world.settings(3, 100);
    int port = world.add(World.function("echo", Network.DEFAULT));
    List<Client> held = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      held.add(world.connect(port).get("/"));
    }
    World.until("all wait", () -> world.pool.waiting() == 3);
    try (Client client = world.connect(port).get("/")) {
      assertThat(client.head()).startsWith("HTTP/1.1 503 ").contains("Retry-After");
      assertThat(client.rest()).contains("queue-full");
    }
    world.pool.at(world.origin.port());
    for (Client client : held) {
      assertThat(client.body()).startsWith("GET");
      client.close();
    }
    World.until("all have left", () -> world.activator().state().endsWith(", 0 connections carried"));
  }

  @Test
  void closesTheConnectionsOfClientsFromElsewhere() throws Exception {
    world.pool.at(world.origin.port());
    int port = world.add(World.function("echo", new Network(OptionalInt.empty(), List.of("10.0.0.0/8"), 0, 0, List.of())));
    try (Client client = world.connect(port)) {
      assertThat(client.in.read()).isNegative();
    }
    world.activator().functionChanged(World.function("echo", Network.DEFAULT),
        World.function("echo", new Network(OptionalInt.empty(), List.of("10.0.0.0/8", "127.0.0.0/8"), 0, 0, List.of())));
    World.until("it may", () -> {
      try (Client client = world.connect(port).get("/")) {
        return client.in.read() == 'H';
      } catch (IOException e) {
        return false;
      }
    });
    assertThat(world.activator().of(World.ECHO).orElseThrow().port()).isEqualTo(port);
  }

  @Test
  void closesConnectionsAboveAClientsRate() throws Exception {
    world.pool.at(world.origin.port());
    int port = world.add(World.function("echo", new Network(OptionalInt.empty(), List.of(), 1, 3, List.of())));
    int served = 0;
    long began = System.nanoTime();
    for (int i = 0; i < 10; i++) {
      try (Client client = world.connect(port).get("/")) {
        served += client.in.read() == 'H' ? 1 : 0;
      } catch (SocketException e) {
        continue; // Closed with a request unread.
      }
    }
    int seconds = (int) TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - began);
    assertThat(served).as("the burst, and one more for each second").isBetween(3, 3 + seconds);
  }

  @Test
  void aSignalOfTheKernelBeginsAStartThatTheConnectionTakesOver() throws Exception {
    FakeTraffic traffic = new FakeTraffic();
    int port = world.add(World.function("echo", Network.DEFAULT));
    world.activator().setTraffic(traffic);
    traffic.signal(new KernelSignal.Wanted(World.ECHO, System.nanoTime()));
    traffic.signal(new KernelSignal.Wanted(World.ECHO, System.nanoTime()));
    World.until("it is asked for", () -> world.pool.waiting() == 1);

    try (Client client = world.connect(port).get("/")) {
      World.until("it is here", () -> world.events.stream().anyMatch(GatewayEvent.Accepted.class::isInstance));
      world.pool.at(world.origin.port());
      assertThat(client.body()).startsWith("GET");
    }
    assertThat(world.pool.returned.poll(20, TimeUnit.SECONDS)).isEqualTo("released");
    assertThat(world.pool.asked).hasValue(1);
    traffic.signal(new KernelSignal.Wanted(World.ECHO, System.nanoTime()));
    assertThat(world.pool.returned.poll(20, TimeUnit.SECONDS)).as("nobody came").isEqualTo("released");
    world.activator().unsetTraffic(traffic);
    assertThat(traffic.listener).isNull();
  }
}
