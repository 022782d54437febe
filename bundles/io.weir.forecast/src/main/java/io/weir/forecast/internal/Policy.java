package io.weir.forecast.internal;

import io.weir.forecast.Advice;
import io.weir.forecast.Prices;
import io.weir.forecast.RungCost;
import java.time.Duration;
import java.time.Instant;

/**
 * Which rung when: on the warmest from the head of the driver's window, less the time it takes to get there,
 * until its tail; between windows on a colder one for as long as what is known of the function makes that
 * worth its memory. Nothing but time, ledger and prices decides, so a simulation and the gateway do the same.
 */
final class Policy {
  /** Started somewhat earlier than is known to suffice. */
  private static final double EARLIER = 1.25;
  private static final long EARLIER_MILLIS = 50;
  private static final long LONGEST = Duration.ofHours(1).toMillis();

  private Policy() {}

  /**
   * @param now milliseconds, as the ledger counts them
   * @param shift what to add for the caller's clock
   */
  static Advice advise(Ledger ledger, Prices prices, long now, long shift, Span span) {
    Ladder ladder = new Ladder(prices);
    int top = ladder.rungs().size() - 1;
    if (top > 0) {
      ledger.price(ladder.worth(top), (long) (ladder.rungs().get(top - 1).resumeSeconds() * 1e3));
    }
    int driver = ledger.next(now, span);
    String by = Ledger.NAMES[driver];
    long lead = top > 0 ? lead(ladder.rungs().get(top - 1)) : 0;
    boolean never = span.isNever();
    long head = never ? Span.NEVER : span.from - (span.from > ledger.last() ? lead : 0);
    long tail = span.to;
    if (!never && head <= now || top == 0) {
      long end = never ? now + LONGEST : tail;
      return new Advice(ladder.warmest().rung(), at(end, now, shift), by, "a call is likely enough");
    }
    long until = Math.min(head, now + LONGEST);
    for (int rung = top - 1; rung > 0; rung--) {
      ledger.between(driver, now, ladder.worth(rung), span);
      if (!span.isNever() && span.from <= now) {
        return new Advice(ladder.rungs().get(rung).rung(), at(Math.min(until, span.to), now, shift), by,
            "a call is not likely enough for more");
      }
      until = Math.min(until, span.isNever() ? until : span.from);
    }
    RungCost coldest = ladder.rungs().get(0);
    return new Advice(coldest.rung(), at(until, now, shift), by,
        never ? "no call is expected" : "the next call is far");
  }

  /** How long before a window to begin the way up from a rung, milliseconds. */
  private static long lead(RungCost rung) {
    return (long) (rung.resumeSeconds() * 1e3 * EARLIER) + EARLIER_MILLIS;
  }

  private static Instant at(long when, long now, long shift) {
    return Instant.ofEpochMilli(Math.max(now + 1, Math.min(when, now + LONGEST)) + shift);
  }
}
