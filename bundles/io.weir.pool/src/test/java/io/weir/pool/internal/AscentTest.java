package io.weir.pool.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.engine.Instance.State;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Limits;
import io.weir.function.Scaling;
import io.weir.function.Source;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AscentTest {
  private static final long SECOND = 1_000_000_000L;

  private final FunctionSpec spec = new FunctionSpec(new FunctionName("a"), new Source.Image("a:1"), 8080,
      List.of(), Optional.empty(), new Limits(64 << 20, 1, 64), new Scaling(0, 1, 8, Duration.ofHours(1)),
      Duration.ofSeconds(5), Map.of());
  private final List<Runnable> todo = new ArrayList<>();
  private Roster roster;
  private Ascent ascent;
  private Slot frozen;

  @BeforeEach
  void begin(@TempDir Path data) {
    CostLedger ledger = new CostLedger(data.resolve("calibration.properties"));
    roster = new Roster(spec, new Home(null, new KernelSide(null), null, null, null, ledger, null, null, null,
        () -> 0), null, false);
    ascent = new Ascent(roster, null, null);
    frozen = Slot.adopted("weir-a-1", "id", new InetSocketAddress("127.0.0.1", 1), spec, 0);
    frozen.enter(State.FREEZING);
    frozen.enter(State.FROZEN);
    roster.slots.add(frozen);
  }

  private void load(double second, int requests) {
    roster.inFlight = requests;
    roster.loadChanged((long) (second * SECOND));
  }

  @Test
  void aBurstThatIsOverThawsNothing() {
    load(0, 100);
    load(1, 0);

    ascent.autoscale(3 * SECOND, todo);

    assertThat(todo).isEmpty();
    assertThat(frozen.state()).isEqualTo(State.FROZEN);
  }

  @Test
  void aLoadThatLastsThawsWhatIsFrozen() {
    load(0, 100);

    ascent.autoscale(3 * SECOND, todo);

    assertThat(todo).isNotEmpty();
    assertThat(frozen.state()).isEqualTo(State.THAWING);
  }
}
