package io.weir.pool.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.engine.Instance;
import io.weir.engine.Instance.State;
import io.weir.engine.Lease;
import io.weir.event.GatewayEvent.InstanceChanged;
import io.weir.forecast.Arrival;
import io.weir.forecast.ArrivalForecaster;
import io.weir.forecast.Prewarms;
import io.weir.forecast.internal.Forecasts;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Language;
import io.weir.function.Limits;
import io.weir.function.Priority;
import io.weir.function.Rung;
import io.weir.function.Scaling;
import io.weir.function.Source;
import io.weir.kernel.KernelSignal;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The pool with a forecaster. Time is what the test says. */
class PrewarmingTest {
  private static final long MIB = 1L << 20;
  private static final Instant START = Instant.parse("2026-11-30T12:00:00Z");
  private static final Duration HOUR = Duration.ofHours(1);

  private final FakeEngine engine = new FakeEngine();
  private final RecordedEvents events = new RecordedEvents();
  private final FakeRunners runners = new FakeRunners(engine);
  private final FakeForecaster forecaster = new FakeForecaster();
  /** Nanoseconds since the start, and how far the wall clock was set. */
  private final AtomicLong time = new AtomicLong();
  private final AtomicLong set = new AtomicLong();
  @TempDir Path data;
  private OnDemandPool pool;

  private void open(ArrivalForecaster with, long budget, boolean enabled) {
    engine.memory.put("img:1", 64 * MIB);   // as much as its limit, so that nothing is corrected
    Settings settings = new Settings(100, Duration.ofSeconds(5), Duration.ZERO, 4, Duration.ofSeconds(1),
        budget, 0, 600_000, false, enabled);
    pool = new OnDemandPool(engine, runners, events, settings, "0123456789ab", data, data.resolve("no-proc"),
        time::get, this::now);
    pool.bindForecaster(with);
  }

  private void open() {
    open(forecaster, 1L << 30, true);
  }

  @AfterEach
  void close() {
    pool.close();
    assertThat(engine.ids()).isEmpty();
    assertThat(pool.budget().heldBytes()).as("nothing is charged for what is gone").isZero();
  }

  @Test
  void aFunctionIsStartedAtTheHeadOfItsWindowAndGoesAfterItsTail() throws Exception {
    open();
    forecaster.expect("a", START.plusSeconds(60), START.plusSeconds(90));
    add("a", scaling(HOUR));
    lease("a").release();
    advance(2);
    events.next("stopped");
    advance(57);
    assertThat(pool.instances()).isEmpty();

    advance(1);

    InstanceChanged frozen = frozen();
    assertThat(frozen.cause()).isEqualTo("forecast");
    assertThat(prewarms("a")).isEqualTo(new Prewarms(1, 0, 0, 0, 0));
    advance(29);
    assertThat(pool.instances()).hasSize(1);
    advance(1);
    events.next("stopped");
    assertThat(prewarms("a")).as("nobody called").isEqualTo(new Prewarms(1, 0, 0, 1, 0));
    advance(1);
    assertThat(pool.instances()).isEmpty();
  }

  @Test
  void aCallThatWasExpectedFindsTheInstanceUp() throws Exception {
    open();
    warmNow("a", scaling(HOUR));

    Lease lease = lease("a");

    assertThat(engine.started).hasValue(1);
    assertThat(prewarms("a")).isEqualTo(new Prewarms(1, 1, 0, 0, 0));
    lease.release();
    lease("a").release();
    advance(31);
    events.next("stopped");
    assertThat(prewarms("a")).as("it was used, so it was no mistake").isEqualTo(new Prewarms(1, 1, 0, 0, 0));
  }

  @Test
  void aCallThatComesDuringTheStartSharesItAndIsCountedAsLate() throws Exception {
    open();
    engine.gate = new CountDownLatch(1);
    forecaster.expect("a", now(), now().plusSeconds(30));
    add("a", scaling(HOUR));
    events.next("starting");

    CompletableFuture<Lease> waiting = pool.acquire(name("a"), Duration.ofSeconds(20)).toCompletableFuture();
    engine.gate.countDown();

    waiting.get(20, TimeUnit.SECONDS).release();
    assertThat(prewarms("a")).isEqualTo(new Prewarms(1, 0, 1, 0, 0));
    assertThat(engine.started).hasValue(1);
  }

  @Test
  void whatWasPreparedIsTakenUpAndPreparedAgainAfterwards() throws Exception {
    open();
    forecaster.cold = Rung.CREATED;
    forecaster.expect("a", START.plusSeconds(60), START.plusSeconds(90));
    add("a", scaling(HOUR));
    String prepared = events.next("created").instance();

    advance(60);

    InstanceChanged frozen = frozen();
    assertThat(frozen.instance()).isEqualTo(prepared);
    assertThat(frozen.cause()).isEqualTo("forecast");
    advance(30);
    // The one is stopped while the other is created, so either may be told first.
    assertThat(events.next("created").instance()).isNotEqualTo(prepared);
    assertThat(pool.instances()).extracting(Instance::name).doesNotContain(prepared);
  }

  @Test
  void aHandlersRunnerIsClaimedBeforeTheCall() throws Exception {
    open();
    forecaster.expect("a", now(), now().plusSeconds(30));
    Source handler = new Source.Handler(Language.PYTHON, "a.py", "def handle(event): pass");
    pool.functionAdded(new FunctionSpec(name("a"), handler, 8080, List.of(), Optional.empty(),
        new Limits(64 * MIB, 1, 64), scaling(HOUR), Duration.ofSeconds(5), Map.of()));

    assertThat(frozen().cause()).isEqualTo("forecast");
    Lease lease = lease("a");

    assertThat(lease.instance()).startsWith("weir-runner-");
    assertThat(prewarms("a")).isEqualTo(new Prewarms(1, 1, 0, 0, 0));
    lease.release();
  }

  @Test
  void everyArrivalIsToldWithItsOwnTime() throws Exception {
    open();
    add("a", scaling(HOUR));
    lease("a").release();
    lease("a").release();
    time.addAndGet(Duration.ofMillis(1500).toNanos());
    lease("a").release();
    pool.acquire(name("nobody"), Duration.ofSeconds(1));

    assertThat(forecaster.arrivals()).containsExactly(new Arrival(name("a"), START),
        new Arrival(name("a"), START), new Arrival(name("a"), START.plusMillis(1500)));
  }

  @Test
  void whatReachesAnInstancePastTheGatewayIsToldAndUsesIt() throws Exception {
    FakeTraffic traffic = new FakeTraffic(engine);
    open();
    pool.bindTraffic(traffic);
    warmNow("a", scaling(HOUR));
    String container = pool.instances().get(0).id();
    time.addAndGet(Duration.ofSeconds(1).toNanos());

    traffic.listener.accept(new KernelSignal.Touched(container, time.get()));
    events.next("ready");

    assertThat(prewarms("a")).isEqualTo(new Prewarms(1, 1, 0, 0, 0));
    assertThat(forecaster.arrivals()).as("a packet may be an end as well").isEmpty();
    traffic.loaded(container, 0, 3, 0);
    while (forecaster.arrivals().size() < 3) {
      Thread.onSpinWait();
    }
    assertThat(forecaster.arrivals()).containsOnly(new Arrival(name("a"), now()));
  }

  @Test
  void aCallOfAnotherFunctionAnnouncesThisOne() throws Exception {
    open();
    forecaster.expectAfter("b", "a");
    add("a", scaling(HOUR));
    add("b", scaling(HOUR));
    advance(1);

    lease("a").release();
    advance(9);
    assertThat(engine.started).hasValue(1);
    advance(1);

    assertThat(frozen().function()).isEqualTo(name("b"));
    lease("b").release();
    assertThat(prewarms("b")).isEqualTo(new Prewarms(1, 1, 0, 0, 0));
  }

  @Test
  void aFullBudgetPrewarmsNothingAndNobodyGivesWay() throws Exception {
    open(forecaster, 100 * MIB, true);
    add("idle", new Scaling(0, 1, 8, HOUR, Optional.of(Rung.FROZEN), Priority.LOW));
    lease("idle").release();
    forecaster.expect("a", now(), now().plusSeconds(30));

    add("a", scaling(HOUR));
    advance(1);
    advance(1);

    assertThat(prewarms("a")).as("counted once").isEqualTo(new Prewarms(0, 0, 0, 0, 1));
    assertThat(states("idle")).hasSize(1);
    assertThat(engine.started).hasValue(1);
  }

  @Test
  void aGuessGivesWayToWhoeverIsCalled() throws Exception {
    open(forecaster, 100 * MIB, true);
    warmNow("a", new Scaling(0, 1, 8, HOUR, Optional.empty(), Priority.HIGH));
    add("b", new Scaling(0, 1, 8, HOUR, Optional.empty(), Priority.LOW));

    lease("b").release();

    assertThat(states("a")).isEmpty();
    assertThat(prewarms("a")).isEqualTo(new Prewarms(1, 0, 0, 1, 0));
    advance(1);
    assertThat(prewarms("a")).as("not again for the same reason").isEqualTo(new Prewarms(1, 0, 0, 1, 0));
  }

  @Test
  void soDoesOneThatIsStillOnItsWay() throws Exception {
    open(forecaster, 100 * MIB, true);
    CountDownLatch gate = new CountDownLatch(1);
    engine.gate = gate;
    forecaster.expect("a", now(), now().plusSeconds(30));
    add("a", new Scaling(0, 1, 8, HOUR, Optional.empty(), Priority.HIGH));
    add("b", new Scaling(0, 1, 8, HOUR, Optional.empty(), Priority.LOW));
    events.next("starting");
    engine.gate = null;

    lease("b").release();

    gate.countDown();
    assertThat(events.next("stopped").function()).isEqualTo(name("a"));
    assertThat(prewarms("a")).isEqualTo(new Prewarms(1, 0, 0, 1, 0));
  }

  @Test
  void aFunctionThatDoesNotStartIsNotStartedForAGuess() throws Exception {
    open();
    engine.crashingImage = "img:1";
    add("a", scaling(HOUR));
    assertThat(pool.acquire(name("a"), Duration.ofSeconds(20)).toCompletableFuture())
        .failsWithin(20, TimeUnit.SECONDS);
    int started = engine.started.get();
    time.addAndGet(2 * HOUR.toNanos());   // the back-off is over, and what was advised before
    forecaster.expect("a", now(), now().plusSeconds(30));
    int asked = forecaster.asked();

    advance(1);
    advance(1);

    assertThat(forecaster.asked()).isGreaterThan(asked);
    assertThat(prewarms("a")).isEqualTo(Prewarms.NONE);
    assertThat(engine.started).hasValue(started);
  }

  @Test
  void aGuessThatFailsIsTriedAFewTimesAndRefusesNobody() throws Exception {
    open();
    engine.crashingImage = "img:1";
    forecaster.expect("a", now(), now().plusSeconds(600));
    add("a", scaling(HOUR));
    for (int failures = 1; failures <= 3; failures++) {
      events.next("start-failed");
      awaitWrong("a", failures);   // it is told before it is reckoned with
      advance(31);
    }
    advance(31);
    assertThat(prewarms("a")).isEqualTo(new Prewarms(3, 0, 0, 3, 0));
    assertThat(pool.breakdown(name("a"))).isEmpty();

    engine.crashingImage = "";
    lease("a").release();
  }

  @Test
  void whatTheFunctionDeclaresGoesFirst() throws Exception {
    open();
    forecaster.expect("created", now(), now().plusSeconds(30));
    add("created", new Scaling(0, 1, 8, HOUR, Optional.of(Rung.CREATED), Priority.NORMAL));
    events.next("created");
    assertThat(prewarms("created")).isEqualTo(Prewarms.NONE);
    assertThat(pool.outlook(name("created")).orElseThrow().unused()).hasValue("it declares rest: created");

    warmNow("short", scaling(Duration.ofSeconds(5)));
    advance(5);
    assertThat(states("short")).isNotEmpty();
    advance(1);
    events.next("stopped");
    advance(1);
    assertThat(prewarms("short")).as("once in a window").isEqualTo(new Prewarms(1, 0, 0, 1, 0));
  }

  @Test
  void whatWasHeldForAsLongAsDeclaredIsNotStartedForTheSameReason() throws Exception {
    open();
    forecaster.expect("a", START, START.plusSeconds(600));
    add("a", scaling(Duration.ofSeconds(5)));
    lease("a").release();
    advance(1);
    advance(5);
    events.next("stopped");

    advance(1);
    advance(300);

    assertThat(prewarms("a").made()).isLessThanOrEqualTo(1);
    assertThat(states("a")).doesNotContain(State.FROZEN, State.READY);
  }

  @Test
  void aClockThatIsSetMakesNobodyWait() throws Exception {
    open();
    forecaster.expect("a", START.plus(HOUR), START.plus(HOUR).plusSeconds(30));
    add("a", scaling(HOUR));
    lease("a").release();
    advance(2);
    events.next("stopped");

    set.set(HOUR.toNanos());
    advance(1);
    assertThat(frozen().cause()).isEqualTo("forecast");

    set.set(-HOUR.toNanos());
    advance(2);
    events.next("stopped");
    int asked = forecaster.asked();
    advance(1);
    advance(1);
    assertThat(forecaster.asked()).as("once is enough").isEqualTo(asked);
  }

  @Test
  void aForecasterThatFailsOrGoesLeavesTheFixedRule() throws Exception {
    calibrate(spec("a", scaling(HOUR)));
    open();
    forecaster.failing = true;
    add("a", scaling(HOUR));
    lease("a").release();
    advance(10);
    assertThat(frozen().cause()).isEqualTo("idle");

    pool.unbindForecaster(forecaster);
    lease("a").release();
    advance(10);
    frozen();
    assertThat(pool.outlook(name("a")).orElseThrow().unused())
        .hasValue("no bundle forecasts (io.weir.forecast)");
    assertThat(pool.outlook(name("nobody"))).isEmpty();
  }

  @Test
  void forecastsCanBeTurnedOff() throws Exception {
    open(forecaster, 1L << 30, false);
    add("a", scaling(HOUR));
    lease("a").release();
    advance(10);

    assertThat(forecaster.arrivals()).isEmpty();
    assertThat(forecaster.asked()).isZero();
    assertThat(pool.outlook(name("a")).orElseThrow().unused().orElseThrow()).contains("forecast.enabled");
  }

  @Test
  void aFunctionThatIsGoneForAMomentIsNotForgotten() {
    Forecasting forecasting = new Forecasting(new Settings(100, HOUR, HOUR, 4, HOUR, 0, 0, 0, false, true),
        new Budget(1), this::now, names -> { });
    open();
    forecasting.appeared(forecaster);

    forecasting.retain(Set.of(name("a"), name("b")));
    forecasting.retain(Set.of(name("a")));
    assertThat(forecaster.retained()).containsExactlyInAnyOrder(name("a"), name("b"));
    forecasting.retain(Set.of(name("a")));
    assertThat(forecaster.retained()).containsExactly(name("a"));
  }

  // ---- with the forecaster of the gateway ----

  @Test
  void tenThousandCallsAtOneInstantAreOneReasonToBeWarm() throws Exception {
    calibrate(spec("a", scaling(HOUR)));
    open(new Forecasts(), 1L << 30, true);
    add("a", scaling(HOUR));
    for (int i = 0; i < 10_000; i++) {
      lease("a").release();
    }

    assertThat(pool.outlook(name("a")).orElseThrow().report()).hasValueSatisfying(report ->
        assertThat(report.arrivals()).isEqualTo(10_000));
    advance(2);
    frozen();
    assertThat(engine.started).hasValue(1);
  }

  @Test
  void aFunctionThatIsNeverCalledAgainIsGivenUp() throws Exception {
    calibrate(spec("a", scaling(HOUR)));
    open(new Forecasts(), 1L << 30, true);
    add("a", scaling(HOUR));
    lease("a").release();

    for (int minutes = 0; minutes < 3 * 24 * 60; minutes++) {
      advance(60);
    }

    assertThat(states("a")).doesNotContain(State.READY, State.FROZEN);
    assertThat(prewarms("a").made()).as("for nothing").isLessThanOrEqualTo(2);
    assertThat(prewarms("a").hits()).isZero();
  }

  // ---- helpers ----

  private Instant now() {
    return START.plusNanos(time.get() + set.get());
  }

  private void advance(int seconds) {
    time.addAndGet(Duration.ofSeconds(seconds).toNanos());
    pool.tend();
  }

  /** Has a function that was started because it is expected within the next 30 s. */
  private void warmNow(String function, Scaling scaling) throws InterruptedException {
    forecaster.expect(function, now(), now().plusSeconds(30));
    add(function, scaling);
    assertThat(frozen().cause()).isEqualTo("forecast");
  }

  private static FunctionName name(String function) {
    return new FunctionName(function);
  }

  private Prewarms prewarms(String function) {
    return pool.prewarms().get(name(function));
  }

  /** The next one that was frozen; it is told a moment before it is reckoned with. */
  private InstanceChanged frozen() throws InterruptedException {
    InstanceChanged frozen = events.next("frozen");
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (states(frozen.function().value()).contains(State.FREEZING)) {
      assertThat(System.nanoTime()).as("%s stays half frozen", frozen.instance()).isLessThan(deadline);
      Thread.onSpinWait();
    }
    return frozen;
  }

  private void awaitWrong(String function, int guesses) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (prewarms(function).wrong() < guesses) {
      assertThat(System.nanoTime()).as("no guess failed for the " + guesses + ". time").isLessThan(deadline);
      Thread.onSpinWait();
    }
  }

  private List<State> states(String function) {
    return pool.instances().stream().filter(instance -> instance.function().equals(name(function)))
        .map(instance -> instance.state()).toList();
  }

  private Lease lease(String function) throws Exception {
    return pool.acquire(name(function), Duration.ofSeconds(20)).toCompletableFuture()
        .get(20, TimeUnit.SECONDS);
  }

  private void add(String function, Scaling scaling) {
    pool.functionAdded(spec(function, scaling));
  }

  private static FunctionSpec spec(String function, Scaling scaling) {
    return new FunctionSpec(name(function), new Source.Image("img:1"), 8080, List.of(), Optional.empty(),
        new Limits(64 * MIB, 1, 64), scaling, Duration.ofSeconds(5), Map.of());
  }

  /** Has it known that a start takes a fifth of a second here, whatever this test's own starts take. */
  private void calibrate(FunctionSpec spec) {
    CostLedger ledger = new CostLedger(data.resolve("calibration.properties"));
    for (int i = 0; i < 9; i++) {
      ledger.costs(spec).resumed(Rung.IMAGE, Duration.ofMillis(250));
      ledger.costs(spec).resumed(Rung.CREATED, Duration.ofMillis(200));
      ledger.costs(spec).resumed(Rung.ARMED, Duration.ofMillis(150));
      ledger.costs(spec).resumed(Rung.FROZEN, Duration.ofMillis(2));
    }
    ledger.save(Set.of(spec));
  }

  private static Scaling scaling(Duration idle) {
    return new Scaling(0, 1, 8, idle);
  }
}
