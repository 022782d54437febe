package io.weir.function;

import java.time.Duration;
import java.util.Optional;

/**
 * How many instances a function has.
 *
 * @param min instances that always run, 0 to max; 0 lets the function sleep
 * @param max instances at most, 1 to {@value #MAX_INSTANCES}
 * @param concurrency requests that one instance serves at a time, 1 to {@value #MAX_CONCURRENCY}
 * @param idle how long an instance above {@code min} holds memory without work at most, 1 s to 24 h
 * @param rest the rung on which the function rests after that; empty: what costs least on this device
 * @param priority whose instances give way when memory is short
 */
public record Scaling(int min, int max, int concurrency, Duration idle, Optional<Rung> rest, Priority priority) {
  public static final int MAX_INSTANCES = 100;
  public static final int MAX_CONCURRENCY = 1000;

  /** Rests where it costs least, with normal priority. */
  public Scaling(int min, int max, int concurrency, Duration idle) {
    this(min, max, concurrency, idle, Optional.empty(), Priority.NORMAL);
  }

  /** @throws InvalidFunction if a value is out of range */
  public Scaling {
    if (max < 1 || max > MAX_INSTANCES) {
      throw new InvalidFunction("instances.max", max, "1.." + MAX_INSTANCES);
    }
    if (min < 0 || min > max) {
      throw new InvalidFunction("instances.min", min, "0.." + max + " (instances.max)");
    }
    if (concurrency < 1 || concurrency > MAX_CONCURRENCY) {
      throw new InvalidFunction("concurrency", concurrency, "1.." + MAX_CONCURRENCY);
    }
    if (idle.compareTo(Duration.ofSeconds(1)) < 0 || idle.compareTo(Duration.ofHours(24)) > 0) {
      throw new InvalidFunction("idle", idle, "1s..24h");
    }
  }
}
