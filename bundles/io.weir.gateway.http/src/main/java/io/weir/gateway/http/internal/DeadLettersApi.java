package io.weir.gateway.http.internal;

import io.weir.function.FunctionName;
import io.weir.function.InvalidFunction;
import io.weir.invocation.Courier;
import io.weir.invocation.Header;
import io.weir.invocation.Invocation;
import io.weir.invocation.InvocationJournal;
import io.weir.invocation.InvocationJournal.DeadLetter;
import io.weir.invocation.InvocationJournal.Entry;
import io.weir.invocation.Payload;
import java.io.IOException;
import java.io.InputStream;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Events that nobody could handle: to look at, to try again, to throw away. */
final class DeadLettersApi {
  private static final int MAX_LETTERS = 1000;
  private static final Pattern FIELD_NAME = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}");
  /** The function gets them again, but whoever looks at the letter need not. */
  private static final Set<String> SECRET = Set.of("authorization", "cookie", "x-api-key");

  private final Services services;
  private final Clock clock;

  DeadLettersApi(Services services, Clock clock) {
    this.services = services;
    this.clock = clock;
  }

  List<Route> routes() {
    return List.of(
        new Route("GET", "/dead-letters", this::list),
        new Route("DELETE", "/dead-letters", this::dropAll),
        new Route("POST", "/dead-letters/replay", this::replayAll),
        new Route("GET", "/dead-letters/{number}", this::show),
        new Route("DELETE", "/dead-letters/{number}", this::drop),
        new Route("POST", "/dead-letters/{number}/replay", this::replay));
  }

  private void list(Call call) throws IOException {
    int limit = call.whole("limit", 100, MAX_LETTERS);
    long after = call.whole("after", 0, 0, Long.MAX_VALUE);
    InvocationJournal journal = JournalCalls.journal(services);
    DeadLetters letters = new DeadLetters(journal, after, function(call));
    List<Map<String, Object>> views = new ArrayList<>();
    long last = 0;
    while (views.size() < limit && letters.hasNext()) {
      DeadLetter letter = letters.next();
      views.add(view(letter));
      last = letter.number();
    }
    call.json(200, Json.object("deadLetters", views, "next", letters.hasNext() ? last : null,
        "total", journal.usage().deadLetters()));
  }

  private void show(Call call) throws IOException {
    DeadLetter letter = letter(call);
    Invocation event = letter.entry().invocation();
    Map<String, Object> view = view(letter);
    view.putAll(Json.object("method", event.method(), "target", event.target(),
        "headers", event.headers().stream().map(DeadLettersApi::view).toList()));
    try (InputStream body = event.body().open()) {
      Bodies.put(view, body.readAllBytes());
    }
    call.json(200, view);
  }

  private void drop(Call call) {
    call.requireConfirmation("dropping a dead letter");
    InvocationJournal journal = JournalCalls.journal(services);
    long number = number(call);
    if (!JournalCalls.await(journal.drop(number))) {
      throw unknown(call);
    }
    call.exchange().status(204);
  }

  /** Those that came after the last one that was seen need not be meant. */
  private void dropAll(Call call) throws IOException {
    FunctionName function = requiredFunction(call);
    call.requireConfirmation("dropping the dead letters of " + function);
    long last = call.whole("last", Long.MAX_VALUE, 1, Long.MAX_VALUE);
    InvocationJournal journal = JournalCalls.journal(services);
    DeadLetters letters = new DeadLetters(journal, 0, Optional.of(function));
    int dropped = 0;
    for (DeadLetter letter = next(letters); letter != null && letter.number() <= last; letter = next(letters)) {
      dropped += JournalCalls.await(journal.drop(letter.number())) ? 1 : 0;
    }
    call.json(200, Json.object("dropped", dropped));
  }

  private void replay(Call call) throws IOException {
    Map<String, Object> edit = call.jsonObjectIfAny();
    InvocationJournal journal = JournalCalls.journal(services);
    DeadLetter letter = letter(call);
    requireFunction(letter.entry().invocation().function());
    OptionalLong number = JournalCalls.await(journal.replay(letter.number(), again(letter.entry(), edit)));
    if (number.isEmpty()) {
      throw unknown(call);
    }
    services.courier().ifPresent(Courier::look);
    call.json(200, Json.object("number", number.getAsLong()));
  }

  /** Ends where the first replayed one could be a dead letter again. */
  private void replayAll(Call call) throws IOException {
    FunctionName function = requiredFunction(call);
    InvocationJournal journal = JournalCalls.journal(services);
    requireFunction(function);
    DeadLetters letters = new DeadLetters(journal, 0, Optional.of(function));
    int replayed = 0;
    long end = Long.MAX_VALUE;
    try {
      for (DeadLetter letter = next(letters); letter != null && letter.number() < end; letter = next(letters)) {
        OptionalLong number = JournalCalls.await(journal.replay(letter.number(), again(letter.entry(), Map.of())));
        if (number.isPresent()) {
          end = Math.min(end, number.getAsLong());
          replayed++;
        }
      }
    } catch (Problem problem) {
      throw problem.with("replayed", replayed);
    } finally {
      services.courier().ifPresent(Courier::look);
    }
    call.json(200, Json.object("replayed", replayed));
  }

  private static @Nullable DeadLetter next(DeadLetters letters) {
    return letters.hasNext() ? letters.next() : null;
  }

  /** The event as it is tried again: with all its attempts, and with all the time it was given at first. */
  private Entry again(Entry entry, Map<String, Object> edit) {
    Invocation event = entry.invocation();
    byte[] body = Bodies.of(edit);
    return new Entry(new Invocation(event.id(), event.function(), event.trigger(), event.subject(), event.method(),
        event.target(), headers(event.headers(), edit.get("headers")), body == null ? event.body() : Payload.of(body),
        clock.instant(), event.guarantee(), false), entry.key(), entry.order(), entry.notes());
  }

  private static List<Header> headers(List<Header> headers, @Nullable Object edit) {
    if (edit == null) {
      return headers;
    }
    if (!(edit instanceof Map<?, ?> changes)) {
      throw new Problem(400, "bad-json", "headers must be an object of names and values; null removes a field");
    }
    List<Header> edited = new ArrayList<>(headers);
    changes.forEach((name, value) -> {
      String field = requireField(String.valueOf(name), value);
      edited.removeIf(header -> header.name().equalsIgnoreCase(field));
      if (value != null) {
        edited.add(new Header(field, (String) value));
      }
    });
    return edited;
  }

  private static String requireField(String name, @Nullable Object value) {
    if (!FIELD_NAME.matcher(name).matches() || !Headers.settable(name)) {
      throw new Problem(400, "bad-parameter", "headers: '" + name + "' cannot be set").with("parameter", "headers");
    }
    if (value != null && !(value instanceof String text && text.chars().allMatch(c -> c >= ' ' && c < 127 || c == '\t'))) {
      throw new Problem(400, "bad-parameter", "headers: the value of " + name + " must be a text in printable ASCII")
          .with("parameter", "headers");
    }
    return name;
  }

  private static Map<String, Object> view(DeadLetter letter) {
    Invocation event = letter.entry().invocation();
    return Json.object("number", letter.number(), "at", letter.at().toString(), "function", event.function().value(),
        "trigger", event.trigger(), "subject", event.subject(), "id", event.id(), "arrived", event.arrived().toString(),
        "reason", letter.reason(), "detail", letter.detail(), "attempts", letter.attempts(),
        "bytes", event.body().length());
  }

  private static Map<String, Object> view(Header header) {
    boolean secret = SECRET.contains(header.name().toLowerCase(java.util.Locale.ROOT));
    return Json.object("name", header.name(), "value", secret ? null : header.value());
  }

  private DeadLetter letter(Call call) {
    return DeadLetters.find(JournalCalls.journal(services), number(call)).orElseThrow(() -> unknown(call));
  }

  private static long number(Call call) {
    try {
      return Long.parseLong(call.path("number"));
    } catch (NumberFormatException e) {
      throw unknown(call);
    }
  }

  private static Problem unknown(Call call) {
    return new Problem(404, "unknown-dead-letter", "there is no dead letter '" + call.path("number")
        + "' (any more); /api/v1/dead-letters lists them");
  }

  /** Of a function that is gone there may still be letters. */
  private static Optional<FunctionName> function(Call call) {
    try {
      return call.query("function").map(FunctionName::new);
    } catch (InvalidFunction e) {
      throw new Problem(400, "bad-parameter", "function: " + e.getMessage()).with("parameter", "function");
    }
  }

  private static FunctionName requiredFunction(Call call) {
    call.required("function");
    return function(call).orElseThrow();
  }

  private void requireFunction(FunctionName name) {
    if (services.registry().find(name).isEmpty()) {
      throw new Problem(404, "unknown-function", "there is no function '" + name
          + "' that could handle it; declare it first, or drop the dead letter");
    }
  }
}
