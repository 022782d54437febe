package io.weir.gateway.mqtt.internal;

import java.time.Instant;
import java.util.concurrent.TimeUnit;

/** Writes times as RFC 3339 with microseconds. The second, which is most of the work, is written once. */
final class EventTime {
  private record Second(long number, String text) {}

  private static final int DIGITS = 6;

  private static volatile Second last = new Second(0, "1970-01-01T00:00:00.");

  private EventTime() {}

  static String text(Instant time) {
    Second second = last;
    if (second.number() != time.getEpochSecond()) {
      String whole = Instant.ofEpochSecond(time.getEpochSecond()).toString();
      second = new Second(time.getEpochSecond(), whole.substring(0, whole.length() - 1) + ".");
      last = second;
    }
    String micros = Long.toString(TimeUnit.NANOSECONDS.toMicros(time.getNano()));
    return second.text() + "000000".substring(0, DIGITS - micros.length()) + micros + "Z";
  }
}
