package io.weir.cli;

import io.weir.cli.gateway.Json;
import io.weir.cli.ui.Bytes;
import io.weir.cli.ui.ExitCode;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(name = "top", description = {"What functions use of CPU and memory, who uses most of both first.",
    "CPU is per cent of one core, over the time between two looks."})
final class TopCommand extends Verb {
  /** The gateway meters every two seconds. */
  @Option(names = "--every", paramLabel = "SECONDS", description = "time between two looks (default: ${DEFAULT-VALUE})")
  private int seconds = 4;

  @Option(names = "--count", paramLabel = "N", description = "show so many tables (default: ${DEFAULT-VALUE})")
  private int count = 1;

  @Override
  public Integer call() throws InterruptedException {
    Map<String, Object> before = gateway().get("/usage");
    if (terminal().json()) {
      terminal().result(before, () -> {});
      return ExitCode.OK;
    }
    for (int shown = 0; shown < count; shown++) {
      long began = System.nanoTime();
      TimeUnit.SECONDS.sleep(Math.max(0, seconds));
      Map<String, Object> now = gateway().get("/usage");
      print(cpuSeconds(before), Json.maps(now, "functions"), Math.max(1e-3, (System.nanoTime() - began) / 1e9));
      before = now;
    }
    return ExitCode.OK;
  }

  private static Map<String, Double> cpuSeconds(Map<String, Object> usage) {
    Map<String, Double> seconds = new HashMap<>();
    Json.maps(usage, "functions").forEach(one -> seconds.put(Json.text(one, "function"), Json.decimal(one, "cpuSeconds")));
    return seconds;
  }

  private void print(Map<String, Double> before, List<Map<String, Object>> functions, double took) {
    if (functions.isEmpty()) {
      terminal().line("no functions; 'weir deploy' declares some");
      return;
    }
    Comparator<Map<String, Object>> byCpu = Comparator.comparingDouble(one -> percent(before, one, took));
    terminal().table(List.of("FUNCTION", "INSTANCES", "CPU %", "CPU TIME", "MEMORY", "LIMIT", "PIDS", "WAITS FOR CPU/MEM/IO"),
        functions.stream().sorted(byCpu.thenComparingLong(one -> Json.number(one, "memoryBytes")).reversed())
            .map(one -> List.of(Json.text(one, "function"), Json.text(one, "instances"),
                String.format(Locale.ROOT, "%.1f", percent(before, one, took)),
                String.format(Locale.ROOT, "%.2f s", Json.decimal(one, "cpuSeconds")),
                Bytes.text(Json.number(one, "memoryBytes")), Bytes.text(Json.number(one, "memoryLimitBytes")),
                Json.text(one, "pids"), pressure(one)))
            .toList());
  }

  private static double percent(Map<String, Double> before, Map<String, Object> one, double took) {
    double now = Json.decimal(one, "cpuSeconds");
    return Math.max(0, now - before.getOrDefault(Json.text(one, "function"), now)) / took * 100;
  }

  private static String pressure(Map<String, Object> one) {
    return one.get("pressure") instanceof Map<?, ?> pressure
        ? pressure.get("cpu") + "/" + pressure.get("memory") + "/" + pressure.get("io") + " %" : "-";
  }
}
