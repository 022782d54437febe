package io.weir.bench.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LiveTest {
  private static final Device DEVICE = Device.of("created=200/0.3,frozen=2/32", 600_000, 4_096);
  private static final long MINUTE = 60_000;

  /** Containers without delays of their own, on a clock that goes as the loop waits. */
  private static final class Fake implements Live.Containers, Live.Pace {
    private record News(long at, long number, Runnable what) {}

    private final Trace trace;
    private final Queue<Long> refusedMoves = new ArrayDeque<>();
    private final PriorityQueue<News> post =
        new PriorityQueue<>(Comparator.comparingLong(News::at).thenComparingLong(News::number));
    private final boolean[] up;
    private final long[] ready;
    private long now;
    private long number;

    Fake(Trace trace) {
      this.trace = trace;
      now = trace.begin();
      up = new boolean[trace.functions().size()];
      ready = new long[up.length];
    }

    private void later(long millis, Runnable what) {
      post.add(new News(now + millis, number++, what));
    }

    @Override
    public long now() {
      return now;
    }

    @Override
    public @Nullable Runnable next(long until) {
      if (!post.isEmpty() && post.peek().at() <= until) {
        now = Math.max(now, post.peek().at());
        return post.poll().what();
      }
      now = Math.max(now, until);
      return null;
    }

    private void start(int function) {
      if (!up[function]) {
        up[function] = true;
        ready[function] = now + 200;
      }
    }

    @Override
    public void call(int function, Consumer<Live.Answer> answered) {
      start(function);
      long waits = Math.max(0, ready[function] - now);
      later(waits + trace.calls().get(0).millis(), () -> answered.accept(new Live.Answer(false, waits)));
    }

    @Override
    public void move(int function, int rung, BooleanSupplier wanted, Runnable done) {
      if (refusedMoves.poll() == null && wanted.getAsBoolean()) {
        if (rung == DEVICE.warm()) {
          start(function);
        } else {
          up[function] = false;
        }
      }
      later(up[function] ? Math.max(0, ready[function] - now) : 0, done);
    }
  }

  private static Live.Result live(String policy, Trace trace, Fake fake) {
    return Live.of(policy, trace, DEVICE, fake, fake).run();
  }

  @ParameterizedTest
  @ValueSource(strings = {"weir", "keep-10m", "none", "hybrid-histogram"})
  void onContainersThatDoAsTheSimulationAssumesItFindsWhatTheSimulationDoes(String policy) {
    Trace trace = Shapes.quietMerl(3).working(20);

    Live.Result live = live(policy, trace, new Fake(trace));

    Outcome simulated = Simulation.of(policy, trace, DEVICE, DEVICE).run();
    assertThat(live.calls()).isEqualTo(simulated.calls());
    assertThat(live.failed()).isZero();
    assertThat(live.coldShare()).isCloseTo(simulated.coldShare(), within(0.005));
    assertThat(live.memory()).isCloseTo(simulated.memory(), within(0.02 * simulated.memory()));
    assertThat(live.felt(0.5)).isEqualTo(policy.equals("none") ? 200 : 0);
    assertThat(live.felt(1)).isEqualTo(200);
    assertThat(live.waits()).isNotEmpty().allMatch(wait -> wait == 200);
    assertThat(live.prewarms()).allMatch(took -> took == 200);
    assertThat(live.prewarms().isEmpty()).isEqualTo(policy.equals("keep-10m") || policy.equals("none"));
    assertThat(live.work()).isCloseTo(20, within(1.0));
  }

  @Test
  void whoWasNotMovedIsMovedAgainOnceItIsKnown() {
    Trace.Builder builder = new Trace.Builder();
    builder.add(0, "f", 20);
    builder.add(30 * MINUTE, "f", 20);
    Trace trace = builder.build("calls", 0, 60 * MINUTE);
    Fake fake = new Fake(trace);
    fake.refusedMoves.add(1L);

    Live.Result live = live("keep-10m", trace, fake);

    // The move after the first call was lost, so the second one is warm, and the loop goes on.
    assertThat(live.cold()).isEqualTo(1);
    assertThat(live.starts()).isEqualTo(2);
    assertThat(fake.up[0]).isFalse();
  }

  @Test
  void compressedTimeChangesNothingButTheUnit() {
    Trace trace = Shapes.quietMerl(5);
    Device slow = DEVICE.compressed(10);

    assertThat(slow.twoStates().delay() * 10).isCloseTo(DEVICE.twoStates().delay(), within(1e-6));
    assertThat(slow.resumeMillis(0)).isEqualTo(2_000);
    assertThat(Simulation.of("keep-10m", trace, slow, slow).run().cost(slow))
        .isCloseTo(Simulation.of("keep-10m", trace, DEVICE, DEVICE).run().cost(DEVICE), within(0.05 * 1e8));
    assertThat(slow.starting(0.5, 0.2)).satisfies(slower -> {
      assertThat(slower.resumeMillis(0)).isEqualTo(500);
      assertThat(slower.aheadMillis(0)).isEqualTo(200);
    });
  }
}
