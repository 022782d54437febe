package io.weir.pool.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.engine.EngineEvent;
import io.weir.engine.Instance;
import io.weir.engine.Instance.State;
import io.weir.engine.Lease;
import io.weir.engine.LeaseRefused;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Language;
import io.weir.function.Limits;
import io.weir.function.Network;
import io.weir.function.Priority;
import io.weir.function.Rung;
import io.weir.function.Scaling;
import io.weir.function.Source;
import io.weir.kernel.KernelSignal;
import io.weir.kernel.Traffic;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The pool with a kernel that counts and signals. */
class TrafficTest {
  private static final FunctionName A = new FunctionName("a");

  private final FakeEngine engine = new FakeEngine();
  private final FakeTraffic traffic = new FakeTraffic(engine);
  private final RecordedEvents events = new RecordedEvents();
  private final FakeRunners runners = new FakeRunners(engine);
  @TempDir Path data;
  private OnDemandPool pool;

  private void open(Duration freezeAfter, Duration startTimeout) {
    pool = new OnDemandPool(engine, runners, events, new Settings(100, startTimeout, Duration.ZERO, 4,
        freezeAfter, 1L << 30, 0, 600_000, false, true), "0123456789ab", data, data.resolve("no-proc"));
  }

  /** Nothing rests by itself for an hour. */
  private void open() {
    open(Duration.ofHours(1), Duration.ofSeconds(5));
    pool.bindTraffic(traffic);
  }

  @AfterEach
  void close() {
    pool.close();
    assertThat(engine.ids()).isEmpty();
    assertThat(traffic.members()).as("nobody stays who is gone").isEmpty();
    assertThat(engine.calls()).as("only who joined is spoken of").noneMatch(call -> call.startsWith("stray"));
    assertThat(pool.budget().heldBytes()).isZero();
  }

  @Test
  void anInstanceJoinsOnceItRunsAndLeavesOnceItHasStopped() throws Exception {
    open();
    add(function(scaling(0, 1, Rung.FROZEN)));
    Lease lease = lease();
    lease.release();
    pool.rest(A, Rung.FROZEN).toCompletableFuture().get(20, TimeUnit.SECONDS);
    lease().release();
    pool.functionRemoved(function(scaling(0, 1, Rung.FROZEN)));
    events.next("stopped");

    assertThat(FakeTraffic.of(lease.instance(), engine)).containsExactly("create", "start", "join", "open",
        "rest", "freeze", "thaw", "wake", "drain", "drain", "stop", "leave", "remove");
  }

  @Test
  void aRunnerJoinsBeforeItsHandlerIsLoaded() throws Exception {
    open();
    add(new FunctionSpec(A, new Source.Handler(Language.PYTHON, "a.py", "def handle(event): pass"), 8080,
        List.of(), Optional.empty(), new Limits(64L << 20, 1, 64), scaling(0, 1, Rung.FROZEN),
        Duration.ofSeconds(5), Map.of(), Network.DEFAULT));
    Lease lease = lease();
    lease.release();

    assertThat(FakeTraffic.of(lease.instance(), engine)).containsSubsequence("start", "join", "load", "open");
  }

  @Test
  void theKernelsWordIsWaitedForRatherThanThePortAsked() throws Exception {
    traffic.listening = new CompletableFuture<>();
    open();
    add(function(scaling(0, 1, Rung.FROZEN)));
    CompletableFuture<Lease> waiting = acquire();
    traffic.asked.get(20, TimeUnit.SECONDS);
    assertThat(engine.starting.await(20, TimeUnit.SECONDS)).isTrue();
    assertThat(waiting).as("although the port accepts").isNotDone();

    traffic.listening.complete(true);

    waiting.get(20, TimeUnit.SECONDS).release();
  }

  @Test
  void theKernelsWordIsEnoughAlthoughTheEngineHasNotAnsweredYet() throws Exception {
    traffic.listening = new CompletableFuture<>();
    engine.settled = true;
    engine.answer = new CountDownLatch(1);
    open();
    add(function(scaling(0, 1, Rung.FROZEN)));
    CompletableFuture<Lease> waiting = acquire();
    traffic.asked.get(20, TimeUnit.SECONDS);

    traffic.listening.complete(true);

    Lease lease = waiting.get(20, TimeUnit.SECONDS);
    assertThat(lease.address()).isEqualTo(
        new InetSocketAddress(InetAddress.getLoopbackAddress(), function(scaling(0, 1, Rung.FROZEN)).port()));
    lease.release();
    engine.answer.countDown();
  }

  @Test
  void whatListensAlthoughTheEngineFailedToStartItIsLookedInto() throws Exception {
    traffic.listening = CompletableFuture.completedFuture(true);
    engine.settled = true;
    engine.confused = true;
    engine.answer = new CountDownLatch(1);
    open();
    add(function(scaling(0, 1, Rung.FROZEN)));
    Lease lease = lease();
    lease.release();
    while (!engine.calls().contains("start " + lease.instance())) {
      Thread.onSpinWait();   // the kernel was faster than the engine
    }
    engine.kill("id-" + lease.instance(), 3, false);

    engine.answer.countDown();

    assertThat(events.next("crashed").detail()).contains("ended with exit code 3");
  }

  @Test
  void anInstanceIsKnownBeforeItsFirstInstructionAndCountedOnceItHasACgroup() throws Exception {
    engine.settled = true;
    open();
    add(function(scaling(0, 1, Rung.FROZEN)));

    Lease lease = lease();
    lease.release();

    assertThat(FakeTraffic.of(lease.instance(), engine))
        .containsExactly("create", "join", "start", "join", "open");
  }

  @Test
  void whatIsPreparedIsKnownWhileNobodyWaitsForIt() throws Exception {
    engine.settled = true;
    engine.cgroup = Optional.of(data);
    open();
    add(function(scaling(0, 1, Rung.ARMED)));
    pool.rest(A, Rung.ARMED).toCompletableFuture().get(20, TimeUnit.SECONDS);
    assertThat(traffic.members()).hasSize(1);

    Lease lease = lease();
    lease.release();

    assertThat(FakeTraffic.of(lease.instance(), engine)).containsSubsequence("init", "join", "start", "open")
        .endsWith("start", "open");
  }

  @Test
  void whatAFunctionMayDoChangesForWhatIsPreparedToo() throws Exception {
    engine.settled = true;
    open();
    add(function(scaling(0, 1, Rung.CREATED)));
    pool.rest(A, Rung.CREATED).toCompletableFuture().get(20, TimeUnit.SECONDS);
    assertThat(traffic.members()).extracting(Traffic.Member::egress).containsExactly(List.of());

    pool.functionChanged(function(scaling(0, 1, Rung.CREATED)), function("a", scaling(0, 1, Rung.CREATED),
        new Network(OptionalInt.empty(), List.of(), 0, 0, List.of("10.0.0.0/8"))));

    assertThat(traffic.members()).extracting(Traffic.Member::egress).containsExactly(List.of("10.0.0.0/8"));
  }

  @Test
  void aLostWordCostsASecondAndNotTheStart() throws Exception {
    traffic.listening = new CompletableFuture<>();
    open();
    add(function(scaling(0, 1, Rung.FROZEN)));

    lease().release();

    assertThat(traffic.listening).as("nobody waits for it any more").isCancelled();
  }

  @Test
  void whateverListensWhereNobodyReachesItNeverListened() {
    engine.deafImage = "a:1";
    open(Duration.ofHours(1), Duration.ofSeconds(1));
    pool.bindTraffic(traffic);   // says at once that somebody listens
    add(function(scaling(0, 1, Rung.FROZEN)));

    assertThatThrownBy(this::lease).isInstanceOf(ExecutionException.class).cause()
        .isInstanceOfSatisfying(LeaseRefused.class,
            refused -> assertThat(refused.code()).isEqualTo(LeaseRefused.Code.NEVER_LISTENED));
    assertThat(traffic.members()).isEmpty();
  }

  @Test
  void aDeathBeforeItListensIsNoticedWithoutAWord() {
    traffic.listening = new CompletableFuture<>();
    engine.crashingImage = "a:1";
    open();
    add(function(scaling(0, 1, Rung.FROZEN)));

    assertThatThrownBy(this::lease).isInstanceOf(ExecutionException.class)
        .hasMessageContaining("ended with exit code 3");
  }

  @Test
  void whatNobodyKnowsThePlaceOfIsAskedByItsPort() throws Exception {
    traffic.listening = new CompletableFuture<>();
    engine.homeless = true;
    open();
    add(function(scaling(0, 1, Rung.FROZEN)));

    lease().release();

    assertThat(traffic.members()).isEmpty();
    assertThat(traffic.asked).isNotDone();
  }

  @Test
  void aTouchedInstanceIsThawedWithoutALease() throws Exception {
    open();
    add(function(scaling(0, 1, Rung.FROZEN)));
    String id = frozen();

    traffic.listener.accept(new KernelSignal.Touched(id, System.nanoTime()));

    events.next("ready");
    assertThat(states()).containsExactly(State.READY);
    assertThat(FakeTraffic.of(id.substring(3), engine)).endsWith("rest", "freeze", "thaw", "wake");
    assertThat(engine.started).as("by no lease").hasValue(1);
  }

  @Test
  void aTouchWhileItIsBeingFrozenThawsItAsSoonAsItIs() throws Exception {
    open();
    add(function(scaling(0, 1, Rung.FROZEN)));
    Lease lease = lease();
    CountDownLatch goOn = new CountDownLatch(1);
    CountDownLatch freezing = holdFreezing(goOn);
    lease.release();
    var resting = pool.rest(A, Rung.FROZEN).toCompletableFuture();
    await(freezing);

    traffic.listener.accept(new KernelSignal.Touched("id-" + lease.instance(), System.nanoTime()));
    assertThatThrownBy(() -> resting.get(20, TimeUnit.SECONDS)).as("called meanwhile")
        .hasCauseInstanceOf(LeaseRefused.class);
    goOn.countDown();

    while (!states().equals(List.of(State.READY))) {
      events.next("ready");
    }
    assertThat(FakeTraffic.of(lease.instance(), engine)).endsWith("rest", "freeze", "thaw", "wake");
  }

  /** The kernel's word may be heard late. */
  @Test
  void aTouchBeforeAnOperatorWantedItToRestDoesNotUndoThat() throws Exception {
    open();
    add(function(scaling(0, 1, Rung.FROZEN)));
    Lease lease = lease();
    CountDownLatch goOn = new CountDownLatch(1);
    CountDownLatch freezing = holdFreezing(goOn);
    lease.release();
    long before = System.nanoTime();
    var resting = pool.rest(A, Rung.FROZEN).toCompletableFuture();
    await(freezing);

    traffic.listener.accept(new KernelSignal.Touched("id-" + lease.instance(), before));
    goOn.countDown();

    resting.get(20, TimeUnit.SECONDS);
    events.next("frozen");
    events.next("frozen");
    assertThat(FakeTraffic.of(lease.instance(), engine)).as("the packet was seen to")
        .endsWith("rest", "freeze", "thaw", "wake", "rest", "freeze");
  }

  @Test
  void whoeverConnectedBeforeAnOperatorWantedItToRestDoesNotUndoThat() throws Exception {
    open();
    add(function(scaling(0, 1, Rung.FROZEN)));
    long before = System.nanoTime();
    pool.rest(A, Rung.IMAGE).toCompletableFuture().get(20, TimeUnit.SECONDS);

    traffic.listener.accept(new KernelSignal.Wanted(A, before));

    events.next("ready");
    events.next("stopped");
    assertThat(states()).isEmpty();
  }

  @Test
  void whatHasWorkIsNotFrozen() throws Exception {
    open();
    add(function(scaling(0, 1, Rung.FROZEN)));
    Lease lease = lease();
    String id = "id-" + lease.instance();
    lease.release();
    traffic.loaded(id, 1, 2, 0);

    var resting = pool.rest(A, Rung.FROZEN).toCompletableFuture();
    traffic.awaitLook();

    assertThat(resting).as("it was called meanwhile").isCompletedExceptionally();
    assertThat(states()).containsExactly(State.READY);
    assertThat(engine.calls()).noneMatch(call -> call.startsWith("freeze"));
  }

  @Test
  void whatWasCalledBeforeAnOperatorWantedItToRestMayRest() throws Exception {
    open();
    add(function(scaling(0, 1, Rung.FROZEN)));
    Lease lease = lease();
    lease.release();
    traffic.awaitLook();
    traffic.loaded("id-" + lease.instance(), 0, 9, Duration.ofMinutes(1).toNanos());

    pool.rest(A, Rung.FROZEN).toCompletableFuture().get(20, TimeUnit.SECONDS);
    traffic.awaitLook();

    assertThat(states()).containsExactly(State.FROZEN);
  }

  /** As on a machine that has other things to do between asking the kernel and hearing what it said. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void whatTheKernelSaidBeforeAnOperatorWantedItToRestDoesNotCount(int inFlight) throws Exception {
    open();
    add(function(scaling(0, 1, Rung.FROZEN)));
    Lease lease = lease();
    String id = "id-" + lease.instance();
    lease.release();
    CountDownLatch goOn = new CountDownLatch(1);
    engine.whileFreezing = () -> await(goOn);
    CompletableFuture<CompletionStage<Void>> asked = new CompletableFuture<>();
    traffic.whileLooking = () -> {
      traffic.loaded(id, inFlight, 2, 0);   // what the next look sees
      traffic.whileLooking = () -> {
        traffic.loaded(id, 0, 2, 0);   // and by the time it is heard of, that is answered
        traffic.whileLooking = () -> { };
        asked.complete(pool.rest(A, Rung.FROZEN));
      };
    };

    var resting = asked.get(20, TimeUnit.SECONDS).toCompletableFuture();
    traffic.awaitLook();
    goOn.countDown();

    resting.get(20, TimeUnit.SECONDS);
    assertThat(states()).containsExactly(State.FROZEN);
  }

  @Test
  void whatTheKernelHadNoRoomForRestsAsBefore() throws Exception {
    open();
    add(function(scaling(0, 1, Rung.FROZEN)));
    Lease lease = lease();
    lease.release();
    traffic.full = true;

    pool.rest(A, Rung.FROZEN).toCompletableFuture().get(20, TimeUnit.SECONDS);

    assertThat(states()).containsExactly(State.FROZEN);
  }

  @Test
  void aSignalThatWasLostIsMadeUpFor() throws Exception {
    open();
    add(function(scaling(0, 1, Rung.FROZEN)));
    String id = frozen();

    traffic.loaded(id, 1, 2, 0);

    events.next("ready");
    assertThat(FakeTraffic.of(id.substring(3), engine)).as("it may rest again by now")
        .containsSubsequence("thaw", "wake");
  }

  @Test
  void nobodyLooksWhileThereIsNothingToLookAt() throws Exception {
    open();
    add(function(scaling(0, 1, Rung.FROZEN)));
    assertThat(traffic.looks).hasValue(0);
    lease().release();
    traffic.awaitLook();

    pool.functionRemoved(function(scaling(0, 1, Rung.FROZEN)));
    events.next("stopped");
    traffic.looked.drainPermits();
    assertThat(traffic.looked.tryAcquire(2, 1, TimeUnit.SECONDS)).as("one look more at most").isFalse();
  }

  @Test
  void aWantedFunctionComesUpOnceHoweverOftenItIsWanted() throws Exception {
    open();
    add(function(new Scaling(0, 3, 8, Duration.ofHours(1))));
    events.next("created");

    for (int i = 0; i < 5; i++) {
      traffic.listener.accept(new KernelSignal.Wanted(A, System.nanoTime()));
    }
    traffic.listener.accept(new KernelSignal.Wanted(new FunctionName("nobody"), System.nanoTime()));
    events.next("ready");
    Lease lease = lease();

    assertThat(engine.started).hasValue(1);
    assertThat(lease.coldStart()).as("it was there before the lease was asked for").isEmpty();
    lease.release();
  }

  @Test
  void aWantedFunctionThatRestsIsThawed() throws Exception {
    open();
    add(function(scaling(0, 1, Rung.FROZEN)));
    String id = frozen();

    traffic.listener.accept(new KernelSignal.Wanted(A, System.nanoTime()));

    events.next("ready");
    assertThat(FakeTraffic.of(id.substring(3), engine)).as("it may rest again by now")
        .containsSubsequence("thaw", "wake");
  }

  @Test
  void aBrokenFunctionIsNotStartedBecauseItIsWanted() throws Exception {
    engine.crashingImage = "a:1";
    open();
    add(function(scaling(0, 1, Rung.FROZEN)));
    assertThatThrownBy(this::lease).isInstanceOf(ExecutionException.class);
    int started = engine.started.get();

    traffic.listener.accept(new KernelSignal.Wanted(A, System.nanoTime()));
    traffic.listener.accept(new KernelSignal.Wanted(A, System.nanoTime()));
    assertThatThrownBy(this::lease).isInstanceOf(ExecutionException.class);

    assertThat(engine.started.get()).isLessThanOrEqualTo(started + 1);
  }

  @Test
  void drainingWaitsForRequestsThatCameAnotherWay() throws Exception {
    open();
    add(function(scaling(0, 1, Rung.FROZEN)));
    Lease lease = lease();
    String id = "id-" + lease.instance();
    traffic.loaded(id, 3, 5, 0);
    traffic.awaitLook();
    lease.release();

    pool.functionRemoved(function(scaling(0, 1, Rung.FROZEN)));
    traffic.awaitLook();
    assertThat(FakeTraffic.of(lease.instance(), engine)).doesNotContain("stop").endsWith("drain");
    traffic.loaded(id, 0, 5, 1);

    events.next("stopped");
    assertThat(FakeTraffic.of(lease.instance(), engine)).endsWith("stop", "leave", "remove");
  }

  @Test
  void aRequestThatTheKernelCountedWhileALeaseWasOutOutlastsThatLease() throws Exception {
    open();
    add(function(scaling(0, 1, Rung.FROZEN)));
    Lease lease = lease();
    String id = "id-" + lease.instance();
    traffic.loaded(id, 1, 2, 0);   // not the lease's: that one is answered, but not given back yet
    pool.functionRemoved(function(scaling(0, 1, Rung.FROZEN)));

    lease.release();

    traffic.awaitLook();
    assertThat(FakeTraffic.of(lease.instance(), engine)).doesNotContain("stop");
    traffic.loaded(id, 0, 2, 1);
    events.next("stopped");
  }

  @Test
  void directRequestsShowInWhatAnInstanceDoesAndHasDone() throws Exception {
    open();
    add(function(scaling(0, 1, Rung.FROZEN)));
    Lease lease = lease();
    traffic.loaded("id-" + lease.instance(), 4, 11, 0);   // one of them is the lease's
    traffic.awaitLook();

    Instance busy = pool.instances().get(0);
    assertThat(busy.inFlight()).isEqualTo(4);
    assertThat(busy.served()).isEqualTo(7);

    traffic.loaded("id-" + lease.instance(), 0, 11, 0);
    lease.release();
    traffic.awaitLook();
    assertThat(pool.instances().get(0).served()).isEqualTo(11);
  }

  @Test
  void aLeaseThatTheKernelCountsTooIsCountedOnce() throws Exception {
    open();
    add(function(new Scaling(0, 1, 1, Duration.ofHours(1))));
    Lease lease = lease();
    String id = "id-" + lease.instance();
    traffic.loaded(id, 1, 1, 0);
    traffic.whileLooking = () -> {
      traffic.loaded(id, 0, 1, 0);
      lease.release();   // what the kernel said is old already
    };
    traffic.looked.drainPermits();
    assertThat(traffic.looked.tryAcquire(20, TimeUnit.SECONDS)).isTrue();

    assertThat(acquire()).as("not kept waiting for the next look").succeedsWithin(Duration.ofMillis(150))
        .satisfies(Lease::release);
    assertThat(pool.instances().get(0).inFlight()).isZero();
  }

  @Test
  void aLeaseGoesToWhoeverHasLeastToDo() throws Exception {
    open();
    add(function(scaling(2, 2, Rung.RUNNING)));
    events.next("ready");
    events.next("ready");
    List<Instance> both = pool.instances();
    traffic.loaded(both.get(0).id(), 3, 3, 0);
    traffic.loaded(both.get(1).id(), 1, 1, 0);
    traffic.awaitLook();

    Lease lease = lease();

    assertThat(lease.instance()).isEqualTo(both.get(1).name());
    lease.release();
  }

  @Test
  void whoIsFullByDirectRequestsGetsNoLeaseUntilTheyEnd() throws Exception {
    open();
    add(function(new Scaling(0, 1, 2, Duration.ofHours(1))));
    Lease first = lease();
    first.release();
    traffic.loaded("id-" + first.instance(), 2, 3, 0);
    traffic.awaitLook();

    CompletableFuture<Lease> waiting = acquire();
    assertThat(waiting).isNotDone();
    traffic.loaded("id-" + first.instance(), 1, 3, 0);

    waiting.get(20, TimeUnit.SECONDS).release();
  }

  @Test
  void aDeadInstanceLeavesBeforeAnythingElseIsFoundOut() throws Exception {
    open();
    add(function(scaling(0, 1, Rung.FROZEN)));
    Lease lease = lease();
    String id = "id-" + lease.instance();
    engine.kill(id, 9, false);

    engine.listener.accept(new EngineEvent.Died(id, Map.of(), 9, java.time.Instant.now()));

    events.next("crashed");
    events.next("created");
    assertThat(FakeTraffic.of(lease.instance(), engine)).containsSubsequence("open", "leave", "remove");
    lease.release();
  }

  @Test
  void adoptedInstancesJoinAndLeftoversLeave() throws Exception {
    open();
    add(function(scaling(0, 1, Rung.FROZEN)));
    String name = lease().instance();
    pool.unbindTraffic(traffic);
    OnDemandPool killed = pool;
    engine.calls.clear();

    open();
    add(function(scaling(0, 1, Rung.FROZEN)));
    events.next("adopted");
    lease().release();

    assertThat(FakeTraffic.of(name, engine)).startsWith("join", "open");
    pool.close();
    killed.close();
  }

  @Test
  void whoComesLaterIsToldOfAllThatIsThere() throws Exception {
    open(Duration.ofHours(1), Duration.ofSeconds(5));
    add(function(scaling(0, 1, Rung.FROZEN)));
    FunctionSpec other = function("b", scaling(1, 1, Rung.RUNNING), Network.DEFAULT);
    add(other);
    events.next("ready");
    String frozen = frozen().substring(3);
    engine.calls.clear();

    pool.bindTraffic(traffic);
    while (traffic.members().size() < 2) {
      Thread.onSpinWait();
    }
    traffic.awaitLook();

    assertThat(FakeTraffic.of(frozen, engine)).containsExactly("join", "open", "rest");
    assertThat(engine.calls()).filteredOn(call -> call.contains(" weir-b-"))
        .map(call -> call.replaceFirst(" .*", "")).containsExactly("join", "open");
  }

  @Test
  void whoGoesTakesItsCountsAlong() throws Exception {
    open();
    add(function(scaling(0, 1, Rung.FROZEN)));
    Lease lease = lease();
    lease.release();
    traffic.loaded("id-" + lease.instance(), 5, 6, 0);
    traffic.awaitLook();
    assertThat(pool.instances().get(0).inFlight()).isEqualTo(5);

    pool.unbindTraffic(traffic);
    while (pool.instances().get(0).inFlight() > 0) {
      Thread.onSpinWait();
    }
    pool.rest(A, Rung.FROZEN).toCompletableFuture().get(20, TimeUnit.SECONDS);

    assertThat(states()).containsExactly(State.FROZEN);
    assertThat(pool.instances().get(0).inFlight()).isZero();
    traffic.members.clear();
  }

  @Test
  void whatAFunctionMayDoChangesWithItsDeclaration() throws Exception {
    open();
    FunctionSpec before = function(scaling(0, 1, Rung.FROZEN));
    add(before);
    lease().release();
    FunctionSpec after = function("a", scaling(0, 1, Rung.FROZEN),
        new Network(OptionalInt.empty(), List.of(), 0, 0, List.of("10.0.0.0/8")));

    pool.functionChanged(before, after);

    assertThat(traffic.members().get(0).egress()).containsExactly("10.0.0.0/8");
    assertThat(states()).containsExactly(State.READY);
  }

  @Test
  void loadThatNobodyLeasedCallsForMoreInstances() throws Exception {
    open();
    add(function(new Scaling(0, 2, 2, Duration.ofHours(1))));
    Lease lease = lease();
    lease.release();
    traffic.loaded("id-" + lease.instance(), 2, 100, 0);

    assertThat(events.next("ready").instance()).isEqualTo(lease.instance());
    assertThat(events.next("ready").instance()).isNotEqualTo(lease.instance());
  }

  // ----

  private void add(FunctionSpec function) {
    pool.functionAdded(function);
  }

  private CompletableFuture<Lease> acquire() {
    return pool.acquire(A, Duration.ofSeconds(20)).toCompletableFuture();
  }

  private Lease lease() throws Exception {
    return acquire().get(20, TimeUnit.SECONDS);
  }

  /** Has every freeze wait; answers what opens as soon as one does. */
  private CountDownLatch holdFreezing(CountDownLatch until) {
    CountDownLatch freezing = new CountDownLatch(1);
    engine.whileFreezing = () -> {
      freezing.countDown();
      await(until);
    };
    return freezing;
  }

  /** Has the function's only instance frozen, and answers its container. */
  private String frozen() throws Exception {
    Lease lease = lease();
    events.next("ready");   // told a moment after the lease is there
    lease.release();
    pool.rest(A, Rung.FROZEN).toCompletableFuture().get(20, TimeUnit.SECONDS);
    events.next("frozen");
    return "id-" + lease.instance();
  }

  private List<State> states() {
    return pool.instances().stream().map(Instance::state).toList();
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static Scaling scaling(int min, int max, Rung rest) {
    return new Scaling(min, max, 8, Duration.ofHours(1), Optional.of(rest), Priority.NORMAL);
  }

  private static FunctionSpec function(Scaling scaling) {
    return function("a", scaling, Network.DEFAULT);
  }

  private static FunctionSpec function(String name, Scaling scaling, Network network) {
    return new FunctionSpec(new FunctionName(name), new Source.Image(name + ":1"), 8080, List.of(),
        Optional.empty(), new Limits(64L << 20, 1, 64), scaling, Duration.ofSeconds(5), Map.of(), network);
  }
}
