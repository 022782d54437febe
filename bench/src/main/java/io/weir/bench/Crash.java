package io.weir.bench;

import io.weir.itest.Gateway;
import io.weir.itest.Mosquitto;
import io.weir.itest.Programs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Whether what a trigger promises holds, whatever dies: rounds in which the gateway, its broker, the Podman service or an
 * instance is killed at a random moment or the gateway at a named step of a message's way, in which the journal's disk is
 * full, or the journal's end is damaged while the gateway is dead. docs/delivery.md says what is counted.
 *
 * <p>--seed N repeats the choices of another run, --rounds N takes so many beside the named steps,
 * --only KIND only those of this kind.
 */
final class Crash {
  private static final Logger PAHO = Logger.getLogger("org.eclipse.paho");
  /** The broker saves every two seconds, and may be killed while it does; what it did before that it does not forget. */
  private static final long FORGOTTEN_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final long DRAIN_NANOS = TimeUnit.SECONDS.toNanos(120);
  private static final long CATCH_UP_NANOS = TimeUnit.SECONDS.toNanos(60);
  /** Of a lane, before a round. */
  private static final int MOST_UNANSWERED = 200;
  private static final int LARGE = 6000;
  private static final int MOST_TOLD = 10;
  private static final String COUNTER = "localhost/tally:1";

  private final Random random;
  private final Map<String, Integer> done = new TreeMap<>();
  private final Map<Integer, String> history = new LinkedHashMap<>();
  private final List<String> unreached = new ArrayList<>();
  private final Report report = new Report("crash");

  private Mosquitto broker;
  private Tap tap;
  private Faults faults;
  private Disk disk;
  private Gateway gateway;
  private List<Lane> lanes;
  private Lane mostOnce;
  private Lane leastOnce;
  private Lane exactlyOnce;
  private Lane packetIds;
  private Lane poison;

  private Crash(long seed) {
    this.random = new Random(seed);
  }

  public static void main(String[] arguments) throws Exception {
    PAHO.setLevel(Level.WARNING);
    List<String> all = List.of(arguments);
    boolean quick = all.contains("--quick");
    long seed = all.contains("--seed") ? Long.parseLong(all.get(all.indexOf("--seed") + 1)) : System.nanoTime() & 0xffffff;
    int rounds = all.contains("--rounds") ? Integer.parseInt(all.get(all.indexOf("--rounds") + 1)) : quick ? 12 : 200;
    String only = all.contains("--only") ? all.get(all.indexOf("--only") + 1) : "";
    System.out.println("seed " + seed);
    Crash bench = new Crash(seed);
    bench.run(rounds, quick, only);
    bench.report.print(System.out);
    int json = all.indexOf("--json");
    if (json >= 0) {
      bench.report.write(Path.of(all.get(json + 1)));
    }
  }

  private void run(int rounds, boolean quick, String only) throws Exception {
    Path folder = Path.of(System.getProperty("weir.work"), "crash");
    Gateway.deleteTree(folder);
    Files.createDirectories(folder);
    faults = new Faults(folder);
    Path saved = Files.createDirectories(folder.resolve("broker"));
    try (Disk small = new Disk(folder.resolve("disk"));
        Mosquitto mosquitto = new Mosquitto(saved, "persistence true\npersistence_location " + saved
            + "/\nautosave_interval 1\n");
        Tap witness = new Tap(mosquitto.port)) {
      disk = small;
      broker = mosquitto;
      tap = witness;
      try (Gateway started = Gateway.start("bench-crash", Map.of(
          "io.weir.broker/url", "tcp://127.0.0.1:" + tap.port(), "io.weir.journal/folder", disk.journal().toString(),
          "io.weir.journal/segment.mib", "1\nmax.mib=32\nremember.mib=2\nfunction.max.mib=8",
          "io.weir.delivery/breaker.failures", "1000", "io.weir.pool/start.timeout.seconds", "4", "io.weir.pool/calibrate", "false"),
          faults.environment(disk.journal(), tap.port()))) {
        gateway = started;
        deploy();
        begin();
        int number = 0;
        for (String kind : only.isEmpty() ? plan(rounds, quick) : Collections.nCopies(rounds, only)) {
          number++;
          round(number, kind);
        }
        finish(number);
      }
    }
  }

  private void deploy() throws Exception {
    gateway.importProbe();
    gateway.importProgram(COUNTER, Programs.compileStatic("tally"), "1");
    StringBuilder yaml = new StringBuilder("functions:\n");
    function(yaml, "most", Baseline.PROBE, "delivery: at-most-once");
    function(yaml, "least", Baseline.PROBE, "delivery: at-least-once, retry: {attempts: 100}");
    function(yaml, "exactly", COUNTER, "path: /count, delivery: exactly-once, retry: {attempts: 100}");
    function(yaml, "packets", COUNTER, "path: /count, delivery: exactly-once, retry: {attempts: 100}");
    function(yaml, "poison", Baseline.PROBE, "delivery: at-least-once, retry: {attempts: 2}");
    gateway.deploy(yaml.toString());
  }

  private static void function(StringBuilder yaml, String name, String image, String trigger) {
    yaml.append("  ").append(name).append(":\n    image: ").append(image).append("\n    memory: 32MiB\n    concurrency: 8\n")
        .append("    rest: running\n    triggers: [{mqtt: crash/").append(name).append("/in/+, ").append(trigger)
        .append("}]\n    output: crash/").append(name).append("/out/{1}\n");
  }

  private void begin() throws Exception {
    mostOnce = new Lane(broker.port, "most", 0, false, 0, 15, random.nextLong());
    leastOnce = new Lane(broker.port, "least", 1, false, 0, 15, random.nextLong());
    exactlyOnce = new Lane(broker.port, "exactly", 2, true, 0, 30, random.nextLong());
    packetIds = new Lane(broker.port, "packets", 2, false, 0, 30, random.nextLong());
    poison = new Lane(broker.port, "poison", 1, true, 4, 50, random.nextLong());
    lanes = List.of(mostOnce, leastOnce, exactlyOnce, packetIds, poison);
    gateway.awaitReady();
    lanes.forEach(Lane::begin);
  }

  /** What is done in each round: every step once, and the rest by chance. */
  private List<String> plan(int rounds, boolean quick) {
    List<String> steps = new ArrayList<>();
    faults.steps().forEach(steps::add);
    Collections.shuffle(steps, random);
    List<String> plan = new ArrayList<>();
    if (quick) {
      plan.addAll(List.of("gateway", "broker", "podman", "instance", "disk", "tail", "commit.torn"));
      for (int i = 0; plan.size() < rounds; i++) {
        plan.add(steps.get(i % steps.size()));
      }
    } else {
      for (int i = 0; i < rounds; i++) {
        int chance = random.nextInt(100);
        plan.add(chance < 55 ? "gateway" : chance < 62 ? "broker" : chance < 73 ? "podman" : chance < 91 ? "instance"
            : chance < 94 ? "disk" : "tail");
      }
      plan.addAll(steps);
    }
    Collections.shuffle(plan, random);
    return plan;
  }

  /** Lets the gateway come to rest a little, because one whose journal is full does not deliver, so it can lose nothing. */
  private void catchUp() throws InterruptedException {
    long deadline = System.nanoTime() + CATCH_UP_NANOS;
    while (System.nanoTime() < deadline && Stream.of(leastOnce, exactlyOnce, packetIds)
        .anyMatch(lane -> lost(lane).size() > MOST_UNANSWERED)) {
      TimeUnit.MILLISECONDS.sleep(100);
    }
  }

  private void round(int number, String kind) throws Exception {
    catchUp();
    lanes.forEach(lane -> lane.round(number));
    history.put(number, kind);
    long began = System.nanoTime();
    boolean reached = true;
    switch (kind) {
      case "gateway" -> {
        pause(600);
        kill();
        restart();
      }
      case "broker" -> reached = broker();
      case "podman" -> {
        pause(800);
        podman();
        pause(500);
      }
      case "instance" -> {
        pause(800);
        instance();
        pause(500);
      }
      case "disk" -> disk();
      case "tail" -> {
        pause(600);
        kill();
        history.put(number, kind + ": " + disk.damage(random));
        restart();
      }
      default -> reached = step(kind);
    }
    if (reached) {
      done.merge(kind.contains(".") ? "step" : kind, 1, Integer::sum);
    } else {
      unreached.add(kind);
    }
    System.out.printf("round %d: %s%s, %.1f s%n", number, history.get(number), reached ? "" : " (not reached)",
        Baseline.millisSince(began) / 1000);
  }

  private void pause(int most) throws InterruptedException {
    TimeUnit.MILLISECONDS.sleep(200 + random.nextInt(most));
  }

  // --- who dies ------------------------------------------------------------------------------------------------------

  private void kill() {
    ProcessHandle.of(gateway.pid()).ifPresent(process -> {
      process.destroyForcibly();
      process.onExit().join();
    });
  }

  /** As often as it takes: an armed step may be one of the start. */
  private void restart() throws Exception {
    for (int i = 0; ; i++) {
      try {
        gateway.startAgain();
        return;
      } catch (AssertionError | org.awaitility.core.ConditionTimeoutException e) {
        if (i == 5 || gateway.isAlive()) {
          throw e;
        }
      }
    }
  }

  private boolean step(String step) throws Exception {
    boolean ofStart = step.startsWith("connect") || step.startsWith("subscribe");
    boolean rare = step.startsWith("segment") || step.startsWith("dead") || step.startsWith("retry");
    pause(200);
    faults.arm(step, ofStart || rare ? 1 : 1 + random.nextInt(6));
    if (ofStart) {
      kill();
      restart();
    } else {
      for (int i = 0; i < 150 && gateway.isAlive(); i++) {
        TimeUnit.MILLISECONDS.sleep(20);
      }
    }
    boolean reached = !gateway.isAlive() || ofStart;
    faults.disarm();
    if (!gateway.isAlive()) {
      restart();
    }
    return reached;
  }

  private boolean broker() throws Exception {
    packetIds.pause();
    for (int i = 0; i < 200 && !arrived(packetIds); i++) {
      TimeUnit.MILLISECONDS.sleep(100);
    }
    if (!arrived(packetIds)) {
      packetIds.goOn();
      return false;   // it has to do with what was before
    }
    TimeUnit.NANOSECONDS.sleep(FORGOTTEN_NANOS);
    pause(500);
    long killed = System.nanoTime();
    broker.killAndRestart();
    for (int i = 0; i < 600 && !tap.backSince(killed); i++) {
      TimeUnit.MILLISECONDS.sleep(50);
    }
    if (!tap.backSince(killed)) {
      throw new IllegalStateException("the gateway did not come back to its broker");
    }
    for (Lane lane : List.of(leastOnce, exactlyOnce, poison)) {
      lane.repeatSince(killed - FORGOTTEN_NANOS);
    }
    packetIds.goOn();
    return true;
  }

  /** Whether the broker has passed everything on to the gateway. */
  private boolean arrived(Lane lane) {
    return IntStream.range(0, lane.accepted()).allMatch(number -> tap.arrived(lane.name() + " n" + number));
  }

  private void podman() {
    for (String line : gateway.processes()) {
      if (line.contains("system service") && line.contains("/podman.sock ")) {
        ProcessHandle.of(Long.parseLong(line.split(" ")[0])).ifPresent(ProcessHandle::destroyForcibly);
      }
    }
  }

  private void instance() {
    List<String> ids = List.copyOf(gateway.containers().ids());
    if (!ids.isEmpty()) {
      gateway.containers().processes(ids.get(random.nextInt(ids.size())))
          .forEach(pid -> ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly));
    }
  }

  /** Large messages to a full disk; the gateway dies meanwhile, and starts while it is still full. */
  private void disk() throws Exception {
    disk.fill();
    lanes.forEach(lane -> lane.pad(LARGE));
    pause(2500);
    kill();
    restart();
    pause(500);
    lanes.forEach(lane -> lane.pad(0));
    disk.free();
  }

  // --- what came of it -----------------------------------------------------------------------------------------------

  private void finish(int rounds) throws Exception {
    for (Lane lane : lanes) {
      lane.close();
    }
    long missing = Long.MAX_VALUE;
    long deadline = System.nanoTime() + DRAIN_NANOS;
    while (missing > 0 && System.nanoTime() < deadline) {
      long before = missing;
      missing = Stream.of(leastOnce, exactlyOnce, packetIds, poison).mapToLong(lane -> lost(lane).size()).sum()
          + Math.max(0, poisoned() - deadLetters());
      if (missing < before) {
        deadline = System.nanoTime() + DRAIN_NANOS;
      }
      TimeUnit.MILLISECONDS.sleep(200);
    }
    TimeUnit.SECONDS.sleep(1);   // what comes twice may come later
    add(mostOnce, "at_most_once", rounds, false, true);
    add(leastOnce, "at_least_once", rounds, true, false);
    add(exactlyOnce, "exactly_once", rounds, true, true);
    add(packetIds, "exactly_once_packet_id", rounds, true, true);
    addState(exactlyOnce, "exactly_once");
    addState(packetIds, "exactly_once_packet_id");
    add(poison, "at_least_once_beside_poison", rounds, true, false);
    report.add("lost_dead_letters", "", new double[] {Math.max(0, poisoned() - deadLetters())}, "poisoned messages",
        new double[] {poisoned()}, none());
    System.out.println("done: " + done + (unreached.isEmpty() ? "" : "; steps not reached: " + unreached));
    Map<String, Object> audit = gateway.json("/api/v1/audit");
    System.out.println("audit: " + audit);
  }

  private long poisoned() {
    return IntStream.range(0, poison.accepted()).filter(poison::isPoison).count();
  }

  private long deadLetters() {
    return ((Number) gateway.json("/api/v1/journal").get("deadLetters")).longValue();
  }

  private void add(Lane lane, String level, int rounds, boolean keeps, boolean once) {
    List<Integer> lost = lost(lane);
    List<Integer> doubled = doubled(lane);
    double[] accepted = {lane.accepted()};
    report.add("rounds_" + level, "", new double[] {rounds}, "rounds", new double[] {rounds});
    add("lost_" + level, lost, accepted, keeps);
    add("doubled_" + level, doubled, accepted, once);
    tell(lane, "lost", keeps ? lost : List.of());
    tell(lane, "doubled", once ? doubled : List.of());
  }

  /** What the function has counted in its state. */
  private void addState(Lane lane, String level) {
    String body = gateway.post("/function/" + lane.name() + "/ask", "GET /state/count HTTP/1.1\r\nHost: state\r\n"
        + "Connection: close\r\n\r\n").body();
    double counted = Double.parseDouble(body.substring(body.lastIndexOf('\n') + 1));
    double[] accepted = {lane.accepted()};
    report.add("lost_state_" + level, "", new double[] {Math.max(0, accepted[0] - counted)}, "accepted", accepted, none());
    report.add("doubled_state_" + level, "", new double[] {Math.max(0, counted - accepted[0] - lane.doubtful())
        + tap.sharedCounts(lane.name())}, "accepted", accepted, none());
  }

  private void add(String metric, List<Integer> what, double[] accepted, boolean promised) {
    double[] value = {what.size()};
    if (promised) {
      report.add(metric, "", value, "accepted", accepted, none());
    } else {
      report.add(metric, "", value, "accepted", accepted);
    }
  }

  private static Report.Target none() {
    return new Report.Target("0", (value, reference) -> value == 0);
  }

  private void tell(Lane lane, String what, List<Integer> numbers) {
    if (numbers.size() > MOST_TOLD) {
      System.out.println(what + ": " + lane.name() + " " + numbers.size() + " messages, of which the first are:");
    }
    for (int number : numbers.subList(0, Math.min(MOST_TOLD, numbers.size()))) {
      int round = lane.roundOf(number);
      System.out.println(what + ": " + lane.name() + " " + number + ", accepted in round " + round + " ("
          + history.get(round) + "; before: " + history.get(round - 1) + "), taken " + tap.taken(lane.name() + " n" + number)
          + " times:" + tap.story(lane.name() + " n" + number));
    }
  }

  private List<Integer> lost(Lane lane) {
    List<Integer> lost = new ArrayList<>();
    for (int i = 0; i < lane.accepted(); i++) {
      if (!lane.isPoison(i) && tap.taken(lane.name() + " n" + i) == 0) {
        lost.add(i);
      }
    }
    return lost;
  }

  private List<Integer> doubled(Lane lane) {
    List<Integer> doubled = new ArrayList<>();
    for (int i = 0; i < lane.accepted(); i++) {
      if (tap.taken(lane.name() + " n" + i) > 1 && !lane.isDoubtful(i)) {
        doubled.add(i);
      }
    }
    return doubled;
  }
}
