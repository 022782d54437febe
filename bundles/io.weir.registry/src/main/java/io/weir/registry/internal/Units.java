package io.weir.registry.internal;

import io.weir.function.InvalidFunction;
import java.time.Duration;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Amounts with a unit, as people write them. */
final class Units {
  private static final Pattern AMOUNT = Pattern.compile("(\\d+)\\s*([A-Za-z]*)");
  private static final Map<String, Long> BYTES = Map.of("", 1L, "B", 1L, "K", 1L << 10, "Ki", 1L << 10, "KiB", 1L << 10,
      "M", 1L << 20, "Mi", 1L << 20, "MiB", 1L << 20, "G", 1L << 30);
  private static final Map<String, Long> MORE_BYTES = Map.of("Gi", 1L << 30, "GiB", 1L << 30);
  private static final Map<String, Long> MILLIS = Map.of("ms", 1L, "s", 1_000L, "m", 60_000L, "h", 3_600_000L);

  private Units() {}

  static long bytes(String key, String text) {
    Matcher matcher = AMOUNT.matcher(text.strip());
    Long unit = matcher.matches() ? BYTES.getOrDefault(matcher.group(2), MORE_BYTES.get(matcher.group(2))) : null;
    if (unit == null) {
      throw new InvalidFunction(key, text, "a whole number with KiB, MiB or GiB, for example 64MiB");
    }
    return multiply(key, text, matcher.group(1), unit);
  }

  static Duration duration(String key, String text) {
    Matcher matcher = AMOUNT.matcher(text.strip());
    Long unit = matcher.matches() ? MILLIS.get(matcher.group(2)) : null;
    if (unit == null) {
      throw new InvalidFunction(key, text, "a whole number with ms, s, m or h, for example 30s");
    }
    return Duration.ofMillis(multiply(key, text, matcher.group(1), unit));
  }

  private static long multiply(String key, String text, String number, long unit) {
    try {
      return Math.multiplyExact(Long.parseLong(number), unit);
    } catch (ArithmeticException | NumberFormatException e) {
      throw new InvalidFunction(key, text, "a smaller number");
    }
  }

  /** The largest unit that needs no fraction, so that reading it again gives the same number. */
  static String bytes(long bytes) {
    for (String unit : new String[] {"GiB", "MiB", "KiB"}) {
      long size = BYTES.getOrDefault(unit, 1L << 30);
      if (bytes >= size && bytes % size == 0) {
        return bytes / size + unit;
      }
    }
    return Long.toString(bytes);
  }

  static String duration(Duration duration) {
    long millis = duration.toMillis();
    if (millis % 1_000 != 0) {
      return millis + "ms";
    }
    long seconds = millis / 1_000;
    if (seconds >= 3_600 && seconds % 3_600 == 0) {
      return seconds / 3_600 + "h";
    }
    return seconds >= 120 && seconds % 60 == 0 ? seconds / 60 + "m" : seconds + "s";
  }
}
