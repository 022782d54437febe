package io.weir.gateway.http.internal;

import io.weir.invocation.Acceptance;
import io.weir.invocation.KeptOutcome;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What became of calls that nobody waits for. */
final class OutcomesApi {
  private final Services services;

  OutcomesApi(Services services) {
    this.services = services;
  }

  List<Route> routes() {
    return List.of(new Route("GET", "/outcomes/{id}", this::outcome));
  }

  private void outcome(Call call) throws IOException {
    OutcomeId id = OutcomeId.of(call.path("id")).orElseThrow(() -> unknown(call));
    Acceptance acceptance = JournalCalls.journal(services).find(id.function(), id.key()).orElseThrow(() -> unknown(call));
    if (acceptance instanceof Acceptance.Done done) {
      KeptOutcome outcome = done.outcome();
      call.json(200, view(id, "done", null, answer(outcome), outcome.status() == 0 ? "answer-too-large" : null,
          outcome.status() == 0 ? outcome.detail() : null, null));
    } else if (acceptance instanceof Acceptance.Dead dead) {
      call.json(200, view(id, "dead", null, null, dead.reason(), dead.detail(), dead.number()));
    } else {
      int attempts = acceptance instanceof Acceptance.Pending pending ? pending.attempts() : 0;
      call.exchange().header("Retry-After", "1");
      call.json(200, view(id, "pending", attempts, null, null, null, null));
    }
  }

  private static Map<String, Object> view(OutcomeId id, String state, @Nullable Integer attempts,
      @Nullable Map<String, Object> answer, @Nullable String reason, @Nullable String detail, @Nullable Long deadLetter) {
    return Json.object("id", id.toString(), "function", id.function().value(), "state", state, "attempts", attempts,
        "answer", answer, "reason", reason, "detail", detail, "deadLetter", deadLetter);
  }

  private static @Nullable Map<String, Object> answer(KeptOutcome outcome) {
    if (outcome.status() == 0) {
      return null;
    }
    Map<String, Object> answer = Json.object("status", outcome.status(), "headers", KeptAnswers.headers(outcome).stream()
        .map(header -> Json.object("name", header.name(), "value", header.value())).toList());
    Bodies.put(answer, outcome.body());
    return answer;
  }

  private static Problem unknown(Call call) {
    return new Problem(404, "unknown-outcome", "no outcome '" + call.path("id") + "' is known (any more); the journal "
        + "remembers outcomes for remember.hours, within remember.mib");
  }
}
