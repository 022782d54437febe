package io.weir.forecast.internal;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * Finds timers by the modes of the gaps between arrivals, several on one function, drifting or on the marks
 * of a clock, with other calls among them: two gaps to earlier arrivals that are alike, or one that is as
 * long as people set timers, make a suspicion, arrivals on its ticks make it a timer. Warm around the next
 * ticks. Most functions that are called less than once a minute are timers, and cold nearly always (Joosen et
 * al., Serverless Cold Starts and Where to Find Them, EuroSys 2025, §4; Shahrad et al., ATC 2020, §3.3).
 *
 * <p>Parameters: {@value #TIMERS} timers at a time, looked for among the last {@value #KEPT} arrivals; alike
 * within 2 %; a third of all functions is taken to be timers before anything is known ({@link #PRIOR}).
 */
final class Timers implements Candidate {
  private static final int TIMERS = 4;
  /** A power of two. */
  private static final int KEPT = 8;
  /** Odds that an unknown function is a timer. */
  private static final float PRIOR = 0.4f;
  /** How much more likely it is of a timer than of chance that a tick is met as closely as 2 %. */
  private static final float MET = 20;
  /** The same for a first gap of a round length. */
  private static final float ROUND = 8;
  private static final float CERTAIN = 1e4f;
  private static final double ALIKE = 0.02;
  /** Timers that people set, seconds. */
  private static final int[] USUAL = {10, 15, 20, 30, 60, 120, 180, 240, 300, 360, 600, 720, 900, 1_200,
      1_800, 3_600, 7_200, 10_800, 14_400, 21_600, 28_800, 43_200, 86_400, 604_800};
  /**
   * A scheduler, a network and a start in between make an arrival late by this much without meaning anything.
   */
  private static final long SLACK = 1_000;
  /** Cold for less than this is not worth a start. */
  private static final long BRIDGE = 20_000;
  private static final long SHORTEST = 3_000;
  /** A timer that misses so many ticks in a row was stopped. */
  private static final int PATIENCE = 4;

  private final long[] recent = new long[KEPT];
  private int seen;
  private final long[] anchor = new long[TIMERS];
  /** Milliseconds; 0: none. */
  private final float[] period = new float[TIMERS];
  private final float[] jitter = new float[TIMERS];
  /** Odds that it is a timer and not chance. */
  private final float[] odds = new float[TIMERS];
  private final float[] met = new float[TIMERS];
  private final float[] missed = new float[TIMERS];
  /** Arrivals that no timer explains, and all since there is one; fading. */
  private float strays;
  private float known;

  @Override
  public void arrived(long at, long gap, float worth) {
    boolean any = false;
    boolean explained = false;
    for (int i = 0; i < TIMERS; i++) {
      if (period[i] > 0) {
        if (at > anchor[i] + (PATIENCE + 1L) * (long) period[i]) {
          period[i] = 0;
          continue;
        }
        any |= odds[i] > 1;
        explained |= tick(i, at);
      }
    }
    if (any) {
      known = known * 0.95f + 1;
      strays = strays * 0.95f + (explained ? 0 : 1);
    }
    if (!explained) {
      suspect(at);
    }
    recent[seen++ % KEPT] = at;
    if (seen == 2 * KEPT) {
      seen = KEPT;
    }
  }

  /** Whether the arrival is a tick of this timer. */
  private boolean tick(int i, long at) {
    long ticks = Math.round((double) (at - anchor[i]) / period[i]);
    if (ticks < 1) {
      return false;
    }
    double off = at - anchor[i] - ticks * (double) period[i];
    if (Math.abs(off) > tolerance(i)) {
      // Not on the mark. Until the next tick was missed as well that says little.
      odds[i] = Math.max(0.05f, odds[i] * 0.7f);
      return false;
    }
    odds[i] = Math.min(CERTAIN, odds[i] * (float) Math.min(MET, 0.4 * period[i] / (tolerance(i) + 1)));
    met[i] = met[i] * 0.95f + 1;
    missed[i] = missed[i] * 0.95f + (ticks - 1);
    jitter[i] += (Math.abs(off) - jitter[i]) * Math.max(0.15, 1 / (met[i] + 1));
    period[i] += off / ticks * Math.max(0.05, 0.5 / met[i]);
    // Half-way between a clock, which keeps its marks, and a loop that sleeps, which goes by the last call.
    anchor[i] = at - (long) (off * 0.4);
    return true;
  }

  private double tolerance(int i) {
    return Math.min(period[i] * 0.1, Math.max(period[i] * ALIKE, 4 * jitter[i] + SLACK));
  }

  /** Looks for a timer that explains the arrival. */
  private void suspect(long at) {
    int kept = Math.min(seen, KEPT);
    for (int back = 1; back <= kept; back++) {
      long gap = at - recent[seen - back & KEPT - 1];
      if (gap < SHORTEST) {
        continue;
      }
      long alike = Math.max((long) (gap * ALIKE), SLACK);
      for (int further = back + 1; further <= kept; further++) {
        long off = at - recent[seen - further & KEPT - 1] - 2 * gap;
        if (Math.abs(off) <= alike) {
          // The more pairs were looked at, the less a match says.
          float certainty = PRIOR * MET / (1 + 0.5f * (back * further - 2));
          begin(at, gap + off / 2f, Math.abs(off) / 2f, certainty);
        }
      }
      if (back == 1 && usual(gap)) {
        begin(at, gap, SLACK / 4f, PRIOR * ROUND);
      }
    }
  }

  private static boolean usual(long gap) {
    for (int seconds : USUAL) {
      if (Math.abs(gap - seconds * 1_000L) <= Math.max(SLACK / 2, seconds * 10L)) {
        return true;
      }
    }
    return false;
  }

  /** In place of the least certain, unless it is known. */
  private void begin(long at, float length, float off, float certainty) {
    int place = 0;
    for (int i = 0; i < TIMERS; i++) {
      if (period[i] > 0 && Math.abs(period[i] - length) < 0.05 * length) {
        if (odds[i] >= certainty) {
          return;
        }
        place = i;
        break;
      }
      if (period[i] == 0 || period[place] > 0 && odds[i] < odds[place]) {
        place = i;
      }
    }
    if (period[place] > 0 && odds[place] > certainty) {
      return;
    }
    period[place] = length;
    anchor[place] = at;
    jitter[place] = off;
    odds[place] = certainty;
    met[place] = 1;
    missed[place] = 0;
  }

  /** Half of the width of a window. The less is known the wider; warmth for seconds is cheap. */
  private long margin(int i) {
    return (long) Math.min(period[i] * 0.2, 4 * jitter[i] + 1.5 * SLACK + period[i] * 0.03 / met[i]);
  }

  /** Chance that the next call keeps to no timer. */
  private float stray() {
    float best = 0;
    for (int i = 0; i < TIMERS; i++) {
      best = period[i] > 0 ? Math.max(best, odds[i]) : best;
    }
    return 1 / (1 + best) + (strays + 0.05f) / (known + 1);
  }

  @Override
  public boolean next(long last, long now, float worth, Span span) {
    float stray = stray();
    if (stray > 0.5f) {
      return false;
    }
    soonest(now, worth, span);
    long ahead = span.isNever() ? Long.MAX_VALUE : span.from - Math.max(last, now);
    if (ahead > 0 && now - last < 2 * stray * worth && (span.isNever() || ahead < 2 * stray * worth)
        || ahead > 0 && ahead < BRIDGE) {
      // To be cold until the next tick saves less than what the calls between are likely to cost.
      if (span.isNever()) {
        return false;
      }
      span.from = last;
    }
    return true;
  }

  private void soonest(long now, float worth, Span span) {
    span.never();
    for (int i = 0; i < TIMERS; i++) {
      if (period[i] == 0 || odds[i] < 1) {
        continue;
      }
      long margin = margin(i);
      long tick = Math.max(1, (long) Math.ceil((now - anchor[i] - margin) / (double) period[i]));
      if (now >= anchor[i] + (long) (tick * (double) period[i]) + margin) {
        tick++;
      }
      if (tick > PATIENCE) {
        continue;
      }
      float failing = (missed[i] + 0.3f) / (met[i] + missed[i] + 1);
      double comes = tick == 1 ? 1 - failing : Math.pow(Math.max(0.1, failing), tick - 1);
      double chance = odds[i] / (1 + odds[i]) * comes;
      long at = anchor[i] + (long) (tick * (double) period[i]);
      if (at - margin < span.from && chance * worth > 2 * margin) {
        span.set(at - margin, at + margin, chance);
      }
    }
  }

  @Override
  public double expected(long last, long now, long horizon) {
    if (stray() > 0.5f) {
      return -1;
    }
    double sum = 0;
    for (int i = 0; i < TIMERS; i++) {
      if (period[i] > 0 && odds[i] > 1) {
        long done = Math.max(0, (long) Math.floor((now - anchor[i]) / (double) period[i]));
        if (done < PATIENCE) {
          double ticks = Math.floor((now + horizon - anchor[i]) / (double) period[i]) - done;
          sum += ticks * odds[i] / (1 + odds[i]) * (met[i] + 0.5) / (met[i] + missed[i] + 1);
        }
      }
    }
    return sum;
  }

  @Override
  public double dispersion() {
    return 0.1;
  }

  @Override
  public void write(DataOutput out) throws IOException {
    out.writeInt(seen);
    for (long at : recent) {
      out.writeLong(at);
    }
    for (int i = 0; i < TIMERS; i++) {
      out.writeLong(anchor[i]);
      out.writeFloat(period[i]);
      out.writeFloat(jitter[i]);
      out.writeFloat(odds[i]);
      out.writeFloat(met[i]);
      out.writeFloat(missed[i]);
    }
    out.writeFloat(strays);
    out.writeFloat(known);
  }

  @Override
  public void read(DataInput in) throws IOException {
    seen = Math.floorMod(in.readInt(), 2 * KEPT);
    for (int i = 0; i < KEPT; i++) {
      recent[i] = in.readLong();
    }
    for (int i = 0; i < TIMERS; i++) {
      anchor[i] = in.readLong();
      period[i] = State.finite(in.readFloat());
      jitter[i] = State.finite(in.readFloat());
      odds[i] = State.finite(in.readFloat());
      met[i] = State.finite(in.readFloat());
      missed[i] = State.finite(in.readFloat());
    }
    strays = State.finite(in.readFloat());
    known = State.finite(in.readFloat());
  }
}
