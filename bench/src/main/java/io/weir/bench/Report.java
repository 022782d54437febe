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
import java.util.function.BiPredicate;
import java.util.stream.Stream;
import tools.jackson.jr.ob.JSON;

/** The one form in which every benchmark reports: a table for people, JSON for programs. */
final class Report {
  private final String bench;
  private final List<Map<String, Object>> rows = new ArrayList<>();
  private String setUp = "";

  Report(String bench) {
    this.bench = bench;
  }

  /** Says with the figures how they were taken. */
  Report setUp(String words) {
    setUp = words;
    return this;
  }

  /** Medians of rounds that were measured in turn. */
  void add(String metric, String unit, double[] values, String reference, double[] references) {
    row(metric, unit, median(values), reference, median(references));
  }

  /** The same, with what the project wants to reach. */
  void add(String metric, String unit, double[] values, String reference, double[] references, Target target) {
    double value = median(values);
    double other = median(references);
    Map<String, Object> row = row(metric, unit, value, reference, other);
    row.put("target", target.words());
    row.put("met", target.met().test(value, other));
  }

  /**
   * What a metric should be.
   *
   * @param met given the value and that of the reference
   */
  record Target(String words, BiPredicate<Double, Double> met) {
    static Target atMostTimes(double factor) {
      return new Target("<= " + factor + " x", (value, reference) -> value <= factor * reference);
    }
  }

  private Map<String, Object> row(String metric, String unit, double value, String reference, double other) {
    Map<String, Object> row = new LinkedHashMap<>();
    row.put("metric", metric);
    row.put("value", round(value));
    row.put("unit", unit);
    row.put("reference", reference);
    row.put("reference_value", round(other));
    row.put("ratio", other == 0 ? null : round(value / other));
    rows.add(row);
    return row;
  }

  static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int half = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }

  static double percentile(double[] values, double share) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[(int) Math.ceil(share * sorted.length) - 1];
  }

  private static double round(double value) {
    double scale = Math.pow(10, Math.max(0, 3 - (int) Math.ceil(Math.log10(Math.abs(value) + 1e-9))));
    return Math.round(value * scale) / scale;
  }

  void print(PrintStream out) {
    out.printf("%n%-26s %10s %-5s %6s  %s%n", bench, "Weir", "", "ratio", "reference of the same run; target");
    for (Map<String, Object> row : rows) {
      out.printf("%-26s %10s %-5s %6s  %s %s%s%n", row.get("metric"), row.get("value"), row.get("unit"),
          row.get("ratio") == null ? "" : row.get("ratio"), row.get("reference_value"), row.get("reference"),
          row.containsKey("target") ? "; " + row.get("target") + ((boolean) row.get("met") ? ": met" : ": MISSED") : "");
    }
    if (!setUp.isEmpty()) {
      out.println("set-up: " + setUp);
    }
    out.println("machine: " + machine());
  }

  void write(Path file) throws IOException {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("bench", bench);
    all.put("machine", machine());
    if (!setUp.isEmpty()) {
      all.put("set_up", setUp);
    }
    all.put("rows", rows);
    write(file, all);
  }

  static void write(Path file, Map<String, Object> all) throws IOException {
    Files.writeString(file, JSON.std.with(JSON.Feature.PRETTY_PRINT_OUTPUT).asString(all) + "\n");
  }

  static Map<String, Object> machine() {
    Map<String, Object> machine = new LinkedHashMap<>();
    machine.put("cpu", firstMatch("/proc/cpuinfo", "model name"));
    machine.put("cores", Runtime.getRuntime().availableProcessors());
    machine.put("memory", firstMatch("/proc/meminfo", "MemTotal"));
    machine.put("kernel", System.getProperty("os.version"));
    machine.put("arch", System.getProperty("os.arch"));
    machine.put("java", System.getProperty("java.version"));
    machine.put("load", load());
    return machine;
  }

  /** Of the last 1, 5 and 15 minutes, this run's own included. */
  private static String load() {
    try {
      return String.join(" ", List.of(Files.readString(Path.of("/proc/loadavg")).split(" ")).subList(0, 3));
    } catch (IOException e) {
      return "unknown";
    }
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
