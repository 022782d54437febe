package io.weir.bench.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SimulationTest {
  private static final Device DEVICE = Device.of("created=200/0,frozen=2/32", 600_000, 4_096);

  private static Trace calls(long... at) {
    Trace.Builder builder = new Trace.Builder();
    for (long each : at) {
      builder.add(each, "f", 1_000);
    }
    return builder.build("calls", 0, 1_000_000);
  }

  private static Outcome run(String policy, Trace trace) {
    return new Simulation(policy, trace, DEVICE, Platforms.of(trace, DEVICE).get(policy).get()).run();
  }

  @Test
  void aKeepAliveIsPaidUntilItEndsAndSparesAColdStartWithinIt() {
    Outcome outcome = run("keep-1m", calls(0, 30_000, 200_000));

    assertThat(outcome.cold()).isEqualTo(2);
    assertThat(outcome.coldSeconds()).isEqualTo(0.4);
    // 0.2 + 1 s of work, idle until 30 s, 1 s of work, then a minute; and 1.2 s with a minute at the end.
    assertThat(outcome.memory()).isCloseTo(32 * (91 + 61.2), within(0.1));
  }

  @Test
  void callsThatComeWhileAnInstanceStartsWaitForTheRest() {
    Outcome outcome = run("none", calls(0, 50, 150, 5_000));

    assertThat(outcome.cold()).isEqualTo(4);
    assertThat(outcome.delays()).containsExactly(50, 150, 200, 200);
  }

  @Test
  void alwaysOnHasNoColdStartAndHoldsAll() {
    Outcome outcome = run("always-on", calls(0, 500_000));

    assertThat(outcome.cold()).isZero();
    assertThat(outcome.memory()).isCloseTo(32_000, within(1.0));
  }

  @Test
  void aBudgetThatIsFullRefusesPrewarms() {
    Trace trace = Shapes.of("timers", 1);
    Device tight = Device.of(Device.USUAL_RUNGS, 600_000, 40);

    Platform weir = Platforms.of(trace, tight).get("weir").get();
    Outcome outcome = new Simulation("weir", trace, tight, weir).run();

    assertThat(outcome.refused()).isPositive();
  }

  @Test
  void theSameSeedIsTheSameTraceAndAnotherIsNot() {
    for (String shape : Shapes.names()) {
      Trace trace = Shapes.of(shape, 7);
      assertThat(trace.calls()).as(shape).isEqualTo(Shapes.of(shape, 7).calls())
          .isNotEqualTo(Shapes.of(shape, 8).calls());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"timers", "chain", "casas", "silence", "rare"})
  void weirsChoiceCostsLittleMoreThanTheBestSingleForecaster(String shape) {
    // Looser than what docs/forecast.md claims of many seeds: one seed each.
    ReplayBench bench = new ReplayBench(Shapes.of(shape, 11), Device.of(Device.USUAL_RUNGS, 600_000, 4_096));

    assertThat(bench.overBest()).as(bench.table()).isLessThan(1.08);
    assertThat(ReplayBench.report(List.of(bench), java.util.Map.of()).get("rows")).isInstanceOf(List.class);
    assertThat(bench.svg()).contains("weir");
    assertThat(bench.dominating()).as(bench.table()).isEmpty();
    assertThat(ReplayBench.summary(List.of(bench))).contains("1 among the policies of others");
  }
}
