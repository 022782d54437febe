package io.weir.gateway.http.internal;

import io.weir.invocation.Header;
import io.weir.invocation.Invocation;
import io.weir.invocation.InvocationJournal.Entry;
import io.weir.invocation.KeptOutcome;
import io.weir.invocation.Outcome;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Answers of functions as the journal keeps them. What the gateway notes for itself is among the fields, behind a colon. */
final class KeptAnswers {
  /** What the call was, so that another one with the same key is told from it; a note of the event too. */
  static final String PRINT = ":print";
  private static final String INVOCATION = ":invocation";
  /** What a HEAD told of the body that it did not have. */
  private static final String LENGTH = ":length";

  private KeptAnswers() {}

  /** @param most bytes of an answer that is kept */
  static KeptOutcome of(Entry entry, Outcome.Replied reply, int most) throws IOException {
    Invocation event = entry.invocation();
    List<Header> own = new ArrayList<>();
    note(entry.notes(), PRINT).ifPresent(print -> own.add(new Header(PRINT, print)));
    own.add(new Header(INVOCATION, event.id()));
    byte[] body = new byte[0];
    try (Outcome.Body answer = reply.body()) {
      if (event.method().equals("HEAD")) {
        own.add(new Header(LENGTH, Long.toString(answer.length())));
      } else {
        body = answer.stream().readNBytes(most + 1);
        if (body.length < answer.length() && body.length <= most) {
          throw new IOException("it ended after " + body.length + " bytes of " + answer.length());
        }
      }
    }
    if (body.length > most) {
      return new KeptOutcome(0, own, new byte[0], "the function answered " + reply.status() + " with more than " + most
          + " bytes, which is more than is kept; answer less, or raise max.kept.bytes of " + HttpConfig.PID);
    }
    List<Header> headers = new ArrayList<>(reply.headers().stream().filter(it -> Headers.passesBack(it.name())).toList());
    headers.addAll(own);
    return new KeptOutcome(reply.status(), headers, body, "");
  }

  static Optional<String> note(List<Header> notes, String name) {
    return notes.stream().filter(note -> note.name().equals(name)).map(Header::value).findFirst();
  }

  /** The function's own fields. */
  static List<Header> headers(KeptOutcome outcome) {
    return outcome.headers().stream().filter(header -> !header.name().startsWith(":")).toList();
  }

  static Optional<String> invocation(KeptOutcome outcome) {
    return note(outcome.headers(), INVOCATION);
  }

  /** The answer once more; empty if there was none. */
  static Optional<Outcome.Replied> reply(KeptOutcome outcome) {
    if (outcome.status() == 0) {
      return Optional.empty();
    }
    return Optional.of(new Outcome.Replied(outcome.status(), headers(outcome), new Outcome.Body() {
      @Override
      public InputStream stream() {
        return new ByteArrayInputStream(outcome.body());
      }

      @Override
      public long length() {
        return note(outcome.headers(), LENGTH).map(Long::parseLong).orElse((long) outcome.body().length);
      }

      @Override
      public void close() {
        // Nothing is held.
      }
    }, Duration.ZERO, Duration.ZERO));
  }
}
