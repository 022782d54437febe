package io.weir.pool.internal;

import io.weir.forecast.Advice;
import io.weir.forecast.Arrival;
import io.weir.forecast.ArrivalForecaster;
import io.weir.forecast.ForecastReport;
import io.weir.forecast.Prices;
import io.weir.forecast.RungCost;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Rung;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the forecaster of arrivals, and asks it where functions should rest. While there is none, or the
 * configuration wants none, or it fails, nobody advises. Thread-safe; every call takes a microsecond or so.
 */
final class Forecasting {
  private static final Logger LOG = LoggerFactory.getLogger(Forecasting.class);
  /**
   * What the kernel counted is told a moment later; but what is told much later would seem a clock that was
   * set back.
   */
  private static final long LATEST_SECONDS = 2;

  private final Settings settings;
  private final Budget budget;
  private final InstantSource wall;
  private final Consumer<List<FunctionName>> announced;
  private final AtomicBoolean told = new AtomicBoolean();
  private volatile @Nullable ArrivalForecaster forecaster;
  /** Only for the thread that sweeps. */
  private Set<FunctionName> declared = Set.of();

  /** @param announced hears of functions whose advice is another one now, as another function was called */
  Forecasting(Settings settings, Budget budget, InstantSource wall, Consumer<List<FunctionName>> announced) {
    this.settings = settings;
    this.budget = budget;
    this.wall = wall;
    this.announced = announced;
  }

  void appeared(ArrivalForecaster service) {
    forecaster = service;
  }

  void disappeared(ArrivalForecaster service) {
    if (forecaster == service) {
      forecaster = null;
    }
  }

  /** Why nobody advises; empty if somebody does. */
  Optional<String> absence() {
    return !settings.forecast() ? Optional.of("forecast.enabled of " + OnDemandPool.PID + " is false")
        : forecaster == null ? Optional.of("no bundle forecasts (io.weir.forecast)") : Optional.empty();
  }

  Instant now() {
    return wall.instant();
  }

  /** A request for the function arrives now; call it without a lock. */
  void observe(FunctionName function) {
    if (settings.forecast() && forecaster != null) {
      observe(function, wall.instant(), 1);
    }
  }

  /** Requests for the function have arrived. */
  void observe(FunctionName function, Instant at, int count) {
    if (!settings.forecast() || forecaster == null) {
      return;
    }
    Instant earliest = wall.instant().minusSeconds(LATEST_SECONDS);
    Arrival arrival = new Arrival(function, at.isBefore(earliest) ? earliest : at);
    Optional<List<FunctionName>> others = asked(service -> {
      for (int i = 0; i < count; i++) {
        service.observe(arrival);
      }
      return service.announced();
    });
    if (others.isPresent() && !others.get().isEmpty()) {
      announced.accept(others.get());
    }
  }

  /**
   * Where the function should rest; empty if nobody knows better than the fixed rule, as when it was never
   * called.
   */
  Optional<Advice> advise(FunctionSpec spec, Costs costs) {
    return !settings.forecast() ? Optional.empty() : asked(service -> {
      Instant now = wall.instant();
      Prices prices = prices(spec, costs);
      Advice advice = service.advise(spec.name(), prices, now);
      // Also the name of the forecaster who believes in no call at all.
      return advice.by().equals("none") && service.report(spec.name(), prices, now).isEmpty() ? null : advice;
    });
  }

  Optional<ForecastReport> report(FunctionSpec spec, Costs costs) {
    return asked(service -> service.report(spec.name(), prices(spec, costs), wall.instant()).orElse(null));
  }

  private Prices prices(FunctionSpec spec, Costs costs) {
    List<RungCost> rungs = RestPolicy.rungs(spec).stream()
        .filter(rung -> rung != Rung.ARMED || !budget.pressed())
        .map(rung -> new RungCost(rung, costs.resumeSeconds(rung), costs.memoryBytes(rung))).toList();
    return new Prices(rungs, settings.delayPrice(), budget.price());
  }

  /**
   * Has functions forgotten that are not declared any more: neither now nor when this was asked last, as one
   * that is changed may be gone for a moment.
   */
  void retain(Set<FunctionName> functions) {
    Set<FunctionName> kept = new HashSet<>(functions);
    kept.addAll(declared);
    declared = Set.copyOf(functions);
    asked(service -> {
      service.retain(kept);
      return true;
    });
  }

  private <T> Optional<T> asked(Function<ArrivalForecaster, @Nullable T> question) {
    ArrivalForecaster now = forecaster;
    if (now == null) {
      return Optional.empty();
    }
    try {
      return Optional.ofNullable(question.apply(now));
    } catch (RuntimeException e) {
      if (told.compareAndSet(false, true)) {
        LOG.warn("the forecaster failed, functions rest by the fixed rule: {}", e.toString(), e);
      } else {
        LOG.debug("the forecaster failed again", e);
      }
      return Optional.empty();
    }
  }
}
