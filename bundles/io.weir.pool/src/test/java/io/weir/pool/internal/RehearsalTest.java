package io.weir.pool.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.engine.Instance;
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
import io.weir.kernel.Traffic;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A function that is to be, beside what it is. */
class RehearsalTest {
  private static final FunctionName A = new FunctionName("a");
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final FakeEngine engine = new FakeEngine();
  private final FakeTraffic traffic = new FakeTraffic(engine);
  private final RecordedEvents events = new RecordedEvents();
  @TempDir Path data;
  private OnDemandPool pool;

  @BeforeEach
  void open() {
    Settings settings = new Settings(100, Duration.ofMillis(400), Duration.ZERO, 4, Duration.ofHours(1),
        1L << 30, 0, 600_000, false, true);
    pool = new OnDemandPool(engine, new FakeRunners(engine), events, settings, "0123456789ab", data,
        data.resolve("no-proc"));
    pool.bindTraffic(traffic);
  }

  @AfterEach
  void close() {
    pool.close();
    assertThat(engine.ids()).isEmpty();
    assertThat(traffic.members()).as("nobody stays who is gone").isEmpty();
    assertThat(pool.budget().heldBytes()).isZero();
  }

  @Test
  void whatComesUpIsRemovedAgainAndWasNeverLedTo() throws Exception {
    rehearse(image("img:2")).get(20, TimeUnit.SECONDS);
    String name = events.next("stopped").instance();

    assertThat(FakeTraffic.of(name, engine)).contains("create", "start", "join", "remove")
        .doesNotContain("open");
    assertThat(pool.instances()).isEmpty();
  }

  @Test
  void whatRunsServesOnAlone() throws Exception {
    pool.functionAdded(image("img:1"));
    Lease before = lease();
    before.release();

    rehearse(image("img:2")).get(20, TimeUnit.SECONDS);
    events.next("stopped");

    assertThat(lease().instance()).isEqualTo(before.instance());
    assertThat(pool.instances()).extracting(Instance::name).containsExactly(before.instance());
  }

  @Test
  void whatItMayConnectToIsNotGivenToTheOneThatRuns() throws Exception {
    pool.functionAdded(image("img:1"));
    lease().release();
    FunctionSpec open = spec(new Source.Image("img:2"), 0,
        new Network(OptionalInt.empty(), List.of(), 0, 0, List.of("any")));
    FunctionSpec handler = spec(new Source.Handler(Language.PYTHON, "a.py", "def handle(event): pass"), 0,
        open.network());

    rehearse(open).get(20, TimeUnit.SECONDS);
    rehearse(handler).get(20, TimeUnit.SECONDS);

    assertThat(traffic.joined).anyMatch(member -> member.egress().equals(List.of("any")));
    assertThat(traffic.joined).allMatch(member ->
        member.function().equals(member.egress().isEmpty() ? A : Traffic.REHEARSAL));
  }

  @Test
  void whatDoesNotComeUpSaysWhyAndIsGone() throws Exception {
    pool.functionAdded(image("img:1"));
    Lease before = lease();
    before.release();
    engine.crashingImage = "crash:1";
    engine.deafImage = "deaf:1";
    engine.missingImage = "none:1";

    assertFails(LeaseRefused.Code.START_FAILED, "exit code 3", image("crash:1"));
    assertFails(LeaseRefused.Code.NEVER_LISTENED, "port 8080", image("deaf:1"));
    assertFails(LeaseRefused.Code.NO_SUCH_IMAGE, "none:1", image("none:1"));

    assertThat(pool.breakdown(A)).isEmpty();
    assertThat(lease().instance()).isEqualTo(before.instance());
  }

  @Test
  void whatTakesTooLongIsGivenUp() throws Exception {
    engine.gate = new CountDownLatch(1);

    assertThatThrownBy(() -> pool.rehearse(image("img:1"), Duration.ofMillis(50)).toCompletableFuture()
        .get(20, TimeUnit.SECONDS))
        .cause().isInstanceOf(LeaseRefused.class).hasMessageContaining("nothing listens on port 8080");

    engine.gate.countDown();
    events.next("stopped");
  }

  @Test
  void aHandlerIsLoaded() throws Exception {
    rehearse(spec(new Source.Handler(Language.PYTHON, "a.py", "def handle(event): pass"), 0))
        .get(20, TimeUnit.SECONDS);

    events.next("stopped");
    assertThat(engine.calls()).anyMatch(call -> call.startsWith("load"));
  }

  @Test
  void oneInstanceShowsItWhateverIsToRunLater() throws Exception {
    engine.gate = new CountDownLatch(1);
    CompletableFuture<Void> rehearsal = rehearse(spec(new Source.Image("img:1"), 2));
    assertThat(engine.starting.await(20, TimeUnit.SECONDS)).isTrue();
    engine.gate.countDown();

    rehearsal.get(20, TimeUnit.SECONDS);
    events.next("stopped");

    assertThat(engine.started).hasValue(1);
  }

  @Test
  void aGatewayThatGoesDownLeavesNoneBehind() throws Exception {
    engine.gate = new CountDownLatch(1);
    CompletableFuture<Void> rehearsal = rehearse(image("img:1"));
    assertThat(engine.starting.await(20, TimeUnit.SECONDS)).isTrue();
    engine.gate.countDown();

    pool.close();

    rehearsal.handle((done, failure) -> failure).get(20, TimeUnit.SECONDS);
    assertThat(engine.ids()).isEmpty();
    assertFails(LeaseRefused.Code.STOPPING, "going down", image("img:1"));
  }

  private CompletableFuture<Void> rehearse(FunctionSpec spec) {
    return pool.rehearse(spec, PATIENCE).toCompletableFuture();
  }

  private Lease lease() throws Exception {
    return pool.acquire(A, PATIENCE).toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  private void assertFails(LeaseRefused.Code code, String words, FunctionSpec spec) {
    assertThatThrownBy(() -> rehearse(spec).get(20, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class).cause()
        .isInstanceOfSatisfying(LeaseRefused.class, refused -> {
          assertThat(refused.code()).isEqualTo(code);
          assertThat(refused).hasMessageContaining(words);
        });
  }

  private static FunctionSpec image(String reference) {
    return spec(new Source.Image(reference), 0);
  }

  private static FunctionSpec spec(Source source, int min) {
    return spec(source, min, Network.DEFAULT);
  }

  private static FunctionSpec spec(Source source, int min, Network network) {
    return new FunctionSpec(A, source, 8080, List.of(), Optional.empty(), new Limits(64 << 20, 1, 64),
        new Scaling(min, Math.max(1, min), 8, Duration.ofHours(1), Optional.of(Rung.IMAGE), Priority.NORMAL),
        Duration.ofSeconds(5), Map.of(), network);
  }
}
