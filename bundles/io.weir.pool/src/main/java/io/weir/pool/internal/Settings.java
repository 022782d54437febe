package io.weir.pool.internal;

import java.time.Duration;

/**
 * The pool's configuration, checked.
 *
 * @param budgetBytes 0 for half of the machine's RAM
 * @param delayPrice MiB·s that one second of waiting is worth
 */
record Settings(int queueLength, Duration startTimeout, Duration stopGrace, int parallelStarts,
    Duration freezeAfter, long budgetBytes, int leastAvailablePercent, double delayPrice, boolean calibrate,
    boolean forecast) {

  static Settings of(PoolConfig config) {
    int cores = Runtime.getRuntime().availableProcessors();
    return new Settings(
        inRange("queue.length", config.queue_length(), 1, 100_000),
        Duration.ofSeconds(inRange("start.timeout.seconds", config.start_timeout_seconds(), 1, 3600)),
        Duration.ofSeconds(inRange("stop.grace.seconds", config.stop_grace_seconds(), 0, 3600)),
        config.parallel_starts() == 0 ? 2 * cores
            : inRange("parallel.starts", config.parallel_starts(), 1, 64),
        Duration.ofMillis(inRange("freeze.after.millis", config.freeze_after_millis(), 0, 3_600_000)),
        (long) inRange("memory.budget.mib", config.memory_budget_mib(), 0, 16_777_216) << 20,
        inRange("pressure.available.percent", config.pressure_available_percent(), 0, 90),
        inRange("delay.price", config.delay_price(), 0, 1_000_000_000),
        config.calibrate(), config.forecast_enabled());
  }

  private static int inRange(String key, int value, int min, int max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          OnDemandPool.PID + ": " + key + " = " + value + " is not allowed; use " + min + ".." + max);
    }
    return value;
  }
}
