package io.weir.cli;

import io.weir.cli.gateway.Gateway;
import io.weir.cli.ui.ExitCode;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "logs", description = "What a function's containers wrote.")
final class LogsCommand extends Verb {
  private static final long POLL_MILLIS = 1000;

  @Parameters(paramLabel = "NAME", description = "the function")
  private String name = "";

  @Option(names = {"-n", "--lines"}, paramLabel = "N", defaultValue = "100", description = "the last N lines (default: 100)")
  private int lines = 100;

  @Option(names = {"-f", "--follow"}, description = "go on with new lines until Ctrl-C")
  private boolean follow;

  @Override
  public Integer call() throws InterruptedException {
    if (lines < 1 || lines > 100_000) {
      throw misuse("--lines must be 1 to 100000, not " + lines);
    }
    Gateway gateway = gateway();
    List<String> shown = fetch(gateway, lines);
    if (!follow) {
      if (terminal().json()) {
        terminal().result(Map.of("function", name, "lines", shown));
      } else {
        shown.forEach(terminal()::line);
      }
      return ExitCode.OK;
    }
    shown.forEach(this::show);
    while (true) {
      Thread.sleep(POLL_MILLIS);
      List<String> now = fetch(gateway, Math.max(lines, 1000));
      newLines(shown, now).forEach(this::show);
      shown = now;
    }
  }

  private void show(String line) {
    if (terminal().json()) {
      terminal().record(Map.of("function", name, "line", line));
    } else {
      terminal().line(line);
    }
  }

  private List<String> fetch(Gateway gateway, int count) {
    return gateway.text("/functions/" + Gateway.encode(name) + "/logs?lines=" + count).lines().toList();
  }

  /** The lines of {@code after} that follow the longest overlap with the end of {@code before}. */
  static List<String> newLines(List<String> before, List<String> after) {
    for (int overlap = Math.min(before.size(), after.size()); overlap > 0; overlap--) {
      List<String> tail = before.subList(before.size() - overlap, before.size());
      int at = java.util.Collections.lastIndexOfSubList(after, tail);
      if (at >= 0) {
        return after.subList(at + overlap, after.size());
      }
    }
    return after;
  }
}
