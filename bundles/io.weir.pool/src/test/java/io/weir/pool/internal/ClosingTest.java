package io.weir.pool.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.engine.ContainerSpec;
import io.weir.engine.Lease;
import io.weir.engine.LeaseRefused;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Language;
import io.weir.function.Limits;
import io.weir.function.Priority;
import io.weir.function.Rung;
import io.weir.function.Scaling;
import io.weir.function.Source;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whatever is under way when the pool is closed, no container of the gateway is left, and none of anybody
 * else touched.
 */
class ClosingTest {
  private static final FunctionName HELLO = new FunctionName("hello");
  private static final Map<String, String> OURS =
      Map.of("weir.managed", "true", "weir.gateway", "0123456789ab");

  private final FakeEngine engine = new FakeEngine();
  private final FakeRunners runners = new FakeRunners(engine);
  private final CountDownLatch reached = new CountDownLatch(1);
  private final CountDownLatch goOn = new CountDownLatch(1);
  @TempDir Path data;

  private OnDemandPool open() {
    Settings settings = new Settings(10, Duration.ofSeconds(5), Duration.ofSeconds(1), 4,
        Duration.ofHours(1), 1L << 30, 0, 600_000, false, true);
    return new OnDemandPool(engine, runners, new RecordedEvents(), settings, "0123456789ab", data,
        data.resolve("no-proc"));
  }

  /** What an earlier life of the gateway left running. */
  private void earlier(FunctionSpec spec) {
    Map<String, String> labels = new java.util.HashMap<>(OURS);
    labels.put("weir.function", spec.name().value());
    labels.put("weir.revision", spec.revision());
    engine.start(engine.create(new ContainerSpec("weir-" + spec.name() + "-00000001", "img:1", 8080, labels,
        Map.of(), spec.limits())));
  }

  private void stop() {
    reached.countDown();
    try {
      goOn.await(20, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void await(CountDownLatch latch) throws InterruptedException {
    assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
  }

  /** Closes it, and lets go on what was stopped once everybody who waited was told. */
  private void close(OnDemandPool pool, CompletableFuture<Lease> waiting) {
    CompletableFuture<Void> closed = CompletableFuture.runAsync(pool::close);
    assertThatThrownBy(() -> waiting.get(20, TimeUnit.SECONDS)).hasCauseInstanceOf(LeaseRefused.class);
    goOn.countDown();
    closed.orTimeout(20, TimeUnit.SECONDS).join();
  }

  private static CompletableFuture<Lease> acquire(OnDemandPool pool) {
    return pool.acquire(HELLO, Duration.ofSeconds(20)).toCompletableFuture();
  }

  private static FunctionSpec hello(Source source, Rung rest) {
    return new FunctionSpec(HELLO, source, 8080, List.of(), Optional.empty(), new Limits(64 << 20, 1, 64),
        new Scaling(0, 4, 1, Duration.ofHours(1), Optional.of(rest), Priority.NORMAL), Duration.ofSeconds(5),
        Map.of());
  }

  private static FunctionSpec hello(Rung rest) {
    return hello(new Source.Image("img:1"), rest);
  }

  @Test
  void nothingIsLeftWhileEarlierInstancesAreBeingLookedFor() throws Exception {
    earlier(hello(Rung.FROZEN));
    engine.beforeList = this::stop;
    OnDemandPool pool = open();
    pool.functionAdded(hello(Rung.FROZEN));
    await(reached);

    close(pool, acquire(pool));

    assertThat(engine.ids()).isEmpty();
  }

  @Test
  void nothingIsLeftWhileAnEarlierInstanceIsBeingAdopted() throws Exception {
    earlier(hello(Rung.FROZEN));
    engine.beforeThaw = this::stop;
    OnDemandPool pool = open();
    pool.functionAdded(hello(Rung.FROZEN));
    await(reached);

    close(pool, acquire(pool));

    assertThat(engine.ids()).isEmpty();
  }

  @Test
  void nothingIsPreparedAfterAnAdoptionThatOutlivedItsPool() throws Exception {
    earlier(hello(Rung.CREATED));
    engine.beforeThaw = this::stop;
    OnDemandPool pool = open();
    pool.functionAdded(hello(Rung.CREATED));
    await(reached);

    close(pool, acquire(pool));

    assertThat(engine.ids()).isEmpty();
    assertThat(engine.calls().stream().filter(call -> call.startsWith("create"))).hasSize(1);
  }

  @Test
  void anEarlierInstanceWhoseFunctionWasNotDeclaredYetIsNotLeft() {
    earlier(hello(Rung.FROZEN));

    open().close();

    assertThat(engine.ids()).isEmpty();
  }

  @Test
  void nothingIsLeftOfInstancesThatAreBeingStarted() throws Exception {
    engine.gate = goOn;
    OnDemandPool pool = open();
    pool.functionAdded(hello(Rung.FROZEN));
    CompletableFuture<Lease> waiting = acquire(pool);
    await(engine.starting);

    close(pool, waiting);

    assertThat(engine.ids()).isEmpty();
  }

  @Test
  void nothingIsLeftOfRunnersThatAreBeingClaimed() throws Exception {
    engine.gate = goOn;
    OnDemandPool pool = open();
    pool.functionAdded(hello(new Source.Handler(Language.PYTHON, "a.py", "x"), Rung.FROZEN));
    CompletableFuture<Lease> waiting = acquire(pool);
    await(engine.starting);

    close(pool, waiting);

    assertThat(engine.ids()).isEmpty();
  }

  @Test
  void whatCouldNotBeRemovedAtFirstIsNotLeft() throws Exception {
    OnDemandPool pool = open();
    pool.functionAdded(hello(Rung.FROZEN));
    acquire(pool).get(20, TimeUnit.SECONDS);
    engine.failingRemovals.set(1);

    pool.close();

    assertThat(engine.ids()).isEmpty();
  }

  @Test
  void aRunnerThatCouldNotBeRemovedAtFirstIsNotLeft() throws Exception {
    OnDemandPool pool = open();
    pool.functionAdded(hello(new Source.Handler(Language.PYTHON, "a.py", "x"), Rung.FROZEN));
    acquire(pool).get(20, TimeUnit.SECONDS);
    engine.failingRemovals.set(1);

    pool.close();

    assertThat(engine.ids()).isEmpty();
  }

  @Test
  void aFunctionThatIsDeclaredTooLateStartsNothing() {
    OnDemandPool pool = open();
    pool.close();

    pool.functionAdded(hello(Rung.CREATED));

    assertThat(engine.ids()).isEmpty();
  }

  @Test
  void strangersAndSparesAreLeftToTheirOwners() {
    Limits limits = new Limits(64 << 20, 1, 64);
    String stranger = engine.create(new ContainerSpec("stranger", "x:1", 80, Map.of("weir.managed", "true",
        "weir.gateway", "ffffffffffff"), Map.of(), limits));
    Map<String, String> labels = new java.util.HashMap<>(OURS);
    labels.put("weir.runner", "python");
    String spare = engine.create(new ContainerSpec("spare", "x:1", 80, labels, Map.of(), limits));

    open().close();

    assertThat(engine.ids()).containsExactly(stranger, spare);
  }
}
