package io.weir.forecast.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.forecast.Arrival;
import io.weir.function.FunctionName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StateFileTest {
  private static final FunctionName TIMER = new FunctionName("timer");
  private static final FunctionName AFTER = new FunctionName("after");
  private static final Instant BEGIN = Instant.parse("2026-01-05T00:00:00Z");

  private static Forecasts learned() {
    Forecasts forecasts = new Forecasts();
    for (int i = 0; i < 12; i++) {
      forecasts.observe(new Arrival(TIMER, BEGIN.plusSeconds(1_800L * i)));
      forecasts.observe(new Arrival(AFTER, BEGIN.plusSeconds(1_800L * i + 3)));
    }
    return forecasts;
  }

  @Test
  void whatWasLearnedSurvivesARestart(@TempDir Path folder) throws IOException {
    Forecasts before = learned();
    StateFile file = new StateFile(folder.resolve("data/forecasts.bin"));
    file.save(before);

    Forecasts after = new StateFile(folder.resolve("data/forecasts.bin")).load(Forecasts::new);

    for (int seconds = 11 * 1_800 + 60; seconds < 13 * 1_800; seconds += 97) {
      Instant now = BEGIN.plusSeconds(seconds);
      for (FunctionName function : new FunctionName[] {TIMER, AFTER}) {
        assertThat(after.advise(function, ForecastsTest.PRICES, now))
            .isEqualTo(before.advise(function, ForecastsTest.PRICES, now));
      }
    }
    Instant now = BEGIN.plusSeconds(12 * 1_800);
    assertThat(after.report(TIMER, ForecastsTest.PRICES, now))
        .isEqualTo(before.report(TIMER, ForecastsTest.PRICES, now));
  }

  @Test
  void aGapInWhichNobodyObservedTeachesNothing(@TempDir Path folder) throws IOException {
    StateFile file = new StateFile(folder.resolve("forecasts.bin"));
    file.save(learned());
    Forecasts after = file.load(Forecasts::new);
    long misses = misses(after);

    after.observe(new Arrival(TIMER, BEGIN.plusSeconds(1_800L * 40 + 700)));

    assertThat(misses(after)).isEqualTo(misses);
  }

  @Test
  void theGatewaysForecastsGoOnAfterItsRestart(@TempDir Path folder) {
    KeptForecasts gateway = new KeptForecasts(folder);
    for (int i = 0; i < 5; i++) {
      gateway.observe(new Arrival(TIMER, BEGIN.plusSeconds(600L * i)));
    }
    gateway.close();

    KeptForecasts next = new KeptForecasts(folder);

    assertThat(next.report(TIMER, ForecastsTest.PRICES, BEGIN.plusSeconds(3_000)).orElseThrow().arrivals())
        .isEqualTo(5);
    next.close();
  }

  private static long misses(Forecasts forecasts) {
    return forecasts.report(TIMER, ForecastsTest.PRICES, BEGIN.plusSeconds(1_800L * 41)).orElseThrow()
        .candidates().stream().mapToLong(candidate -> candidate.today().misses()).sum();
  }

  @Property(tries = 60)
  void aDamagedFileIsSetAside(@ForAll @IntRange(max = 1_000_000) int place,
      @ForAll @IntRange(max = 2) int kind) throws IOException {
    Path folder = Files.createTempDirectory("weir-forecast");
    try {
      Path path = folder.resolve("forecasts.bin");
      StateFile file = new StateFile(path);
      file.save(learned());
      byte[] bytes = Files.readAllBytes(path);
      int at = place % bytes.length;
      byte[] damaged = kind == 0 ? java.util.Arrays.copyOf(bytes, at) : bytes;
      if (kind > 0) {
        damaged[at] ^= (byte) (kind == 1 ? 1 : 0x80);
      }
      Files.write(path, damaged);

      Forecasts forecasts = file.load(Forecasts::new);

      assertThat(forecasts.report(TIMER, ForecastsTest.PRICES, BEGIN)).isEmpty();
      assertThat(folder.resolve("forecasts.bin.damaged")).hasBinaryContent(damaged);
      assertThat(path).doesNotExist();
      file.save(forecasts);
      assertThat(path).exists();
    } finally {
      try (java.util.stream.Stream<Path> files = Files.list(folder)) {
        for (Path each : files.toList()) {
          Files.delete(each);
        }
      }
      Files.delete(folder);
    }
  }
}
