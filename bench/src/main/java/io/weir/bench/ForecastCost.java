package io.weir.bench;

import io.weir.bench.replay.Shapes;
import io.weir.bench.replay.Trace;
import io.weir.forecast.Arrival;
import io.weir.forecast.internal.Forecasts;
import io.weir.function.FunctionName;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What it costs that all forecasters observe every arrival: time against counting it in a map, and memory.
 */
public final class ForecastCost {
  private static final int ROUNDS = 9;
  private static final int FUNCTIONS = 2_000;

  private ForecastCost() {}

  public static void main(String[] args) throws IOException {
    Report report = new Report("forecast-cost");
    Report.Target target = new Report.Target("<= 1000 ns", (value, reference) -> value <= 1_000);
    for (String shape : List.of("merl", "cnrpark", "azure")) {
      List<Arrival> arrivals = arrivals(Shapes.of(shape, 1));
      double[] observed = new double[ROUNDS];
      double[] counted = new double[ROUNDS];
      for (int round = -2; round < ROUNDS; round++) {
        double o = observe(arrivals);
        double c = count(arrivals);
        if (round >= 0) {
          observed[round] = o;
          counted[round] = c;
        }
      }
      report.add("observe_" + shape, "ns", observed, "counting in a map", counted);
      double[] each = java.util.Arrays.stream(observed).map(all -> all / Forecasts.names().size()).toArray();
      report.add("observe_each_" + shape, "ns", each, "counting in a map", counted, target);
    }
    // Two arrivals an hour and a half apart: everything that there is to a function, in use.
    long before = used();
    Forecasts many = new Forecasts();
    List<Arrival> each = new ArrayList<>();
    for (int i = 0; i < FUNCTIONS; i++) {
      for (int call = 0; call < 2; call++) {
        Instant at = Instant.ofEpochSecond(1_700_000_000L + i + call * 5_400L);
        each.add(new Arrival(new FunctionName("f-" + i), at));
      }
    }
    each.sort(java.util.Comparator.comparing(Arrival::at));
    each.forEach(many::observe);
    each.clear();
    double perFunction = (used() - before) / (double) FUNCTIONS;
    int candidates = Forecasts.names().size();
    report.add("memory_per_candidate", "B", new double[] {perFunction / candidates}, "a kibibyte",
        new double[] {1_024}, Report.Target.atMostTimes(1));
    report.setUp(candidates + " candidates; a function takes " + Math.round(perFunction)
        + " B in all, its name and accounts included; " + many.announced().size() + " announced");
    report.print(System.out);
    for (int i = 0; i + 1 < args.length; i++) {
      if (args[i].equals("--json")) {
        report.write(Path.of(args[i + 1]));
      }
    }
  }

  private static List<Arrival> arrivals(Trace trace) {
    List<FunctionName> names = trace.functions().stream().map(FunctionName::new).toList();
    return trace.calls().stream()
        .map(call -> new Arrival(names.get(call.function()), Instant.ofEpochMilli(call.at()))).toList();
  }

  private static double observe(List<Arrival> arrivals) {
    Forecasts forecasts = new Forecasts();
    long begin = cpu();
    for (Arrival arrival : arrivals) {
      forecasts.observe(arrival);
    }
    return (cpu() - begin) / (double) arrivals.size();
  }

  private static double count(List<Arrival> arrivals) {
    Map<FunctionName, Long> counts = new HashMap<>();
    long begin = cpu();
    for (Arrival arrival : arrivals) {
      counts.merge(arrival.function(), arrival.at().toEpochMilli(), (a, b) -> a + 1);
    }
    return (cpu() - begin) / (double) arrivals.size();
  }

  /** Nanoseconds of this thread on a processor: what others do at the same time does not count. */
  private static long cpu() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  private static long used() {
    Runtime runtime = Runtime.getRuntime();
    for (int i = 0; i < 4; i++) {
      System.gc();
    }
    return runtime.totalMemory() - runtime.freeMemory();
  }
}
