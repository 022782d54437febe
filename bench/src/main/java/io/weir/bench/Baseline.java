package io.weir.bench;

import io.weir.itest.Gateway;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a call through Weir costs against the same container called directly, what a cold start costs against the same
 * REST calls made by curl, and what the gateway itself takes against the bare platform.
 */
final class Baseline {
  static final String PROBE = "localhost/probe:1";
  private static final Pattern P50 = Pattern.compile("50%\\s+([0-9.]+)(us|ms|s)");
  private static final Pattern RPS = Pattern.compile("Requests/sec:\\s+([0-9.]+)");

  private final Report report = new Report("baseline");
  private final boolean quick;
  private final int rounds;

  private Baseline(boolean quick) {
    this.quick = quick;
    this.rounds = quick ? 3 : 7;
  }

  public static void main(String[] arguments) throws Exception {
    List<String> all = List.of(arguments);
    Baseline baseline = new Baseline(all.contains("--quick"));
    baseline.run();
    baseline.report.print(System.out);
    int json = all.indexOf("--json");
    if (json >= 0) {
      baseline.report.write(Path.of(all.get(json + 1)));
    }
  }

  private void run() throws Exception {
    start();
    try (Gateway gateway = Gateway.start("bench")) {
      gateway.importProbe();
      http(gateway);
      mqtt(gateway);
      memory(gateway);
      cold(gateway);
    }
  }

  /** From the launcher to READY, against the same platform with none of Weir's bundles until its port is open. */
  private void start() throws Exception {
    double[] ready = new double[quick ? 2 : 5];
    double[] bare = new double[ready.length];
    for (int i = 0; i < ready.length; i++) {
      try (BarePlatform platform = BarePlatform.start()) {
        bare[i] = platform.millisToOpen();
      }
      long began = System.nanoTime();
      try (Gateway gateway = Gateway.start("bench-start")) {
        ready[i] = millisSince(began);
      }
    }
    report.add("start_to_ready", "ms", ready, "ms until the bare platform's port is open", bare);
  }

  private void memory(Gateway gateway) throws Exception {
    try (BarePlatform platform = BarePlatform.start()) {
      report.add("gateway_rss", "MB", new double[] {residentMegabytes(gateway.pid())}, "MB of the bare platform",
          new double[] {residentMegabytes(platform.pid())});
    }
  }

  private void http(Gateway gateway) throws Exception {
    gateway.deploy(function("warm", "concurrency: 64"));
    gateway.post("/function/warm/", "");
    String through = "http://127.0.0.1:" + gateway.httpPort + "/function/warm/";
    String direct = "http://" + gateway.instancesOf("warm").get(0).get("address") + "/";
    wrk(through, 16, quick ? 2 : 5);   // the JVM compiles what it will need
    double[][] p50 = new double[2][rounds];
    double[][] rps = new double[2][rounds];
    for (int i = 0; i < rounds; i++) {
      p50[0][i] = micros(wrk(through, 1, 1));
      p50[1][i] = micros(wrk(direct, 1, 1));
      rps[0][i] = number(RPS, wrk(through, 16, 1));
      rps[1][i] = number(RPS, wrk(direct, 16, 1));
    }
    report.add("http_warm_p50", "us", p50[0], "us, the container called directly", p50[1]);
    report.add("http_warm_rps", "1/s", rps[0], "1/s, the container called directly", rps[1]);
  }

  private void mqtt(Gateway gateway) throws Exception {
    gateway.deploy(function("bridge",
        "concurrency: 64\n    triggers: [{mqtt: bench/weir/in/+}]\n    output: bench/weir/out/{1}"));
    gateway.post("/function/bridge/", "");
    String direct = "http://" + gateway.instancesOf("bridge").get(0).get("address") + "/";
    try (PlainBridge plain = new PlainBridge(gateway.mqttPort, "bench/plain/in/+", "bench/plain/out/", direct);
        Exchange exchange = new Exchange(gateway.mqttPort)) {
      int warm = quick ? 300 : 1000;
      exchange.rate("bench/weir", warm);
      exchange.rate("bench/plain", warm);
      double[][] trip = new double[2][rounds];
      double[][] rate = new double[2][rounds];
      for (int i = 0; i < rounds; i++) {
        trip[0][i] = exchange.roundTripMicros("bench/weir", 100);
        trip[1][i] = exchange.roundTripMicros("bench/plain", 100);
        rate[0][i] = exchange.rate("bench/weir", quick ? 500 : 2000);
        rate[1][i] = exchange.rate("bench/plain", quick ? 500 : 2000);
      }
      report.add("mqtt_roundtrip_p50", "us", trip[0], "us, a bare Paho + HttpClient loop", trip[1]);
      report.add("mqtt_rate", "1/s", rate[0], "1/s, a bare Paho + HttpClient loop", rate[1]);
    }
  }

  /** A function never called before, against create and start by curl of the same image. */
  private void cold(Gateway gateway) throws Exception {
    int n = quick ? 6 : 20;
    InetSocketAddress frontDoor = new InetSocketAddress("127.0.0.1", gateway.httpPort);
    try (BarePodman podman = new BarePodman(gateway)) {
      double[] weir = new double[n];
      double[] bare = new double[n];
      for (int i = 0; i < n; i++) {
        gateway.deploy(function("cold-" + i, "rest: image"));
        try (Wire wire = new Wire(frontDoor)) {
          weir[i] = wire.get("/function/cold-" + i + "/");
        }
        BarePodman.Container container = podman.plan(PROBE);
        bare[i] = podman.createAndStart(container);
        podman.remove(container);
        gateway.delete("/api/v1/functions/cold-" + i);
      }
      report.add("cold_start_p50", "ms", weir, "ms, the same REST calls made by curl", bare);
    }
  }

  static String function(String name, String more) {
    return "functions:\n  " + name + ":\n    image: " + PROBE + "\n    memory: 64MiB\n    cpus: 2\n    " + more + "\n";
  }

  static double millisSince(long nanos) {
    return (System.nanoTime() - nanos) / 1e6;
  }

  private static String wrk(String url, int connections, int seconds) throws Exception {
    return Gateway.exec("wrk", "-t1", "-c" + connections, "-d" + seconds + "s", "--latency", url);
  }

  private static double micros(String wrk) {
    Matcher found = P50.matcher(wrk);
    if (!found.find()) {
      throw new IllegalStateException("wrk printed no median: " + wrk);
    }
    return Double.parseDouble(found.group(1)) * Map.of("us", 1.0, "ms", 1e3, "s", 1e6).get(found.group(2));
  }

  private static double number(Pattern pattern, String text) {
    Matcher found = pattern.matcher(text);
    if (!found.find() || text.contains("Non-2xx")) {
      throw new IllegalStateException("wrk failed: " + text);
    }
    return Double.parseDouble(found.group(1));
  }

  private static double residentMegabytes(long pid) throws Exception {
    for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
      if (line.startsWith("VmRSS:")) {
        return Double.parseDouble(line.replaceAll("\\D", "")) / 1024;
      }
    }
    throw new IllegalStateException("process " + pid + " has no VmRSS");
  }

  static boolean accepts(InetSocketAddress address) {
    try (var socket = new java.net.Socket()) {
      socket.connect(address, 20);
      return true;
    } catch (java.io.IOException e) {
      return false;
    }
  }
}
