package io.weir.forecast;

import io.weir.function.Rung;
import java.util.List;

/**
 * What a function's rungs cost and what that is worth: what is weighed is
 * {@code seconds waited × delay + MiB held × seconds × memory}.
 *
 * @param rungs the rungs it can rest on; {@link Rung#FROZEN} or {@link Rung#RUNNING} is the warm one
 * @param delay MiB·s that one second of a caller's waiting is worth
 * @param memory price of one MiB·s: 1 while there is plenty, more as the budget fills
 */
public record Prices(List<RungCost> rungs, double delay, double memory) {

  /** @throws IllegalArgumentException if there is no rung, or a price is negative or no number */
  public Prices {
    rungs = List.copyOf(rungs);
    if (rungs.isEmpty() || !(delay >= 0 && delay < Double.POSITIVE_INFINITY)
        || !(memory >= 0 && memory < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("no prices: " + rungs + ", delay " + delay + ", memory " + memory);
    }
  }
}
