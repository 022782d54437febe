package io.weir.bench.replay;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;

/** All policies on one trace, and what that says of Weir's choice. */
public final class ReplayBench {
  /** How much more than the best single forecaster Weir's choice may cost. */
  public static final double WITHIN = 1.05;

  private final Trace trace;
  private final Device device;
  private final List<Outcome> outcomes = new ArrayList<>();

  public ReplayBench(Trace trace, Device device) {
    this.trace = trace;
    this.device = device;
    for (Map.Entry<String, Supplier<Platform>> each : Platforms.of(trace, device).entrySet()) {
      outcomes.add(new Simulation(each.getKey(), trace, device, each.getValue().get()).run());
    }
  }

  public List<Outcome> outcomes() {
    return outcomes;
  }

  Outcome outcome(String policy) {
    return outcomes.stream().filter(of -> of.policy().equals(policy)).findFirst().orElseThrow();
  }

  Outcome weir() {
    return outcome(Platforms.WEIR);
  }

  /** The single forecaster that would have been cheapest. */
  Outcome best() {
    return outcomes.stream().filter(of -> of.policy().startsWith(Platforms.ONLY))
        .min(Comparator.comparingDouble(of -> of.cost(device))).orElseThrow();
  }

  double overBest() {
    return weir().cost(device) / best().cost(device);
  }

  boolean withinBest() {
    return overBest() <= WITHIN;
  }

  /** Policies of others with no more cold starts and no more memory than Weir's choice, and less of one. */
  List<String> dominating() {
    return dominating(false);
  }

  /** The same of Weir's own forecasters, each driving alone. */
  List<String> dominatingSingles() {
    return dominating(true);
  }

  private List<String> dominating(boolean single) {
    return outcomes.stream().filter(of -> of.policy().startsWith(Platforms.ONLY) == single)
        .filter(weir()::dominatedBy).map(Outcome::policy).toList();
  }

  /** How many of several traces went as they should. */
  public static String summary(List<ReplayBench> benches) {
    long within = benches.stream().filter(ReplayBench::withinBest).count();
    long front = benches.stream().filter(bench -> bench.dominating().isEmpty()).count();
    long singles = benches.stream()
        .filter(bench -> bench.dominating().isEmpty() && bench.dominatingSingles().isEmpty()).count();
    return benches.size() + " traces: " + within + " within 5 % of the best single forecaster;"
        + " on the Pareto front of cold starts and memory " + front + " among the policies of others, "
        + singles + " among Weir's own single forecasters as well";
  }

  /** The same by seconds waited. */
  List<String> outwaiting() {
    return outcomes.stream().filter(of -> weir().outwaitedBy(of)).map(Outcome::policy).toList();
  }

  /** One line. */
  public String verdict() {
    Outcome keep = outcome("keep-10m");
    return String.format(Locale.ROOT,
        "%-22s cold %6.3f %% (10 min: %6.3f %%)  memory %6.3f of 10 min  cost %6.3f x best single (%s)%s%s%s%s",
        trace.name(), 100 * weir().coldShare(), 100 * keep.coldShare(), weir().memory() / keep.memory(),
        overBest(), best().policy(), withinBest() ? "" : "  NOT WITHIN 5 %",
        dominating().isEmpty() ? "" : "  DOMINATED by " + dominating(),
        dominatingSingles().isEmpty() ? "" : "  own front: " + dominatingSingles(),
        outwaiting().isEmpty() ? "" : "  OUTWAITED by " + outwaiting());
  }

  public String table() {
    StringBuilder text = new StringBuilder();
    text.append(String.format(Locale.ROOT, "%-18s %9s %9s %8s %8s %12s %9s %8s %7s %12s%n", trace.name(),
        "cold", "waited s", "p50 ms", "p99 ms", "memory MiBs", "CPU s", "starts", "wrong", "cost MiBs"));
    for (Outcome of : outcomes) {
      text.append(String.format(Locale.ROOT, "%-18s %8.3f%% %9.1f %8.0f %8.0f %12.0f %9.1f %8d %7d %12.0f%n",
          of.policy(), 100 * of.coldShare(), of.coldSeconds(), of.felt(0.5), of.felt(0.99), of.memory(),
          of.cpu(), of.starts(), of.wrong(), of.cost(device)));
    }
    return text.toString();
  }

  /** For programs: the rows of every trace, each against a keep-alive of ten minutes. */
  public static Map<String, Object> report(List<ReplayBench> benches, Map<String, Object> machine) {
    List<Map<String, Object>> rows = new ArrayList<>();
    for (ReplayBench bench : benches) {
      Outcome reference = bench.outcome("keep-10m");
      for (Outcome of : bench.outcomes) {
        String name = of.policy().replace('-', '_');
        bench.row(rows, name + "_cold_share", "share", of.coldShare(), reference.coldShare());
        bench.row(rows, name + "_felt_p50", "ms", of.felt(0.5), reference.felt(0.5));
        bench.row(rows, name + "_felt_p99", "ms", of.felt(0.99), reference.felt(0.99));
        bench.row(rows, name + "_felt_total", "s", of.coldSeconds(), reference.coldSeconds());
        bench.row(rows, name + "_memory", "MiB·s", of.memory(), reference.memory());
        bench.row(rows, name + "_cpu", "s", of.cpu(), reference.cpu());
        bench.row(rows, name + "_wrong", "prewarms", of.wrong(), reference.wrong());
        bench.row(rows, name + "_cost", "MiB·s", of.cost(bench.device), reference.cost(bench.device));
      }
      Map<String, Object> over = bench.row(rows, "weir_over_best", "ratio", bench.overBest(), 1);
      over.put("reference", bench.best().policy());
      over.put("target", "<= " + WITHIN);
      over.put("met", bench.withinBest());
      Map<String, Object> front = bench.row(rows, "weir_dominated", "policies", bench.dominating().size(), 0);
      front.put("reference", String.join(",", bench.dominating()));
      front.put("target", "on the Pareto front of cold starts and memory");
      front.put("met", bench.dominating().isEmpty());
      bench.row(rows, "weir_dominated_by_own", "forecasters", bench.dominatingSingles().size(), 0)
          .put("reference", String.join(",", bench.dominatingSingles()));
    }
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("bench", "replay");
    all.put("machine", machine);
    all.put("set_up", benches.isEmpty() ? "" : "simulated: " + benches.get(0).device);
    all.put("rows", rows);
    return all;
  }

  private Map<String, Object> row(List<Map<String, Object>> rows, String metric, String unit, double value,
      double reference) {
    Map<String, Object> row = new LinkedHashMap<>();
    row.put("trace", trace.name());
    row.put("metric", metric);
    row.put("value", value);
    row.put("unit", unit);
    row.put("reference", "keep-10m");
    row.put("reference_value", reference);
    row.put("ratio", reference == 0 ? null : value / reference);
    rows.add(row);
    return row;
  }

  /** Cold starts against memory, both by their logarithm. */
  public String svg() {
    return Plot.of(trace.name(), outcomes);
  }
}
