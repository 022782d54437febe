package io.weir.runner.internal;

import java.time.Duration;

/** The configuration, checked. */
record Settings(int spares, Duration startTimeout, Duration loadTimeout) {

  static Settings of(RunnerConfig config) {
    return new Settings(
        inRange("spares", config.spares(), 0, 8),
        Duration.ofSeconds(inRange("start.timeout.seconds", config.start_timeout_seconds(), 1, 3600)),
        Duration.ofSeconds(inRange("load.timeout.seconds", config.load_timeout_seconds(), 1, 3600)));
  }

  private static int inRange(String key, int value, int min, int max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          SparePool.PID + ": " + key + " = " + value + " is not allowed; use " + min + ".." + max);
    }
    return value;
  }
}
