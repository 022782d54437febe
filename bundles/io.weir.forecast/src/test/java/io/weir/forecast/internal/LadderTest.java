package io.weir.forecast.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.forecast.Prices;
import io.weir.forecast.RungCost;
import io.weir.function.Rung;
import java.util.List;
import org.junit.jupiter.api.Test;

class LadderTest {
  private static final long MIB = 1 << 20;

  private static Ladder of(double memory, RungCost... rungs) {
    return new Ladder(new Prices(List.of(rungs), 600_000, memory));
  }

  @Test
  void aRungThatSavesLessPerMibThanAMixtureOfOthersIsLeftOut() {
    Ladder ladder = of(1, new RungCost(Rung.IMAGE, 0.25, 0), new RungCost(Rung.ARMED, 0.24, 16 * MIB),
        new RungCost(Rung.FROZEN, 0.002, 32 * MIB));

    assertThat(ladder.rungs()).extracting(RungCost::rung).containsExactly(Rung.IMAGE, Rung.FROZEN);
    assertThat(ladder.worth(1)).isBetween(4_600_000f, 4_700_000f);
  }

  @Test
  void aRungThatIsRightForANarrowRangeOfRatesOnlyIsLeftOut() {
    RungCost created = new RungCost(Rung.CREATED, 0.2, 0);
    RungCost frozen = new RungCost(Rung.FROZEN, 0.002, 32 * MIB);

    assertThat(of(1, created, new RungCost(Rung.ARMED, 0.12, 12 * MIB), frozen).rungs()).hasSize(2);
    assertThat(of(1, created, new RungCost(Rung.ARMED, 0.06, 12 * MIB), frozen).rungs()).hasSize(3);
  }

  @Test
  void dearMemoryMakesWarmthWorthLess() {
    RungCost cold = new RungCost(Rung.CREATED, 0.2, 0);
    RungCost warm = new RungCost(Rung.FROZEN, 0.002, 32 * MIB);

    float atOnce = of(1, cold, warm).worth(1);
    assertThat(of(20, cold, warm).worth(1) * 20).isBetween(atOnce * 0.99f, atOnce * 1.01f);
  }

  @Test
  void oneRungIsALadderToo() {
    Ladder ladder = of(1, new RungCost(Rung.RUNNING, 0, 32 * MIB));

    assertThat(ladder.warmest().rung()).isEqualTo(Rung.RUNNING);
    assertThat(ladder.savedSeconds()).isZero();
  }
}
