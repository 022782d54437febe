package io.weir.bench;

import io.weir.itest.Gateway;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What it costs to bring an MQTT message to a function: PUBLISH, HTTP, PUBACK. Weir's adaptor against the least that does
 * the same, a C program of one thread, at the same broker and with the same container, in turn.
 */
final class MqttAdaptor {
  private static final int WARM_UP = 60_000;

  private final Report report = new Report("mqtt-adaptor");
  private final int rounds;
  private final int messages;

  private MqttAdaptor(boolean quick) {
    this.rounds = quick ? 5 : 11;
    this.messages = quick ? 10_000 : 20_000;
  }

  public static void main(String[] arguments) throws Exception {
    List<String> all = List.of(arguments);
    MqttAdaptor bench = new MqttAdaptor(all.contains("--quick"));
    bench.run(1, "");
    bench.run(16, "_16");
    bench.report.print(System.out);
    int json = all.indexOf("--json");
    if (json >= 0) {
      bench.report.write(Path.of(all.get(json + 1)));
    }
  }

  /** Microseconds for one message: of all processes together, of the adaptor's alone, and by the clock. */
  private record Cost(double all, double own, double elapsed) {}

  private void run(int window, String suffix) throws Exception {
    try (Gateway gateway = Gateway.start("bench-adaptor",
        Map.of("io.weir.gateway.mqtt/max.in.flight", Integer.toString(window)))) {
      gateway.importProbe();
      gateway.deploy(Baseline.function("adapted",
          "concurrency: 64\n    rest: running\n    triggers: [{mqtt: bench/weir, qos: 1}]"));
      gateway.post("/function/adapted/", "");
      Map<String, Object> instance = gateway.instancesOf("adapted").get(0);
      try (Program adaptor = new Program(compile("adaptor"), Integer.toString(gateway.mqttPort), "bench/bare",
              (String) instance.get("address"), Integer.toString(window));
          Program sensor = new Program(compile("sensor"), Integer.toString(gateway.mqttPort))) {
        adaptor.expect("READY");
        List<Long> shared = new ArrayList<>(Cpu.processes((String) instance.get("id")));
        shared.add(sensor.pid());
        shared.add(broker(gateway));
        measure(sensor, "bench/weir", WARM_UP, shared, gateway.pid());
        measure(sensor, "bench/bare", messages, shared, adaptor.pid());
        double[][] weir = new double[3][rounds];
        double[][] bare = new double[3][rounds];
        for (int i = 0; i < rounds; i++) {
          note(weir, i, measure(sensor, "bench/weir", messages, shared, gateway.pid()));
          note(bare, i, measure(sensor, "bench/bare", messages, shared, adaptor.pid()));
        }
        String what = "us, a minimal C adaptor, " + window + " in flight";
        report.add("mqtt_adapter_cpu" + suffix, "us", weir[0], what, bare[0], Report.Target.atMostTimes(1.3));
        report.add("mqtt_adapter_own_cpu" + suffix, "us", weir[1], "us, its process alone", bare[1]);
        report.add("mqtt_adapter_elapsed" + suffix, "us", weir[2], "us by the clock", bare[2]);
      }
    }
  }

  private static void note(double[][] into, int round, Cost cost) {
    into[0][round] = cost.all();
    into[1][round] = cost.own();
    into[2][round] = cost.elapsed();
  }

  private static Cost measure(Program sensor, String topic, int count, List<Long> shared, long adaptor)
      throws IOException {
    double own = seconds(adaptor);
    double others = Cpu.seconds(shared);
    sensor.say(topic + " " + count);
    double elapsed = Double.parseDouble(sensor.hear());
    double ownUsed = seconds(adaptor) - own;
    double all = Cpu.seconds(shared) - others + ownUsed;
    return new Cost(all * 1e6 / count, ownUsed * 1e6 / count, elapsed / count);
  }

  private static double seconds(long pid) {
    return ProcessHandle.of(pid).flatMap(process -> process.info().totalCpuDuration())
        .map(Duration::toNanos).orElseThrow() / 1e9;
  }

  private static long broker(Gateway gateway) {
    return ProcessHandle.of(gateway.pid()).orElseThrow().descendants()
        .filter(process -> process.info().command().orElse("").endsWith("/mosquitto")).findFirst().orElseThrow().pid();
  }

  /** A program of src/main/c, built for this machine. */
  private static Path compile(String name) throws Exception {
    Path work = Files.createDirectories(Path.of(System.getProperty("weir.work")));
    Path source = work.resolve(name + ".c");
    try (InputStream in = MqttAdaptor.class.getResourceAsStream("/" + name + ".c")) {
      if (in == null) {
        throw new IOException("no " + name + ".c in the class path");
      }
      Files.write(source, in.readAllBytes());
    }
    Gateway.exec("gcc", "-O2", "-o", work.resolve(name).toString(), source.toString());
    return work.resolve(name);
  }

  /** A program one speaks with by lines. */
  private static final class Program implements AutoCloseable {
    private final String name;
    private final Process process;
    private final BufferedReader out;

    Program(Path file, String... arguments) throws IOException {
      name = file.getFileName().toString();
      List<String> command = new ArrayList<>(List.of(file.toString()));
      command.addAll(List.of(arguments));
      process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
      out = process.inputReader(StandardCharsets.US_ASCII);
    }

    long pid() {
      return process.pid();
    }

    void say(String line) throws IOException {
      process.getOutputStream().write((line + "\n").getBytes(StandardCharsets.US_ASCII));
      process.getOutputStream().flush();
    }

    String hear() throws IOException {
      String line = out.readLine();
      if (line == null) {
        throw new IOException(name + " has ended");
      }
      return line;
    }

    void expect(String line) throws IOException {
      if (!hear().equals(line)) {
        throw new IOException(name + " did not say " + line);
      }
    }

    @Override
    public void close() throws Exception {
      process.getOutputStream().close();
      process.waitFor();
    }
  }
}
