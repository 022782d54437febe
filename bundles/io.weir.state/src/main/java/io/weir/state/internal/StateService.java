package io.weir.state.internal;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.weir.function.FunctionName;
import io.weir.invocation.InvocationJournal;
import io.weir.invocation.JournalFull;
import io.weir.invocation.JournalUnavailable;
import io.weir.invocation.StateAttempts;
import io.weir.invocation.StateChange;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the requests of functions do to their state. Called by the loop; answers on any thread. */
final class StateService {
  private static final Logger LOG = LoggerFactory.getLogger(StateService.class);
  static final String ROOT = "/state";
  static final String TTL = "Weir-TTL";
  private static final int MAX_KEY = 256;
  private static final long MAX_TTL_SECONDS = Duration.ofDays(3650).toSeconds();

  /** A problem, on its way to the client. */
  private static final class Refused extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final transient Answer answer;

    Refused(int status, String code, String detail) {
      this(Answer.problem(status, code, detail));
    }

    Refused(Answer answer) {
      super(null, null, false, false);
      this.answer = answer;
    }
  }

  /** A request, understood. An empty key means all of them. */
  private record Order(Request request, Book book, InvocationJournal journal, String key, Optional<Book.Attempt> attempt) {
    boolean reads() {
      return request.method().equals("GET") || request.method().equals("HEAD");
    }
  }

  private final Books books;
  private final Tokens tokens;
  private final Supplier<@Nullable InvocationJournal> journal;
  private final Executor loop;

  /** @param loop runs what has waited */
  StateService(Books books, Tokens tokens, Supplier<@Nullable InvocationJournal> journal, Executor loop) {
    this.books = books;
    this.tokens = tokens;
    this.journal = journal;
    this.loop = loop;
  }

  /** What is wrong with a request whose body has not been read yet. */
  Optional<Answer> objection(Request request) {
    try {
      Order order = understand(request);
      if (request.length() > order.journal().stateRoom(order.book().name()).largestValue()) {
        throw new Refused(413, "too-large", "a value has at most "
            + order.journal().stateRoom(order.book().name()).largestValue()
            + " bytes; keep less, or raise state.value.max.bytes of io.weir.journal");
      }
      return Optional.empty();
    } catch (Refused e) {
      return Optional.of(e.answer);
    }
  }

  void serve(Request request, byte[] body, Consumer<Answer> client) {
    try {
      run(understand(request), body, client);
    } catch (Refused e) {
      client.accept(e.answer);
    } catch (RuntimeException e) {
      client.accept(failed(e));
    }
  }

  // --- understanding -------------------------------------------------------------------------------------------------

  private Order understand(Request request) {
    String path = request.path();
    if (!path.equals(ROOT) && !path.startsWith(ROOT + "/")) {
      throw new Refused(404, "not-found", "there is nothing here but " + ROOT + "/KEY");
    }
    FunctionName function = request.header("authorization").filter(value -> value.regionMatches(true, 0, "Bearer ", 0, 7))
        .flatMap(value -> tokens.function(value.substring(7).strip()))
        .orElseThrow(() -> new Refused(Answer.problem(401, "no-token",
            "send Authorization: Bearer and what WEIR_STATE_TOKEN holds").with("WWW-Authenticate", "Bearer")));
    String key = path.length() <= ROOT.length() + 1 ? "" : key(path.substring(ROOT.length() + 1));
    List<String> allowed = key.isEmpty() ? List.of("GET", "HEAD") : List.of("GET", "HEAD", "PUT", "DELETE");
    if (!allowed.contains(request.method())) {
      throw new Refused(Answer.problem(405, "method-not-allowed", "use " + String.join(", ", allowed))
          .with("Allow", String.join(", ", allowed)));
    }
    InvocationJournal now = journal.get();
    if (now == null) {
      throw new Refused(Answer.problem(503, "journal-unavailable", "the gateway keeps no journal now").with("Retry-After", "5"));
    }
    ttl(request);
    return new Order(request, books.of(function), now, key, attempt(request, function));
  }

  private Optional<Book.Attempt> attempt(Request request, FunctionName function) {
    Optional<String> id = request.header(StateAttempts.HEADER);
    Optional<String> event = request.header("ce-id");
    if (id.isEmpty()) {
      if (event.isPresent() && books.isInWork(function, event.get())) {
        throw new Refused(400, "attempt-missing", "pass " + StateAttempts.HEADER + " back as the event had it: ce-id does not"
            + " tell one attempt at an event from another");
      }
      return Optional.empty();
    }
    Book.Attempt attempt = books.attempt(function, id.get()).orElseThrow(StateService::over);
    if (event.isPresent() && !event.get().equals(attempt.event())) {
      throw new Refused(409, "attempt-over", "this attempt is at another event than " + event.get());
    }
    return Optional.of(attempt);
  }

  private static Refused over() {
    return new Refused(409, "attempt-over", "the event of this " + StateAttempts.HEADER
        + " is not being handled any more: it was answered, or took too long. Nothing was changed");
  }

  /** A key as it is meant: percent signs decoded. */
  private static String key(String encoded) {
    ByteBuffer bytes = ByteBuffer.allocate(encoded.length());
    for (int i = 0; i < encoded.length(); i++) {
      char c = encoded.charAt(i);
      if (c != '%') {
        bytes.put((byte) c);
        continue;
      }
      int high = i + 2 < encoded.length() ? Character.digit(encoded.charAt(i + 1), 16) : -1;
      int low = i + 2 < encoded.length() ? Character.digit(encoded.charAt(i + 2), 16) : -1;
      if (high < 0 || low < 0) {
        throw new Refused(400, "bad-key", "a percent sign stands before two hexadecimal digits");
      }
      bytes.put((byte) (high << 4 | low));
      i += 2;
    }
    bytes.flip();
    if (bytes.limit() > MAX_KEY) {
      throw new Refused(400, "bad-key", "a key has 1 to " + MAX_KEY + " bytes, not " + bytes.limit());
    }
    try {
      return UTF_8.newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      throw new Refused(400, "bad-key", "a key is UTF-8");
    }
  }

  private static Optional<Duration> ttl(Request request) {
    Optional<String> given = request.header(TTL);
    if (given.isEmpty()) {
      return Optional.empty();
    }
    if (!given.get().matches("\\d{1,18}") || Long.parseLong(given.get()) < 1
        || Long.parseLong(given.get()) > MAX_TTL_SECONDS) {
      throw new Refused(400, "bad-ttl", TTL + " is a number of seconds from 1 to " + MAX_TTL_SECONDS);
    }
    return Optional.of(Duration.ofSeconds(Long.parseLong(given.get())));
  }

  // --- doing ---------------------------------------------------------------------------------------------------------

  private void run(Order order, byte[] body, Consumer<Answer> client) {
    if (order.key().isEmpty()) {
      List<String> kept = order.journal().stateKeys(order.book().name());
      client.accept(Answer.keys(order.attempt().map(attempt -> attempt.keys(kept)).orElse(kept)));
      return;
    }
    boolean conditional = order.request().header("if-match").isPresent()
        || order.request().header("if-none-match").isPresent();
    Optional<Book.Seen> seen = Optional.empty();
    if (order.reads() || conditional) {
      Optional<StateChange> own = order.attempt().flatMap(attempt -> attempt.own(order.key()));
      seen = Optional.of(own.map(change -> new Book.Seen(
          change instanceof StateChange.Put put ? Optional.of(put.value()) : Optional.empty(), 0, null))
          .orElseGet(() -> order.book().see(order.journal(), order.key())));
      CompletableFuture<Void> busy = seen.get().busy();
      if (busy != null) {
        again(busy, order, body, client);
        return;
      }
      if (own.isEmpty() && order.attempt().isPresent() && !order.attempt().get().read(order.key(), seen.get())) {
        throw over();
      }
    }
    if (order.reads()) {
      client.accept(read(order, seen.orElseThrow().value()));
      return;
    }
    seen.ifPresent(current -> require(order.request(), current.value()));
    StateChange change = order.request().method().equals("PUT")
        ? new StateChange.Put(order.key(), body, ttl(order.request())) : new StateChange.Delete(order.key());
    if (order.attempt().isPresent()) {
      hold(order, order.attempt().get(), change);
      client.accept(changed(change));
    } else {
      change(order, seen, change, body, client);
    }
  }

  /** Once the key is as it will be. */
  private void again(CompletableFuture<Void> busy, Order order, byte[] body, Consumer<Answer> client) {
    busy.whenComplete((done, error) -> loop.execute(() -> serve(order.request(), body, client)));
  }

  private static Answer read(Order order, Optional<byte[]> value) {
    if (value.isEmpty()) {
      return Answer.problem(404, "no-such-key", "the function's state has no key " + order.key());
    }
    return Answer.value(value.get());
  }

  private static void require(Request request, Optional<byte[]> value) {
    boolean met = request.header("if-match").map(condition -> Etag.matches(condition, value)).orElse(true)
        && request.header("if-none-match").map(condition -> !Etag.matches(condition, value)).orElse(true);
    if (!met) {
      Answer answer = Answer.problem(412, "precondition-failed", "the key has another value than the request expects");
      throw new Refused(value.map(there -> answer.with("ETag", Etag.of(there))).orElse(answer));
    }
  }

  private static void hold(Order order, Book.Attempt attempt, StateChange change) {
    attempt.write(change, order.journal()).ifPresent(refusal -> {
      throw switch (refusal) {
        case OVER -> over();
        case TOO_MUCH -> new Refused(413, "attempt-too-large", "while an event is handled at most " + Book.MOST_CHANGES
            + " keys and " + Book.MOST_BYTES + " bytes of state may be changed");
        case FULL -> full(order.book().name() + " has no more room for state");
      };
    });
  }

  private static Refused full(String detail) {
    return new Refused(507, "state-full", detail + "; delete something, or raise state.max.kib of io.weir.journal");
  }

  private void change(Order order, Optional<Book.Seen> seen, StateChange change, byte[] body, Consumer<Answer> client) {
    Optional<CompletableFuture<Void>> begun = order.book().begin(order.key(), seen);
    if (begun.isEmpty()) {
      Optional<CompletableFuture<Void>> busy = order.book().busy(order.key());
      again(busy.orElse(CompletableFuture.completedFuture(null)), order, body, client);
      return;
    }
    CompletionStage<Void> keeping;
    try {
      keeping = order.journal().change(order.book().name(), List.of(change));
    } catch (RuntimeException e) {
      keeping = CompletableFuture.failedStage(e);
    }
    keeping.whenComplete((done, error) -> {
      order.book().settle(begun.get());
      client.accept(error == null ? changed(change) : failed(error));
    });
  }

  private static Answer changed(StateChange change) {
    return change instanceof StateChange.Put put ? Answer.changed(put.value()) : Answer.changed();
  }

  private static Answer failed(Throwable error) {
    Throwable cause = error instanceof CompletionException && error.getCause() != null ? error.getCause() : error;
    String detail = String.valueOf(cause.getMessage());
    if (cause instanceof JournalFull refusal) {
      return switch (refusal.reason()) {
        case STATE -> full(detail).answer;
        case TOO_LARGE -> Answer.problem(413, "too-large", detail);
        default -> Answer.problem(503, "journal-full", detail).with("Retry-After", "5");
      };
    } else if (cause instanceof JournalUnavailable) {
      return Answer.problem(503, "journal-unavailable", detail).with("Retry-After", "5");
    }
    LOG.error("a function's state could not be served", cause);
    return Answer.problem(500, "internal", "the gateway failed; its log says more");
  }
}
