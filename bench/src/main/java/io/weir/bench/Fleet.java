package io.weir.bench;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/**
 * Many functions, of which few have work: what they hold together, and what those feel that are called seldom. The same
 * calls, in the order of one seed, under three policies: Weir's own, all of them running all the time, and nothing kept
 * of what has been idle for a second.
 *
 * <p>One in twenty is called four times a second; of the others each is called once, every second one twice. Delays are
 * those of the seldom calls, and the cold-start share is that of the seldom calls that a start had to be made for; a
 * frozen instance that is thawed is none.
 */
final class Fleet {
  private static final int HOT_PERIOD_MILLIS = 250;
  private static final Duration SETTLED = Duration.ofSeconds(90);

  private final Functions functions;
  private final Footprint footprint;
  private final Report report;
  private final int size;
  private final int hot;
  private final int seconds;

  Fleet(Functions functions, String cgroup, Report report, boolean quick) {
    this.functions = functions;
    this.footprint = new Footprint(cgroup);
    this.report = report;
    this.size = quick ? 20 : 100;
    this.hot = size / 20;
    this.seconds = quick ? 8 : 30;
  }

  private record Result(double megabytes, double coldShare, double p50, double p99) {}

  void run() throws Exception {
    Result weir = under("rest: auto");
    Result always = under("instances: {min: 1, max: 1}");
    Result zero = under("rest: image\n    idle: 1s");
    String of = ", " + size + " functions ";
    compare("", weir, always, of + "always on");
    compare("_vs_zero", weir, zero, of + "scaled to zero after 1 s");
  }

  private void compare(String suffix, Result weir, Result other, String reference) {
    add("fleet_memory" + suffix, "MB", weir.megabytes(), other.megabytes(), reference);
    add("fleet_cold_share" + suffix, "%", weir.coldShare(), other.coldShare(), reference);
    add("fleet_delay_p50" + suffix, "ms", weir.p50(), other.p50(), reference);
    add("fleet_delay_p99" + suffix, "ms", weir.p99(), other.p99(), reference);
  }

  private void add(String metric, String unit, double weir, double other, String reference) {
    report.add(metric, unit, new double[] {weir}, unit + reference, new double[] {other});
  }

  private Result under(String policy) throws Exception {
    StringBuilder all = new StringBuilder();
    for (int i = 0; i < size; i++) {
      all.append(Functions.yaml(name(i), Functions.image(i % 10 < 7 ? "static" : "python"), policy));
    }
    functions.deploy(all.toString());
    awaitRest(policy.contains("min: 1"));
    long coldBefore = functions.counter("cold-starts");
    List<Double> seldom = new ArrayList<>();
    List<Double> memory = new ArrayList<>();
    int hotColdStarts = calls(seldom, memory);
    double cold = functions.counter("cold-starts") - coldBefore - hotColdStarts;
    for (int i = 0; i < size; i++) {
      functions.remove(name(i));
    }
    Awaitility.await("all instances have stopped").atMost(SETTLED).until(() -> functions.instances().isEmpty()
        && footprint.containers() == 0);
    Collections.sort(seldom);
    return new Result(Report.median(memory.stream().mapToDouble(m -> m).toArray()), 100 * cold / seldom.size(),
        seldom.get(seldom.size() / 2), seldom.get(seldom.size() * 99 / 100));
  }

  /** Until those that should run do, and nothing is on its way. */
  private void awaitRest(boolean running) throws Exception {
    Thread.sleep(2000);
    Awaitility.await("the functions are where they rest").atMost(SETTLED).pollInterval(Duration.ofMillis(500)).until(() -> {
      List<Map<String, Object>> instances = functions.instances();
      return instances.stream().noneMatch(i -> String.valueOf(i.get("state")).endsWith("ing"))
          && (!running || instances.size() == size);
    });
  }

  /** Returns how many of the functions that are called all the time had to be started. */
  private int calls(List<Double> seldom, List<Double> memory) throws Exception {
    int hotColdStarts = 0;
    for (int i = 0; i < hot; i++) {
      long before = functions.counter("cold-starts");
      functions.call(name(i));
      hotColdStarts += (int) (functions.counter("cold-starts") - before);
    }
    ScheduledExecutorService clients = Executors.newScheduledThreadPool(32);
    try {
      List<Future<Double>> answers = new ArrayList<>();
      Random random = new Random(20);
      for (int i = hot; i < size; i++) {
        String name = name(i);
        for (int n = 0; n < 1 + i % 2; n++) {
          answers.add(clients.schedule((Callable<Double>) () -> functions.call(name), random.nextInt(seconds * 1000),
              TimeUnit.MILLISECONDS));
        }
      }
      List<Future<?>> endless = new ArrayList<>();
      for (int i = 0; i < hot; i++) {
        String name = name(i);
        endless.add(clients.scheduleAtFixedRate(() -> callOrThrow(name), 0, HOT_PERIOD_MILLIS, TimeUnit.MILLISECONDS));
      }
      for (int i = 0; i < seconds; i++) {
        Thread.sleep(1000);
        memory.add(footprint.megabytes());
      }
      for (Future<Double> answer : answers) {
        seldom.add(answer.get());
      }
      for (Future<?> each : endless) {
        if (each.isDone()) {
          each.get();   // throws: only a failure ends it
        }
      }
    } finally {
      clients.shutdownNow();
      clients.awaitTermination(60, TimeUnit.SECONDS);
    }
    return hotColdStarts;
  }

  private void callOrThrow(String name) {
    try {
      functions.call(name);
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static String name(int number) {
    return "fleet-" + number;
  }
}
