package io.weir.cli.ui;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;

/** Points in time as people write them: {@code 2h} ago, {@code 2026-11-30}, {@code 2026-11-30T12:00} (here), or with a zone. */
public final class Moments {
  private Moments() {}

  /** @throws IllegalArgumentException if it is none */
  public static Instant parse(String text, Instant now, ZoneId here) {
    String time = text.strip();
    try {
      return time.matches("\\d+(ms|s|m|h)?") ? now.minus(Durations.parse(time))
          : time.length() <= 10 ? LocalDate.parse(time).atStartOfDay(here).toInstant()
              : time.matches(".*(Z|[+-]\\d\\d:\\d\\d)$") ? OffsetDateTime.parse(time).toInstant()
                  : LocalDateTime.parse(time).atZone(here).toInstant();
    } catch (DateTimeException | IllegalArgumentException e) {
      throw new IllegalArgumentException("'" + text + "' is no time; write for example 2h (ago), 2026-11-30, "
          + "2026-11-30T12:00 or 2026-11-30T12:00:00Z", e);
    }
  }
}
