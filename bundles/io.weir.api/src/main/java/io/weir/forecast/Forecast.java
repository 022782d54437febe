package io.weir.forecast;

import java.util.Optional;

/**
 * How many arrivals are expected in a horizon, and when the next.
 *
 * @param mean expected number of arrivals, 0 or more
 * @param low number that is undercut in one case out of twenty
 * @param high number that is exceeded in one case out of twenty
 * @param next when the next one is expected; empty if none is
 */
public record Forecast(double mean, double low, double high, Optional<Window> next) {
  /** Nothing is expected. */
  public static final Forecast NONE = new Forecast(0, 0, 0, Optional.empty());

  /** @throws IllegalArgumentException unless 0 ≤ low ≤ mean ≤ high, all finite */
  public Forecast {
    if (!(0 <= low && low <= mean && mean <= high && high < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("no forecast: " + low + " <= " + mean + " <= " + high);
    }
  }
}
