package io.weir.cli;

import io.weir.cli.gateway.Gateway;
import io.weir.cli.gateway.Json;
import io.weir.cli.ui.Colour;
import io.weir.cli.ui.ExitCode;
import io.weir.cli.ui.Moments;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(name = "audit", description = {"Reads the whole journal again, and states what became of every event in a span of "
    + "time, and whether a record is missing or was changed; exit code 1 if so.", "Times are written 2h (ago), 2026-11-30, "
    + "2026-11-30T12:00 or 2026-11-30T12:00:00Z."})
final class AuditCommand extends Verb {
  private static final Duration PATIENCE = Duration.ofMinutes(10);

  @Option(names = "--from", paramLabel = "TIME", description = "the beginning (default: that of the journal)")
  private @Nullable String from;

  @Option(names = "--to", paramLabel = "TIME", description = "the end (default: now)")
  private @Nullable String to;

  @Override
  public Integer call() {
    Instant now = Instant.now();
    String query = parameter("from", from, now) + parameter("to", to, now);
    Map<String, Object> audit = gateway().get("/audit" + query.replaceFirst("^&", "?"), PATIENCE);
    terminal().result(audit, () -> print(audit));
    return Json.flag(audit, "unbroken") ? ExitCode.OK : ExitCode.FAILED;
  }

  private String parameter(String name, @Nullable String text, Instant now) {
    try {
      return text == null ? ""
          : "&" + name + "=" + Gateway.encode(Moments.parse(text, now, ZoneId.systemDefault()).toString());
    } catch (IllegalArgumentException e) {
      throw misuse("--" + name + ": " + e.getMessage());
    }
  }

  private void print(Map<String, Object> audit) {
    boolean unbroken = Json.flag(audit, "unbroken");
    terminal().line((unbroken ? terminal().paint(Colour.GREEN, "unbroken") : terminal().paint(Colour.RED, "broken"))
        + "  " + Json.text(audit, "from") + " to " + Json.text(audit, "to"));
    count(audit, "accepted", "accepted");
    count(audit, "done", "done");
    count(audit, "deadLettered", "dead-lettered");
    count(audit, "pending", "pending at the end");
    count(audit, "duplicates", "duplicates suppressed");
    terminal().line("  head " + Json.text(audit, "head"));
    if (audit.get("problems") instanceof List<?> problems) {
      problems.forEach(problem -> terminal().line(terminal().paint(Colour.RED, "  problem ") + problem));
    }
  }

  private void count(Map<String, Object> audit, String key, String words) {
    terminal().line(String.format("  %10d  %s", Json.number(audit, key), words));
  }
}
