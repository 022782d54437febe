package io.weir.gateway.http.internal;

import io.weir.invocation.Audit;
import io.weir.invocation.InvocationJournal;
import io.weir.invocation.InvocationJournal.Usage;
import java.io.IOException;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;

/** What the journal holds, what it does to the disk, and what it can prove. */
final class JournalApi {
  private final Services services;
  private final Clock clock;
  /** Reading everything again is work for the disk that messages wait for. */
  private final Semaphore auditing = new Semaphore(1);

  JournalApi(Services services, Clock clock) {
    this.services = services;
    this.clock = clock;
  }

  List<Route> routes() {
    return List.of(
        new Route("GET", "/journal", call -> call.json(200, view(JournalCalls.journal(services).usage()))),
        new Route("GET", "/audit", this::audit));
  }

  private void audit(Call call) throws IOException {
    Instant from = call.instant("from", Instant.EPOCH);
    Instant to = call.instant("to", clock.instant().plusMillis(1));
    if (!from.isBefore(to)) {
      throw new Problem(400, "bad-parameter", "from: " + from + " is not before " + to).with("parameter", "from");
    }
    InvocationJournal journal = JournalCalls.journal(services);
    if (!auditing.tryAcquire()) {
      throw new Problem(503, "busy", "another audit is under way; try again").retryAfter(java.time.Duration.ofSeconds(2));
    }
    try {
      call.json(200, view(journal.audit(from, to)));
    } finally {
      auditing.release();
    }
  }

  private static Map<String, Object> view(Audit audit) {
    return Json.object("from", audit.from().toString(), "to", audit.to().toString(), "accepted", audit.accepted(),
        "done", audit.done(), "deadLettered", audit.deadLettered(), "pending", audit.pending(),
        "duplicates", audit.duplicates(), "unbroken", audit.unbroken(), "problems", audit.problems(),
        "head", audit.head());
  }

  static Map<String, Object> view(Usage usage) {
    Map<String, Object> functions = new TreeMap<>();
    usage.functions().forEach((name, bytes) -> functions.put(name.value(), bytes));
    return Json.object("liveBytes", usage.live(), "limitBytes", usage.limit(), "fileBytes", usage.files(),
        "pending", usage.pending(), "outgoing", usage.outgoing(), "deadLetters", usage.deadLetters(),
        "remembered", usage.remembered(), "stateKeys", usage.states(), "writtenBytes", usage.written(),
        "syncs", usage.syncs(), "groups", usage.groups(), "changes", usage.records(), "copied", usage.copied(),
        "bytesPerChange", ratio(usage.written(), usage.records()), "syncsPerChange", ratio(usage.syncs(), usage.records()),
        "duplicates", usage.duplicates(), "refused", usage.refused(), "setAside", usage.setAside(),
        "functions", functions);
  }

  /** To three digits after the point. */
  private static double ratio(long amount, long count) {
    return count == 0 ? 0 : Math.round(1000.0 * amount / count) / 1000.0;
  }

  /** The same for monitoring systems. */
  static void write(Metrics metrics, Usage usage) {
    metrics.gauge("weir_journal_live_bytes", usage.live());
    metrics.gauge("weir_journal_limit_bytes", usage.limit());
    metrics.gauge("weir_journal_file_bytes", usage.files());
    metrics.gauge("weir_journal_pending", usage.pending());
    metrics.gauge("weir_journal_outgoing", usage.outgoing());
    metrics.gauge("weir_journal_dead_letters", usage.deadLetters());
    metrics.gauge("weir_journal_remembered", usage.remembered());
    metrics.gauge("weir_journal_state_keys", usage.states());
    metrics.gauge("weir_journal_set_aside", usage.setAside());
    counter(metrics, "weir_journal_written_bytes", usage.written());
    counter(metrics, "weir_journal_syncs", usage.syncs());
    counter(metrics, "weir_journal_groups", usage.groups());
    counter(metrics, "weir_journal_changes", usage.records());
    counter(metrics, "weir_journal_copied", usage.copied());
    counter(metrics, "weir_journal_duplicates", usage.duplicates());
    counter(metrics, "weir_journal_refused", usage.refused());
    if (!usage.functions().isEmpty()) {
      metrics.gauge("weir_journal_function_bytes");
      usage.functions().forEach((name, bytes) ->
          metrics.sample("weir_journal_function_bytes", Map.of("function", name.value()), bytes.toString()));
    }
  }

  private static void counter(Metrics metrics, String name, long value) {
    metrics.counter(name);
    metrics.sample(name + "_total", Map.of(), Long.toString(value));
  }
}
