package io.weir.journal.internal;

import java.nio.file.Path;
import java.time.Duration;

/** The journal's configuration, checked. */
record Settings(Path folder, Duration window, long segmentBytes, int segments, long functionBytes, Duration maxAge,
    long rememberBytes, Duration rememberFor, long stateBytes, int valueBytes) {
  private static final long MIB = 1 << 20;
  private static final int FEWEST_SEGMENTS = 4;

  /** @param data the gateway's data folder */
  static Settings of(JournalConfig config, Path data) {
    long segment = inRange("segment.mib", config.segment_mib(), 1, 64) * MIB;
    int segments = (int) (inRange("max.mib", config.max_mib(), 8, 65_536) * MIB / segment);
    if (segments < FEWEST_SEGMENTS) {
      throw refused("max.mib", config.max_mib(),
          "at least " + FEWEST_SEGMENTS + " times segment.mib, which is " + config.segment_mib());
    }
    Settings settings = new Settings(
        config.folder().isBlank() ? data.resolve("journal") : Path.of(config.folder().strip()),
        Duration.ofMillis(inRange("window.ms", config.window_ms(), 0, 1000)), segment, segments,
        inRange("function.max.mib", config.function_max_mib(), 1, 65_536) * MIB,
        Duration.ofHours(inRange("max.age.hours", config.max_age_hours(), 1, 87_600)),
        inRange("remember.mib", config.remember_mib(), 0, 65_536) * MIB,
        Duration.ofHours(inRange("remember.hours", config.remember_hours(), 1, 87_600)),
        inRange("state.max.kib", config.state_max_kib(), 0, 4_194_304) * 1024L,
        inRange("state.value.max.bytes", config.state_value_max_bytes(), 0, 16 << 20));
    if (settings.rememberBytes > settings.liveBytes() / 2) {
      throw refused("remember.mib", config.remember_mib(), "at most " + settings.liveBytes() / 2 / MIB
          + ", a quarter of max.mib without two segments");
    }
    return settings;
  }

  /** What is kept may fill half of the segments that are neither being written nor being freed, so that freeing one
   * always gains room. */
  long liveBytes() {
    return (segments - 2) * segmentBytes / 2;
  }

  /** The same without what is remembered of ended events. */
  long keptBytes() {
    return liveBytes() - rememberBytes;
  }

  /** Where acceptance ends, so that what was accepted can end. */
  long acceptedBytes() {
    return keptBytes() * 4 / 5;
  }

  private static int inRange(String key, int value, int min, int max) {
    if (value < min || value > max) {
      throw refused(key, value, min + ".." + max);
    }
    return value;
  }

  private static IllegalArgumentException refused(String key, int value, String allowed) {
    return new IllegalArgumentException(JournalKeeper.PID + ": " + key + " = " + value + " is not allowed; use " + allowed);
  }
}
