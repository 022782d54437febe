package io.weir.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Many functions, of which nothing but the image is there, called at the same moment: the time until the last answer. */
final class Burst {
  private static final int FUNCTIONS = 20;

  private final Functions functions;
  private final BarePodman podman;
  private final Report report;
  private final int rounds;

  Burst(Functions functions, BarePodman podman, Report report, boolean quick) {
    this.functions = functions;
    this.podman = podman;
    this.report = report;
    this.rounds = quick ? 1 : 3;
  }

  void run() throws Exception {
    double[] weir = new double[rounds];
    double[] bare = new double[rounds];
    StringBuilder all = new StringBuilder();
    for (int i = 0; i < FUNCTIONS; i++) {
      all.append(Functions.yaml("burst-" + i, Baseline.PROBE, "rest: image"));
    }
    functions.deploy(all.toString());
    for (int round = 0; round < rounds; round++) {
      Thread.sleep(1000);
      weir[round] = together(i -> functions.call("burst-" + i));
      together(i -> {
        functions.rest("burst-" + i, "image");
        return 0;
      });
      List<BarePodman.Container> containers = new ArrayList<>();
      for (int i = 0; i < FUNCTIONS; i++) {
        containers.add(podman.plan(Baseline.PROBE));
      }
      Thread.sleep(1000);
      bare[round] = together(i -> podman.run(containers.get(i)));
      for (BarePodman.Container container : containers) {
        podman.remove(container);
      }
    }
    together(i -> {
      functions.remove("burst-" + i);
      return 0;
    });
    report.add("parallel_cold_starts", "ms", weir, "ms until the last of " + FUNCTIONS + " 'podman run -d' has answered", bare);
  }

  private interface Act {
    double on(int number) throws Exception;
  }

  /** Milliseconds until all are done; throws what one of them threw. */
  private static double together(Act act) throws Exception {
    ExecutorService workers = Executors.newFixedThreadPool(FUNCTIONS);
    try {
      CountDownLatch go = new CountDownLatch(1);
      List<Future<Void>> running = new ArrayList<>();
      for (int i = 0; i < FUNCTIONS; i++) {
        int number = i;
        running.add(workers.submit((Callable<Void>) () -> {
          go.await();
          act.on(number);
          return null;
        }));
      }
      long began = System.nanoTime();
      go.countDown();
      for (Future<Void> each : running) {
        each.get();
      }
      return Baseline.millisSince(began);
    } finally {
      workers.shutdown();
    }
  }
}
