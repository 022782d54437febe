package io.weir.bench;

import io.weir.itest.Gateway;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a client at a function's service address waits for when the function sleeps, from its first SYN to the first byte,
 * against the pool's own cold start to the first byte: what the pool itself needed to bring the instance up, by its own
 * metric, and the same client's call to the same address a moment later, when the kernel leads it to the instance. What is
 * added to that is what it costs to hear of the connection, to hold it and to hand it over, and that a process which has
 * just begun to run answers its first call more slowly than its second.
 */
final class Wake {
  private static final String NAME = "sleeper";
  private static final List<String> RUNGS = List.of("image", "created", "armed", "frozen");
  /** Weir makes a network anew half a second after one was taken. */
  private static final long SETTLE_MILLIS = 700;
  private static final Pattern READY = Pattern.compile(
      "weir_instance_change_seconds_sum\\{[^}]*change=\"ready\"[^}]*} ([0-9.eE+-]+)");

  private Wake() {}

  public static void main(String[] arguments) throws Exception {
    List<String> all = List.of(arguments);
    int rounds = all.contains("--quick") ? 4 : 21;
    Report report = new Report("wake");
    try (Gateway gateway = Gateway.start("bench-wake", Map.of("io.weir.pool/calibrate", "false"))) {
      gateway.importProbe();
      gateway.deploy(Baseline.function(NAME, "rest: image"));
      InetSocketAddress service = new InetSocketAddress("127.0.0.1",
          Functions.awaitWay(gateway, NAME, "ebpf"));
      Functions functions = new Functions(gateway);
      for (int i = 0; i < (rounds > 4 ? 2000 : 200); i++) {
        functions.call(NAME);   // the JVM compiles what it will need
      }
      for (String rung : RUNGS) {
        measure(gateway, functions, service, rung, rounds, report);
      }
    }
    report.print(System.out);
    int json = all.indexOf("--json");
    if (json >= 0) {
      report.write(Path.of(all.get(json + 1)));
    }
  }

  private static void measure(Gateway gateway, Functions functions, InetSocketAddress service, String rung, int rounds,
      Report report) throws Exception {
    double[] waited = new double[rounds];
    double[] pool = new double[rounds];
    double[] added = new double[rounds];
    double[] warm = new double[rounds];
    for (int i = -2; i < rounds; i++) {
      functions.rest(NAME, rung);
      Thread.sleep(SETTLE_MILLIS);
      double before = readySeconds(gateway);
      double total = call(service);
      double own = (readySeconds(gateway) - before) * 1e3;
      Thread.sleep(20);
      double again = call(service);
      if (i >= 0) {
        warm[i] = again;
        waited[i] = total;
        pool[i] = own + again;
        added[i] = total - own - again;
      }
    }
    report.add("wake_" + rung, "ms", waited, "ms, the pool's own start and a call when it is awake", pool);
    report.add("wake_" + rung + "_added", "ms", added, "ms, a call when it is awake", warm,
        new Report.Target("<= 1 ms", (value, awake) -> value <= 1));
  }

  /** From the first SYN to the first byte of the answer. */
  private static double call(InetSocketAddress service) throws Exception {
    long began = System.nanoTime();
    try (Wire wire = new Wire(service)) {
      double connected = Baseline.millisSince(began);
      return connected + wire.get("/");
    }
  }

  private static double readySeconds(Gateway gateway) {
    Matcher found = READY.matcher(gateway.get("/api/v1/metrics").body());
    double sum = 0;
    while (found.find()) {
      sum += Double.parseDouble(found.group(1));
    }
    return sum;
  }
}
