package io.weir.pool.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.engine.ContainerSpec;
import io.weir.engine.EngineEvent;
import io.weir.engine.Instance;
import io.weir.engine.Lease;
import io.weir.engine.LeaseRefused;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
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
import java.util.concurrent.atomic.AtomicBoolean;
import org.assertj.core.api.ThrowableAssert;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnDemandPoolTest {
  private static final FunctionName HELLO = new FunctionName("hello");
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final Settings SETTINGS = new Settings(4, Duration.ofMillis(400), Duration.ZERO, 4,
      Duration.ofHours(1), 1L << 30, 0, 600_000, false, true);

  private final FakeEngine engine = new FakeEngine();
  private final RecordedEvents events = new RecordedEvents();
  private final FakeRunners runners = new FakeRunners(engine);
  @TempDir Path data;
  private OnDemandPool pool;

  @BeforeEach
  void open() {
    pool = newPool();
  }

  private OnDemandPool newPool() {
    return new OnDemandPool(engine, runners, events, SETTINGS, "0123456789ab", data, data.resolve("no-proc"));
  }

  @AfterEach
  void close() {
    pool.close();
  }

  @Test
  void startsAnInstanceWhenSomebodyWaits() throws Exception {
    pool.functionAdded(hello("img:1", 0, 1, 8));

    Lease lease = get(acquire());

    assertThat(lease.coldStart()).isPresent();
    assertThat(PortProbe.accepts(lease.address())).isTrue();
    assertThat(get(acquire()).coldStart()).isEmpty();
    assertThat(engine.started).hasValue(1);
  }

  @Test
  void anInstanceFindsItsWaysToTheGateway() throws Exception {
    pool.bindEnvironment((function, gateway) ->
        Map.of("WAY", function + " at " + gateway.orElseThrow().getHostAddress()));
    pool.functionAdded(hello("img:1", 0, 1, 8));
    get(acquire());

    assertThat(engine.environments.values())
        .containsExactly(Map.of("PORT", "8080", "WAY", "hello at 127.0.0.1"));
  }

  @Test
  void manyWaitersShareOneStart() throws Exception {
    engine.gate = new CountDownLatch(1);
    pool.functionAdded(hello("img:1", 0, 5, 4));
    List<CompletableFuture<Lease>> waiting = List.of(acquire(), acquire(), acquire(), acquire());

    engine.gate.countDown();

    for (CompletableFuture<Lease> waiter : waiting) {
      assertThat(get(waiter).coldStart()).isPresent();
    }
    assertThat(engine.started).hasValue(1);
  }

  @Test
  void startsAnotherInstanceWhenTheFirstIsFull() throws Exception {
    pool.functionAdded(hello("img:1", 0, 2, 1));

    Lease first = get(acquire());
    Lease second = get(acquire());

    assertThat(first.instance()).isNotEqualTo(second.instance());
    CompletableFuture<Lease> third = acquire();
    assertThat(third).isNotDone();
    first.release();
    assertThat(get(third).instance()).isEqualTo(first.instance());
    assertThat(get(third).coldStart()).isEmpty();
  }

  @Test
  void refusesWhatTheQueueCannotHold() throws Exception {
    engine.gate = new CountDownLatch(1);
    pool.functionAdded(hello("img:1", 0, 1, 1));
    for (int i = 0; i < 4; i++) {
      acquire();
    }

    assertRefused(LeaseRefused.Code.QUEUE_FULL, "raise instances.max", () -> get(acquire()));
    engine.gate.countDown();
  }

  @Test
  void givesUpWhenPatienceEnds() {
    engine.gate = new CountDownLatch(1);
    pool.functionAdded(hello("img:1", 0, 1, 1));

    assertRefused(LeaseRefused.Code.WAITED_TOO_LONG, "hello",
        () -> get(pool.acquire(HELLO, Duration.ofMillis(20)).toCompletableFuture()));
    engine.gate.countDown();
  }

  @Test
  void aCrashAtStartIsToldWithTheLastWords() throws Exception {
    pool.close();
    // And no later, so that the back-off does not end before the second one asks.
    long now = System.nanoTime();
    pool = new OnDemandPool(engine, runners, events, SETTINGS, "0123456789ab", data, data.resolve("no-proc"),
        () -> now, java.time.InstantSource.system());
    engine.crashingImage = "crash:1";
    pool.functionAdded(hello("crash:1", 0, 1, 1));

    assertRefused(LeaseRefused.Code.START_FAILED, "exit code 3", () -> get(acquire()));
    assertRefused(LeaseRefused.Code.START_FAILED, "last line", () -> get(acquire()));
    assertThat(engine.ids()).isEmpty();
    assertThat(engine.started).as("the second one is refused while the back-off lasts").hasValue(1);
  }

  @Test
  void aContainerThatNeverListensIsRemoved() throws Exception {
    engine.deafImage = "deaf:1";
    pool.functionAdded(hello("deaf:1", 0, 1, 1));

    assertRefused(LeaseRefused.Code.NEVER_LISTENED, "port 8080", () -> get(acquire()));
    assertThat(engine.ids()).isEmpty();
  }

  @Test
  void aMissingImageIsNamed() {
    engine.missingImage = "none:1";
    pool.functionAdded(hello("none:1", 0, 1, 1));

    assertRefused(LeaseRefused.Code.NO_SUCH_IMAGE, "none:1", () -> get(acquire()));
  }

  @Test
  void anUnexpectedFailureBlocksNobody() throws Exception {
    engine.weirdImage = "weird:1";
    FunctionSpec weird = hello("weird:1", 0, 1, 1);
    pool.functionAdded(weird);
    assertRefused(LeaseRefused.Code.START_FAILED, "weird", () -> get(acquire()));

    pool.functionChanged(weird, hello("img:1", 0, 1, 1));

    assertThat(get(acquire()).coldStart()).isPresent();
  }

  @Test
  void anIdleInstanceIsStoppedButMinStays() throws Exception {
    pool.functionAdded(hello("img:1", 1, 2, 1));
    Lease first = get(acquire());
    Lease second = get(acquire());

    first.release();
    second.release();

    events.next("stopped");
    assertThat(engine.ids()).hasSize(1);
    assertThat(pool.instances()).extracting(Instance::state).containsExactly(Instance.State.READY);
  }

  @Test
  void aBusyInstanceIsNotIdle() throws Exception {
    pool.functionAdded(hello("img:1", 0, 2, 1));
    Lease busy = get(acquire());
    Lease idle = get(acquire());
    idle.release();

    pool.rest(HELLO, Rung.IMAGE);

    assertThat(events.next("stopped").instance()).isEqualTo(idle.instance());
    assertThat(pool.instances()).extracting(Instance::name).containsExactly(busy.instance());
  }

  @Test
  void aDeadInstanceIsReplacedForWhoeverWaits() throws Exception {
    pool.functionAdded(hello("img:1", 0, 1, 1));
    Lease lease = get(acquire());
    CompletableFuture<Lease> waiting = acquire();

    engine.kill("id-" + lease.instance(), 137, true);
    lease.releaseSuspect();

    assertThat(get(waiting).instance()).isNotEqualTo(lease.instance());
    assertThat(events.next("oom-killed").detail()).contains("raise memory");
  }

  @Test
  void aSuspectThatLivesServesOn() throws Exception {
    pool.functionAdded(hello("img:1", 0, 1, 1));
    Lease lease = get(acquire());

    lease.releaseSuspect();

    assertThat(get(acquire()).instance()).isEqualTo(lease.instance());
    assertThat(engine.started).hasValue(1);
  }

  @Test
  void aDeathTheEngineReportsIsNoticedWithoutARequest() throws Exception {
    pool.functionAdded(hello("img:1", 0, 1, 1));
    Lease lease = get(acquire());
    lease.release();
    engine.kill("id-" + lease.instance(), 1, false);

    engine.listener.accept(new EngineEvent.Died("id-" + lease.instance(), Map.of(), 1, Instant.now()));

    assertThat(events.next("crashed").detail()).contains("exit code 1");
    assertThat(pool.instances()).isEmpty();
  }

  @Test
  void anEarlierLifesInstanceIsAdopted() throws Exception {
    FunctionSpec hello = hello("img:1", 0, 1, 8);
    pool.functionAdded(hello);
    Lease before = get(acquire());

    OnDemandPool next = newPool();
    AtomicBoolean ways = new AtomicBoolean();
    next.bindEnvironment((function, gateway) -> {
      ways.set(true);
      return Map.of();
    });
    next.functionAdded(hello);
    Lease after = next.acquire(HELLO, PATIENCE).toCompletableFuture().get(20, TimeUnit.SECONDS);

    assertThat(after.instance()).isEqualTo(before.instance());
    assertThat(engine.started).hasValue(1);
    assertThat(ways).as("what it knows from its birth is there again").isTrue();
    next.close();
  }

  @Test
  void aSweepLeavesAloneWhatIsJustBeingAdopted() throws Exception {
    FunctionSpec hello = hello("img:1", 0, 1, 8);
    pool.functionAdded(hello);
    Lease before = get(acquire());
    OnDemandPool next = newPool();
    engine.beforeThaw = () -> {
      engine.listener.accept(new EngineEvent.Gap(Instant.now()));
      try {
        engine.swept.await(20, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    };

    next.functionAdded(hello);
    Lease after = next.acquire(HELLO, PATIENCE).toCompletableFuture().get(20, TimeUnit.SECONDS);

    assertThat(after.instance()).isEqualTo(before.instance());
    assertThat(engine.ids()).contains("id-" + before.instance());
    engine.beforeThaw = () -> { };
    next.close();
  }

  @Test
  void anEarlierLifesInstanceOfAnotherRevisionIsRemovedAndStrangersAreLeftAlone() throws Exception {
    String stranger = engine.create(new ContainerSpec("stranger", "x:1", 80, Map.of("weir.managed", "true",
        "weir.gateway", "ffffffffffff", "weir.function", "hello"), Map.of(), limits()));
    pool.functionAdded(hello("img:1", 0, 1, 8));
    Lease before = get(acquire());

    OnDemandPool next = newPool();
    next.functionAdded(hello("img:2", 0, 1, 8));
    Lease after = next.acquire(HELLO, PATIENCE).toCompletableFuture().get(20, TimeUnit.SECONDS);

    assertThat(after.instance()).isNotEqualTo(before.instance());
    assertThat(engine.ids()).contains(stranger).doesNotContain("id-" + before.instance());
    next.close();
  }

  @Test
  void theOldRevisionServesUntilTheNewOneIsReady() throws Exception {
    FunctionSpec old = hello("img:1", 0, 1, 8);
    pool.functionAdded(old);
    Lease first = get(acquire());
    engine.gate = new CountDownLatch(1);

    FunctionSpec changed = hello("img:2", 0, 1, 8);
    pool.functionChanged(old, changed);
    Lease meanwhile = get(acquire());
    assertThat(meanwhile.instance()).isEqualTo(first.instance());
    meanwhile.release();
    engine.gate.countDown();

    first.release();
    get(acquire()).release();
    assertThat(events.next("stopped").instance()).isEqualTo(first.instance());
    assertThat(get(acquire()).instance()).isNotEqualTo(first.instance());
  }

  @Test
  void aBrokenNewRevisionDisturbsNobody() throws Exception {
    FunctionSpec old = hello("img:1", 0, 1, 8);
    pool.functionAdded(old);
    Lease first = get(acquire());
    first.release();
    engine.missingImage = "none:1";

    pool.functionChanged(old, hello("none:1", 0, 1, 8));

    events.next("start-failed");
    assertThat(get(acquire()).instance()).isEqualTo(first.instance());
  }

  @Test
  void aRemovedFunctionFinishesWhatItServes() throws Exception {
    FunctionSpec hello = hello("img:1", 0, 1, 8);
    pool.functionAdded(hello);
    Lease lease = get(acquire());

    pool.functionRemoved(hello);

    assertRefused(LeaseRefused.Code.UNKNOWN_FUNCTION, "hello", () -> get(acquire()));
    assertThat(engine.calls).noneMatch(call -> call.startsWith("stop"));
    lease.release();
    events.next("stopped");
    assertThat(engine.ids()).isEmpty();
  }

  @Test
  void leavesNothingBehindWhenClosed() throws Exception {
    pool.functionAdded(hello("img:1", 0, 2, 1));
    get(acquire());
    get(acquire());
    CompletableFuture<Lease> waiting = acquire();

    pool.close();

    assertThat(engine.ids()).isEmpty();
    assertRefused(LeaseRefused.Code.STOPPING, "going down", () -> get(waiting));
  }

  private CompletableFuture<Lease> acquire() {
    return pool.acquire(HELLO, PATIENCE).toCompletableFuture();
  }

  private static Lease get(CompletableFuture<Lease> future) throws Exception {
    return future.get(20, TimeUnit.SECONDS);
  }

  private static void assertRefused(LeaseRefused.Code code, String words,
      ThrowableAssert.ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(ExecutionException.class).cause()
        .isInstanceOfSatisfying(LeaseRefused.class, e -> {
          assertThat(e.code()).isEqualTo(code);
          assertThat(e).hasMessageContaining(words);
        });
  }

  private static FunctionSpec hello(String image, int min, int max, int concurrency) {
    return new FunctionSpec(HELLO, new Source.Image(image), 8080, new ArrayList<>(), Optional.empty(),
        limits(), new Scaling(min, max, concurrency, Duration.ofSeconds(1), Optional.of(Rung.IMAGE),
        Priority.NORMAL), Duration.ofSeconds(5), Map.of());
  }

  private static Limits limits() {
    return new Limits(64 << 20, 1, 64);
  }
}
