package io.weir.forecast;

import io.weir.function.FunctionName;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Expects arrivals from those it observed, and advises where a function should rest between them. Thread-safe; nothing
 * blocks. Time is what callers say it is; if their clock is set back, it goes on from where it was.
 *
 * <pre>{@code
 * forecaster.observe(new Arrival(name, clock.instant()));          // each request, as it arrives
 * Advice advice = forecaster.advise(name, prices, clock.instant()); // each idle function, at advice.until()
 * }</pre>
 */
public interface ArrivalForecaster {

  /** Learns from an arrival, within a microsecond or so. */
  void observe(Arrival arrival);

  /** Arrivals of a function that are expected within a horizon from now on; none of one that was never observed. */
  Forecast expected(FunctionName function, Instant now, Duration horizon);

  /** Where a function without work should rest now, and when to ask again. */
  Advice advise(FunctionName function, Prices prices, Instant now);

  /** What was learned, at these prices, for people; empty if the function was never observed. */
  Optional<ForecastReport> report(FunctionName function, Prices prices, Instant now);

  /**
   * Functions whose advice may have changed, since this was asked last, although none of their own calls arrived: another's
   * call announces theirs. For one caller.
   */
  List<FunctionName> announced();

  /** Forgets all functions but these. */
  void retain(Set<FunctionName> functions);
}
