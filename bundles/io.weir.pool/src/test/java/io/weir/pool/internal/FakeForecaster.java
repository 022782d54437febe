package io.weir.pool.internal;

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
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Expects what it was told to. */
final class FakeForecaster implements ArrivalForecaster {
  private record Warm(Instant head, Instant tail) {}

  private final List<Arrival> arrivals = new ArrayList<>();
  private final Map<FunctionName, Warm> warm = new HashMap<>();
  private final Map<FunctionName, FunctionName> follows = new HashMap<>();
  private final List<FunctionName> announced = new ArrayList<>();
  private Set<FunctionName> retained = Set.of();
  private int asked;
  /** Where functions are to rest that are not expected. */
  volatile Rung cold = Rung.IMAGE;
  /** Whether it breaks its promise. */
  volatile boolean failing;

  /** Says that the function is to be warm then, and {@link #cold} at other times. */
  synchronized void expect(String function, Instant head, Instant tail) {
    warm.put(new FunctionName(function), new Warm(head, tail));
  }

  /** Says so ten seconds after the other one was called. */
  synchronized void expectAfter(String function, String other) {
    follows.put(new FunctionName(other), new FunctionName(function));
  }

  synchronized List<Arrival> arrivals() {
    return List.copyOf(arrivals);
  }

  synchronized int asked() {
    return asked;
  }

  synchronized Set<FunctionName> retained() {
    return retained;
  }

  @Override
  public synchronized void observe(Arrival arrival) {
    if (failing) {
      throw new IllegalStateException("broken");
    }
    arrivals.add(arrival);
    FunctionName follower = follows.get(arrival.function());
    if (follower != null) {
      warm.put(follower, new Warm(arrival.at().plusSeconds(10), arrival.at().plusSeconds(20)));
      announced.add(follower);
    }
  }

  @Override
  public Forecast expected(FunctionName function, Instant now, Duration horizon) {
    return Forecast.NONE;
  }

  @Override
  public synchronized Advice advise(FunctionName function, Prices prices, Instant now) {
    if (failing) {
      throw new IllegalStateException("broken");
    }
    asked++;
    Warm when = warm.get(function);
    boolean is = when != null && !now.isBefore(when.head) && now.isBefore(when.tail);
    Instant until = is ? when.tail : when != null && now.isBefore(when.head) ? when.head
        : now.plusSeconds(3600);
    return new Advice(is ? Rung.FROZEN : cold, until, "fake", "");
  }

  @Override
  public Optional<ForecastReport> report(FunctionName function, Prices prices, Instant now) {
    return Optional.of(new ForecastReport(function, "fake", 0, Optional.empty(), List.of(), List.of()));
  }

  @Override
  public synchronized List<FunctionName> announced() {
    List<FunctionName> all = List.copyOf(announced);
    announced.clear();
    return all;
  }

  @Override
  public synchronized void retain(Set<FunctionName> functions) {
    retained = functions;
  }
}
