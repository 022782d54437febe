package io.weir.forecast.internal;

import io.weir.forecast.Advice;
import io.weir.forecast.Arrival;
import io.weir.forecast.ArrivalForecaster;
import io.weir.forecast.Forecast;
import io.weir.forecast.ForecastReport;
import io.weir.forecast.Prices;
import io.weir.function.FunctionName;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The forecasts of the gateway, kept in a file of its data folder so that a restart need not learn again. */
@Component(name = "io.weir.forecast", configurationPolicy = ConfigurationPolicy.IGNORE)
public final class KeptForecasts implements ArrivalForecaster {
  private static final Logger LOG = LoggerFactory.getLogger(KeptForecasts.class);
  /** A power cut costs what was learned since; more often would wear flash memory out for little. */
  private static final Duration SAVED_EVERY = Duration.ofMinutes(15);

  private final StateFile file;
  private final Forecasts forecasts;
  private final ScheduledExecutorService saver;
  private volatile boolean changed;

  @Activate
  public KeptForecasts(BundleContext context) {
    this(Path.of(Objects.requireNonNullElse(context.getProperty("weir.data"), "/var/lib/weir")));
  }

  KeptForecasts(Path data) {
    file = new StateFile(data.resolve("forecasts.bin"));
    forecasts = file.load(Forecasts::new);
    saver = Executors.newSingleThreadScheduledExecutor(task -> {
      Thread thread = new Thread(task, "weir-forecast");
      thread.setDaemon(true);
      return thread;
    });
    long every = SAVED_EVERY.toMillis();
    saver.scheduleWithFixedDelay(this::save, every, every, TimeUnit.MILLISECONDS);
  }

  @Deactivate
  void close() {
    saver.shutdownNow();
    save();
  }

  private synchronized void save() {
    if (!changed) {
      return;
    }
    changed = false;
    try {
      file.save(forecasts);
    } catch (IOException e) {
      changed = true;
      LOG.warn("cannot write what was learned of arrivals; a restart will learn again: {}", e.toString());
    }
  }

  @Override
  public void observe(Arrival arrival) {
    forecasts.observe(arrival);
    changed = true;
  }

  @Override
  public Forecast expected(FunctionName function, Instant now, Duration horizon) {
    return forecasts.expected(function, now, horizon);
  }

  @Override
  public Advice advise(FunctionName function, Prices prices, Instant now) {
    return forecasts.advise(function, prices, now);
  }

  @Override
  public Optional<ForecastReport> report(FunctionName function, Prices prices, Instant now) {
    return forecasts.report(function, prices, now);
  }

  @Override
  public List<FunctionName> announced() {
    return forecasts.announced();
  }

  @Override
  public void retain(Set<FunctionName> functions) {
    forecasts.retain(functions);
  }
}
