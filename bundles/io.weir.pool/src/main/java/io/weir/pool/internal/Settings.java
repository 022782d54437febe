package io.weir.pool.internal;

import java.time.Duration;

/** The pool's configuration, checked. */
record Settings(int queueLength, Duration startTimeout, Duration stopGrace, int parallelStarts) {

  static Settings of(PoolConfig config) {
    int cores = Runtime.getRuntime().availableProcessors();
    return new Settings(
        inRange("queue.length", config.queue_length(), 1, 100_000),
        Duration.ofSeconds(inRange("start.timeout.seconds", config.start_timeout_seconds(), 1, 3600)),
        Duration.ofSeconds(inRange("stop.grace.seconds", config.stop_grace_seconds(), 0, 3600)),
        config.parallel_starts() == 0 ? 2 * cores : inRange("parallel.starts", config.parallel_starts(), 1, 64));
  }

  private static int inRange(String key, int value, int min, int max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          OnDemandPool.PID + ": " + key + " = " + value + " is not allowed; use " + min + ".." + max);
    }
    return value;
  }
}
