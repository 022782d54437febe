package io.weir.forecast.internal;

import com.workday.insights.timeseries.arima.struct.ArimaParams;
import com.workday.insights.timeseries.arima.struct.ForecastResult;
import java.util.Arrays;
import java.util.Optional;

/**
 * Forecasts the next idle time with ARIMA(1,1,0), fitted by the method of Hannan and Rissanen (Biometrika
 * 1982). Shahrad et al. choose the order anew each time; a dozen values do not support more than this.
 */
final class Arima {
  private Arima() {}

  /**
   * The next value of a series, within the range of what it was; the last one if no model fits; empty of an
   * empty one.
   */
  static Optional<Double> next(double[] series) {
    if (series.length == 0) {
      return Optional.empty();
    }
    double least = Arrays.stream(series).min().orElse(0);
    double most = Arrays.stream(series).max().orElse(0);
    if (most - least < 1e-3 * most) {
      return Optional.of(most);
    }
    try {
      ForecastResult result = com.workday.insights.timeseries.arima.Arima.forecast_arima(series.clone(), 1,
          new ArimaParams(1, 1, 0, 0, 0, 0, 0));
      double next = result.getForecast()[0];
      if (Double.isFinite(next)) {
        return Optional.of(Math.min(most, Math.max(least, next)));
      }
    } catch (RuntimeException e) {
      // The library says so when a series cannot be fitted, be it too short or of a constant slope.
    }
    return Optional.of(series[series.length - 1]);
  }
}
