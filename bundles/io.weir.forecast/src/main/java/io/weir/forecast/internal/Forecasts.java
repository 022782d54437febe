package io.weir.forecast.internal;

import io.weir.forecast.Advice;
import io.weir.forecast.Arrival;
import io.weir.forecast.ArrivalForecaster;
import io.weir.forecast.Forecast;
import io.weir.forecast.ForecastReport;
import io.weir.forecast.Prices;
import io.weir.function.FunctionName;
import io.weir.function.Rung;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;

/** The forecasts of all functions. */
@Component(name = "io.weir.forecast", configurationPolicy = ConfigurationPolicy.IGNORE)
public final class Forecasts implements ArrivalForecaster {
  private final Map<FunctionName, Instant> last = new ConcurrentHashMap<>();

  @Activate
  public Forecasts() {}

  @Override
  public void observe(Arrival arrival) {
    last.merge(arrival.function(), arrival.at(), (a, b) -> a.isAfter(b) ? a : b);
  }

  @Override
  public Forecast expected(FunctionName function, Instant now, Duration horizon) {
    return Forecast.NONE;
  }

  @Override
  public Advice advise(FunctionName function, Prices prices, Instant now) {
    return new Advice(Rung.FROZEN, now.plusSeconds(60), "none", "nothing is known yet");
  }

  @Override
  public Optional<ForecastReport> report(FunctionName function, Instant now) {
    return Optional.empty();
  }

  @Override
  public List<FunctionName> announced() {
    return List.of();
  }

  @Override
  public void retain(Set<FunctionName> functions) {
    last.keySet().retainAll(functions);
  }
}
