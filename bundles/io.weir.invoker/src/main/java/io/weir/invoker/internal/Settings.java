package io.weir.invoker.internal;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/** The invoker's configuration, checked. */
record Settings(int attempts, Duration firstDelay, Duration longestDelay, Duration patience, int maxReplyBytes) {

  static Settings of(InvokerConfig config) {
    return new Settings(
        inRange("attempts", config.attempts(), 1, 100),
        Duration.ofMillis(inRange("backoff.ms", config.backoff_ms(), 1, 60_000)),
        Duration.ofSeconds(inRange("backoff.max.seconds", config.backoff_max_seconds(), 1, 3600)),
        Duration.ofSeconds(inRange("patience.seconds", config.patience_seconds(), 1, 3600)),
        inRange("max.reply.bytes", config.max_reply_bytes(), 0, 256 << 20));
  }

  /**
   * Delay after a failed attempt, counted from 1: exponential back-off with full jitter, as in M. Brooker, "Exponential
   * Backoff And Jitter", AWS Architecture Blog, 2015; never shorter than the callee asked for.
   */
  Duration delayAfter(int attempt, Duration asked) {
    long ceiling = Math.min(longestDelay.toMillis(), firstDelay.toMillis() << Math.min(attempt - 1, 20));
    long jittered = ThreadLocalRandom.current().nextLong(ceiling + 1);
    return Duration.ofMillis(Math.max(jittered, Math.min(asked.toMillis(), longestDelay.toMillis())));
  }

  private static int inRange(String key, int value, int min, int max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          RetryingInvoker.PID + ": " + key + " = " + value + " is not allowed; use " + min + ".." + max);
    }
    return value;
  }
}
