package io.weir.forecast;

import io.weir.function.FunctionName;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Expects arrivals from those it observed, and advises where a function should rest between them. Thread-safe; nothing
 * blocks. Time is what callers say it is: a clock that jumps back is taken to stand still until it has caught up.
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

  /** For people; empty if the function was never observed. */
  Optional<ForecastReport> report(FunctionName function, Instant now);

  /** Functions whose advice may have changed although none of their own calls arrived, as another's call announces theirs. */
  List<FunctionName> announced();

  /** Forgets functions that are no longer declared, all but these. */
  void retain(Set<FunctionName> functions);
}
