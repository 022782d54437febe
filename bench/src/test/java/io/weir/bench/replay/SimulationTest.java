package io.weir.bench.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SimulationTest {
  private static final Device DEVICE = Device.of("created=200/0,frozen=2/32", 600_000, 4_096);
  private static final Device DEVICE_WITH_LADDER = Device.of(Device.USUAL_RUNGS, 600_000, 4_096);

  private static Trace calls(long... at) {
    Trace.Builder builder = new Trace.Builder();
    for (long each : at) {
      builder.add(each, "f", 1_000);
    }
    return builder.build("calls", 0, 1_000_000);
  }

  private static Outcome run(String policy, Trace trace) {
    return run(policy, trace, DEVICE);
  }

  private static Outcome run(String policy, Trace trace, Device device) {
    return new Simulation(policy, trace, device, Platforms.of(trace, device).get(policy).get()).run();
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

    assertThat(run("weir", trace, tight).refused()).isPositive();
  }

  @Test
  void theSameSeedIsTheSameTraceAndAnotherIsNot() {
    for (String shape : Shapes.names()) {
      Trace trace = Shapes.of(shape, 7);
      assertThat(trace.calls()).as(shape).isEqualTo(Shapes.of(shape, 7).calls())
          .isNotEqualTo(Shapes.of(shape, 8).calls());
    }
  }

  /** The traces of docs/forecast.md, but for the recorded ones, which are not here. */
  @ParameterizedTest
  @MethodSource("io.weir.bench.replay.Shapes#names")
  void weirsChoiceCostsLittleMoreThanTheBestSingleForecasterAndIsOnTheFront(String shape) {
    List<ReplayBench> benches = LongStream.rangeClosed(1, 6).parallel()
        .mapToObj(seed -> new ReplayBench(Shapes.of(shape, seed), DEVICE_WITH_LADDER)).toList();

    assertThat(benches).allSatisfy(bench -> {
      assertThat(bench.withinBest()).as(bench.table()).isTrue();
      assertThat(bench.dominating()).as(bench.table()).isEmpty();
    });
  }

  @Test
  void aMerlLikeDayTakesLessThanProcessesThatAlwaysRun() {
    Trace trace = Shapes.of("merl", 1);

    Outcome serverless = run("weir", trace, DEVICE_WITH_LADDER);
    Outcome serverfull = run("always-on", trace, DEVICE_WITH_LADDER);

    assertThat(serverless.memory()).isLessThan(0.8 * serverfull.memory());
    assertThat(serverless.cpu()).isLessThan(0.05 * serverfull.cpu());
    assertThat(serverless.coldShare()).isLessThan(0.01);
  }

  @Test
  void anAnnouncementThatNoStartCanMeetDoesNotDrive() {
    // A picture's parts are looked at 0.15 s after it came, and a start takes 0.2 s; its timer is known.
    Device cheap = Device.of(Device.USUAL_RUNGS, 150_000, 4_096);
    Trace trace = Shapes.of("cnrpark", 21);

    Outcome weir = run("weir", trace, cheap);

    assertThat(weir.coldSeconds()).isLessThan(0.5 * run("only-topology", trace, cheap).coldSeconds());
  }

  @Test
  void aReportNamesWhatWasCompared() {
    ReplayBench bench = new ReplayBench(Shapes.of("chain", 11), DEVICE_WITH_LADDER);

    assertThat(ReplayBench.report(List.of(bench), Map.of()).get("rows")).isInstanceOf(List.class);
    assertThat(bench.svg()).contains("weir");
    assertThat(ReplayBench.summary(List.of(bench))).contains("1 among the policies of others");
  }
}
