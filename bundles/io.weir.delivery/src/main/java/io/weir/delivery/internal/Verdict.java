package io.weir.delivery.internal;

import io.weir.invocation.Outcome;
import java.time.Duration;
import java.time.Instant;

/** What follows from the outcome of an attempt. */
sealed interface Verdict {

  /** It is the end. */
  record Ended(Outcome.Replied reply) implements Verdict {}

  /** It counts as a failure, and another attempt follows. */
  record Again(String reason, String detail) implements Verdict {}

  /** It is the end, and a bad one. */
  record Dead(String reason, String detail) implements Verdict {}

  /** It does not count; the function is asked again after a while. */
  record Later(Outcome.Refused refusal) implements Verdict {}

  static Verdict of(Item item, Outcome outcome, Instant now) {
    if (outcome instanceof Outcome.Refused refusal) {
      return new Later(refusal);
    }
    if (outcome instanceof Outcome.Failed failure) {
      return failed(item, failure.code(), failure.detail(), failure.mayRetry(), now);
    }
    Outcome.Replied reply = (Outcome.Replied) outcome;
    int status = reply.status();
    return status >= 200 && status < 300 || status >= 400 && status < 500 ? new Ended(reply)
        : failed(item, "status-" + status, "the function answered with status " + status, status >= 500, now);
  }

  /** Repeated as long as that was promised. A clock that jumped back makes an event no older than it was. */
  static Verdict failed(Item item, String reason, String detail, boolean mayRepeat, Instant now) {
    Duration age = Duration.between(item.at, now);
    if (!mayRepeat) {
      return new Dead(reason, detail);
    }
    if (item.attempts + 1 >= item.promise.retry().attempts()) {
      return new Dead(reason, detail);
    }
    return age.compareTo(item.promise.retry().deadline()) >= 0 ? new Dead(reason, detail + "; its deadline is over")
        : new Again(reason, detail);
  }
}
