package io.weir.forecast.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.forecast.Advice;
import io.weir.forecast.Arrival;
import io.weir.forecast.Forecast;
import io.weir.forecast.ForecastReport;
import io.weir.forecast.Prices;
import io.weir.forecast.RungCost;
import io.weir.function.FunctionName;
import io.weir.function.Rung;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class ForecastsTest {
  static final Prices PRICES = new Prices(List.of(new RungCost(Rung.CREATED, 0.2, 300 << 10),
      new RungCost(Rung.ARMED, 0.12, 12 << 20), new RungCost(Rung.FROZEN, 0.002, 32 << 20)), 600_000, 1);
  private static final Instant BEGIN = Instant.parse("2026-01-05T00:00:00Z");
  private static final FunctionName A = new FunctionName("corridor");
  private static final FunctionName B = new FunctionName("door");

  private final Forecasts forecasts = new Forecasts();

  private void arrive(FunctionName function, Instant at) {
    forecasts.observe(new Arrival(function, at));
  }

  @Test
  void aTimerIsWarmAtItsTicksAndColdBetween() {
    for (int i = 0; i < 8; i++) {
      arrive(A, BEGIN.plusSeconds(1_800L * i));
    }
    Instant tick = BEGIN.plusSeconds(1_800L * 8);

    Instant half = tick.minusSeconds(900);
    assertThat(forecasts.advise(A, PRICES, half).rung()).isLessThan(Rung.FROZEN);
    assertThat(forecasts.advise(A, PRICES, half).by()).isEqualTo("timers");
    assertThat(forecasts.advise(A, PRICES, half).until()).isBetween(half, tick);
    Forecast next = forecasts.expected(A, half, Duration.ofHours(1));
    assertThat(next.mean()).isBetween(1.5, 2.0);
    assertThat(next.next()).hasValueSatisfying(window -> {
      assertThat(window.head()).isBetween(tick.minusSeconds(60), tick);
      assertThat(window.tail()).isBetween(tick, tick.plusSeconds(60));
      assertThat(window.probability()).isGreaterThan(0.8);
    });
    assertThat(forecasts.advise(A, PRICES, tick).rung()).isEqualTo(Rung.FROZEN);
  }

  @Test
  void whatFollowsIsWarmedBeforeItIsCalled() {
    Random random = new Random(1);
    Instant at = BEGIN;
    for (int i = 0; i < 60; i++) {
      arrive(A, at);
      if (i % 10 != 9) {
        arrive(B, at.plusMillis(2_300 + Math.round(400 * random.nextGaussian())));
      }
      at = at.plusSeconds(5_000 + random.nextInt(8_000));
    }
    forecasts.announced();

    assertThat(forecasts.advise(B, PRICES, at.minusSeconds(60)).rung()).isLessThan(Rung.FROZEN);
    arrive(A, at);

    assertThat(forecasts.announced()).containsExactly(B);
    assertThat(forecasts.advise(B, PRICES, at.plusMillis(1_500)).rung()).isEqualTo(Rung.FROZEN);
    assertThat(forecasts.advise(B, PRICES, at.plusMillis(1_500)).by()).isEqualTo("topology");
    assertThat(forecasts.advise(B, PRICES, at.plusSeconds(60)).rung()).isLessThan(Rung.FROZEN);
    ForecastReport report = forecasts.report(A, PRICES, at).orElseThrow();
    assertThat(report.followers()).hasSize(1).first().satisfies(follower -> {
      assertThat(follower.function()).isEqualTo(B);
      assertThat(follower.afterSeconds()).isBetween(2.0, 2.6);
      assertThat(follower.deviationSeconds()).isBetween(0.2, 0.6);
      assertThat(follower.probability()).isBetween(0.8, 1.0);
    });
  }

  @Test
  void anAnnouncementSoLateThatAStartCannotMeetItIsNoHit() {
    Random random = new Random(1);
    Instant at = BEGIN;
    for (int i = 0; i < 60; i++) {
      arrive(A, at);
      arrive(B, at.plusMillis(50));
      forecasts.advise(B, PRICES, at.plusMillis(100));   // by which it hears that a start takes 200 ms
      at = at.plusSeconds(5_000 + random.nextInt(8_000));
    }

    ForecastReport report = forecasts.report(B, PRICES, at).orElseThrow();
    assertThat(report.candidates()).filteredOn(candidate -> candidate.name().equals("topology")).first()
        .satisfies(topology -> assertThat(topology.yesterday().hits()).isZero());
  }

  @Test
  void aFunctionThatIsCalledOnceAndNeverAgainGoesCold() {
    arrive(A, BEGIN);

    Advice advice = forecasts.advise(A, PRICES, BEGIN.plus(Duration.ofDays(2)));

    assertThat(advice.rung()).isEqualTo(Rung.CREATED);
    assertThat(forecasts.advise(B, PRICES, BEGIN).rung()).isEqualTo(Rung.CREATED);
    assertThat(forecasts.report(B, PRICES, BEGIN)).isEmpty();
  }

  @Test
  void tenThousandArrivalsAtOneInstantAreOneBeginOfWork() {
    for (int i = 0; i < 10_000; i++) {
      arrive(A, BEGIN);
    }

    ForecastReport report = forecasts.report(A, PRICES, BEGIN).orElseThrow();
    assertThat(report.arrivals()).isEqualTo(10_000);
    assertThat(report.candidates()).allSatisfy(candidate -> {
      assertThat(candidate.today().misses()).isEqualTo(1);
      assertThat(candidate.today().hits()).isEqualTo(9_999);
    });
    assertThat(forecasts.expected(A, BEGIN.plusSeconds(1), Duration.ofMinutes(1)).mean()).isFinite();
  }

  @Test
  void aClockThatIsSetBackDoesNotStopLearning() {
    Instant at = BEGIN;
    for (int i = 0; i < 6; i++, at = at.plusSeconds(600)) {
      arrive(A, at);
    }
    Instant back = at.minus(Duration.ofDays(3_650));
    for (int i = 0; i < 8; i++, back = back.plusSeconds(600)) {
      arrive(A, back);
    }

    Advice between = forecasts.advise(A, PRICES, back.minusSeconds(300));
    assertThat(between.until()).isBetween(back.minusSeconds(300), back.plusSeconds(3_600));
    assertThat(forecasts.advise(A, PRICES, back).rung()).isEqualTo(Rung.FROZEN);
    assertThat(forecasts.expected(A, back.minusSeconds(300), Duration.ofSeconds(600)).next()).isPresent();
  }

  @Test
  void aClockThatIsSetAheadByAgesLeavesNothingThatCannotBeKept() throws IOException {
    for (int i = 0; i < 200; i++) {
      arrive(A, BEGIN.plus(Duration.ofDays(365_000_000L * i)));
      arrive(B, BEGIN.plus(Duration.ofDays(365_000_000L * i)).plusSeconds(3));
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    forecasts.write(new DataOutputStream(bytes));

    Forecasts again = new Forecasts();
    again.read(new DataInputStream(new ByteArrayInputStream(bytes.toByteArray())));

    Instant now = BEGIN.plus(Duration.ofDays(365_000_000L * 199)).plusSeconds(60);
    assertThat(again.advise(A, PRICES, now).until()).isAfter(now);
    assertThat(again.expected(A, now, Duration.ofHours(1)).high()).isFinite();
  }

  @Test
  void whoIsAnnouncedInVainAgainAndAgainIsNoLongerWarmedForIt() {
    Instant at = BEGIN;
    for (int i = 0; i < 40; i++, at = at.plusSeconds(9_000)) {
      arrive(A, at);
      arrive(B, at.plusMillis(2_300));
    }
    for (int i = 0; i < 12; i++, at = at.plusSeconds(9_000)) {
      arrive(A, at);
      forecasts.advise(B, PRICES, at.plusMillis(2_300));
    }

    arrive(A, at);

    assertThat(forecasts.advise(B, PRICES, at.plusMillis(2_300)).rung()).isLessThan(Rung.FROZEN);
  }

  @Test
  void whatIsNoLongerDeclaredIsForgotten() {
    arrive(A, BEGIN);
    arrive(B, BEGIN.plusSeconds(2));
    arrive(A, BEGIN.plusSeconds(600));
    arrive(B, BEGIN.plusSeconds(602));

    forecasts.retain(Set.of(A));

    assertThat(forecasts.report(B, PRICES, BEGIN.plusSeconds(700))).isEmpty();
    assertThat(forecasts.report(A, PRICES, BEGIN.plusSeconds(700)).orElseThrow().followers()).isEmpty();
  }

  @Property(tries = 150)
  void whateverTheClockSaysAdviceLiesAheadAndFiguresAreNumbers(
      @ForAll @Size(max = 50) List<@LongRange(min = -400_000_000_000L, max = 400_000_000_000L) Long> jumps,
      @ForAll long seed) {
    Forecasts any = new Forecasts();
    Random random = new Random(seed);
    long at = BEGIN.toEpochMilli();
    for (long jump : jumps) {
      // Mostly small steps, now and then years forth or back.
      at += random.nextInt(5) == 0 ? jump : jump % 4_000_000;
      at = Math.max(0, at);
      FunctionName function = random.nextBoolean() ? A : B;
      Instant now = Instant.ofEpochMilli(at);
      any.observe(new Arrival(function, now));
      Advice advice = any.advise(A, PRICES, now);
      assertThat(advice.until()).isAfter(now);
      Forecast forecast = any.expected(function, now, Duration.ofHours(1));
      assertThat(forecast.high()).isFinite();
      any.report(function, PRICES, now).orElseThrow().candidates().forEach(candidate -> {
        assertThat(candidate.today().memoryMibSeconds()).isFinite().isNotNegative();
        assertThat(candidate.today().delaySeconds()).isFinite().isNotNegative();
      });
    }
  }
}
