package io.weir.forecast.internal;

import io.weir.forecast.ForecastReport;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * What one candidate would have cost, had it driven: time held warm without work and arrivals that found it
 * cold, by day and, fading, for the choice.
 */
final class Account {
  /** Spans looked at between two arrivals; after so many in vain a candidate is taken to have given up. */
  private static final int MOST_SPANS = 24;

  private int hits;
  private int misses;
  private int wrong;
  private float held;
  private int hitsBefore;
  private int missesBefore;
  private int wrongBefore;
  private float heldBefore;
  /** Fading, for the choice: milliseconds held, arrivals missed. */
  private float recentHeld;
  private float recentMisses;
  private long settled = Long.MIN_VALUE;
  private int spans;
  private float gapHeld;
  private float gap;

  /**
   * Books what was held until a time, at the latest arrival's the rest.
   *
   * @return what part of a cold start an arrival then has to wait for: 0 if it was warm, 1 if it was cold
   */
  float settle(Candidate candidate, Candidate fallback, long last, long until, float worth, Span span) {
    if (settled == last && spans == 0 && candidate.holds(last, until, worth)) {
      hold(until - last);
      settled = until;
      return 0;
    }
    boolean warm = settled >= until && spans < MOST_SPANS
        && expected(candidate, fallback, last, until, worth, span) <= until;
    while (settled < until) {
      if (++spans > MOST_SPANS) {
        settled = until;
        return 1;
      }
      if (expected(candidate, fallback, last, settled, worth, span) >= until) {
        settled = until;
        return span.from == until ? span.late(until) : 1;
      }
      long end = Math.min(span.to, until);
      hold(end - Math.max(span.from, settled));
      if (span.to < until && span.from > last) {
        wrong++;
      }
      settled = Math.max(end, settled + 1);
      warm = span.to > until;
    }
    return warm ? span.late(until) : 1;
  }

  /** When the next span begins. */
  private static long expected(Candidate candidate, Candidate fallback, long last, long now, float worth,
      Span span) {
    if (!candidate.next(last, now, worth, span)) {
      fallback.next(last, now, worth, span);
    }
    return span.from;
  }

  private void hold(long millis) {
    held += millis;
    recentHeld += millis;
    gapHeld += millis;
  }

  /** An arrival had to wait for that part of a cold start. */
  void arrived(float missed, long at, float fade, float worth) {
    gap = gapHeld + missed * worth;
    gapHeld = 0;
    recentHeld *= fade;
    recentMisses *= fade;
    recentMisses += missed;
    if (missed < 0.5f) {
      hits++;
    } else {
      misses++;
    }
    settled = at;
    spans = 0;
  }

  /** Arrivals that came while there was work. */
  void busy(int arrivals, long at) {
    hits += arrivals;
    settled = at;
  }

  /** Nobody knows what happened until a time. */
  void skip(long at) {
    settled = at;
    spans = 0;
    gapHeld = 0;
  }

  /** What the last gap cost, as {@link #cost}. */
  float gap() {
    return gap;
  }

  /** Milliseconds of warmth, misses included at their worth; fading. */
  float cost(float worth) {
    return recentHeld + recentMisses * worth;
  }

  void midnight(boolean next) {
    hitsBefore = next ? hits : 0;
    missesBefore = next ? misses : 0;
    wrongBefore = next ? wrong : 0;
    heldBefore = next ? held : 0;
    hits = 0;
    misses = 0;
    wrong = 0;
    held = 0;
  }

  ForecastReport.Account today(double mib, double wait) {
    return new ForecastReport.Account(hits, misses, wrong, held / 1e3 * mib, misses * wait);
  }

  ForecastReport.Account yesterday(double mib, double wait) {
    return new ForecastReport.Account(hitsBefore, missesBefore, wrongBefore, heldBefore / 1e3 * mib,
        missesBefore * wait);
  }

  void write(DataOutput out) throws IOException {
    for (int value : new int[] {hits, misses, wrong, hitsBefore, missesBefore, wrongBefore}) {
      out.writeInt(value);
    }
    State.write(out, held, heldBefore, recentHeld, recentMisses);
  }

  void read(DataInput in, long last) throws IOException {
    hits = Math.max(0, in.readInt());
    misses = Math.max(0, in.readInt());
    wrong = Math.max(0, in.readInt());
    hitsBefore = Math.max(0, in.readInt());
    missesBefore = Math.max(0, in.readInt());
    wrongBefore = Math.max(0, in.readInt());
    held = State.finite(in.readFloat());
    heldBefore = State.finite(in.readFloat());
    recentHeld = State.finite(in.readFloat());
    recentMisses = State.finite(in.readFloat());
    settled = last;
  }
}
