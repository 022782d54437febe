package io.weir.bench;

import io.weir.bench.Report.Target;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * From each rung of the ladder to the first byte, Weir and Podman in turn.
 *
 * <p>A round brings every function to its rung and makes the containers that Podman is to start, waits until nothing moves
 * any more, and only then times all of them.
 */
final class Rungs {
  private static final List<String> KINDS = List.of("static", "python");
  private static final List<String> STARTS = List.of("armed", "created", "image_only");
  /** Weir makes a network anew half a second after one was taken. */
  private static final long SETTLE_MILLIS = 700;
  /** About a second's, as the baseline does; a gateway that has just started is another matter. */
  private static final int WARM_CALLS = 2000;

  private static final int WARM_THAWS = 5;

  private final Functions functions;
  private final BarePodman podman;
  private final Report report;
  private final int thaws;
  private final int rounds;
  private final Map<String, double[]> weir = new LinkedHashMap<>();
  private final Map<String, double[]> bare = new LinkedHashMap<>();

  Rungs(Functions functions, BarePodman podman, Report report, boolean quick) {
    this.functions = functions;
    this.podman = podman;
    this.report = report;
    this.thaws = quick ? 10 : 30;
    this.rounds = quick ? 4 : 13;
  }

  void run() throws Exception {
    for (String kind : KINDS) {
      frozen(kind);
    }
    deployAll();
    for (int round = 0; round < rounds; round++) {
      starts(round);
    }
    reportStarts();
    functions.remove("keeper");
    for (String kind : KINDS) {
      for (String rung : STARTS) {
        functions.remove(function(rung, kind));
      }
    }
  }

  /** Against Podman's own pause, which takes the CPU from an equal container by the same file of the kernel. */
  private void frozen(String kind) throws Exception {
    String name = function("frozen", kind);
    functions.deploy(Functions.yaml(name, Functions.image(kind), "rest: frozen"));
    BarePodman.Container container = podman.created(Functions.image(kind));
    podman.start(container);
    for (int i = 0; i < WARM_CALLS; i++) {
      functions.call(name);   // the JVM compiles what it will need
    }
    double[] thawed = new double[thaws];
    double[] unpaused = new double[thaws];
    for (int i = -WARM_THAWS; i < thaws; i++) {
      functions.rest(name, "frozen");
      podman.post(container, "pause");
      Thread.sleep(20);
      double weirs = functions.call(name);
      double podmans = podman.unpause(container);
      if (i >= 0) {
        thawed[i] = weirs;
        unpaused[i] = podmans;
      }
    }
    podman.remove(container);
    functions.remove(name);
    double most = kind.equals("static") ? 2 : 4;
    report.add("frozen_" + kind, "ms", thawed, "ms, Podman's unpause", unpaused, new Target(
        "<= " + most + " ms and a third", (value, reference) -> value <= most && value <= reference / 3));
  }

  private void deployAll() throws Exception {
    StringBuilder all = new StringBuilder();
    for (String kind : KINDS) {
      for (String rung : STARTS) {
        all.append(Functions.yaml(function(rung, kind), Functions.image(kind), "rest: image"));
        weir.put(rung + "_" + kind, new double[rounds]);
        bare.put(rung + "_" + kind, new double[rounds]);
      }
    }
    weir.put("runner", new double[rounds]);
    functions.deploy(all.toString());
    functions.deployHandler("keeper", "def handle(event):\n    return 'kept'\n");
  }

  private void starts(int round) throws Exception {
    Map<String, BarePodman.Container> containers = prepare(round);
    Thread.sleep(SETTLE_MILLIS);
    for (String rung : STARTS) {
      for (String kind : KINDS) {
        String metric = rung + "_" + kind;
        boolean weirFirst = round % 2 == 0;
        if (weirFirst) {
          weir.get(metric)[round] = functions.call(function(rung, kind));
        }
        BarePodman.Container container = containers.get(metric);
        bare.get(metric)[round] = rung.equals("image_only") ? podman.createAndStart(container) : podman.start(container);
        if (!weirFirst) {
          weir.get(metric)[round] = functions.call(function(rung, kind));
        }
      }
    }
    weir.get("runner")[round] = functions.call("unseen-" + round);   // last, because a new spare is made at once
    for (BarePodman.Container container : containers.values()) {
      podman.remove(container);
    }
    functions.remove("unseen-" + round);
  }

  /** All at the same time, for it takes most of the run. */
  private Map<String, BarePodman.Container> prepare(int round) throws Exception {
    Map<String, BarePodman.Container> containers = new LinkedHashMap<>();
    ExecutorService workers = Executors.newFixedThreadPool(STARTS.size() * KINDS.size() + 1);
    try {
      List<Future<?>> chores = new ArrayList<>();
      chores.add(workers.submit(() -> {
        functions.deployHandler("unseen-" + round, "def handle(event):\n    return 'round " + round + "'\n");
        Thread.sleep(100);   // the check of the handler took the spare, if there was one
        functions.awaitSpare();
        return null;
      }));
      for (String kind : KINDS) {
        for (String rung : STARTS) {
          BarePodman.Container container = rung.equals("image_only") ? podman.plan(Functions.image(kind))
              : podman.created(Functions.image(kind));
          containers.put(rung + "_" + kind, container);
          chores.add(workers.submit((Callable<Void>) () -> {
            functions.rest(function(rung, kind), rung.equals("image_only") ? "image" : rung);
            if (rung.equals("armed")) {
              podman.post(container, "init");
            }
            return null;
          }));
        }
      }
      for (Future<?> chore : chores) {
        chore.get();
      }
    } finally {
      workers.shutdown();
    }
    return containers;
  }

  private void reportStarts() {
    for (String rung : STARTS) {
      for (String kind : KINDS) {
        String metric = rung + "_" + kind;
        report.add(metric, "ms", weir.get(metric), "ms, the same REST calls made by curl", bare.get(metric),
            Target.atMostTimes(1.3));
      }
    }
    report.add("runner_pool_python", "ms", weir.get("runner"), "ms, image_only_python of Weir", weir.get("image_only_python"),
        new Target("<= 15 ms and a tenth", (value, reference) -> value <= 15 && value <= reference / 10));
  }

  private static String function(String rung, String kind) {
    return rung.replace('_', '-') + "-" + kind;
  }
}
