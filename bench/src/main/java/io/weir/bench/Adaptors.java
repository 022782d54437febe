package io.weir.bench;

import io.weir.itest.Gateway;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.awaitility.Awaitility;

/**
 * What it costs to bring an MQTT message to a function: PUBLISH, HTTP, PUBACK. There are three who do it, at the same broker
 * and with the same container, in turn: the gateway's process, the kernel ({@code fast: kernel}), and the least that can, a C
 * program of one thread.
 *
 * <p>The gateway's process is compared with the C program as long as messages wait at the broker, so that nothing but bringing
 * them is measured. The kernel is compared with both where the sensor has as many messages on their way as the broker may
 * deliver, and hears of each by a datagram from the function. That datagram and the sensor's waking for it cost all three the
 * same, so these ratios are nearer to 1 than they would be without.
 *
 * <p>CPU is that of sensor, broker, function and adaptor, and of the kernel's threads. With the kernel the adaptor is the
 * gateway's process, too, which then has next to nothing to do.
 */
final class Adaptors {
  /** Of a hundred messages of the kernel's so many may be brought by the gateway: when a way has just been opened. */
  private static final double MOST_BY_GATEWAY = 0.01;
  private static final String USER = "bench/user";
  private static final String KERNEL = "bench/kernel";

  private final Report report;
  private final int rounds;
  private final int messages;
  /** The JVM compiles what it will need. */
  private final int warmUp;

  Adaptors(Report report, boolean quick) {
    this.report = report;
    this.rounds = quick ? 3 : 9;
    this.messages = quick ? 6_000 : 15_000;
    this.warmUp = quick ? 10_000 : 30_000;
  }

  void run() throws Exception {
    run(1, "");
    run(16, "_16");
  }

  /** Microseconds for one message: of all processes together, of the adaptor's alone, by the clock, and the median. */
  private record Cost(double all, double own, double elapsed, double p50) {}

  /** A topic that one adaptor serves. */
  private record Line(String topic, long adaptor, double[][] costs) {}

  private void run(int window, String suffix) throws Exception {
    try (Gateway gateway = Gateway.start("bench-adaptor",
            Map.of("io.weir.pool/calibrate", "false", "io.weir.gateway.mqtt/max.in.flight", Integer.toString(window)));
        LineProgram sensor = new LineProgram(Loads.GENERATOR, Loads.compile("sensor"), Integer.toString(gateway.mqttPort))) {
      String outcomes = sensor.hear();
      Cpu.pin(Loads.SERVER, List.of(gateway.pid(), broker(gateway)));
      gateway.importProbe();
      gateway.deploy(Baseline.function("adapted",
          "concurrency: 64\n    rest: running\n    triggers: [{mqtt: bench/weir, qos: 1}]"));
      withC(gateway, sensor, window, suffix);
      gateway.deploy(Baseline.function("telling", "concurrency: 64\n    rest: running\n    egress: [any]\n    env: {SINK: \""
          + outcomes + "\"}\n    triggers: [{mqtt: " + USER + ", qos: 1}, {mqtt: " + KERNEL + ", qos: 1, fast: kernel}]"));
      withKernel(gateway, sensor, window, suffix);
    }
  }

  private void withC(Gateway gateway, LineProgram sensor, int window, String suffix) throws Exception {
    Map<String, Object> instance = called(gateway, "adapted");
    List<Long> shared = shared(gateway, sensor, instance);
    try (LineProgram least = least(gateway, "bench/bare", instance, window)) {
      Line weir = new Line("bench/weir", gateway.pid(), new double[4][rounds]);
      Line bare = new Line("bench/bare", least.pid(), new double[4][rounds]);
      measure(sensor, weir, warmUp, "", shared);
      measure(sensor, bare, messages, "", shared);
      for (int i = 0; i < rounds; i++) {
        note(weir, i, measure(sensor, weir, messages, "", shared));
        note(bare, i, measure(sensor, bare, messages, "", shared));
      }
      String what = "us, a minimal C adaptor, " + window + " in flight";
      add("mqtt_adapter_cpu" + suffix, weir, 0, what, bare, Report.Target.atMostTimes(1.3));
      add("mqtt_adapter_own_cpu" + suffix, weir, 1, "us, its process alone", bare);
      add("mqtt_adapter_elapsed" + suffix, weir, 2, "us by the clock", bare);
    }
  }

  private void withKernel(Gateway gateway, LineProgram sensor, int window, String suffix) throws Exception {
    Map<String, Object> instance = called(gateway, "telling");
    List<Long> shared = shared(gateway, sensor, instance);
    try (LineProgram least = least(gateway, "bench/least", instance, window)) {
      Line user = new Line(USER, gateway.pid(), new double[4][rounds]);
      Line kernel = new Line(KERNEL, gateway.pid(), new double[4][rounds]);
      Line bare = new Line("bench/least", least.pid(), new double[4][rounds]);
      List<Line> lines = List.of(user, kernel, bare);
      String more = " " + window;
      measure(sensor, user, warmUp, more, shared);
      awaitKernel(gateway, () -> measure(sensor, kernel, 200, more, shared));
      for (int i = 0; i < rounds; i++) {
        for (int turn = 0; turn < lines.size(); turn++) {
          Line line = lines.get((i + turn) % lines.size());
          long before = byGateway(gateway);
          long counted = byMeter(gateway);
          note(line, i, measure(sensor, line, messages, more, shared));
          if (line == kernel) {
            requireKernel(byGateway(gateway) - before, byMeter(gateway) - counted);
          }
        }
      }
      String what = "us, the gateway's own adaptor, " + window + " in flight";
      Report.Target goal = Report.Target.atMostTimes(0.7);
      add("kernel_adapter_cpu" + suffix, kernel, 0, what, user, goal);
      add("kernel_adapter_p50" + suffix, kernel, 3, "us from PUBLISH to outcome, the same", user, goal);
      add("kernel_adapter_own_cpu" + suffix, kernel, 1, "us, the gateway's process alone", user);
      add("kernel_adapter_cpu" + suffix + "/c", kernel, 0, "us, a minimal C adaptor", bare);
      add("kernel_adapter_p50" + suffix + "/c", kernel, 3, "us from PUBLISH to outcome, the same", bare);
    }
  }

  private void add(String metric, Line mine, int cost, String what, Line other) {
    report.add(metric, "us", mine.costs()[cost], what, other.costs()[cost]);
  }

  private void add(String metric, Line mine, int cost, String what, Line other, Report.Target target) {
    report.add(metric, "us", mine.costs()[cost], what, other.costs()[cost], target);
  }

  /** The gateway opens the kernel's way when it has seen that there is an instance. */
  private static void awaitKernel(Gateway gateway, Callable<Cost> some) {
    Awaitility.await("the kernel brings messages: " + gateway.get("/api/v1/kernel").body()).atMost(Gateway.LONG).until(() -> {
      long before = byGateway(gateway);
      some.call();
      return byGateway(gateway) == before;
    });
  }

  /** That the figures are the kernel's: the function's meter saw the messages, and the gateway's process did not. */
  private void requireKernel(long byGateway, long byMeter) {
    if (byGateway > messages * MOST_BY_GATEWAY || byMeter < messages) {
      throw new IllegalStateException("of " + messages + " messages for the kernel the function got " + byMeter + ", and "
          + byGateway + " of them by the gateway's process");
    }
  }

  private static long byGateway(Gateway gateway) {
    return gateway.counter("invocations.accepted");
  }

  private static long byMeter(Gateway gateway) {
    return gateway.list("/api/v1/traffic", "functions").stream().filter(each -> each.get("function").equals("telling"))
        .mapToLong(each -> ((Number) each.get("requests")).longValue()).sum();
  }

  private static void note(Line line, int round, Cost cost) {
    line.costs()[0][round] = cost.all();
    line.costs()[1][round] = cost.own();
    line.costs()[2][round] = cost.elapsed();
    line.costs()[3][round] = cost.p50();
  }

  private static Cost measure(LineProgram sensor, Line line, int count, String more, List<Long> shared) throws IOException {
    double own = Cpu.ofProcess(line.adaptor());
    double others = Cpu.seconds(shared);
    sensor.say(line.topic() + " " + count + more);
    String[] heard = sensor.hear().split(" ");
    double ownUsed = Cpu.ofProcess(line.adaptor()) - own;
    double all = Cpu.seconds(shared) - others + ownUsed;
    return new Cost(all * 1e6 / count, ownUsed * 1e6 / count, Double.parseDouble(heard[0]) / count,
        heard[1].equals("-") ? Double.NaN : Double.parseDouble(heard[1]));
  }

  /** Of a function, after its first request. */
  private static Map<String, Object> called(Gateway gateway, String function) {
    gateway.post("/function/" + function + "/", "");
    return gateway.instancesOf(function).get(0);
  }

  /** Those who take part whoever the adaptor is. */
  private static List<Long> shared(Gateway gateway, LineProgram sensor, Map<String, Object> instance) throws Exception {
    List<Long> function = Cpu.processes((String) instance.get("id"));
    Cpu.pin(Loads.SERVER, function);
    List<Long> shared = new ArrayList<>(function);
    shared.add(sensor.pid());
    shared.add(broker(gateway));
    return shared;
  }

  private static LineProgram least(Gateway gateway, String topic, Map<String, Object> instance, int window) throws Exception {
    LineProgram least = new LineProgram(Loads.SERVER, Loads.compile("adaptor"), Integer.toString(gateway.mqttPort), topic,
        (String) instance.get("address"), Integer.toString(window));
    least.expect("READY");
    return least;
  }

  private static long broker(Gateway gateway) {
    return ProcessHandle.of(gateway.pid()).orElseThrow().descendants()
        .filter(process -> process.info().command().orElse("").endsWith("/mosquitto")).findFirst().orElseThrow().pid();
  }
}
