package io.weir.gateway.http.internal;

import io.weir.function.FunctionSpec;
import io.weir.function.Promise;
import io.weir.function.Promise.Level;
import io.weir.function.Promise.Order;
import io.weir.function.Promise.Retry;
import io.weir.function.Promise.Urgency;
import io.weir.invocation.Acceptance;
import io.weir.invocation.Answers;
import io.weir.invocation.Courier;
import io.weir.invocation.Guarantee;
import io.weir.invocation.Header;
import io.weir.invocation.Invocation;
import io.weir.invocation.InvocationJournal;
import io.weir.invocation.InvocationJournal.Accepted;
import io.weir.invocation.InvocationJournal.Entry;
import io.weir.invocation.KeptOutcome;
import io.weir.invocation.Outcome;
import io.weir.invocation.Payload;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls that are kept in the journal: those with a key, which take effect once, and those whose callers do not wait. The
 * courier brings them to their end, over restarts; here callers are told, as long as they are there.
 */
final class KeptCalls implements Answers, AutoCloseable {
  static final String REPLAYED = "Weir-Replayed";
  private static final Logger log = LoggerFactory.getLogger(KeptCalls.class);
  /** Which caller waits for the event; a note of the event, without meaning after a restart. */
  private static final String CALL = ":call";
  private static final int MOST_WAITING = 1024;
  /** Beyond the time of one attempt, for those that go before it. */
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final int LOOKS = 3;

  private final Services services;
  private final int maxBody;
  private final int maxAnswer;
  private final Clock clock;
  private final AnswerWriter writer = new AnswerWriter();
  private final Map<String, Waiting> waiting = new ConcurrentHashMap<>();
  private final String calls = OutcomeId.hash(Long.toString(new java.security.SecureRandom().nextLong())) + " ";
  private final AtomicLong count = new AtomicLong();
  private final ScheduledThreadPoolExecutor timer;

  /**
   * @param maxBody bytes of a body that is kept
   * @param maxAnswer bytes of an answer that is kept
   */
  KeptCalls(Services services, int maxBody, int maxAnswer, Clock clock) {
    this.services = services;
    this.maxBody = maxBody;
    this.maxAnswer = maxAnswer;
    this.clock = clock;
    this.timer = new ScheduledThreadPoolExecutor(1, work -> {
      Thread thread = new Thread(work, "weir-http-wait");
      thread.setDaemon(true);
      return thread;
    });
    timer.setRemoveOnCancelPolicy(true);
  }

  /**
   * What a caller asks for.
   *
   * @param key by which the call is known when it comes again
   */
  record Wish(Optional<String> key, Preferences preferences) {
    /** Empty for a call like any other. */
    static Optional<Wish> of(HttpServletRequest request) {
      if (request.getHeader(IdempotencyKeys.FIELD) == null && request.getHeader(Preferences.FIELD) == null) {
        return Optional.empty();
      }
      Wish wish = new Wish(IdempotencyKeys.of(request), Preferences.of(request.getHeaders(Preferences.FIELD)));
      return wish.key.isPresent() || wish.preferences.async() ? Optional.of(wish) : Optional.empty();
    }

    boolean async() {
      return preferences.async();
    }

    /** Without what the gateway does itself: the function shall not do it again. */
    List<Header> headers(List<Header> headers) {
      List<Header> left = new ArrayList<>(headers);
      left.removeIf(header -> header.name().equalsIgnoreCase(Preferences.FIELD));
      if (!preferences.others().isEmpty()) {
        left.add(new Header(Preferences.FIELD, String.join(", ", preferences.others())));
      }
      return left;
    }

    Promise promise() {
      return new Promise(key.isPresent() ? Level.EXACTLY_ONCE : Level.AT_LEAST_ONCE, Order.NONE, Retry.DEFAULT,
          Urgency.NORMAL);
    }
  }

  // --- accepting -----------------------------------------------------------------------------------------------------

  void serve(HttpServletRequest request, HttpServletResponse response, FunctionSpec function, Wish wish, String id,
      String target, List<Header> headers) throws IOException {
    Courier courier = services.courier().orElseThrow(JournalCalls::absent);
    if (!wish.async() && waiting.size() >= MOST_WAITING) {
      throw new Problem(503, "busy", MOST_WAITING + " callers wait for such calls already; try again, or send Prefer: "
          + Preferences.ASYNC).retryAfter(Duration.ofSeconds(1));
    }
    byte[] body = body(request);
    String print = OutcomeId.hash(request.getMethod(), target.getBytes(StandardCharsets.UTF_8),
        String.valueOf(request.getContentType()).getBytes(StandardCharsets.UTF_8), body);
    OutcomeId outcome = wish.key().map(key -> OutcomeId.ofKey(function.name(), key))
        .orElseGet(() -> OutcomeId.random(function.name()));
    String call = calls + count.incrementAndGet();
    Entry entry = new Entry(new Invocation(id, function.name(), trigger(), request.getRequestURI(), request.getMethod(),
        target, wish.headers(headers), Payload.of(body), clock.instant(), Guarantee.AT_LEAST_ONCE, false),
        Optional.of(outcome.key()), "http " + call,
        List.of(new Header(KeptAnswers.PRINT, print), new Header(CALL, call)));
    AsyncContext async = request.startAsync(request, response);
    async.setTimeout(0);
    Waiting caller = new Waiting(async, request.getMethod(), outcome, print, call);
    if (!wish.async()) {
      waiting.put(call, caller);
      caller.atMost(wish.preferences().patience().orElse(function.timeout().plus(PATIENCE)));
    }
    accept(courier, entry, wish.promise()).whenComplete((acceptance, failure) -> {
      boolean waits = !wish.async() && acceptance instanceof Acceptance.Taken;
      if (!waits) {
        caller.answer(() -> accepted(caller, wish.async(), acceptance, failure));
      }
    });
  }

  private static CompletionStage<Acceptance> accept(Courier courier, Entry entry, Promise promise) {
    try {
      return courier.accept(entry, promise);
    } catch (RuntimeException e) {
      return CompletableFuture.failedStage(e);
    }
  }

  private byte[] body(HttpServletRequest request) throws IOException {
    long length = request.getContentLengthLong();
    byte[] body = length > maxBody ? null : request.getInputStream().readNBytes(maxBody + 1);
    if (body == null || body.length > maxBody) {
      throw new Problem(413, "too-large", "the body is larger than " + maxBody + " bytes, the most that is kept; send "
          + "less, or raise max.kept.bytes of " + HttpConfig.PID);
    }
    if (body.length < length) {
      throw new Problem(400, "incomplete", "the body ended before its Content-Length");
    }
    return body;
  }

  private void accepted(Waiting caller, boolean async, @Nullable Acceptance first, @Nullable Throwable failure)
      throws IOException {
    if (first == null) {
      throw JournalCalls.problem(failure == null ? new IllegalStateException("no acceptance") : failure);
    }
    Acceptance acceptance = first instanceof Acceptance.Taken ? first : same(caller, first);
    boolean running = acceptance instanceof Acceptance.Pending;
    if (!(acceptance instanceof Acceptance.Taken) && (async || !running)) {
      caller.response().setHeader(REPLAYED, "true");
    }
    if (async) {
      caller.response().setHeader("Location", caller.outcome.path());
      caller.response().setHeader("Preference-Applied", Preferences.ASYNC);
      caller.json(202, Json.object("id", caller.outcome.toString(), "outcome", caller.outcome.path()));
    } else if (acceptance instanceof Acceptance.Done done) {
      write(caller, done.outcome());
    } else if (acceptance instanceof Acceptance.Dead dead) {
      throw dead(caller, dead.number(), dead.reason(), dead.detail());
    } else {
      throw new Problem(409, "still-running", "the call with this " + IdempotencyKeys.FIELD + " has not ended; ask again "
          + "with the same key, or look at " + caller.outcome.path()).with("outcome", caller.outcome.path())
          .retryAfter(Duration.ofSeconds(1));
    }
  }

  /** What became of the event, provided that it was the same call. */
  private Acceptance same(Waiting caller, Acceptance first) {
    InvocationJournal journal = JournalCalls.journal(services);
    Acceptance acceptance = first;
    Optional<String> print = print(journal, acceptance);
    for (int look = 1; look < LOOKS && print.isEmpty(); look++) { // It may have ended meanwhile.
      acceptance = journal.find(caller.outcome.function(), caller.outcome.key()).orElse(acceptance);
      print = print(journal, acceptance);
    }
    if (print.isPresent() && !print.get().equals(caller.print)) {
      throw new Problem(422, "key-reused", "another call had this " + IdempotencyKeys.FIELD + ": method, path, query, "
          + "Content-Type or body differ; use a new key for a new call");
    }
    return acceptance;
  }

  private static Optional<String> print(InvocationJournal journal, Acceptance acceptance) {
    if (acceptance instanceof Acceptance.Done done) {
      return KeptAnswers.note(done.outcome().headers(), KeptAnswers.PRINT);
    }
    long number = acceptance.number();
    Optional<Entry> entry = acceptance instanceof Acceptance.Dead
        ? DeadLetters.find(journal, number).map(letter -> letter.entry())
        : journal.pending(number - 1, 1).stream().filter(event -> event.number() == number).map(Accepted::entry).findFirst();
    return entry.flatMap(it -> KeptAnswers.note(it.notes(), KeptAnswers.PRINT));
  }

  // --- what became of them -------------------------------------------------------------------------------------------

  @Override
  public String trigger() {
    return "http";
  }

  @Override
  public Ending ending(Entry entry, Outcome.Replied reply) throws IOException {
    return new Ending(KeptAnswers.of(entry, reply, maxAnswer), List.of());
  }

  @Override
  public void kept(Accepted event, KeptOutcome outcome) {
    caller(event).ifPresent(caller -> caller.answer(() -> write(caller, outcome)));
  }

  @Override
  public void died(Accepted event, String reason, String detail) {
    caller(event).ifPresent(caller -> caller.answer(() -> {
      throw dead(caller, event.number(), reason, detail);
    }));
  }

  private Optional<Waiting> caller(Accepted event) {
    return KeptAnswers.note(event.entry().notes(), CALL).map(waiting::get);
  }

  private void write(Waiting caller, KeptOutcome outcome) throws IOException {
    KeptAnswers.invocation(outcome).ifPresent(id -> caller.response().setHeader(FrontDoor.INVOCATION, id));
    writer.write(caller.method, KeptAnswers.reply(outcome).orElseThrow(() ->
        new Problem(502, "answer-too-large", outcome.detail())), caller.response());
  }

  private static Problem dead(Waiting caller, long number, String reason, String detail) {
    return new Problem(502, "dead-letter", "the function could not handle this call: " + reason + ": " + detail
        + "; it is dead letter " + number).with("reason", reason).with("deadLetter", number)
        .with("outcome", caller.outcome.path());
  }

  @Override
  public void close() {
    timer.shutdownNow();
    waiting.values().forEach(caller -> caller.answer(() -> {
      throw new Problem(503, "stopping", "the gateway is going down; it goes on with the call when it is back")
          .with("outcome", caller.outcome.path()).retryAfter(Duration.ofSeconds(5));
    }));
  }

  /** What is written to a caller; a {@link Problem} is written instead if it throws one. */
  private interface Reply {
    void write() throws IOException;
  }

  /** A caller that is still there, as far as is known. It is answered once, by the first who has something to say. */
  private final class Waiting {
    private final AsyncContext async;
    private final String method;
    private final OutcomeId outcome;
    private final String print;
    private final String call;
    private final AtomicBoolean answered = new AtomicBoolean();
    private volatile @Nullable Future<?> patience;

    Waiting(AsyncContext async, String method, OutcomeId outcome, String print, String call) {
      this.async = async;
      this.method = method;
      this.outcome = outcome;
      this.print = print;
      this.call = call;
    }

    HttpServletResponse response() {
      return (HttpServletResponse) async.getResponse();
    }

    void json(int status, Map<String, Object> document) throws IOException {
      new Call(new ServletExchange((HttpServletRequest) async.getRequest(), response()), Map.of()).json(status, document);
    }

    void atMost(Duration time) {
      try {
        patience = timer.schedule(() -> answer(() -> {
          throw new Problem(504, "still-running", "the call has not ended within " + time.toSeconds() + " s and goes on; "
              + "ask again with the same key, or look at " + outcome.path()).with("outcome", outcome.path());
        }), time.toMillis(), TimeUnit.MILLISECONDS);
      } catch (RejectedExecutionException e) {
        // The gateway goes down; it tells every caller.
      }
    }

    /** Has a thread of the server write it: who knows what to write must not wait for the client. */
    void answer(Reply reply) {
      if (!answered.compareAndSet(false, true)) {
        return;
      }
      waiting.remove(call);
      Future<?> timeout = patience;
      if (timeout != null) {
        timeout.cancel(false);
      }
      try {
        async.start(() -> write(reply));
      } catch (RuntimeException e) {
        log.debug("The caller of {} cannot be told", outcome, e);
      }
    }

    private void write(Reply reply) {
      try {
        try {
          reply.write();
        } catch (Problem problem) {
          ProblemWriter.write(problem, response());
        } catch (RuntimeException e) {
          log.error("Telling the outcome {} failed", outcome, e);
          ProblemWriter.write(new Problem(500, "internal", "the gateway failed; its log says more"), response());
        }
        async.complete();
      } catch (IOException | RuntimeException e) {
        log.debug("The caller of {} went before its answer", outcome, e);
        complete();
      }
    }

    private void complete() {
      try {
        async.complete();
      } catch (IllegalStateException e) {
        log.debug("The exchange was over already", e);
      }
    }
  }
}
