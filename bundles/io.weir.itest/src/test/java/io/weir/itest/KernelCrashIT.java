package io.weir.itest;

import static io.weir.itest.Lab.SOON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** The kernel goes on without the gateway, and the gateway takes up again what the kernel kept. */
class KernelCrashIT {
  private static final int KEPT = 8;
  private static final int ENOUGH = 400;
  private final AtomicBoolean over = new AtomicBoolean();

  @Test
  void aKilledGatewayIsNotMissedByThoseWhoseFunctionIsAwake() throws Exception {
    Device device = new Device();
    ExecutorService clients = Executors.newCachedThreadPool();
    try (Lab lab = new Lab("kernel-crash", Map.of(), device)) {
      int port = lab.deploy("awake", "rest: running", "concurrency: 64");
      lab.direct(() -> device.call(port), "awake").close();
      AtomicLong onKept = new AtomicLong();
      AtomicLong onNew = new AtomicLong();
      long counted = counted(device, port);
      long metered = lab.metered("awake", "requests");
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < KEPT; i++) {
        Caller kept = lab.direct(() -> device.call(port), "awake");
        all.add(clients.submit(() -> keepAsking(kept, onKept)));
      }
      all.add(clients.submit(() -> askAnew(device, port, onNew)));
      awaitMore(onKept, onNew, all);
      Object name = lab.gateway.instancesOf("awake").get(0).get("name");

      lab.gateway.kill();
      awaitMore(onKept, onNew, all);
      lab.gateway.startAgain();
      await().atMost(SOON).untilAsserted(() -> assertThat(lab.gateway.instancesOf("awake")).singleElement()
          .satisfies(instance -> assertThat(instance).containsEntry("name", name)));
      awaitMore(onKept, onNew, all);

      over.set(true);
      for (Future<?> each : all) {
        each.get();
      }
      long function = counted(device, port) - counted;
      assertThat(function).as("what the function got: all of them, the %s that found out whether connections are direct, "
          + "and the question before", KEPT).isEqualTo(onKept.get() + onNew.get() + KEPT + 1);
      await().atMost(SOON).untilAsserted(() -> assertThat(lab.metered("awake", "requests") - metered)
          .as("what the kernel counted, also while there was no gateway").isEqualTo(function));
      assertThat(lab.invocations("awake")).as("requests through the gateway after the restart").isZero();
    } finally {
      over.set(true);
      clients.shutdown();
    }
  }

  private static long counted(Device device, int port) throws Exception {
    try (Caller caller = device.call(port)) {
      return Long.parseLong(caller.get("/count").body());
    }
  }

  private Void keepAsking(Caller kept, AtomicLong answered) throws Exception {
    try (kept) {
      for (int i = 0; !over.get(); i++) {
        assertThat(kept.post("/", "k" + i).body()).isEqualTo("k" + i);
        answered.incrementAndGet();
      }
    }
    return null;
  }

  private Void askAnew(Device device, int port, AtomicLong answered) throws Exception {
    for (int i = 0; !over.get(); i++) {
      try (Caller caller = device.call(port)) {
        assertThat(caller.post("/", "n" + i).body()).isEqualTo("n" + i);
        answered.incrementAndGet();
      }
    }
    return null;
  }

  /** Requests go on: so many more were answered on kept connections, and a tenth of them on new ones. */
  private static void awaitMore(AtomicLong kept, AtomicLong fresh, List<Future<?>> all) {
    long target = kept.get() + ENOUGH;
    long freshTarget = fresh.get() + ENOUGH / 10;
    await().atMost(SOON).until(() -> {
      for (Future<?> each : all) {
        if (each.isDone()) {
          each.get();   // says why it ended
        }
      }
      return kept.get() >= target && fresh.get() >= freshTarget;
    });
  }
}
