package io.weir.cli;

import io.weir.cli.gateway.Gateway;
import io.weir.cli.gateway.Publisher;
import io.weir.cli.gateway.Topics;
import io.weir.cli.replay.Ledger;
import io.weir.cli.replay.Recording;
import io.weir.cli.replay.Replay;
import io.weir.cli.ui.Colour;
import io.weir.cli.ui.Durations;
import io.weir.cli.ui.ExitCode;
import io.weir.cli.ui.Failure;
import io.weir.cli.ui.Progress;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(name = "replay", description = "Send a column of a CSV file as messages, wait for every outcome and account for it; "
    + "exit code 0 only when every message was answered, or needed no answer.")
final class ReplayCommand extends Verb {
  @Option(names = "--csv", required = true, paramLabel = "FILE", description = "the recorded data")
  private Path csv = Path.of("");

  @Option(names = "--topic", required = true, paramLabel = "TOPIC", description = "where to")
  private String topic = "";

  @Option(names = "--column", paramLabel = "NAME|N", description = "default: the column named value, else the last")
  private @Nullable String column;

  @Option(names = "--rate", paramLabel = "N", description = "messages per second (default: as fast as they are answered)")
  private double rate;

  @Option(names = "--limit", paramLabel = "N", description = "the first N rows only")
  private long limit = Long.MAX_VALUE;

  @Option(names = "--qos", paramLabel = "0|1|2", description = "quality of service (default: 1)")
  private int qos = 1;

  @Option(names = "--raw", description = "send the bare column instead of {\"value\": …, \"timestamp\": …}")
  private boolean raw;

  @Option(names = "--in-flight", paramLabel = "N", description = "messages without an outcome, at most (default: 64)")
  private int inFlight = 64;

  @Option(names = "--patience", paramLabel = "TIME", description = "give the rest up after this long without news (default: 30s)")
  private String patience = "30s";

  @Option(names = "--broker", paramLabel = "URI", description = "default: the broker the gateway names")
  private @Nullable String broker;

  @Option(names = "--user", paramLabel = "NAME", description = "for the broker; the password is read from $WEIR_MQTT_PASSWORD")
  private @Nullable String user;

  @Override
  public Integer call() throws Exception {
    check();
    Gateway gateway = gateway();
    List<String> functions = Topics.listeners(gateway.get("/functions"), topic).stream().distinct().toList();
    if (functions.isEmpty()) {
      throw new Failure(ExitCode.FAILED, "no function listens to " + topic + ", so no message would get an answer; see 'weir list'");
    }
    long rows = Math.min(limit, Recording.count(csv, column));
    var ledger = new Ledger(UUID.randomUUID().toString().substring(0, 8), functions, System::nanoTime);
    var plan = new Replay.Plan(topic, qos, raw, rate, limit, inFlight, duration("--patience", patience).toMillis());
    Ledger.Account account;
    try (Publisher publisher = Publisher.connect(gateway, broker, user);
        Recording recording = Recording.open(csv, column);
        Progress progress = terminal().progress("replaying " + csv.getFileName(), rows, "messages")) {
      account = new Replay(gateway, publisher::publish, plan, ledger, progress).run(recording);
      progress.done(account.sent() + " messages");
    }
    terminal().result(json(account), () -> print(account));
    return account.complete() ? ExitCode.OK : ExitCode.FAILED;
  }

  private void check() {
    try {
      Topics.requireName(topic);
    } catch (IllegalArgumentException e) {
      throw misuse("--topic: " + e.getMessage());
    }
    if (rate < 0 || rate > 1_000_000 || Double.isNaN(rate)) {
      throw misuse("--rate must be above 0, messages per second");
    }
    if (limit < 1) {
      throw misuse("--limit must be at least 1");
    }
    if (qos < 0 || qos > 2) {
      throw misuse("--qos must be 0, 1 or 2, not " + qos);
    }
    duration("--patience", patience);
    if (inFlight < 1 || inFlight > 10_000) {
      throw misuse("--in-flight must be 1 to 10000");
    }
  }

  private void print(Ledger.Account a) {
    count("sent", a.sent(), Colour.BOLD, "to " + topic + " for " + String.join(", ", a.functions()));
    count("answered", a.answered(), Colour.GREEN, "");
    a.answers().entrySet().stream().sorted(Map.Entry.comparingByKey())
        .forEach(output -> terminal().line(String.format("  %10d  %s", output.getValue(), "to " + output.getKey())));
    count("no content", a.noContent(), Colour.GREEN, "");
    count("not sent", a.notSent(), Colour.RED, "");
    count("rejected", a.rejected(), Colour.RED, "");
    count("failed", a.failed(), Colour.RED, "");
    count("refused", a.refused(), Colour.RED, "");
    count("missing", a.missing(), Colour.RED, "no outcome was told");
    if (a.repeated() > 0) {
      count("repeated", a.repeated(), Colour.YELLOW, "outcomes told again, not counted again");
    }
    a.causes().forEach(cause -> terminal().line(String.format("  %10d  %s", cause.getValue(), cause.getKey())));
    terminal().line(String.format(Locale.ROOT, "%.0f messages/s over %.1f s; from sensor to outcome p50 %s, p99 %s%s",
        a.perSecond(), a.seconds(), Durations.millis(a.p50()), Durations.millis(a.p99()),
        a.coldStartMillis() > 0 ? "; cold start " + Durations.millis(a.coldStartMillis()) : ""));
    terminal().line(a.complete() ? terminal().paint(Colour.GREEN, "every message has its outcome")
        : terminal().paint(Colour.RED, "count in and count out differ"));
  }

  private void count(String what, long n, Colour colour, String remark) {
    String line = String.format("%-11s %7d", what, n) + (remark.isEmpty() ? "" : "  " + remark);
    terminal().line(n > 0 ? terminal().paint(colour, line) : line);
  }

  static Map<String, Object> json(Ledger.Account a) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("complete", a.complete());
    json.put("functions", a.functions());
    json.put("sent", a.sent());
    json.put("notSent", a.notSent());
    json.put("answered", a.answered());
    json.put("noContent", a.noContent());
    json.put("rejected", a.rejected());
    json.put("failed", a.failed());
    json.put("refused", a.refused());
    json.put("missing", a.missing());
    json.put("repeated", a.repeated());
    json.put("answersByTopic", a.answers());
    Map<String, Long> causes = new LinkedHashMap<>();
    a.causes().forEach(cause -> causes.put(cause.getKey(), cause.getValue()));
    json.put("causes", causes);
    json.put("seconds", a.seconds());
    json.put("perSecond", a.perSecond());
    json.put("latencyMs", Map.of("p50", a.p50(), "p99", a.p99()));
    json.put("coldStartMs", a.coldStartMillis());
    return json;
  }
}
