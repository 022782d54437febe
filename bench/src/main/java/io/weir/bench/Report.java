package io.weir.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import tools.jackson.jr.ob.JSON;

/** The one form in which every benchmark reports: a table for people, JSON for programs. */
final class Report {
  private final String bench;
  private final List<Map<String, Object>> rows = new ArrayList<>();

  Report(String bench) {
    this.bench = bench;
  }

  /** Medians of rounds that were measured in turn. */
  void add(String metric, String unit, double[] values, String reference, double[] references) {
    double value = median(values);
    double other = median(references);
    Map<String, Object> row = new LinkedHashMap<>();
    row.put("metric", metric);
    row.put("value", round(value));
    row.put("unit", unit);
    row.put("reference", reference);
    row.put("reference_value", round(other));
    row.put("ratio", round(value / other));
    rows.add(row);
  }

  static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int half = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }

  private static double round(double value) {
    double scale = Math.pow(10, Math.max(0, 3 - (int) Math.ceil(Math.log10(Math.abs(value) + 1e-9))));
    return Math.round(value * scale) / scale;
  }

  void print(PrintStream out) {
    out.printf("%n%-20s %12s %-7s %7s  %s%n", bench, "Weir", "", "ratio", "reference of the same run");
    for (Map<String, Object> row : rows) {
      out.printf("%-20s %12s %-7s %7s  %s %s%n", row.get("metric"), row.get("value"), row.get("unit"), row.get("ratio"),
          row.get("reference_value"), row.get("reference"));
    }
    out.println("machine: " + machine());
  }

  void write(Path file) throws IOException {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("bench", bench);
    all.put("machine", machine());
    all.put("rows", rows);
    Files.writeString(file, JSON.std.with(JSON.Feature.PRETTY_PRINT_OUTPUT).asString(all) + "\n");
  }

  private static Map<String, Object> machine() {
    Map<String, Object> machine = new LinkedHashMap<>();
    machine.put("cpu", firstMatch("/proc/cpuinfo", "model name"));
    machine.put("cores", Runtime.getRuntime().availableProcessors());
    machine.put("memory", firstMatch("/proc/meminfo", "MemTotal"));
    machine.put("kernel", System.getProperty("os.version"));
    machine.put("arch", System.getProperty("os.arch"));
    machine.put("java", System.getProperty("java.version"));
    return machine;
  }

  private static String firstMatch(String file, String key) {
    try (Stream<String> lines = Files.lines(Path.of(file))) {
      return lines.filter(line -> line.startsWith(key)).findFirst()
          .map(line -> line.substring(line.indexOf(':') + 1).strip()).orElse("unknown");
    } catch (IOException e) {
      return "unknown";
    }
  }
}
