package io.weir.pool.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Language;
import io.weir.function.Limits;
import io.weir.function.Priority;
import io.weir.function.Rung;
import io.weir.function.Scaling;
import io.weir.function.Source;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RestPolicyTest {
  private static final Settings SETTINGS = new Settings(10, Duration.ofSeconds(1), Duration.ZERO, 1,
      Duration.ofSeconds(2), 0, 0, 600_000, false, true);
  private static final Source IMAGE = new Source.Image("a:1");

  private final Budget budget = new Budget(1L << 30);
  private final RestPolicy policy = new RestPolicy(SETTINGS, budget);

  @Test
  void aFunctionThatWasJustCalledRuns() {
    assertThat(rest(function(IMAGE, Optional.empty()), python(), 1, true)).isEqualTo(Rung.RUNNING);
  }

  @Test
  void aFunctionThatIsCalledLessAndLessGoesDownRungByRung() {
    FunctionSpec function = function(IMAGE, Optional.empty());
    Costs crun = costs(function, 1_200, 101_000, 130_000, 150_000, 18L << 20, 2L << 20);

    assertThat(rest(function, crun, 10, true)).isEqualTo(Rung.FROZEN);
    assertThat(rest(function, crun, 3500, true)).isEqualTo(Rung.FROZEN);
    assertThat(rest(function, crun, 3700, true)).isEqualTo(Rung.ARMED);
    assertThat(rest(function, crun, 20_000, false)).isEqualTo(Rung.CREATED);
    assertThat(rest(function, crun, 86_400 * 3, false)).isEqualTo(Rung.IMAGE);
  }

  @Test
  void aFunctionWhoseProcessIsSmallerThanTheRuntimeThatWaitsForItIsNeverArmed() {
    FunctionSpec function = function(IMAGE, Optional.empty());
    Costs costs = costs(function, 300, 8_000, 34_000, 45_000, 1L << 20, 12L << 20);

    assertThat(rest(function, costs, 600, true)).isEqualTo(Rung.FROZEN);
    assertThat(rest(function, costs, 3700, true)).isEqualTo(Rung.CREATED);
  }

  @Test
  void dearMemoryMovesFunctionsDown() {
    FunctionSpec function = function(IMAGE, Optional.empty());
    assertThat(rest(function, python(), 1800, true)).isEqualTo(Rung.FROZEN);

    budget.charge((1L << 30) * 99 / 100);

    assertThat(rest(function, python(), 1800, true)).isLessThan(Rung.FROZEN);
  }

  @Test
  void adviceGoesBeforeTheRuleButNotBeforeTheFunctionsIdleTime() {
    FunctionSpec function = function(IMAGE, Optional.empty());

    assertThat(advised(function, Rung.CREATED, 10, true)).isEqualTo(Rung.CREATED);
    assertThat(advised(function, Rung.FROZEN, 3000, false)).isEqualTo(Rung.FROZEN);
    assertThat(advised(function, Rung.FROZEN, 3700, true)).isLessThan(Rung.FROZEN);
    assertThat(advised(function, Rung.IMAGE, 1, true)).as("it has just worked").isEqualTo(Rung.RUNNING);
  }

  @Test
  void whatTheFunctionSaysGoesFirst() {
    assertThat(rest(function(IMAGE, Optional.of(Rung.RUNNING)), python(), 80_000, true))
        .isEqualTo(Rung.RUNNING);
    FunctionSpec image = function(IMAGE, Optional.of(Rung.IMAGE));
    assertThat(rest(image, python(), 10, true)).isEqualTo(Rung.FROZEN);
    assertThat(rest(image, python(), 3700, true)).isEqualTo(Rung.IMAGE);
    assertThat(rest(image, python(), 10, false)).isEqualTo(Rung.IMAGE);
    FunctionSpec frozen = function(IMAGE, Optional.of(Rung.FROZEN));
    assertThat(rest(frozen, python(), 80_000, true)).isEqualTo(Rung.FROZEN);
    assertThat(rest(frozen, python(), 1, false)).as("a process is not started for nobody")
        .isEqualTo(Rung.IMAGE);
  }

  @Test
  void aHandlerIsFrozenOrGone() {
    FunctionSpec handler = function(new Source.Handler(Language.PYTHON, "a.py", "x = 1"), Optional.empty());

    assertThat(rest(handler, python(), 10, true)).isEqualTo(Rung.FROZEN);
    assertThat(rest(handler, python(), 3700, true)).isEqualTo(Rung.IMAGE);
    assertThat(rest(handler, python(), 1, false)).isEqualTo(Rung.IMAGE);
  }

  private Rung rest(FunctionSpec function, Costs costs, long idleSeconds, boolean up) {
    return policy.rest(function, costs, Duration.ofSeconds(idleSeconds), up, Optional.empty(), false);
  }

  private Rung advised(FunctionSpec function, Rung advice, long idleSeconds, boolean up) {
    return policy.rest(function, python(), Duration.ofSeconds(idleSeconds), up, Optional.of(advice), true);
  }

  /** As measured: docs/reference/instances.md. */
  private static Costs python() {
    return costs(function(IMAGE, Optional.empty()), 1_200, 101_000, 130_000, 150_000, 18L << 20, 12L << 20);
  }

  private static Costs costs(FunctionSpec function, long frozen, long armed, long created, long image,
      long running, long armedBytes) {
    Costs costs = new Costs(function);
    costs.resumed(Rung.FROZEN, Duration.ofNanos(frozen * 1000));
    costs.resumed(Rung.ARMED, Duration.ofNanos(armed * 1000));
    costs.resumed(Rung.CREATED, Duration.ofNanos(created * 1000));
    costs.resumed(Rung.IMAGE, Duration.ofNanos(image * 1000));
    costs.held(Rung.FROZEN, running);
    costs.held(Rung.ARMED, armedBytes);
    return costs;
  }

  private static FunctionSpec function(Source source, Optional<Rung> rest) {
    return new FunctionSpec(new FunctionName("a"), source, 8080, List.of(), Optional.empty(),
        new Limits(64 << 20, 1, 64), new Scaling(0, 1, 8, Duration.ofHours(1), rest, Priority.NORMAL),
        Duration.ofSeconds(5), Map.of());
  }
}
