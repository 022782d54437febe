package io.weir.forecast;

import io.weir.function.FunctionName;
import java.time.Duration;

/**
 * Expects arrivals. Register one as a service; without one the pool expects the next call of a function after as long
 * as the last was ago. Thread-safe and quick: asked for every idle function several times a second.
 */
public interface LoadForecaster {
  /**
   * Calls of a function that are expected per second from now on.
   *
   * @param idle how long ago the last call was, or the declaration if there was none
   */
  double arrivalsPerSecond(FunctionName function, Duration idle);
}
