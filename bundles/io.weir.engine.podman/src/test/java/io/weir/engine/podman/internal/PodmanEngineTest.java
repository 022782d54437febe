package io.weir.engine.podman.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.weir.engine.EngineEvent;
import io.weir.engine.EngineException;
import io.weir.engine.EngineException.Code;
import io.weir.event.GatewayEvent;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How the engine behaves while its service comes and goes; what Podman does is PodmanEngineIT's. */
@Timeout(60)
class PodmanEngineTest {
  private static final String DIED = "{\"Action\":\"died\",\"Actor\":{\"ID\":\"1a\",\"Attributes\":"
      + "{\"containerExitCode\":\"3\",\"image\":\"i\",\"name\":\"n\",\"k\":\"v\"}},\"timeNano\":%d}\n";

  @TempDir
  Path directory;
  private final RecordingEvents events = new RecordingEvents();

  private static Settings settings(Path socket, String podman, Duration patience) {
    return new Settings(Optional.ofNullable(socket), podman, "", "weir", Optional.empty(), "", Duration.ofSeconds(10),
        Duration.ofSeconds(10), Duration.ofSeconds(10), patience, 0);
  }

  private static String answer(String line) {
    if (line.endsWith("/info")) {
      return FakePodman.response(200, "{\"host\":{\"cgroupVersion\":\"v2\",\"ociRuntime\":{\"name\":\"crun\","
          + "\"version\":\"crun version 1.21\"},\"security\":{\"rootless\":true}},\"version\":{\"Version\":\"5.4.2\"}}");
    }
    if (line.endsWith("/json")) {
      return FakePodman.response(200, "{\"Id\":\"1a\",\"State\":{\"Status\":\"running\"},\"NetworkSettings\":"
          + "{\"Networks\":{\"weir\":{\"IPAddress\":\"10.213.64.2\"}}}}");
    }
    return FakePodman.response(line.contains("/start") ? 204 : 200, "");
  }

  private PodmanEngine engine(Path socket, Duration patience) {
    return new PodmanEngine(directory, directory, settings(socket, "podman", patience), events);
  }

  private String nextState() throws InterruptedException {
    return events.published.poll(20, TimeUnit.SECONDS) instanceof GatewayEvent.PartChanged changed
        ? changed.part() + ": " + changed.state() : "none";
  }

  @Test
  void saysWhatToInstallWherePodmanIsMissing() throws Exception {
    PodmanEngine engine = new PodmanEngine(directory, directory,
        settings(null, "/nonexistent/podman", Duration.ofSeconds(30)), events);
    try {
      assertThat(nextState()).isEqualTo("engine: podman not found: apt-get install podman");

      assertThatExceptionOfType(EngineException.class).isThrownBy(engine::info)
          .satisfies(e -> assertThat(e.code()).isEqualTo(Code.UNAVAILABLE))
          .withMessageContaining("podman not found: apt-get install podman");
      assertThat(engine.ready()).isFalse();
      assertThat(engine.state()).isEqualTo("podman not found: apt-get install podman");
    } finally {
      engine.close();
    }
  }

  @Test
  void refusesARunDirectoryTooLongForPodman() throws Exception {
    PodmanEngine engine = new PodmanEngine(directory.resolve("x".repeat(60)), directory,
        settings(null, "podman", Duration.ofSeconds(30)), events);
    try {
      assertThat(nextState()).contains("must be shorter by");
    } finally {
      engine.close();
    }
  }

  @Test
  void saysThatNothingListensOnTheSocketAndGoesOnTrying() throws Exception {
    Path socket = directory.resolve("podman.sock");
    PodmanEngine engine = engine(socket, Duration.ZERO);
    try {
      assertThat(nextState()).startsWith("engine: away: ").contains("nothing listens on " + socket);
      assertThatExceptionOfType(EngineException.class).isThrownBy(() -> engine.start("a"))
          .satisfies(e -> assertThat(e.code()).isEqualTo(Code.UNAVAILABLE)).withMessageContaining(socket.toString());

      try (FakePodman fake = new FakePodman(socket, PodmanEngineTest::answer)) {
        assertThat(nextState()).isEqualTo("engine: podman 5.4.2 with crun 1.21");
        assertThat(engine.ready()).isTrue();
        assertThat(engine.info().rootless()).isTrue();
        assertThat(engine.info().embedded()).isFalse();
      }
    } finally {
      engine.close();
    }
  }

  @Test
  void aCallWaitsForTheServiceToComeUp() throws Exception {
    Path socket = directory.resolve("podman.sock");
    PodmanEngine engine = engine(socket, Duration.ofSeconds(20));
    try {
      CompletableFuture<Void> start = CompletableFuture.runAsync(() -> engine.start("a"));
      nextState();

      try (FakePodman fake = new FakePodman(socket, PodmanEngineTest::answer)) {
        start.get(20, TimeUnit.SECONDS);
        assertThat(fake.requests).anyMatch(line -> line.endsWith("/containers/a/start"));
      }
    } finally {
      engine.close();
    }
  }

  @Test
  void aCallThatFoundNobodyIsMadeAgainWhenTheServiceIsBack() throws Exception {
    Path socket = directory.resolve("podman.sock");
    PodmanEngine engine = engine(socket, Duration.ofSeconds(20));
    try {
      try (FakePodman first = new FakePodman(socket, PodmanEngineTest::answer)) {
        engine.info();
      }
      java.nio.file.Files.delete(socket);
      CompletableFuture<Void> start = CompletableFuture.runAsync(() -> engine.start("a"));
      while (engine.ready()) {
        Thread.onSpinWait();
      }

      try (FakePodman second = new FakePodman(socket, PodmanEngineTest::answer)) {
        start.get(20, TimeUnit.SECONDS);
      }
    } finally {
      engine.close();
    }
  }

  @Test
  void aReopenedEventStreamTellsOfTheGapAndRepeatsNothing() throws Exception {
    Path socket = directory.resolve("podman.sock");
    String head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    BlockingQueue<EngineEvent> seen = new LinkedBlockingQueue<>();
    try (FakePodman fake = new FakePodman(socket, line -> !line.contains("/events") ? answer(line)
        : line.contains("since") ? head + chunk(1) + chunk(3) + chunk(2) : head + chunk(1))) {
      PodmanEngine engine = engine(socket, Duration.ofSeconds(20));
      try {
        engine.info();
        try (AutoCloseable watch = engine.watch("k", "v", seen::add)) {
          assertThat(died(seen).at().getNano()).isEqualTo(1);

          fake.connections.get(fake.connections.size() - 1).close();

          assertThat(seen.poll(20, TimeUnit.SECONDS)).isInstanceOf(EngineEvent.Gap.class);
          assertThat(died(seen).at().getNano()).isEqualTo(3);
          EngineEvent.Died outOfOrder = died(seen);
          assertThat(outOfOrder.at().getNano()).isEqualTo(2);
          assertThat(outOfOrder.id()).isEqualTo("1a");
          assertThat(outOfOrder.exitCode()).isEqualTo(3);
          assertThat(outOfOrder.labels()).containsOnly(java.util.Map.entry("k", "v"));
        }
        assertThat(seen).isEmpty();
      } finally {
        engine.close();
      }
    }
  }

  private static EngineEvent.Died died(BlockingQueue<EngineEvent> seen) throws InterruptedException {
    return (EngineEvent.Died) seen.poll(20, TimeUnit.SECONDS);
  }

  private static String chunk(long nanos) {
    String line = String.format(DIED, nanos);
    return Integer.toHexString(line.getBytes(StandardCharsets.UTF_8).length) + "\r\n" + line + "\r\n";
  }

  @Test
  void startsOnlyAFewAtOnce() throws Exception {
    Path socket = directory.resolve("podman.sock");
    CountDownLatch release = new CountDownLatch(1);
    try (FakePodman fake = new FakePodman(socket, line -> {
      await(line.contains("/start") ? release : new CountDownLatch(0));
      return answer(line);
    })) {
      PodmanEngine engine = engine(socket, Duration.ofSeconds(20));
      ExecutorService callers = Executors.newCachedThreadPool();
      try {
        int all = PodmanEngine.STARTS_AT_ONCE + 3;
        List<CompletableFuture<Void>> starts = IntStream.range(0, all)
            .mapToObj(n -> CompletableFuture.runAsync(() -> engine.start("a" + n), callers)).toList();
        for (int begun = 0; begun < PodmanEngine.STARTS_AT_ONCE;) {
          begun += fake.requests.poll(20, TimeUnit.SECONDS).contains("/start") ? 1 : 0;
        }
        engine.info();
        assertThat(fake.requests).noneMatch(line -> line.contains("/start"));

        release.countDown();
        for (CompletableFuture<Void> start : starts) {
          start.get(20, TimeUnit.SECONDS);
        }
      } finally {
        callers.shutdown();
        engine.close();
      }
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void closingEndsCallsAndWatchesInProgress() throws Exception {
    Path socket = directory.resolve("podman.sock");
    PodmanEngine engine = engine(socket, Duration.ofSeconds(50));
    AutoCloseable watch = engine.watch("k", "v", event -> {});
    CompletableFuture<Void> start = CompletableFuture.runAsync(() -> engine.start("a"));
    nextState();

    engine.close();
    watch.close();

    assertThat(start.handle((done, failure) -> failure.getCause()).get(10, TimeUnit.SECONDS))
        .isInstanceOf(EngineException.class).hasMessageContaining("the gateway is stopping");
  }
}
