package io.weir.pool.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.engine.ContainerStats;
import io.weir.engine.FunctionUsage;
import io.weir.engine.Pressure;
import io.weir.function.FunctionName;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class UsageLedgerTest {
  private static final FunctionName A = new FunctionName("a");
  private static final FunctionName B = new FunctionName("b");

  private final UsageLedger ledger = new UsageLedger();

  @Test
  void cpuTimeSurvivesTheInstancesThatUsedIt() {
    ledger.measured(A, "1", new ContainerStats(100, 7, 64, 2));
    ledger.measured(A, "1", new ContainerStats(150, 8, 64, 3));
    ledger.measured(A, "2", new ContainerStats(30, 5, 64, 1));
    assertThat(view(A)).isEqualTo(new FunctionUsage(A, 2, 180, 13, 128, 4, Optional.empty()));

    ledger.measured(A, "1", new ContainerStats(170, 8, 64, 3));
    ledger.ended(A, "1");
    ledger.ended(A, "1");

    assertThat(view(A)).isEqualTo(new FunctionUsage(A, 1, 200, 5, 64, 1, Optional.empty()));
  }

  @Test
  void pressureIsThatOfWhoeverWaitsMost() {
    ledger.measured(A, "1", new ContainerStats(1, 1, 1, 1, Optional.of(new Pressure(10, 0, 3))));
    ledger.measured(A, "2", new ContainerStats(1, 1, 1, 1, Optional.of(new Pressure(4, 2, 0))));
    ledger.measured(A, "3", new ContainerStats(1, 1, 1, 1));

    assertThat(view(A).pressure()).contains(new Pressure(10, 2, 3));
  }

  @Test
  void whoNeverRanHasUsedNothingAndWhoIsForgottenToo() {
    ledger.measured(A, "1", new ContainerStats(1, 1, 1, 1));
    ledger.forget(A);
    ledger.ended(A, "1");

    assertThat(ledger.view(Set.of(B, A))).containsExactly(new FunctionUsage(A, 0, 0, 0, 0, 0, Optional.empty()),
        new FunctionUsage(B, 0, 0, 0, 0, 0, Optional.empty()));
  }

  private FunctionUsage view(FunctionName function) {
    return ledger.view(Set.of(function)).get(0);
  }
}
