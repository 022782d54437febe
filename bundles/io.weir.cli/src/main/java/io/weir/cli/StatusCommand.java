package io.weir.cli;

import io.weir.cli.gateway.Json;
import io.weir.cli.ui.Bytes;
import io.weir.cli.ui.Colour;
import io.weir.cli.ui.ExitCode;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;

@Command(name = "status", description = "How the gateway is; exit code 1 if it is not ready.")
final class StatusCommand extends Verb {
  @Override
  public Integer call() {
    Map<String, Object> status = gateway().get("/status");
    terminal().result(status, () -> print(status));
    return Json.flag(status, "ready") ? ExitCode.OK : ExitCode.FAILED;
  }

  private void print(Map<String, Object> status) {
    boolean ready = Json.flag(status, "ready");
    terminal().line((ready ? terminal().paint(Colour.GREEN, "ready") : terminal().paint(Colour.YELLOW, "not ready"))
        + "  gateway " + Json.text(status, "gateway") + ", version " + Json.text(status, "version") + ", up "
        + up(Duration.ofSeconds(Json.number(status, "uptimeSeconds"))));
    for (Map<String, Object> part : Json.maps(status, "parts")) {
      String mark = Json.flag(part, "ready") ? terminal().paint(Colour.GREEN, "ok  ") : terminal().paint(Colour.YELLOW, "wait");
      terminal().line(String.format("  %s  %-8s %s", mark, Json.text(part, "name"), Json.text(part, "state")));
    }
    terminal().line("  " + Json.number(status, "functions") + " functions, " + Json.number(status, "instances") + " instances");
    printMemory(Json.map(status.get("memory")));
    printRunners(Json.maps(status, "runners"));
    printJournal(Json.map(status.get("journal")));
    Json.map(status.get("counters")).entrySet().stream()
        .filter(c -> c.getValue() instanceof Number n && n.longValue() != 0)
        .sorted(Map.Entry.comparingByKey())
        .forEach(c -> terminal().line(String.format("  %10s  %s", c.getValue(), c.getKey())));
    for (Map<String, Object> problem : Json.maps(status, "problems")) {
      terminal().line(terminal().paint(Colour.RED, "  problem ") + Json.text(problem, "source") + ":"
          + Json.text(problem, "line") + " " + Json.text(problem, "message"));
    }
  }

  private void printMemory(Map<String, Object> memory) {
    if (!memory.isEmpty()) {
      terminal().line("  instances hold " + Bytes.text(Json.number(memory, "heldBytes")) + " of "
          + Bytes.text(Json.number(memory, "totalBytes")) + " of memory" + (Json.flag(memory, "pressed")
              ? terminal().paint(Colour.YELLOW, "; this machine is short of memory") : ""));
    }
  }

  private void printRunners(List<Map<String, Object>> runners) {
    if (!runners.isEmpty()) {
      Map<String, Long> languages = runners.stream().collect(
          Collectors.groupingBy(runner -> Json.text(runner, "language"), TreeMap::new, Collectors.counting()));
      terminal().line("  runners wait: " + languages.entrySet().stream().map(each -> each.getValue() + " " + each.getKey())
          .collect(Collectors.joining(", ")) + ", with "
          + Bytes.text(runners.stream().mapToLong(runner -> Json.number(runner, "memoryBytes")).sum()));
    }
  }

  private void printJournal(Map<String, Object> journal) {
    if (journal.isEmpty()) {
      return;
    }
    long dead = Json.number(journal, "deadLetters");
    long aside = Json.number(journal, "setAside");
    terminal().line("  journal keeps " + Bytes.text(Json.number(journal, "liveBytes")) + " of "
        + Bytes.text(Json.number(journal, "limitBytes")) + ": " + Json.number(journal, "pending") + " events pending, "
        + Json.number(journal, "outgoing") + " outputs to be sent, " + dead + " dead letters"
        + (dead > 0 ? terminal().paint(Colour.YELLOW, "; weir dlq list") : ""));
    terminal().line("  journal wrote " + Bytes.text(Json.number(journal, "writtenBytes")) + " in "
        + Json.number(journal, "syncs") + " syncs for " + Json.number(journal, "changes") + " changes" + (aside > 0
            ? terminal().paint(Colour.RED, "; " + aside + " damaged files are set aside") : ""));
  }

  private static String up(Duration d) {
    if (d.toDays() > 0) {
      return d.toDays() + " d " + d.toHoursPart() + " h";
    }
    return d.toHours() > 0 ? d.toHours() + " h " + d.toMinutesPart() + " min"
        : d.toMinutes() > 0 ? d.toMinutes() + " min " + d.toSecondsPart() + " s" : d.toSeconds() + " s";
  }
}
