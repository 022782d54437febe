package io.weir.gateway.http.internal;

import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.invocation.Guarantee;
import io.weir.invocation.Invocation;
import io.weir.invocation.Invoker;
import io.weir.invocation.Outcome;
import io.weir.invocation.Payload;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes requests to functions and brings their answers back.
 *
 * <p>The server's thread reads a small body and leaves; the answer is written by the invoker's thread that has it.
 */
final class FrontDoor {
  static final String INVOCATION = "Weir-Invocation";
  private static final Logger log = LoggerFactory.getLogger(FrontDoor.class);
  /** Up to this size a body is read first, so that it can be sent again if an instance was gone. */
  private static final int MAX_ID = 256;

  private final Services services;
  private final BooleanSupplier ready;
  private final long maxBody;
  private final Clock clock;
  private final KeptCalls kept;
  private final AnswerWriter writer = new AnswerWriter();
  private final String idPrefix = Long.toString(new java.security.SecureRandom().nextLong() & Long.MAX_VALUE, 36) + "-";
  private final AtomicLong ids = new AtomicLong();
  /** Whether the gateway was ready once, so that every function that is declared is there. */
  private volatile boolean complete;

  /**
   * @param ready whether the gateway is ready
   * @param kept takes the calls that are kept in the journal
   */
  FrontDoor(Services services, BooleanSupplier ready, long maxBody, Clock clock, KeptCalls kept) {
    this.kept = kept;
    this.services = services;
    this.ready = ready;
    this.maxBody = maxBody;
    this.clock = clock;
  }

  /**
   * @param prefix the part of the request path that led here
   * @param rest the part after it, still encoded; the path the function sees
   */
  void serve(HttpServletRequest request, HttpServletResponse response, FunctionName function, String prefix,
      String rest) throws IOException {
    complete = complete || ready.getAsBoolean();
    FunctionSpec spec = services.registry().find(function).orElse(null);
    if (spec == null) {
      throw complete ? Problem.unknownFunction(function.value()) : new Problem(503, "starting", "the gateway is starting, and function '"
          + function + "' is not there yet; look at /api/v1/status").retryAfter(Duration.ofSeconds(1));
    }
    String id = id(request);
    response.setHeader(INVOCATION, id);
    String query = request.getQueryString();
    String path = rest.isEmpty() ? "/" : rest;
    String target = query == null ? path : path + '?' + query;
    Optional<KeptCalls.Wish> wish = KeptCalls.Wish.of(request);
    if (wish.isPresent()) {
      kept.serve(request, response, spec, wish.get(), id, target, Headers.forwarded(request, prefix, id));
      return;
    }
    Body body = body(request);
    Invocation invocation = new Invocation(id, function, "http", request.getRequestURI(), request.getMethod(),
        target, Headers.forwarded(request, prefix, id), body.payload, clock.instant(), Guarantee.AT_MOST_ONCE, true);
    Invoker invoker = services.invoker().orElseThrow(() -> new Problem(503, "engine-unavailable",
        "the gateway cannot run functions now; look at /api/v1/status").retryAfter(Duration.ofSeconds(5)));
    AsyncContext async = request.startAsync(request, response);
    async.setTimeout(0);
    invoker.invoke(invocation).whenComplete((outcome, failure) -> answer(async, request, body, outcome, failure));
  }

  private void answer(AsyncContext async, HttpServletRequest request, Body body, @Nullable Outcome outcome,
      @Nullable Throwable failure) {
    HttpServletResponse response = (HttpServletResponse) async.getResponse();
    boolean whole = true;
    try {
      if (body.stream != null && body.stream.exceeded()) {
        discard(outcome);
        ProblemWriter.write(tooLarge(), request, response);
      } else if (outcome == null) {
        log.error("The invoker failed on {}", request.getRequestURI(), failure);
        ProblemWriter.write(new Problem(500, "internal", "the gateway failed; its log says more"), response);
      } else {
        if (body.stream != null && !body.stream.wasRead()) {
          Unread.lastOnItsConnection(response);
        }
        whole = writer.write(request.getMethod(), outcome, response);
      }
    } catch (IOException | RuntimeException e) {
      log.debug("The client of {} went before its answer", request.getRequestURI(), e);
      whole = false;
    } finally {
      if (body.stream != null) {
        body.stream.end();
      }
      end(async, whole);
    }
  }

  /** Ending an answer normally would pass it off as whole; throwing in the servlet resets it instead. */
  private static void end(AsyncContext async, boolean whole) {
    try {
      if (whole || !async.getResponse().isCommitted()) {
        async.complete();
      } else {
        async.getRequest().setAttribute(FrontDoorServlet.CUT, Boolean.TRUE);
        async.dispatch();
      }
    } catch (IllegalStateException e) {
      log.debug("The exchange was over already", e);
    }
  }

  private static void discard(@Nullable Outcome outcome) throws IOException {
    if (outcome instanceof Outcome.Replied replied) {
      replied.body().close();
    }
  }

  private String id(HttpServletRequest request) {
    String given = request.getHeader("ce-id");
    return given != null && !given.isBlank() && given.length() <= MAX_ID ? given
        : idPrefix + Long.toString(ids.incrementAndGet(), 36);
  }

  private record Body(Payload payload, @Nullable LimitedStream stream) {}

  private static final Body NONE = new Body(Payload.of(new byte[0]), null);

  private Body body(HttpServletRequest request) throws IOException {
    long length = request.getContentLengthLong();
    if (length > maxBody) {
      throw tooLarge();
    }
    if (length == 0 || length < 0 && !mayHaveBody(request)) {
      return NONE;
    }
    if (length > 0 && length <= Unread.HELD_BYTES) {
      byte[] bytes = request.getInputStream().readNBytes((int) length);
      if (bytes.length < length) {
        throw new Problem(400, "incomplete", "the body ended before its Content-Length");
      }
      return new Body(Payload.of(bytes), null);
    }
    LimitedStream stream = new LimitedStream(request.getInputStream(), maxBody, length);
    return new Body(Payload.once(stream, length), stream);
  }

  private static boolean mayHaveBody(HttpServletRequest request) {
    if (request.getHeader("Transfer-Encoding") != null) {
      return true;
    }
    String method = request.getMethod();
    return request.getProtocol().startsWith("HTTP/2") && !method.equals("GET") && !method.equals("HEAD");
  }

  private Problem tooLarge() {
    return new Problem(413, "too-large", "the body is larger than " + maxBody
        + " bytes; send less, or raise max.body.bytes of " + HttpConfig.PID);
  }
}
