package io.weir.invoker.internal;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.weir.engine.ColdStart;
import io.weir.engine.Instance;
import io.weir.engine.InstancePool;
import io.weir.engine.Lease;
import io.weir.engine.LeaseRefused;
import io.weir.event.Events;
import io.weir.event.GatewayEvent;
import io.weir.function.FunctionName;
import io.weir.function.FunctionRegistry;
import io.weir.function.FunctionSpec;
import io.weir.function.Limits;
import io.weir.function.Problem;
import io.weir.function.Rung;
import io.weir.function.Scaling;
import io.weir.function.Source;
import io.weir.invocation.Guarantee;
import io.weir.invocation.Header;
import io.weir.invocation.Invocation;
import io.weir.invocation.Outcome;
import io.weir.invocation.Payload;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RetryingInvokerTest {
  private static final FunctionName HELLO = new FunctionName("hello");

  private final BlockingQueue<GatewayEvent> published = new LinkedBlockingQueue<>();
  private final FakePool pool = new FakePool();
  private final AtomicInteger calls = new AtomicInteger();
  private HttpServer function;
  private RetryingInvoker invoker;
  /** Answers call number n, counted from 1. */
  private volatile Answer answer = (n, exchange) -> reply(exchange, 200, "hi");

  private interface Answer {
    void to(int n, HttpExchange exchange) throws IOException;
  }

  @BeforeEach
  void start() throws IOException {
    function = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    function.setExecutor(Executors.newCachedThreadPool());
    function.createContext("/", exchange -> {
      try (exchange) {
        answer.to(calls.incrementAndGet(), exchange);
      }
    });
    function.start();
    pool.address = function.getAddress();
    invoker = invoker(Duration.ofSeconds(20));
  }

  /** @param timeout of the function */
  private RetryingInvoker invoker(Duration timeout) {
    return new RetryingInvoker(new OneFunction(timeout), pool, new Recorder(),
        new Settings(4, Duration.ofMillis(2), Duration.ofMillis(10), Duration.ofSeconds(20), 1000));
  }

  /** From now on the function has to answer soon, which it must not be expected to do when a test wants an answer. */
  private void hurry() {
    invoker.close();
    invoker = invoker(Duration.ofMillis(300));
  }

  @AfterEach
  void stop() {
    invoker.close();
    function.stop(0);
    ((java.util.concurrent.ExecutorService) function.getExecutor()).shutdownNow();
  }

  @Test
  void passesMethodTargetHeadersAndBodyOnAndTheAnswerBack() throws Exception {
    answer = (n, exchange) -> {
      String seen = exchange.getRequestMethod() + " " + exchange.getRequestURI() + " "
          + exchange.getRequestHeaders().get("X-Many") + " " + exchange.getRequestHeaders().getFirst("Content-Type") + " "
          + new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
      exchange.getResponseHeaders().add("X-Back", "a");
      exchange.getResponseHeaders().add("X-Back", "b");
      reply(exchange, 201, seen);
    };

    var replied = (Outcome.Replied) invoke(new Invocation("1", HELLO, "http", "/x", "PUT", "/x/y?q=%20a", List.of(
        new Header("X-Many", "1"), new Header("X-Many", "2"), new Header("Content-Type", "text/weir"),
        new Header("Connection", "close")), Payload.of("body".getBytes(StandardCharsets.UTF_8)), Instant.now(),
        Guarantee.AT_MOST_ONCE, true));

    assertThat(replied.status()).isEqualTo(201);
    assertThat(text(replied)).isEqualTo("PUT /x/y?q=%20a [1, 2] text/weir body");
    assertThat(replied.headers().stream().filter(h -> h.name().equalsIgnoreCase("x-back")).map(Header::value))
        .containsExactly("a", "b");
  }

  @Test
  void keepsTheLeaseUntilTheBodyCloses() throws Exception {
    var replied = (Outcome.Replied) invoke(get());

    assertThat(pool.released).hasValue(0);
    replied.body().close();
    assertThat(pool.released).hasValue(1);
  }

  @Test
  void anAnswerIsReadWhileTheFunctionStillWritesIt() throws Exception {
    CountDownLatch firstRead = new CountDownLatch(1);
    answer = (n, exchange) -> {
      exchange.sendResponseHeaders(200, 0);
      exchange.getResponseBody().write('a');
      exchange.getResponseBody().flush();
      await(firstRead);
      exchange.getResponseBody().write('b');
    };

    var replied = (Outcome.Replied) invoke(get());

    assertThat(replied.body().stream().read()).isEqualTo('a');
    firstRead.countDown();
    assertThat(replied.body().stream().read()).isEqualTo('b');
    replied.body().close();
  }

  @Test
  void repeatsAFailedEventUntilItIsDone() throws Exception {
    answer = (n, exchange) -> reply(exchange, n < 3 ? 503 : 200, "n" + n);

    var replied = (Outcome.Replied) invoke(event());

    assertThat(text(replied)).isEqualTo("n3");
    assertThat(calls).hasValue(3);
    assertThat(published).filteredOn(GatewayEvent.Retrying.class::isInstance).hasSize(2);
    assertThat(pool.released).hasValue(3);
  }

  @Test
  void givesUpAfterTheLastAttemptWithWhatTheFunctionSaid() throws Exception {
    answer = (n, exchange) -> reply(exchange, 500, "no");

    var replied = (Outcome.Replied) invoke(event());

    assertThat(replied.status()).isEqualTo(500);
    assertThat(calls).hasValue(4);
  }

  @Test
  void neverRepeatsARejectedEvent() throws Exception {
    answer = (n, exchange) -> reply(exchange, 422, "bad");

    assertThat(((Outcome.Replied) invoke(event())).status()).isEqualTo(422);
    assertThat(calls).hasValue(1);
  }

  @Test
  void aRequestTheFunctionMayHaveSeenIsNotRepeated() throws Exception {
    answer = (n, exchange) -> cut(exchange);

    var failed = (Outcome.Failed) invoke(post(Payload.of(new byte[] {1})));

    assertThat(failed.code()).isEqualTo("connection-reset");
    assertThat(calls).hasValue(1);
    assertThat(pool.suspects).hasValue(1);
  }

  @Test
  void aRequestTheFunctionCannotHaveSeenIsRepeated() throws Exception {
    InetSocketAddress working = pool.address;
    try (ServerSocket closed = new ServerSocket(0)) {
      pool.next.add(new InetSocketAddress(InetAddress.getLoopbackAddress(), closed.getLocalPort()));
    }

    var replied = (Outcome.Replied) invoke(post(Payload.of(new byte[] {1})));

    assertThat(replied.status()).isEqualTo(200);
    assertThat(pool.address).isEqualTo(working);
    assertThat(pool.suspects).hasValue(1);
  }

  @Test
  void anAnswerCutShortIsAFailureOfAnEvent() throws Exception {
    answer = (n, exchange) -> {
      if (n == 1) {
        exchange.sendResponseHeaders(200, 10);
        exchange.getResponseBody().write('x');
        exchange.getResponseBody().flush();
        cut(exchange);
      } else {
        reply(exchange, 200, "whole");
      }
    };

    assertThat(text((Outcome.Replied) invoke(event()))).isEqualTo("whole");
  }

  @Test
  void aSlowFunctionTimesOutAndIsNotSuspect() throws Exception {
    hurry();
    CountDownLatch never = new CountDownLatch(1);
    answer = (n, exchange) -> await(never);

    var failed = (Outcome.Failed) invoke(post(Payload.of(new byte[0])));

    assertThat(failed.code()).isEqualTo("timeout");
    assertThat(failed.detail()).contains("300 ms");
    assertThat(pool.suspects).hasValue(0);
    assertThat(pool.timedOut).hasValue(1);
    never.countDown();
  }

  @Test
  void aSlowEventTimesOutOnEachAttempt() throws Exception {
    hurry();
    CountDownLatch never = new CountDownLatch(1);
    answer = (n, exchange) -> await(never);

    var failed = (Outcome.Failed) invoke(event());

    assertThat(failed.code()).isEqualTo("timeout");
    assertThat(failed.detail()).contains("300 ms");
    assertThat(pool.timedOut).hasValue(4);
    assertThat(pool.suspects).hasValue(0);
    never.countDown();
  }

  @Test
  void anAnswerLargerThanItMayHoldIsRefusedForGood() throws Exception {
    answer = (n, exchange) -> reply(exchange, 200, "x".repeat(1001));

    var failed = (Outcome.Failed) invoke(event());

    assertThat(failed.code()).isEqualTo("reply-too-large");
    assertThat(failed.mayRetry()).isFalse();
    assertThat(calls).hasValue(1);
  }

  @Test
  void aBodyThatBreaksIsTheCallersFault() throws Exception {
    Payload broken = Payload.once(new InputStream() {
      @Override
      public int read() throws IOException {
        throw new IOException("client gone");
      }
    }, -1);

    assertThat(((Outcome.Failed) invoke(post(broken))).code()).isEqualTo("invalid-request");
    assertThat(pool.suspects).hasValue(0);
  }

  @Test
  void anUnknownLengthIsStreamed() throws Exception {
    answer = (n, exchange) -> reply(exchange, 200, new String(exchange.getRequestBody().readAllBytes(),
        StandardCharsets.UTF_8) + exchange.getRequestHeaders().getFirst("Transfer-Encoding"));

    var replied = (Outcome.Replied) invoke(
        post(Payload.once(new ByteArrayInputStream("abc".getBytes(StandardCharsets.UTF_8)), -1)));

    assertThat(text(replied)).isEqualTo("abcchunked");
  }

  @Test
  void anEventWaitsForAFunctionThatDoesNotStartYet() throws Exception {
    pool.refusals.add(new LeaseRefused(LeaseRefused.Code.START_FAILED, "boom", Duration.ZERO, null));
    pool.refusals.add(new LeaseRefused(LeaseRefused.Code.NO_SUCH_IMAGE, "no img", Duration.ZERO, null));

    assertThat(invoke(event())).isInstanceOf(Outcome.Replied.class);
  }

  @Test
  void anAttemptThatWasNotMadeIsNone() throws Exception {
    LeaseRefused failure = new LeaseRefused(LeaseRefused.Code.START_FAILED, "boom", Duration.ofSeconds(1), null);
    pool.refusals.add(failure);
    pool.refusals.add(failure.untried(Duration.ofSeconds(2)));
    pool.refusals.add(new LeaseRefused(LeaseRefused.Code.ENGINE_UNAVAILABLE, "no Podman", Duration.ZERO, null));
    pool.refusals.add(new LeaseRefused(LeaseRefused.Code.WAITED_TOO_LONG, "busy", Duration.ZERO, null));

    assertThat(attempt(1)).isEqualTo(new Outcome.Failed("start-failed", "boom", true));
    assertThat(attempt(2)).isEqualTo(new Outcome.Refused(Outcome.Reason.UNAVAILABLE, "start-failed: boom",
        Duration.ofSeconds(2)));
    assertThat(attempt(2)).isInstanceOf(Outcome.Refused.class);
    assertThat(attempt(2)).isInstanceOf(Outcome.Refused.class);
    assertThat(attempt(2)).isInstanceOf(Outcome.Replied.class);
  }

  private Outcome attempt(int number) throws Exception {
    return invoker.attempt(event(), number, outcome -> false).toCompletableFuture().get(10, TimeUnit.SECONDS);
  }

  @Test
  void aRequestIsToldAtOnceThatTheFunctionDoesNotStart() throws Exception {
    pool.refusals.add(new LeaseRefused(LeaseRefused.Code.START_FAILED, "its last words: boom", Duration.ZERO, null));

    var failed = (Outcome.Failed) invoke(get());

    assertThat(failed.code()).isEqualTo("start-failed");
    assertThat(failed.detail()).contains("boom");
  }

  @Test
  void aFunctionThePoolHasNotHeardOfYetIsNotDenied() throws Exception {
    pool.refusals.add(new LeaseRefused(LeaseRefused.Code.UNKNOWN_FUNCTION, "there is no function hello", Duration.ZERO, null));

    assertThat(invoke(get())).isInstanceOf(Outcome.Replied.class);
  }

  @Test
  void howeverLateThePoolHearsOfAFunctionItsAttemptsAreAllToCome() throws Exception {
    for (int i = 0; i < 20; i++) {
      pool.refusals.add(new LeaseRefused(LeaseRefused.Code.UNKNOWN_FUNCTION, "there is no function hello", Duration.ZERO, null));
    }
    answer = (n, exchange) -> reply(exchange, n < 4 ? 503 : 200, "n" + n);

    assertThat(text((Outcome.Replied) invoke(event()))).isEqualTo("n4");
    assertThat(calls).as("as many as are allowed").hasValue(4);
  }

  @Test
  void aFunctionThePoolNeverHearsOfIsStartingAndNotUnknown() throws Exception {
    for (int i = 0; i < 10_000; i++) {
      pool.refusals.add(new LeaseRefused(LeaseRefused.Code.UNKNOWN_FUNCTION, "there is no function hello", Duration.ZERO, null));
    }
    RetryingInvoker hasty = new RetryingInvoker(new OneFunction(Duration.ofSeconds(20)), pool, new Recorder(),
        new Settings(4, Duration.ofMillis(1), Duration.ofMillis(2), Duration.ofMillis(50), 1000));

    var refused = (Outcome.Refused) hasty.invoke(get()).toCompletableFuture().get(20, TimeUnit.SECONDS);
    hasty.close();

    assertThat(refused.reason()).isEqualTo(Outcome.Reason.STARTING);
  }

  @Test
  void aRequestIsNotRepeatedForLongerThanItsClientIsPatient() throws Exception {
    try (ServerSocket closed = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      pool.address = new InetSocketAddress(InetAddress.getLoopbackAddress(), closed.getLocalPort());
    }
    RetryingInvoker hasty = new RetryingInvoker(new OneFunction(Duration.ofSeconds(20)), pool, new Recorder(),
        new Settings(10_000, Duration.ofMillis(1), Duration.ofMillis(2), Duration.ofMillis(50), 1000));

    var failed = (Outcome.Failed) hasty.invoke(get()).toCompletableFuture().get(20, TimeUnit.SECONDS);
    hasty.close();

    assertThat(failed.code()).isEqualTo("connection-refused");
    assertThat(pool.suspects.get()).isLessThan(10_000);
  }

  @Test
  void aFullQueueRefusesAndSaysWhenToComeBack() throws Exception {
    pool.refusals.add(new LeaseRefused(LeaseRefused.Code.QUEUE_FULL, "full", Duration.ofSeconds(1), null));

    var refused = (Outcome.Refused) invoke(event());

    assertThat(refused.reason()).isEqualTo(Outcome.Reason.QUEUE_FULL);
    assertThat(refused.retryAfter()).isEqualTo(Duration.ofSeconds(1));
  }

  @Test
  void whatWaitsForItsNextAttemptIsHandedBackOnStop() throws Exception {
    answer = (n, exchange) -> reply(exchange, 503, "");
    RetryingInvoker patient = new RetryingInvoker(new OneFunction(Duration.ofSeconds(20)), pool, new Recorder(),
        new Settings(4, Duration.ofHours(1), Duration.ofHours(1), Duration.ofSeconds(5), 1000));
    CompletableFuture<Outcome> pending = patient.invoke(event()).toCompletableFuture();
    while (!(published.poll(10, TimeUnit.SECONDS) instanceof GatewayEvent.Retrying)) {
      // until the first attempt has failed
    }

    patient.close();

    assertThat(((Outcome.Refused) pending.get(10, TimeUnit.SECONDS)).reason()).isEqualTo(Outcome.Reason.STOPPING);
  }

  @Test
  void everyInvocationIsToldOnceAtItsStartAndOnceAtItsEnd() throws Exception {
    answer = (n, exchange) -> exchange.sendResponseHeaders(204, -1);
    pool.coldStart = Optional.of(
        new ColdStart(ColdStart.Cause.SCALED_TO_ZERO, Rung.CREATED, Duration.ofMillis(42)));

    invoke(event());

    assertThat(published.poll()).isInstanceOf(GatewayEvent.Accepted.class);
    assertThat(published.poll()).isInstanceOfSatisfying(GatewayEvent.Ended.class, ended -> {
      assertThat(ended.result()).isEqualTo("no-content");
      assertThat(ended.status()).isEqualTo(204);
      assertThat(ended.coldStart()).isEqualTo(Duration.ofMillis(42));
      assertThat(ended.coldCause()).isEqualTo("scaled-to-zero");
      assertThat(ended.coldFrom()).isEqualTo("created");
      assertThat(ended.attempts()).isEqualTo(1);
    });
    assertThat(published).isEmpty();
  }

  @Test
  void attemptsThatSomebodyElseRepeatsAreOneInvocationToAllWhoListen() throws Exception {
    answer = (n, exchange) -> exchange.sendResponseHeaders(n == 1 ? 500 : 204, -1);

    var first = (Outcome.Replied) invoker.attempt(event(), 1, outcome -> true).toCompletableFuture()
        .get(20, TimeUnit.SECONDS);
    var second = (Outcome.Replied) invoker.attempt(event(), 2, outcome -> false).toCompletableFuture()
        .get(20, TimeUnit.SECONDS);

    assertThat(first.status()).isEqualTo(500);
    assertThat(second.status()).isEqualTo(204);
    assertThat(calls).hasValue(2);
    assertThat(published.poll()).isInstanceOf(GatewayEvent.Accepted.class);
    assertThat(published.poll()).isInstanceOfSatisfying(GatewayEvent.Ended.class,
        ended -> assertThat(ended.attempts()).isEqualTo(2));
    assertThat(published).isEmpty();
  }

  private Outcome invoke(Invocation invocation) throws Exception {
    return invoker.invoke(invocation).toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  private static Invocation get() {
    return new Invocation("1", HELLO, "http", "/", "GET", "/", List.of(), Payload.of(new byte[0]), Instant.now(),
        Guarantee.AT_MOST_ONCE, true);
  }

  private static Invocation post(Payload body) {
    return new Invocation("1", HELLO, "http", "/", "POST", "/", List.of(), body, Instant.now(),
        Guarantee.AT_MOST_ONCE, true);
  }

  private static Invocation event() {
    return new Invocation("1", HELLO, "mqtt", "a/b", "POST", "/", List.of(), Payload.of(new byte[] {1}), Instant.now(),
        Guarantee.AT_LEAST_ONCE, false);
  }

  private static String text(Outcome.Replied replied) throws IOException {
    try (Outcome.Body body = replied.body()) {
      return new String(body.stream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static void reply(HttpExchange exchange, int status, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  /** Closes the connection without (the rest of) an answer. */
  private static void cut(HttpExchange exchange) {
    throw new IllegalStateException("cut " + exchange.getRequestURI());
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await(20, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static final class FakePool implements InstancePool {
    final AtomicInteger released = new AtomicInteger();
    final AtomicInteger suspects = new AtomicInteger();
    final AtomicInteger timedOut = new AtomicInteger();
    final Queue<LeaseRefused> refusals = new ArrayDeque<>();
    final Queue<InetSocketAddress> next = new ArrayDeque<>();
    Optional<ColdStart> coldStart = Optional.empty();
    InetSocketAddress address;

    @Override
    public CompletionStage<Lease> acquire(FunctionName name, Duration patience) {
      LeaseRefused refusal = refusals.poll();
      if (refusal != null) {
        return CompletableFuture.failedFuture(refusal);
      }
      InetSocketAddress to = next.isEmpty() ? address : next.poll();
      return CompletableFuture.completedFuture(new Lease() {
        @Override
        public InetSocketAddress address() {
          return to;
        }

        @Override
        public String instance() {
          return "fake";
        }

        @Override
        public Optional<ColdStart> coldStart() {
          return coldStart;
        }

        @Override
        public void release() {
          released.incrementAndGet();
        }

        @Override
        public void releaseSuspect() {
          suspects.incrementAndGet();
        }

        @Override
        public void releaseTimedOut() {
          timedOut.incrementAndGet();
        }
      });
    }

    @Override
    public List<Instance> instances() {
      return List.of();
    }

    @Override
    public List<String> logs(FunctionName name, int lines) {
      return List.of();
    }
  }

  private static final class OneFunction implements FunctionRegistry {
    private final FunctionSpec hello;

    OneFunction(Duration timeout) {
      hello = new FunctionSpec(HELLO, new Source.Image("img:1"), 8080, List.of(), Optional.empty(),
          new Limits(64 << 20, 1, 64), new Scaling(0, 1, 8, Duration.ofSeconds(60)), timeout, Map.of());
    }

    @Override
    public List<FunctionSpec> functions() {
      return List.of(hello);
    }

    @Override
    public Optional<FunctionSpec> find(FunctionName name) {
      return name.equals(HELLO) ? Optional.of(hello) : Optional.empty();
    }

    @Override
    public Optional<String> origin(FunctionName name) {
      return Optional.empty();
    }

    @Override
    public List<Problem> problems() {
      return List.of();
    }

    @Override
    public List<FunctionSpec> declare(String yaml, String source, Map<String, String> files) {
      throw new UnsupportedOperationException();
    }

    @Override
    public boolean remove(FunctionName name) {
      throw new UnsupportedOperationException();
    }
  }

  private final class Recorder implements Events {
    @Override
    public void publish(GatewayEvent event) {
      published.add(event);
    }

    @Override
    public List<GatewayEvent> recent() {
      return List.of();
    }

    @Override
    public AutoCloseable subscribe(Consumer<GatewayEvent> listener) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Map<String, Long> counters() {
      return Map.of();
    }
  }
}
