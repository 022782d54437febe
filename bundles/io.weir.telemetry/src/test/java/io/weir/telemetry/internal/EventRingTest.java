package io.weir.telemetry.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.event.Events.Measure;
import io.weir.event.GatewayEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class EventRingTest {
  private final EventRing ring = new EventRing(Samples.config(Map.of("ring.size", 16)));

  @AfterEach
  void close() {
    ring.close();
  }

  @Test
  void keepsTheNewestOldestFirst() {
    LongStream.range(0, 40).forEach(i -> ring.publish(Samples.numbered(i)));

    assertThat(ring.recent()).extracting(EventRingTest::number)
        .containsExactlyElementsOf(LongStream.range(24, 40).boxed().toList());
  }

  @Test
  void tellsASubscriberWhatComesAfterIt() throws Exception {
    ring.publish(Samples.numbered(1));
    BlockingQueue<GatewayEvent> heard = new LinkedBlockingQueue<>();

    AutoCloseable subscription = ring.subscribe(heard::add);
    ring.publish(Samples.numbered(2));
    assertThat(number(heard.poll(10, TimeUnit.SECONDS))).isEqualTo(2);

    subscription.close();
    ring.publish(Samples.numbered(3));
    assertThat(heard).isEmpty();
  }

  @Test
  void tellsASubscriberNothingButWhatItWantsToHear() throws Exception {
    BlockingQueue<GatewayEvent> heard = new LinkedBlockingQueue<>();
    ring.subscribe(GatewayEvent.PartChanged.class, heard::add);

    LongStream.range(0, 100).forEach(i -> ring.publish(Samples.numbered(i)));
    ring.publish(new GatewayEvent.PartChanged(java.time.Instant.EPOCH, "broker", "ready"));

    assertThat(heard.poll(10, TimeUnit.SECONDS)).isInstanceOf(GatewayEvent.PartChanged.class);
    assertThat(heard).isEmpty();
    assertThat(ring.counters()).containsEntry("events.dropped", 0L);
  }

  @Test
  void dropsTheOldestForASubscriberThatHangs() throws Exception {
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    BlockingQueue<Long> heard = new LinkedBlockingQueue<>();
    ring.subscribe(event -> {
      entered.countDown();
      await(go);
      heard.add(number(event));
    });
    ring.publish(Samples.numbered(0));
    assertThat(entered.await(10, TimeUnit.SECONDS)).isTrue();

    LongStream.range(1, 101).forEach(i -> ring.publish(Samples.numbered(i)));
    go.countDown();

    List<Long> numbers = new ArrayList<>();
    for (int i = 0; i < 17; i++) {
      numbers.add(heard.poll(10, TimeUnit.SECONDS));
    }
    assertThat(numbers.get(0)).isZero();
    assertThat(numbers.subList(1, 17)).containsExactlyElementsOf(LongStream.range(85, 101).boxed().toList());
    assertThat(ring.counters()).containsEntry("events.dropped", 84L);
  }

  @Test
  void goesOnAfterAListenerThatThrows() throws Exception {
    BlockingQueue<Long> heard = new LinkedBlockingQueue<>();
    ring.subscribe(event -> {
      heard.add(number(event));
      throw new IllegalStateException("on purpose");
    });

    ring.publish(Samples.numbered(1));
    ring.publish(Samples.numbered(2));

    assertThat(heard.poll(10, TimeUnit.SECONDS)).isEqualTo(1);
    assertThat(heard.poll(10, TimeUnit.SECONDS)).isEqualTo(2);
  }

  @Test
  void letsAListenerCloseItself() throws Exception {
    BlockingQueue<Long> heard = new LinkedBlockingQueue<>();
    LinkedBlockingQueue<AutoCloseable> handle = new LinkedBlockingQueue<>();
    CountDownLatch closed = new CountDownLatch(1);
    handle.add(ring.subscribe(event -> {
      heard.add(number(event));
      try {
        handle.take().close();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
      closed.countDown();
    }));

    ring.publish(Samples.numbered(1));
    assertThat(closed.await(10, TimeUnit.SECONDS)).isTrue();
    ring.publish(Samples.numbered(2));

    assertThat(heard).containsExactly(1L);
  }

  @Test
  void losesNothingThatManyPublishersCount() throws Exception {
    ExecutorService publishers = Executors.newFixedThreadPool(4);
    try {
      List<Future<?>> work = new ArrayList<>();
      for (int t = 0; t < 4; t++) {
        work.add(publishers.submit(() -> LongStream.range(0, 10_000).forEach(i -> ring.publish(Samples.numbered(i)))));
      }
      for (Future<?> each : work) {
        each.get(20, TimeUnit.SECONDS);
      }
    } finally {
      publishers.shutdownNow();
    }

    assertThat(ring.recent()).hasSize(16);
    assertThat(ring.counters()).containsEntry("invocations.accepted", 40_000L);
  }

  @Test
  void countsByWhatHappened() {
    assertThat(ring.counters().values()).as("graphs begin at 0").containsOnly(0L);
    Set<String> names = ring.counters().keySet();
    for (String result : List.of("replied", "replied", "no-content", "rejected", "failed", "refused")) {
      ring.publish(Samples.ended(result));
    }
    ring.publish(new GatewayEvent.Retrying(Samples.NOON, "1", Samples.ECHO, 1, "timeout", Duration.ofSeconds(1)));
    ring.publish(new GatewayEvent.Published(Samples.NOON, "1", Samples.ECHO, "t", 3));
    for (String change : List.of("starting", "ready", "adopted", "crashed", "oom-killed", "start-failed", "ready")) {
      ring.publish(Samples.instance(change, "demand", Duration.ZERO));
    }

    assertThat(counted()).isEqualTo(Map.ofEntries(
        Map.entry("invocations.replied", 2L), Map.entry("invocations.no-content", 1L),
        Map.entry("invocations.rejected", 1L), Map.entry("invocations.failed", 1L),
        Map.entry("invocations.refused", 1L), Map.entry("invocations.retries", 1L), Map.entry("published", 1L),
        Map.entry("instances.starting", 1L), Map.entry("instances.ready", 2L), Map.entry("instances.adopted", 1L),
        Map.entry("instances.crashed", 1L), Map.entry("instances.oom-killed", 1L),
        Map.entry("instances.start-failed", 1L)));
    assertThat(ring.counters().keySet()).isEqualTo(names).contains("invocations.accepted", "cold-starts", "resumes",
        "cold-starts.never-started", "cold-starts.new-revision", "instances.frozen", "instances.hung", "events.dropped");
  }

  private Map<String, Long> counted() {
    Map<String, Long> counted = new TreeMap<>(ring.counters());
    counted.values().removeIf(count -> count == 0);
    return counted;
  }

  @Test
  void tellsColdStartsByCauseAndOriginAndFromResumes() {
    ring.publish(Samples.cold("never-started", "image"));
    ring.publish(Samples.cold("evicted", "armed"));
    ring.publish(Samples.cold("evicted", "created"));
    ring.publish(Samples.cold("scaled-to-zero", "frozen"));
    ring.publish(Samples.cold("scaled-to-zero", "frozen"));

    assertThat(counted()).isEqualTo(Map.of("invocations.replied", 5L, "cold-starts", 3L, "cold-starts.never-started", 1L,
        "cold-starts.evicted", 2L, "resumes", 2L));
    assertThat(measures("cold-starts")).hasSize(18).allMatch(measure -> measure.total().isEmpty());
    assertThat(measures("cold-starts").stream().filter(measure -> measure.count() > 0).map(Measure::labels))
        .containsExactlyInAnyOrder(Map.of("cause", "never-started", "from", "image"),
            Map.of("cause", "evicted", "from", "armed"), Map.of("cause", "evicted", "from", "created"));
  }

  @Test
  void tellsWhyAnInstanceChangedAndHowLongThatTook() {
    ring.publish(Samples.instance("frozen", "idle", Duration.ofMillis(1)));
    ring.publish(Samples.instance("frozen", "evicted", Duration.ofMillis(3)));
    ring.publish(Samples.instance("adopted", "", Duration.ZERO));

    assertThat(measures("instance-changes")).containsExactlyInAnyOrder(
        new Measure("instance-changes", Map.of("change", "frozen", "cause", "idle"), 1, Optional.empty()),
        new Measure("instance-changes", Map.of("change", "frozen", "cause", "evicted"), 1, Optional.empty()),
        new Measure("instance-changes", Map.of("change", "adopted", "cause", ""), 1, Optional.empty()));
    assertThat(measures("instance-change-seconds")).containsExactly(
        new Measure("instance-change-seconds", Map.of("change", "frozen"), 2, Optional.of(Duration.ofMillis(4))));
  }

  @Test
  void countsTogetherWhatIsToldApartTooFinely() {
    for (int i = 0; i < 1000; i++) {
      ring.publish(Samples.instance("ready", "cause " + i, Duration.ZERO));
    }

    assertThat(measures("instance-changes")).hasSize(Labelled.MOST + 1).contains(
        new Measure("instance-changes", Map.of("change", "other", "cause", "other"), 1000 - Labelled.MOST,
            Optional.empty()));
  }

  private List<Measure> measures(String name) {
    return ring.measures().stream().filter(measure -> measure.name().equals(name)).toList();
  }

  @Test
  void refusesARingSizeOutOfRange() {
    assertThatThrownBy(() -> new EventRing(Samples.config(Map.of("ring.size", 0))))
        .hasMessage("io.weir.telemetry: ring.size: '0' is not allowed; use 16..65536");
  }

  private static long number(GatewayEvent event) {
    return ((GatewayEvent.Accepted) event).bytes();
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
