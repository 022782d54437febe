package io.weir.forecast.internal;

import io.weir.forecast.Prices;
import io.weir.forecast.RungCost;
import io.weir.function.Rung;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The rungs that are worth resting on at some rate of calls, each with how many milliseconds of it one call
 * is worth against the next colder one:
 * {@code seconds saved × price of waiting / (MiB more × price of memory)}. Rungs that hold more and save less
 * per MiB than a mixture of others (those above the lower convex hull) are left out, as are those near it:
 * they would be right for a narrow range of rates only.
 */
final class Ladder {
  /** Until prices are known: a quarter of a second, 32 MiB, 600 000 MiB·s per second. */
  static final float USUAL_WORTH = 4_700_000;
  /** The same quarter of a second, milliseconds. */
  static final long USUAL_START = 250;
  private static final double MIB = 1 << 20;
  /** No forecast is so exact that it could tell apart rates of calls closer than this. */
  private static final double CLEARLY = 1.5;
  private static final double LEAST_MIB = 1.0 / 64;

  private final List<RungCost> hull = new ArrayList<>();
  private final Prices prices;

  Ladder(Prices prices) {
    this.prices = prices;
    List<RungCost> sorted = new ArrayList<>(prices.rungs());
    sorted.sort(Comparator.comparingLong(RungCost::memoryBytes).thenComparingDouble(RungCost::resumeSeconds));
    for (RungCost rung : sorted) {
      if (!hull.isEmpty() && rung.resumeSeconds() >= hull.get(hull.size() - 1).resumeSeconds()) {
        continue;
      }
      while (hull.size() >= 2 && slope(hull.get(hull.size() - 2), hull.get(hull.size() - 1))
          <= CLEARLY * slope(hull.get(hull.size() - 1), rung)) {
        hull.remove(hull.size() - 1);
      }
      hull.add(rung);
    }
  }

  private static double slope(RungCost colder, RungCost warmer) {
    return (colder.resumeSeconds() - warmer.resumeSeconds())
        / Math.max(LEAST_MIB, (warmer.memoryBytes() - colder.memoryBytes()) / MIB);
  }

  /** Coldest first; at least one. */
  List<RungCost> rungs() {
    return hull;
  }

  /** Milliseconds on a rung, counted from the coldest, that one call is worth against the next colder. */
  float worth(int rung) {
    double millisPerMib = 1_000 * slope(hull.get(rung - 1), hull.get(rung));
    double worth = millisPerMib * prices.delay() / Math.max(1e-6, prices.memory());
    return (float) Math.max(1, Math.min(1e12, worth));
  }

  RungCost warmest() {
    return hull.get(hull.size() - 1);
  }

  /**
   * What one call from the rung below the warmest waits more, seconds, and what the warmest holds more, MiB.
   */
  double savedSeconds() {
    return hull.size() < 2 ? 0 : hull.get(hull.size() - 2).resumeSeconds() - warmest().resumeSeconds();
  }

  double moreMib() {
    return hull.size() < 2 ? warmest().memoryBytes() / MIB
        : (warmest().memoryBytes() - hull.get(hull.size() - 2).memoryBytes()) / MIB;
  }

  boolean isWarm(Rung rung) {
    return rung == warmest().rung();
  }
}
