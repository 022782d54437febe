package io.weir.pool.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Limits;
import io.weir.function.Rung;
import io.weir.function.Scaling;
import io.weir.function.Source;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CostsTest {
  private static final FunctionSpec FUNCTION = new FunctionSpec(new FunctionName("a"), new Source.Image("a:1"), 8080, List.of(),
      Optional.empty(), new Limits(64 << 20, 1, 64), new Scaling(0, 1, 8, Duration.ofHours(1)), Duration.ofSeconds(5), Map.of());
  @TempDir Path folder;

  @Test
  void oneSlowStartDoesNotCount() {
    Costs costs = new Costs(FUNCTION);
    for (int millis : new int[] {100, 110, 2000, 105, 90}) {
      costs.resumed(Rung.CREATED, Duration.ofMillis(millis));
    }

    assertThat(costs.resumeSeconds(Rung.CREATED)).isEqualTo(0.105);
  }

  @Test
  void whatHeldLongAgoIsForgotten() {
    Costs costs = new Costs(FUNCTION);
    for (int i = 0; i < 20; i++) {
      costs.resumed(Rung.FROZEN, Duration.ofMillis(i < 10 ? 50 : 1));
    }

    assertThat(costs.resumeSeconds(Rung.FROZEN)).isEqualTo(0.001);
  }

  @Test
  void anUnknownInstanceIsChargedItsLimitAndAKnownOneWhatOthersHeld() {
    Costs costs = new Costs(FUNCTION);
    assertThat(costs.expectedBytes()).isEqualTo(64 << 20);

    costs.held(Rung.RUNNING, 8 << 20);
    assertThat(costs.expectedBytes()).isEqualTo(10 << 20);

    costs.held(Rung.RUNNING, 63 << 20);
    costs.held(Rung.RUNNING, 63 << 20);
    assertThat(costs.expectedBytes()).as("never more than its limit").isEqualTo(64 << 20);
  }

  @Test
  void aDamagedFileIsLeftOutLineByLine() throws Exception {
    Path file = folder.resolve("calibration.properties");
    String key = "a." + FUNCTION.revision();
    Files.writeString(file, key + ".frozen.resume=12x,7\n" + key + ".armed.resume=8000\n" + key + ".at=yesterday\n");

    Costs costs = new CostLedger(file).costs(FUNCTION);

    assertThat(costs.unknown(Rung.FROZEN)).isTrue();
    assertThat(costs.resumeSeconds(Rung.ARMED)).isEqualTo(0.008);
  }

  @Test
  void functionsThatAreNoMoreLeaveTheFile() throws Exception {
    Path file = folder.resolve("calibration.properties");
    CostLedger ledger = new CostLedger(file);
    ledger.costs(FUNCTION).resumed(Rung.ARMED, Duration.ofMillis(8));
    ledger.save(Set.of(FUNCTION));
    assertThat(Files.readString(file)).contains(".armed.resume=8000");
    FunctionSpec other = new FunctionSpec(new FunctionName("b"), FUNCTION.source(), 8080, List.of(), Optional.empty(),
        FUNCTION.limits(), FUNCTION.scaling(), FUNCTION.timeout(), Map.of());
    ledger.costs(other).resumed(Rung.ARMED, Duration.ofMillis(9));

    ledger.save(Set.of(other));

    assertThat(Files.readString(file)).contains("b.").doesNotContain(".armed.resume=8000");
  }
}
