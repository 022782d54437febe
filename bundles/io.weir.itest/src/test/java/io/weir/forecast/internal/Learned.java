package io.weir.forecast.internal;

import io.weir.forecast.Arrival;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** What an earlier life of a gateway would have learned of calls that nobody has the time to make. */
public final class Learned {
  private Learned() {}

  /** Writes it where the gateway looks for it. */
  public static void write(Path data, List<Arrival> arrivals) throws IOException {
    Forecasts forecasts = new Forecasts();
    arrivals.forEach(forecasts::observe);
    new StateFile(data.resolve("forecasts.bin")).save(forecasts);
  }
}
