package io.weir.pool.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.engine.ColdStart;
import io.weir.engine.ColdStart.Cause;
import io.weir.engine.EngineEvent;
import io.weir.engine.Instance;
import io.weir.engine.Instance.State;
import io.weir.engine.Lease;
import io.weir.engine.LeaseRefused;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.InvalidFunction;
import io.weir.function.Language;
import io.weir.function.Limits;
import io.weir.function.Priority;
import io.weir.function.Rung;
import io.weir.function.Scaling;
import io.weir.function.Source;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LadderTest {
  private static final long MIB = 1L << 20;
  private static final Scaling ONE = new Scaling(0, 1, 8, Duration.ofHours(1));

  private final FakeEngine engine = new FakeEngine();
  private final RecordedEvents events = new RecordedEvents();
  private final FakeRunners runners = new FakeRunners(engine);
  @TempDir Path data;
  private OnDemandPool pool;

  private void open(Duration freezeAfter, long budget) {
    pool = new OnDemandPool(engine, runners, events, new Settings(100, Duration.ofSeconds(5), Duration.ZERO,
        4, freezeAfter, budget, 0, 600_000, false, true), "0123456789ab", data, data.resolve("no-proc"));
  }

  private void open() {
    open(Duration.ofHours(1), 1L << 30);
  }

  @AfterEach
  void close() {
    pool.close();
    assertThat(engine.ids()).isEmpty();
    assertThat(pool.budget().heldBytes()).as("nothing is charged for what is gone").isZero();
  }

  @Test
  void anIdleInstanceIsFrozenAndThawedByTheNextRequest() throws Exception {
    open(Duration.ofMillis(1), 1L << 30);
    add(function("a", resting(Rung.FROZEN)));
    Lease first = lease("a");
    first.release();
    events.next("frozen");

    Lease second = lease("a");

    assertThat(second.instance()).isEqualTo(first.instance());
    assertThat(second.coldStart()).hasValueSatisfying(cold -> {
      assertThat(cold.cause()).isEqualTo(Cause.SCALED_TO_ZERO);
      assertThat(cold.from()).isEqualTo(Rung.FROZEN);
    });
    assertThat(engine.calls()).containsSubsequence("freeze " + first.instance(), "thaw " + first.instance());
    second.release();
  }

  @Test
  void whereTheKernelCannotThawTheServiceDoes() throws Exception {
    open();
    engine.thawsAtOnce = false;
    add(function("a", resting(Rung.FROZEN)));
    rest("a", Rung.FROZEN);

    Lease lease = lease("a");

    assertThat(lease.coldStart()).map(ColdStart::from).contains(Rung.FROZEN);
    assertThat(engine.calls()).contains("thaw " + lease.instance());
  }

  @Test
  void whatAnInstanceUsedIsNotForgottenWithIt() throws Exception {
    open();
    add(function("a", resting(Rung.IMAGE)));
    lease("a").release();

    rest("a", Rung.IMAGE);
    events.next("stopped");

    assertThat(pool.usage()).singleElement().satisfies(usage -> {
      assertThat(usage.cpuNanos()).isEqualTo(7_000_000);
      assertThat(usage.instances()).isZero();
      assertThat(usage.memoryBytes()).isZero();
    });
  }

  @Test
  void aFunctionThatRestsRunningIsNeverFrozen() throws Exception {
    open(Duration.ofMillis(1), 1L << 30);
    add(function("running", resting(Rung.RUNNING)));
    add(function("other", resting(Rung.FROZEN)));
    lease("running").release();
    lease("other").release();

    assertThat(events.next("frozen").instance()).startsWith("weir-other-");
    lease("other").release();
    assertThat(events.next("frozen").instance()).startsWith("weir-other-");
    assertThat(state("running")).containsExactly(State.READY);
  }

  @Test
  void whatHasGoneToRestIsNotWokenForCallsOfBefore() throws Exception {
    open(Duration.ofMillis(1), 1L << 30);
    add(function("frozen", resting(Rung.FROZEN)));
    add(function("gone", new Scaling(0, 1, 8, Duration.ofSeconds(1), Optional.of(Rung.IMAGE),
        Priority.NORMAL)));
    lease("frozen").release();
    lease("gone").release();
    events.next("stopped");

    add(function("clock", resting(Rung.FROZEN)));
    for (int halfSeconds = 0; halfSeconds < 6; halfSeconds++) {
      // Frozen again at the next look, and the autoscaler looks every other second.
      lease("clock").release();
      while (!events.next("frozen").instance().startsWith("weir-clock-")) {
        continue;
      }
    }
    assertThat(engine.calls()).noneMatch(call -> call.startsWith("thaw weir-frozen-"));
    assertThat(engine.calls()).filteredOn(call -> call.startsWith("create weir-gone-")).hasSize(1);
  }

  @Test
  void manyFunctionsOfOneImageAskForItTogether() throws Exception {
    open();
    int many = 40;
    for (int i = 0; i < many; i++) {
      add(function("f" + i, "shared:1", ONE));
    }
    for (int i = 0; i < many; i++) {
      events.next("created");
    }

    assertThat(engine.imageQuestions).hasValueLessThanOrEqualTo(many);
  }

  @Test
  void aNewFunctionHasAContainerBeforeAnybodyCalls() throws Exception {
    open();
    add(function("a", ONE));
    events.next("created");

    Lease lease = lease("a");

    assertThat(lease.coldStart()).hasValueSatisfying(cold -> {
      assertThat(cold.cause()).isEqualTo(Cause.NEVER_STARTED);
      assertThat(cold.from()).isEqualTo(Rung.CREATED);
    });
    assertThat(engine.calls()).as("no second container").filteredOn(call -> call.startsWith("create"))
        .hasSize(1);
    lease.release();
  }

  @Test
  void anOperatorBringsAFunctionToAnyRungAndTheNextCallTakesItFromThere() throws Exception {
    open();
    add(function("a", resting(Rung.IMAGE)));
    for (Rung rung : List.of(Rung.CREATED, Rung.ARMED, Rung.FROZEN, Rung.IMAGE, Rung.FROZEN, Rung.ARMED)) {
      rest("a", rung);

      assertThat(state("a")).as("at " + rung).isEqualTo(switch (rung) {
        case CREATED -> List.of(State.CREATED);
        case ARMED -> List.of(State.ARMED);
        case FROZEN -> List.of(State.FROZEN);
        default -> List.of();
      });
      Lease lease = lease("a");
      assertThat(lease.coldStart()).map(ColdStart::from).contains(rung);
      lease.release();
    }
    rest("a", Rung.FROZEN);
    rest("a", Rung.RUNNING);
    assertThat(lease("a").coldStart()).isEmpty();
  }

  @Test
  void aHandlerIsServedByARunnerAndHasNoRungBetween() throws Exception {
    open();
    FunctionSpec handler = new FunctionSpec(new FunctionName("h"),
        new Source.Handler(Language.PYTHON, "h.py", "x = 1"), 8080, List.of(), Optional.empty(), limits(),
        ONE, Duration.ofSeconds(5), Map.of());
    add(handler);
    assertThat(runners.keptFor).containsExactly(handler);

    Lease lease = lease("h");

    assertThat(lease.instance()).startsWith("weir-runner-");
    assertThat(lease.coldStart()).map(ColdStart::from).contains(Rung.IMAGE);
    assertThatThrownBy(() -> rest("h", Rung.ARMED)).cause().isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("h cannot rest at armed");
    lease.release();
    rest("h", Rung.FROZEN);
    assertThat(lease("h").instance()).isEqualTo(lease.instance());
  }

  @Test
  void whoeverWaitsLongerThanAStartTakesGetsAnotherInstance() throws Exception {
    open();
    add(function("a", new Scaling(0, 3, 1, Duration.ofHours(1))));
    Lease first = lease("a");

    Lease second = lease("a");

    assertThat(second.instance()).isNotEqualTo(first.instance());
    assertThat(second.coldStart()).map(ColdStart::cause).contains(Cause.BURST);
  }

  @Test
  void aFullBudgetEvictsTheLongestIdleInstance() throws Exception {
    open(Duration.ofHours(1), 150 * MIB);
    for (String name : List.of("a", "b", "c")) {
      engine.memory.put(name + ":1", 60 * MIB);
      add(function(name, resting(Rung.IMAGE)));
    }
    lease("a").release();
    lease("b").release();

    Lease third = lease("c");

    assertThat(events.next("stopping")).satisfies(stopping -> {
      assertThat(stopping.instance()).startsWith("weir-a-");
      assertThat(stopping.cause()).isEqualTo("evicted");
    });
    third.release();
    assertThat(lease("a").coldStart()).map(ColdStart::cause).contains(Cause.EVICTED);
  }

  @Test
  void aFullBudgetRefusesWhatWouldCostWorkOrMoreImportantFunctions() throws Exception {
    open(Duration.ofHours(1), 100 * MIB);
    // As much as is assumed before anybody has measured, which is done every other second.
    List.of("busy", "high", "low").forEach(name -> engine.memory.put(name + ":1", 64 * MIB));
    add(function("busy", resting(Rung.IMAGE)));
    add(function("high", new Scaling(0, 1, 8, Duration.ofHours(1), Optional.of(Rung.IMAGE), Priority.HIGH)));
    add(function("low", new Scaling(0, 1, 8, Duration.ofHours(1), Optional.of(Rung.IMAGE), Priority.LOW)));
    Lease busy = lease("busy");

    assertRefused("high");
    busy.release();
    Lease high = lease("high");
    high.release();

    assertRefused("low");
    assertThat(state("high")).containsExactly(State.READY);
  }

  private void assertRefused(String function) {
    assertThatThrownBy(() -> lease(function)).isInstanceOf(ExecutionException.class).cause()
        .isInstanceOfSatisfying(LeaseRefused.class, refused -> {
          assertThat(refused.code()).isEqualTo(LeaseRefused.Code.OUT_OF_MEMORY);
          assertThat(refused).hasMessageContaining("memory budget of 100 MiB");
          assertThat(refused.retryAfter()).isPositive();
        });
  }

  @Test
  void aFunctionThatCanNeverFitIsRefusedAtOnce() {
    open(Duration.ofHours(1), 50 * MIB);

    assertThatThrownBy(() -> pool.check(function("a", ONE))).isInstanceOf(InvalidFunction.class)
        .hasMessage("memory: 64 MiB for one instance is more than the memory budget of all, 50 MiB; "
            + "lower it, or raise memory.budget.mib of io.weir.pool");
  }

  @Test
  void anInstanceThatAnswersNobodyAnyMoreIsReplaced() throws Exception {
    open();
    add(function("a", new Scaling(0, 1, 2, Duration.ofHours(1), Optional.of(Rung.IMAGE), Priority.NORMAL)));
    Lease first = lease("a");
    Lease second = lease("a");

    first.releaseTimedOut();
    assertThat(lease("a").instance()).as("one may have been the request's fault").isEqualTo(first.instance());
    second.releaseTimedOut();

    events.next("hung");
    Lease next = lease("a");
    assertThat(next.instance()).isNotEqualTo(first.instance());
    assertThat(next.coldStart()).map(ColdStart::cause).contains(Cause.CRASHED);
  }

  @Test
  void anInstanceThatKeepsDyingMakesTheFunctionBroken() throws Exception {
    open();
    add(function("a", resting(Rung.IMAGE)));
    engine.crashingImage = "a:1";
    Instant last = Instant.now();
    for (int i = 0; i < BackOff.BROKEN; i++) {
      last = Instant.now();
      assertThatThrownBy(() -> leaseOnceAllowed("a")).cause().isInstanceOf(LeaseRefused.class);
    }
    Instant beforeThatFailed = last;

    assertThat(pool.breakdown(new FunctionName("a"))).hasValueSatisfying(broken -> {
      assertThat(broken.failures()).isEqualTo(BackOff.BROKEN);
      assertThat(broken.detail()).contains("exit code 3").contains("last line");
      assertThat(broken.retryAt()).as("half a second at least").isAfter(beforeThatFailed.plusMillis(490));
    });

    engine.crashingImage = "";
    leaseOnceAllowed("a").release();
    assertThat(pool.breakdown(new FunctionName("a"))).isEmpty();
  }

  /** Asks again for as long as the back-off lasts. */
  private Lease leaseOnceAllowed(String function) throws Exception {
    int started = engine.started.get();
    while (true) {
      try {
        return lease(function);
      } catch (ExecutionException e) {
        if (engine.started.get() > started) {
          throw e;
        }
        TimeUnit.NANOSECONDS.sleep(((LeaseRefused) e.getCause()).retryAfter().toNanos());
      }
    }
  }

  @Test
  void anotherImageUnderTheSameNameReplacesWhatWasMadeOfTheOldOne() throws Exception {
    open();
    add(function("a", ONE));
    events.next("created");
    assertThat(engine.lookedUp.await(20, TimeUnit.SECONDS)).isTrue();
    engine.imageVersions.put("a:1", " rebuilt");

    engine.listener.accept(new EngineEvent.ImagesChanged(Instant.now()));

    assertThat(events.next("stopping").cause()).isEqualTo("new-revision");
    events.next("created");
  }

  @Test
  void figuresAreMeasuredOnRequestAndOutliveTheGateway() throws Exception {
    open();
    add(function("a", resting(Rung.IMAGE)));
    engine.answering = true;

    var calibration = pool.calibrate(new FunctionName("a")).toCompletableFuture().get(20, TimeUnit.SECONDS);

    assertThat(calibration.figures()).extracting(figure -> figure.rung())
        .containsExactly(Rung.RUNNING, Rung.FROZEN, Rung.ARMED, Rung.CREATED, Rung.IMAGE);
    assertThat(calibration.figures()).allSatisfy(figure -> assertThat(figure.resume()).isPositive());
    assertThat(engine.ids()).as("the measured containers are gone").isEmpty();
    pool.close();
    open();
    add(function("a", resting(Rung.IMAGE)));
    assertThat(pool.calibrations()).singleElement().satisfies(kept ->
        assertThat(kept.figures()).isEqualTo(calibration.figures()));
  }

  @Test
  void closingDuringACalibrationLeavesNothingBehind() throws Exception {
    open();
    engine.gate = new CountDownLatch(1);
    add(function("a", resting(Rung.IMAGE)));
    var calibration = pool.calibrate(new FunctionName("a")).toCompletableFuture();
    assertThat(engine.starting.await(20, TimeUnit.SECONDS)).isTrue();
    Thread closing = new Thread(pool::close);
    closing.start();

    engine.gate.countDown();
    closing.join();

    assertThatThrownBy(() -> calibration.get(20, TimeUnit.SECONDS)).cause().isInstanceOf(LeaseRefused.class);
    assertThat(engine.ids()).isEmpty();
  }

  @Test
  void closingWaitsForInstancesThatAreOnTheirWay() throws Exception {
    open();
    engine.gate = new CountDownLatch(1);
    add(function("a", resting(Rung.IMAGE)));
    CompletableFuture<Lease> waiting = acquire("a");
    events.next("starting");
    Thread closing = new Thread(pool::close);
    closing.start();

    assertThatThrownBy(() -> waiting.get(20, TimeUnit.SECONDS)).hasMessageContaining("going down");
    engine.gate.countDown();

    closing.join();
  }

  private void add(FunctionSpec function) {
    pool.functionAdded(function);
  }

  private CompletableFuture<Lease> acquire(String function) {
    return pool.acquire(new FunctionName(function), Duration.ofSeconds(20)).toCompletableFuture();
  }

  private Lease lease(String function) throws Exception {
    return acquire(function).get(20, TimeUnit.SECONDS);
  }

  private void rest(String function, Rung rung) throws Exception {
    pool.rest(new FunctionName(function), rung).toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  private List<State> state(String function) {
    return pool.instances().stream().filter(instance -> instance.function().value().equals(function))
        .map(Instance::state).toList();
  }

  private static Scaling resting(Rung rung) {
    return new Scaling(0, 1, 8, Duration.ofHours(1), Optional.of(rung), Priority.NORMAL);
  }

  private static FunctionSpec function(String name, Scaling scaling) {
    return function(name, name + ":1", scaling);
  }

  private static FunctionSpec function(String name, String image, Scaling scaling) {
    return new FunctionSpec(new FunctionName(name), new Source.Image(image), 8080, new ArrayList<>(),
        Optional.empty(), limits(), scaling, Duration.ofSeconds(5), Map.of());
  }

  private static Limits limits() {
    return new Limits(64 * MIB, 1, 64);
  }
}
