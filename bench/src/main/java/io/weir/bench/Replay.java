package io.weir.bench;

import io.weir.bench.replay.Device;
import io.weir.bench.replay.ReplayBench;
import io.weir.bench.replay.Shapes;
import io.weir.bench.replay.Trace;
import io.weir.bench.replay.TraceReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What keeping functions warm by each policy would have cost on recorded or generated traffic. */
public final class Replay {
  private static final String USAGE =
      "usage: bench/run.sh replay --trace FILE | --shape NAME[,NAME…] | --shape all"
      + " [--seed N] [--seeds COUNT] [--rungs RUNG=MS/MIB,…] [--delay-price MIB_S] [--budget MIB] [--verdict]"
      + " [--json FILE] [--svg FILE]\n"
      + "   or: bench/run.sh replay --live [--trace FILE | --shape NAME] [--seed N] [--seconds N]"
      + " [--policies NAME,…] [--json FILE]";
  private static final String FLAGS = "--(verdict|quick|live)";
  private static final String OPTIONS =
      "--(trace|shape|seed|seeds|rungs|delay-price|budget|json|svg|seconds|policies)";
  private static final String LIVE_POLICIES = "weir,keep-10m,none,hybrid-histogram";

  private Replay() {}

  public static void main(String[] args) throws Exception {
    Map<String, String> options = new HashMap<>();
    for (int i = 0; i < args.length; i++) {
      if (args[i].matches(FLAGS)) {
        options.put(args[i], "");
      } else if (i + 1 < args.length && args[i].matches(OPTIONS)) {
        options.put(args[i], args[++i]);
      } else {
        fail(USAGE);
      }
    }
    try {
      if (options.containsKey("--live")) {
        live(options);
      } else {
        replay(options);
      }
    } catch (IllegalArgumentException e) {
      fail(e.getMessage());
    } catch (java.nio.file.NoSuchFileException e) {
      fail("there is no file " + e.getMessage());
    }
  }

  private static void fail(String why) {
    System.err.println("replay: " + why);
    System.exit(2);
  }

  private static void replay(Map<String, String> options) throws IOException {
    double price = Double.parseDouble(options.getOrDefault("--delay-price", "600000"));
    double budget = Double.parseDouble(options.getOrDefault("--budget", "4096"));
    Device device = Device.of(options.getOrDefault("--rungs", Device.USUAL_RUNGS), price, budget);
    long seed = Long.parseLong(options.getOrDefault("--seed", "1"));
    int seeds = Integer.parseInt(options.getOrDefault("--seeds", "1"));
    if (options.containsKey("--trace") == options.containsKey("--shape")) {
      throw new IllegalArgumentException(USAGE);
    }
    List<ReplayBench> benches = new ArrayList<>();
    for (int i = 0; i < seeds; i++) {
      for (Trace trace : traces(options, seed + i)) {
        ReplayBench bench = new ReplayBench(trace, device);
        if (!options.containsKey("--verdict")) {
          System.out.println(bench.table());
        }
        System.out.println(bench.verdict());
        benches.add(bench);
      }
    }
    if (benches.size() > 1) {
      System.out.println(ReplayBench.summary(benches));
    }
    if (options.containsKey("--json")) {
      Report.write(Path.of(options.get("--json")), ReplayBench.report(benches, Report.machine()));
    }
    if (options.containsKey("--svg")) {
      Path file = Path.of(options.get("--svg"));
      for (int i = 0; i < benches.size(); i++) {
        Files.writeString(i == 0 ? file : numbered(file, i + 1), benches.get(i).svg());
      }
    }
  }

  /** One file for each trace, numbered from the second on. */
  private static Path numbered(Path file, int number) {
    String name = file.getFileName().toString().replaceFirst("(\\.svg)?$", "-" + number + ".svg");
    return file.resolveSibling(name);
  }

  /** A quiet day of MERL in five minutes, unless something else is asked for. */
  private static void live(Map<String, String> options) throws Exception {
    long seed = Long.parseLong(options.getOrDefault("--seed", "1"));
    List<Trace> traces = options.containsKey("--trace") || options.containsKey("--shape")
        ? traces(options, seed) : List.of(Shapes.quietMerl(seed));
    if (traces.size() != 1) {
      throw new IllegalArgumentException("containers follow one trace at a time: " + USAGE);
    }
    String usual = options.containsKey("--quick") ? "120" : "300";
    double seconds = Double.parseDouble(options.getOrDefault("--seconds", usual));
    Report report = new Report("replay-live");
    new LiveReplay(traces.get(0), List.of(options.getOrDefault("--policies", LIVE_POLICIES).split(",")),
        seconds, Double.parseDouble(options.getOrDefault("--delay-price", "600000"))).run(report);
    report.print(System.out);
    if (options.containsKey("--json")) {
      report.write(Path.of(options.get("--json")));
    }
  }

  private static List<Trace> traces(Map<String, String> options, long seed) throws IOException {
    if (options.containsKey("--trace")) {
      return List.of(TraceReader.read(Path.of(options.get("--trace")), seed));
    }
    String shapes = options.get("--shape");
    List<String> names = shapes.equals("all") ? Shapes.names() : List.of(shapes.split(","));
    return names.stream().map(name -> Shapes.of(name, seed)).toList();
  }
}
