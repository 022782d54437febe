package io.weir.delivery.internal;

import io.weir.invocation.Outcome;
import io.weir.invocation.StateAttempts;
import io.weir.invocation.StateChange;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/** What follows from the outcome of an attempt. */
sealed interface Verdict {

  /** It is the end. */
  record Ended(Outcome.Replied reply, List<StateChange> changes) implements Verdict {}

  /** It does not count, because of what happened beside it; the event is handled afresh at once. */
  record Afresh(String why) implements Verdict {}

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
    return status >= 200 && status < 300 || status >= 400 && status < 500 ? new Ended(reply, List.of())
        : failed(item, "status-" + status, "the function answered with status " + status, status >= 500, now);
  }

  /**
   * The same, once it is known what becomes of what the attempt changed: that is kept with a good answer, else forgotten.
   * To be called once for each attempt.
   */
  static Verdict with(StateAttempts.Attempt state, Verdict verdict) {
    if (!(verdict instanceof Ended end) || end.reply().status() >= 300) {
      state.drop();
      return verdict;
    }
    StateAttempts.Ending ending = state.close();
    return ending.counts() ? new Ended(end.reply(), ending.changes()) : new Afresh(ending.why());
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
