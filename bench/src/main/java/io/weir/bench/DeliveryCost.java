package io.weir.bench;

import io.weir.itest.Gateway;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * What each level of delivery costs: messages through a function that is warm, from broker to broker, against a loop of
 * Paho and an HTTP client that promises nothing. Both run in a process of their own, with the same broker and the same
 * instance.
 *
 * <p>The loop has the QoS of the level, but for exactly-once: who writes a plain loop takes QoS 1 there, too, and it is
 * faster so.
 *
 * <p>What Weir adds to a message is more than one pass through the broker alone, publisher to subscriber, and one call
 * of the instance take. The second pass, from the gateway to the subscriber, is therefore counted as Weir's.
 */
final class DeliveryCost {
  private static final double WINDOW_MICROS = 5000;
  /** So that the journal is at rest when the next one comes, as with a sensor. */
  private static final int PAUSE_MILLIS = 25;
  /** Tells of every message of QoS 2 otherwise; named here, so that it is not forgotten. */
  private static final Logger PAHO = Logger.getLogger("org.eclipse.paho");

  private enum Promise {
    AT_MOST_ONCE("at-most-once", 0, 0, 0.9, 0),
    AT_LEAST_ONCE("at-least-once", 1, 1, 0.7, WINDOW_MICROS),
    EXACTLY_ONCE("exactly-once", 2, 1, 0.5, WINDOW_MICROS);

    final String words;
    final int qos;
    final int plainQos;
    final double share;
    final double mayWaitMicros;

    Promise(String words, int qos, int plainQos, double share, double mayWaitMicros) {
      this.words = words;
      this.qos = qos;
      this.plainQos = plainQos;
      this.share = share;
      this.mayWaitMicros = mayWaitMicros;
    }

    String metric(String what) {
      return what + "_" + name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  /**
   * What one round showed; times in microseconds, CPU in milliseconds for 1,000 messages, of the gateway's or the loop's
   * process alone.
   */
  private record Cost(double rate, double p50, double p99, double cpu, double bytes, double syncs) {}

  private final Report report = new Report("delivery-cost");
  private final int rounds;
  private final int messages;
  private final int trips;

  private DeliveryCost(boolean quick) {
    this.rounds = quick ? 3 : 9;
    this.messages = quick ? 1000 : 4000;
    this.trips = quick ? 100 : 300;
  }

  public static void main(String[] arguments) throws Exception {
    PAHO.setLevel(Level.WARNING);
    List<String> all = List.of(arguments);
    DeliveryCost bench = new DeliveryCost(all.contains("--quick"));
    bench.run();
    bench.report.print(System.out);
    int json = all.indexOf("--json");
    if (json >= 0) {
      bench.report.write(Path.of(all.get(json + 1)));
    }
  }

  private void run() throws Exception {
    try (Gateway gateway = Gateway.start("bench-delivery")) {
      gateway.importProbe();
      for (Promise level : Promise.values()) {
        measure(gateway, level);
      }
    }
  }

  private void measure(Gateway gateway, Promise level) throws Exception {
    String name = level.words;
    gateway.deploy(Baseline.function(name, "concurrency: 64\n    rest: running\n    triggers: [{mqtt: bench/weir-" + name
        + "/in/+, delivery: " + name + "}]\n    output: bench/weir-" + name + "/out/{1}"));
    gateway.post("/function/" + name + "/", "");
    URI instance = URI.create("http://" + gateway.instancesOf(name).get(0).get("address") + "/");
    String plainPrefix = "bench/plain-" + name;
    try (PlainProcess plain = new PlainProcess(gateway.mqttPort, plainPrefix, instance, level.plainQos);
        Exchange weirs = new Exchange(gateway.mqttPort, level.qos, "weir-" + name);
        Exchange plains = new Exchange(gateway.mqttPort, level.plainQos, "plain-" + name)) {
      weirs.rate("bench/weir-" + name, messages);   // both compile what they need
      plains.rate(plainPrefix, messages);
      Cost[] weir = new Cost[rounds];
      Cost[] bare = new Cost[rounds];
      double[] added = new double[rounds];
      double[] parts = new double[rounds];
      for (int i = 0; i < rounds; i++) {
        weir[i] = cost(weirs, "bench/weir-" + name, gateway.pid(), gateway);
        bare[i] = cost(plains, plainPrefix, plain.pid(), gateway);
        parts[i] = weirs.passMicros("bench/weir-" + name, trips, PAUSE_MILLIS) + call(instance);
        added[i] = weir[i].p50 - parts[i];
      }
      note(level, weir, bare);
      report.add(level.metric("p50_added"), "us", added, "us, one pass through the broker and one call", parts,
          new Report.Target("<= " + Math.round(1000 + level.mayWaitMicros) + " us",
              (value, reference) -> value <= 1000 + level.mayWaitMicros));
    } finally {
      gateway.delete("/api/v1/functions/" + name);
    }
  }

  private Cost cost(Exchange exchange, String prefix, long pid, Gateway gateway) throws Exception {
    double[] trips = exchange.roundTripsMicros(prefix, this.trips, PAUSE_MILLIS);
    Thread.sleep(200);   // what is settled after the answer belongs to the messages before
    Map<String, Object> journal = gateway.json("/api/v1/journal");
    double cpu = seconds(pid);
    double rate = exchange.rate(prefix, messages);
    Thread.sleep(200);
    double used = seconds(pid) - cpu;
    Map<String, Object> after = gateway.json("/api/v1/journal");
    return new Cost(rate, Report.median(trips), Report.percentile(trips, 0.99), used * 1e6 / messages,
        (number(after, "writtenBytes") - number(journal, "writtenBytes")) / messages,
        (number(after, "syncs") - number(journal, "syncs")) / messages);
  }

  private void note(Promise level, Cost[] weir, Cost[] bare) {
    String loop = ", a Paho + HttpClient loop at QoS " + level.plainQos;
    report.add(level.metric("rate"), "1/s", of(weir, Cost::rate), "1/s" + loop, of(bare, Cost::rate),
        new Report.Target(">= " + level.share + " x", (value, reference) -> value >= level.share * reference));
    report.add(level.metric("p50"), "us", of(weir, Cost::p50), "us" + loop, of(bare, Cost::p50));
    report.add(level.metric("p99"), "us", of(weir, Cost::p99), "us" + loop, of(bare, Cost::p99));
    report.add(level.metric("cpu_per_1000"), "ms", of(weir, Cost::cpu), "ms" + loop, of(bare, Cost::cpu));
    report.add(level.metric("bytes_per_message"), "B", of(weir, Cost::bytes), "B" + loop, new double[] {0});
    report.add(level.metric("fsync_per_message"), "", of(weir, Cost::syncs), loop.substring(2), new double[] {0});
  }

  private static double[] of(Cost[] costs, java.util.function.ToDoubleFunction<Cost> what) {
    return java.util.Arrays.stream(costs).mapToDouble(what).toArray();
  }

  /** Median of calls that go to the instance directly, with as little as possible around them. */
  private double call(URI instance) throws IOException {
    byte[] request = ("POST / HTTP/1.1\r\nHost: bench\r\nContent-Length: " + Exchange.READING.length + "\r\n\r\n"
        + new String(Exchange.READING, StandardCharsets.US_ASCII)).getBytes(StandardCharsets.US_ASCII);
    byte[] answer = new byte[4096];
    double[] micros = new double[trips];
    try (Socket socket = new Socket(instance.getHost(), instance.getPort())) {
      socket.setTcpNoDelay(true);
      for (int i = 0; i < trips; i++) {
        long began = System.nanoTime();
        socket.getOutputStream().write(request);
        for (int n = 0; !new String(answer, 0, n, StandardCharsets.US_ASCII).endsWith("}"); ) {
          n += socket.getInputStream().read(answer, n, answer.length - n);
        }
        micros[i] = (System.nanoTime() - began) / 1e3;
      }
    }
    return Report.median(micros);
  }

  private static double number(Map<String, Object> of, String key) {
    return ((Number) of.get(key)).doubleValue();
  }

  private static double seconds(long pid) {
    return ProcessHandle.of(pid).flatMap(process -> process.info().totalCpuDuration())
        .map(Duration::toNanos).orElseThrow() / 1e9;
  }

  /** The plain loop in a JVM of its own; it ends with its standard input. */
  private static final class PlainProcess implements AutoCloseable {
    private final Process process;

    PlainProcess(int mqttPort, String prefix, URI function, int qos) throws IOException {
      process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin/java").toString(), "-XX:+UseSerialGC",
          "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"), PlainBridge.class.getName(),
          Integer.toString(mqttPort), prefix + "/in/+", prefix + "/out/", function.toString(), Integer.toString(qos))
          .redirectError(ProcessBuilder.Redirect.INHERIT).start();
      String said = process.inputReader().readLine();
      if (!"READY".equals(said)) {
        throw new IOException("the plain loop did not start: " + said);
      }
    }

    long pid() {
      return process.pid();
    }

    @Override
    public void close() throws Exception {
      process.getOutputStream().close();
      process.waitFor();
    }
  }
}
