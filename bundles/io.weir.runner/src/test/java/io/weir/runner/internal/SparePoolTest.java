package io.weir.runner.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.engine.ContainerSpec;
import io.weir.engine.LeaseRefused;
import io.weir.engine.Runners.Runner;
import io.weir.engine.Runners.Spare;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.InvalidFunction;
import io.weir.function.Language;
import io.weir.function.Limits;
import io.weir.function.Scaling;
import io.weir.function.Source;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.osgi.util.converter.Converters;

class SparePoolTest {
  private static final Limits SMALL = new Limits(64L << 20, 1, 64);
  private static final Limits LARGE = new Limits(256L << 20, 1, 64);
  private static final Map<String, String> OURS = Map.of("weir.managed", "true", "weir.gateway", "gw", "weir.runner", "python");

  private final FakeEngine engine = new FakeEngine();
  private final ManualBackground background = new ManualBackground();
  private SparePool pool = pool(1);

  private SparePool pool(int spares) {
    return new SparePool(engine, new Settings(spares, Duration.ofSeconds(20), Duration.ofSeconds(20)), "gw", background);
  }

  @AfterEach
  void stop() {
    pool.close();
    engine.close();
  }

  private static FunctionSpec function(String name, Source source, Limits limits) {
    return new FunctionSpec(new FunctionName(name), source, 8080, List.of(), Optional.empty(), limits,
        new Scaling(0, 1, 8, Duration.ofSeconds(60)), Duration.ofSeconds(10), Map.of("LIMIT", "3 \"or\" 4"));
  }

  private static FunctionSpec python(String name) {
    return function(name, new Source.Handler(Language.PYTHON, "thermo.py", "def handle(event):\n\tpass # " + name), SMALL);
  }

  private void keepFor(FunctionSpec... functions) {
    pool.keepFor(List.of(functions));
    background.runAll();
  }

  private List<String> names() {
    return pool.spares().stream().map(Spare::name).toList();
  }

  private LeaseRefused refused(FunctionSpec function) {
    try {
      throw new AssertionError("not refused: " + pool.claim(function, chosen -> {}));
    } catch (LeaseRefused e) {
      return e;
    }
  }

  @Test
  void keepsAFrozenSpareForEachShapeThatHandlersUse() {
    keepFor(python("a"), python("b"), function("c", new Source.Handler(Language.PYTHON, "c.py", "x"), LARGE),
        function("d", new Source.Handler(Language.NODE, "d.js", "x"), SMALL), function("e", new Source.Image("localhost/e:1"), SMALL));

    assertThat(pool.spares()).extracting(Spare::language).containsExactlyInAnyOrder("python", "python", "node");
    assertThat(pool.spares()).extracting(Spare::memoryBytes).containsOnly(9_000_000L);
    assertThat(engine.containers.values()).allMatch(c -> c.frozen);
    assertThat(engine.created).extracting(ContainerSpec::limits).containsExactlyInAnyOrder(SMALL, SMALL, LARGE);
    assertThat(engine.created).allMatch(spec -> spec.labels().containsKey("weir.runner")
        && spec.labels().get("weir.gateway").equals("gw") && spec.labels().get("weir.managed").equals("true"));
  }

  @Test
  void aClaimGetsTheSpareWithTheHandlerInIt() {
    keepFor(python("a"));
    String spare = names().get(0);

    List<Runner> told = new ArrayList<>();

    Runner runner = pool.claim(python("a"), chosen -> {
      assertThat(engine.named(spare).heard).as("before it has the handler").isEmpty();
      told.add(chosen);
    });

    assertThat(told).containsExactly(runner);
    assertThat(runner.name()).isEqualTo(spare);
    assertThat(runner.preloaded()).isTrue();
    assertThat(engine.named(spare).frozen).isFalse();
    assertThat(engine.named(spare).heard).containsExactly("/.weir/load {\"file\":\"thermo.py\","
        + "\"code\":\"def handle(event):\\n\\u0009pass # a\",\"env\":{\"LIMIT\":\"3 \\\"or\\\" 4\"}}");
    assertThat(names()).isEmpty();
  }

  @Test
  void aRunnerServesOneFunctionOnlyAndIsReplacedByANewSpare() {
    keepFor(python("a"), python("b"));
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < 3; i++) {
      assertThat(seen.add(pool.claim(python(i % 2 == 0 ? "a" : "b"), chosen -> {}).name())).isTrue();
      background.runAll();
      assertThat(names()).hasSize(1).noneMatch(seen::contains);
    }
    assertThat(engine.containers.values()).allMatch(c -> c.heard.size() <= 1);
  }

  @Test
  void withoutASpareAClaimStartsOne() {
    background.runAll();

    Runner runner = pool.claim(python("a"), chosen -> {});

    assertThat(runner.preloaded()).isFalse();
    assertThat(engine.named(runner.name()).heard).hasSize(1);
    assertThat(engine.named(runner.name()).frozen).isFalse();
  }

  @Test
  void noSpareIsStartedWhileSomebodyClaims() {
    keepFor(python("a"));
    List<Integer> createdMeanwhile = new ArrayList<>();
    engine.behaviour = (path, body) -> {
      background.runAll();
      createdMeanwhile.add(engine.created.size());
      return "204";
    };

    pool.keepFor(List.of(python("a"), function("c", new Source.Handler(Language.NODE, "c.js", "x"), LARGE)));
    pool.claim(python("a"), chosen -> {});

    assertThat(createdMeanwhile).containsExactly(1);
    background.runAll();
    assertThat(engine.created).hasSize(3);
  }

  @Test
  void sparesThatNoFunctionWantsAreRemoved() {
    keepFor(python("a"), function("c", new Source.Handler(Language.NODE, "c.js", "x"), SMALL));

    keepFor(python("a"));

    assertThat(pool.spares()).extracting(Spare::language).containsExactly("python");
    assertThat(engine.there().keySet()).containsExactlyElementsOf(names());
  }

  @Test
  void aDeadSpareIsDiscardedAndTheNextTaken() {
    pool = pool(2);
    keepFor(python("a"));
    engine.containers.values().forEach(c -> c.frozen = false);
    List<String> spares = List.copyOf(engine.there().keySet());
    engine.kill(spares.get(0));

    Set<String> claimed = new HashSet<>(Set.of(pool.claim(python("a"), chosen -> {}).name(), pool.claim(python("a"), chosen -> {}).name()));

    background.runAll();
    assertThat(claimed).contains(spares.get(1)).doesNotContain(spares.get(0));
    assertThat(engine.there()).doesNotContainKey(spares.get(0));
  }

  @Test
  void aHandlerThatDoesNotLoadIsToldInTheLanguagesWords() {
    keepFor(python("a"));
    engine.behaviour = (path, body) -> "422 Traceback: thermo.py, line 2";
    String spare = names().get(0);

    LeaseRefused refused = refused(python("a"));

    assertThat(refused.code()).isEqualTo(LeaseRefused.Code.START_FAILED);
    assertThat(refused).hasMessage("thermo.py does not load: Traceback: thermo.py, line 2");
    background.runAll();
    assertThat(engine.there()).doesNotContainKey(spare);
  }

  @Test
  void aHandlerThatKillsItsRunnerCostsOneSpareAndIsToldWithItsLastWords() {
    pool = pool(3);
    keepFor(python("a"));
    engine.behaviour = (path, body) -> "0";

    LeaseRefused refused = refused(python("a"));

    assertThat(refused.code()).isEqualTo(LeaseRefused.Code.START_FAILED);
    assertThat(refused).hasMessageContaining("while thermo.py was being loaded").hasMessageContaining("its last word");
    assertThat(names()).hasSize(2);
    background.runAll();
    assertThat(engine.there().keySet()).containsExactlyInAnyOrderElementsOf(names());
  }

  @Test
  void aMissingRuntimeIsToldWithWhatToDo() {
    engine.images.remove("localhost/weir/rt-python:current");
    background.runAll();

    LeaseRefused refused = refused(python("a"));

    assertThat(refused.code()).isEqualTo(LeaseRefused.Code.NO_SUCH_IMAGE);
    assertThat(refused).hasMessageContaining("weir image runtime python");
    assertThat(engine.created).isEmpty();
  }

  @Test
  void theImageIsBuiltOnceAndAgainIfItVanishes() {
    keepFor(python("a"));
    pool.claim(python("a"), chosen -> {});
    background.runAll();
    assertThat(engine.built).hasSize(1);

    engine.images.remove(engine.built.get(0));
    pool.claim(python("a"), chosen -> {});
    assertThat(pool.claim(python("a"), chosen -> {}).preloaded()).isFalse();

    assertThat(engine.built).hasSize(2);
  }

  @Test
  void sparesOfAnOlderRuntimeAreReplaced() {
    keepFor(python("a"));
    String old = names().get(0);
    engine.images.put("localhost/weir/rt-python:current", "base-2");

    background.passMinute();

    assertThat(engine.built).hasSize(2).doesNotHaveDuplicates();
    assertThat(names()).hasSize(1).doesNotContain(old);
    assertThat(engine.there().keySet()).containsExactlyElementsOf(names());
  }

  @Test
  void failingStartsBackOffUntilOneSucceeds() {
    engine.startFailure = Optional.of("no space left on device");
    keepFor(python("a"));
    for (int i = 0; i < 9; i++) {
      background.passDelays();
    }

    assertThat(background.delays).hasSize(10).allMatch(delay -> delay.compareTo(Duration.ofSeconds(60)) <= 0);
    assertThat(background.delays.get(9)).isGreaterThan(background.delays.get(0));
    assertThat(engine.there()).isEmpty();

    engine.startFailure = Optional.empty();
    background.passDelays();
    assertThat(names()).hasSize(1);
  }

  @Test
  void whatEarlierLivesLeftIsRemovedAndNothingElse() {
    String image = "localhost/weir/rt-python:current";
    engine.create(new ContainerSpec("earlier", image, 8080, OURS, Map.of(), SMALL));
    engine.create(new ContainerSpec("function", image, 8080,
        Map.of("weir.managed", "true", "weir.gateway", "gw", "weir.function", "f"), Map.of(), SMALL));
    engine.create(new ContainerSpec("stranger", image, 8080,
        Map.of("weir.managed", "true", "weir.gateway", "other", "weir.runner", "python"), Map.of(), SMALL));

    background.runAll();

    assertThat(engine.there()).containsOnlyKeys("function", "stranger");
  }

  @Test
  void runnersThatWereHandedOutAreLeftToTheirOwners() {
    keepFor(python("a"));
    Runner runner = pool.claim(python("a"), chosen -> {});

    background.passMinute();
    background.passMinute();
    assertThat(engine.there()).containsKey(runner.name());

    engine.remove(runner.id());
    background.passMinute();
    engine.create(new ContainerSpec(runner.name(), "localhost/weir/rt-python:current", 8080, OURS, Map.of(), SMALL));
    background.passMinute();
    assertThat(engine.there()).doesNotContainKey(runner.name());
  }

  @Test
  void aSpareThatDiedUnnoticedIsReplacedWithinAMinute() {
    keepFor(python("a"));
    String dead = names().get(0);
    engine.kill(dead);

    background.passMinute();

    assertThat(names()).hasSize(1).doesNotContain(dead);
    assertThat(engine.there()).doesNotContainKey(dead);
  }

  @Test
  void nothingIsStartedBeforeTheEngineIsThere() {
    engine.away = true;
    keepFor(python("a"));
    background.passDelays();
    assertThat(engine.created).isEmpty();
    assertThatCode(() -> pool.check(python("a"))).doesNotThrowAnyException();

    engine.away = false;
    background.passDelays();
    assertThat(names()).hasSize(1);
  }

  @Test
  void closingRemovesTheSparesAndLeavesWhatWasHandedOut() {
    keepFor(python("a"));
    Runner runner = pool.claim(python("a"), chosen -> {});
    background.runAll();

    pool.close();

    assertThat(engine.there()).containsOnlyKeys(runner.name());
    assertThat(refused(python("a")).code()).isEqualTo(LeaseRefused.Code.STOPPING);
  }

  @Test
  void closingRemovesWhatEarlierLivesLeftAlsoIfNobodyHasLookedYet() {
    background.runAll();
    engine.create(new ContainerSpec("earlier", "localhost/weir/rt-python:current", 8080, OURS, Map.of(), SMALL));

    pool.close();

    assertThat(engine.there()).isEmpty();
  }

  @Test
  void closingWaitsForACheckAndRemovesItsRunner() throws Exception {
    background.runAll();
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch answer = new CountDownLatch(1);
    engine.behaviour = (path, body) -> {
      asked.countDown();
      try {
        answer.await(20, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      return "204";
    };
    CompletableFuture<Void> check = CompletableFuture.runAsync(() -> pool.check(python("a")));
    assertThat(asked.await(20, TimeUnit.SECONDS)).isTrue();

    engine.images.remove("localhost/weir/rt-node:current");   // what follows is refused in any case
    CompletableFuture<Void> closed = CompletableFuture.runAsync(pool::close);
    while (!closed.isDone() && !refusedAsStopping()) {
      Thread.onSpinWait();
    }
    assertThat(closed).isNotDone();
    answer.countDown();

    closed.get(20, TimeUnit.SECONDS);
    assertThat(engine.there()).isEmpty();
    check.get(20, TimeUnit.SECONDS);
  }

  private boolean refusedAsStopping() {
    try {
      pool.claim(function("c", new Source.Handler(Language.NODE, "c.js", "x"), SMALL), chosen -> {});
      return false;
    } catch (LeaseRefused e) {
      return e.code() == LeaseRefused.Code.STOPPING;
    }
  }

  @Test
  void aHandlerThatDoesNotParseIsRefusedWithItsLine() {
    keepFor(python("a"));
    engine.behaviour = (path, body) -> path.equals("/.weir/check") ? "422 line 3: invalid syntax" : "204";
    String spare = names().get(0);

    assertThatThrownBy(() -> pool.check(python("a"))).isInstanceOf(InvalidFunction.class)
        .hasMessage("handler: thermo.py line 3: invalid syntax");

    background.runAll();
    assertThat(engine.there()).doesNotContainKey(spare);
    assertThat(names()).hasSize(1);
  }

  @Test
  void aHandlerThatParsesIsAskedOfARunnerOnce() {
    background.runAll();

    pool.check(python("a"));
    pool.check(python("a"));
    pool.check(function("b", new Source.Image("localhost/b:1"), SMALL));

    assertThat(engine.created).hasSize(1);
    background.runAll();
    assertThat(engine.there()).isEmpty();
  }

  @Test
  void aHandlerIsAcceptedWhereItCannotBeChecked() {
    background.runAll();
    engine.images.clear();
    assertThatCode(() -> pool.check(python("a"))).doesNotThrowAnyException();

    engine.away = true;
    assertThatCode(() -> pool.check(python("a"))).doesNotThrowAnyException();
  }

  @Test
  void anEngineThatIsAwayIsTold() {
    keepFor(python("b"));
    pool.claim(python("b"), chosen -> {});
    engine.away = true;

    assertThat(refused(python("a")).code()).isEqualTo(LeaseRefused.Code.ENGINE_UNAVAILABLE);
  }

  @Test
  void aWrongSettingIsNamedWithItsRange() {
    RunnerConfig config = Converters.standardConverter().convert(Map.of("spares", 9)).to(RunnerConfig.class);

    assertThatThrownBy(() -> Settings.of(config)).hasMessage("io.weir.runner: spares = 9 is not allowed; use 0..8");
    assertThat(Settings.of(Converters.standardConverter().convert(Map.of()).to(RunnerConfig.class)))
        .isEqualTo(new Settings(1, Duration.ofSeconds(30), Duration.ofSeconds(30)));
  }
}
