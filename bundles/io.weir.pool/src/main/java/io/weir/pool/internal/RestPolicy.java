package io.weir.pool.internal;

import io.weir.function.FunctionSpec;
import io.weir.function.Rung;
import io.weir.function.Source;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * On which rung a function rests: the one whose cost is least, where the cost of a rung is
 * {@code expected calls per second × seconds a call would wait × price of waiting + memory held × price of
 * memory}, with what this device was measured to take. One policy for all functions; thread-safe.
 */
final class RestPolicy {
  private static final double MIB = 1 << 20;
  private static final List<Rung> OF_IMAGES = List.of(Rung.FROZEN, Rung.ARMED, Rung.CREATED, Rung.IMAGE);
  /** A runner is preloaded, not created for its function, so there is nothing between. */
  private static final List<Rung> OF_HANDLERS = List.of(Rung.FROZEN, Rung.IMAGE);

  private final Settings settings;
  private final Budget budget;

  RestPolicy(Settings settings, Budget budget) {
    this.settings = settings;
    this.budget = budget;
  }

  /** Without a forecast: as long as the last call is ago, the next one is ahead. */
  private static double callsPerSecond(Duration idle) {
    return 1 / Math.max(1, idle.toNanos() / 1e9);
  }

  static List<Rung> rungs(FunctionSpec spec) {
    return spec.source() instanceof Source.Handler ? OF_HANDLERS : OF_IMAGES;
  }

  /**
   * Where the function rests.
   *
   * @param idle since its last call, or since it was declared
   * @param up whether it has an instance that is up; a process is not started for nobody
   * @param advised where it should rest by the forecaster's advice
   * @param mayPrewarm whether a process may be started for a call that is likely
   */
  Rung rest(FunctionSpec spec, Costs costs, Duration idle, boolean up, Optional<Rung> advised,
      boolean mayPrewarm) {
    if (spec.scaling().rest().equals(Optional.of(Rung.RUNNING))) {
      return Rung.RUNNING;
    }
    boolean expired = idle.compareTo(spec.scaling().idle()) > 0;
    if (spec.scaling().rest().isPresent()) {
      Rung wanted = spec.scaling().rest().get();
      return up && !expired ? (idle.compareTo(settings.freezeAfter()) > 0 ? Rung.FROZEN : Rung.RUNNING)
          : up || wanted != Rung.FROZEN ? wanted : Rung.IMAGE;
    }
    if (up && idle.compareTo(settings.freezeAfter()) <= 0 && !budget.pressed()) {
      return Rung.RUNNING;
    }
    if (advised.isPresent()) {
      boolean warm = advised.get().compareTo(Rung.FROZEN) >= 0;
      if (warm ? up && !expired || !up && mayPrewarm : advised.get() != Rung.ARMED || !budget.pressed()) {
        return warm ? Rung.FROZEN : advised.get();
      }
    }
    return cheapest(spec, costs, idle, up && !expired);
  }

  /** By the fixed rule, without a forecast. */
  Rung cheapest(FunctionSpec spec, Costs costs, Duration idle, boolean mayBeUp) {
    double calls = callsPerSecond(idle);
    Rung best = Rung.IMAGE;
    double least = Double.MAX_VALUE;
    for (Rung rung : rungs(spec)) {
      if (rung == Rung.FROZEN && !mayBeUp || budget.pressed() && rung == Rung.ARMED) {
        continue;
      }
      double cost = calls * costs.resumeSeconds(rung) * settings.delayPrice()
          + costs.memoryBytes(rung) / MIB * budget.price();
      if (cost < least) {
        least = cost;
        best = rung;
      }
    }
    return best;
  }
}
