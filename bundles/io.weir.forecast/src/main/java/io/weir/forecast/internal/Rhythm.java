package io.weir.forecast.internal;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * Calls by the hour of the day: after a silence the next one comes at a rate that is constant within an hour
 * (the maximum likelihood estimate for piecewise constant hazards: calls that came over time at risk), warm
 * in each hour in which rate × worth exceeds one. So it holds by day what it lets go by night, and is there
 * in the morning. It gives up as {@link Habit#patience} does, once more calls should have come than the
 * logarithm of those that were seen. Weir's own.
 *
 * <p>Parameters: 24 hours of UTC (a change to summer time is learned like any other change), which count half
 * for their neighbours; half-life five days; warm for the first sixth of the worth, and about shorter gaps
 * nothing is learned.
 */
final class Rhythm implements Candidate {
  private static final int HOURS = 24;
  private static final long HOUR = 3_600_000;
  private static final long DAY = HOURS * HOUR;
  /** What is told by longer gaps is not of hours. */
  private static final long LONGEST = 7 * DAY;
  private static final long AHEAD = 3 * DAY;
  private static final double HALF_LIFE = 5 * DAY;
  private static final float BRIEF = 0.16f;
  private static final float NEIGHBOURS = 0.5f;
  /** A call in the time that one is worth: what is believed of an hour before it was seen. */
  private static final float PRIOR = 1;

  private final float[] came = new float[HOURS];
  /** Milliseconds in which one could have come. */
  private final float[] idle = new float[HOURS];
  private float total;
  private long faded;

  @Override
  public void arrived(long at, long gap, float worth) {
    long brief = brief(worth);
    if (gap < brief || gap > LONGEST) {
      return;
    }
    fade(at);
    for (long t = at - gap + brief; t < at;) {
      long end = Math.min(at, hourEnds(t));
      idle[hour(t)] += end - t;
      t = end;
    }
    came[hour(at)]++;
    total++;
  }

  /** For how long it is warm whatever the hour; a day at most, however much a call is worth. */
  private static long brief(float worth) {
    return (long) Math.max(1, Math.min(BRIEF * worth, DAY));
  }

  private void fade(long at) {
    if (at - faded > HOUR) {
      float keep = (float) Math.pow(0.5, Math.min(at - faded, LONGEST) / HALF_LIFE);
      for (int hour = 0; hour < HOURS; hour++) {
        came[hour] *= keep;
        idle[hour] *= keep;
      }
      total *= keep;
      faded = at;
    }
  }

  /** Calls to expect in a millisecond of an hour. */
  private float rate(int hour, float worth) {
    return (around(came, hour) + PRIOR) / (around(idle, hour) + PRIOR * worth);
  }

  private static float around(float[] of, int hour) {
    return of[hour] + NEIGHBOURS * (of[(hour + 1) % HOURS] + of[(hour + HOURS - 1) % HOURS]);
  }

  private static int hour(long at) {
    return (int) Math.floorMod(Math.floorDiv(at, HOUR), (long) HOURS);
  }

  private static long hourEnds(long at) {
    return (Math.floorDiv(at, HOUR) + 1) * HOUR;
  }

  @Override
  public boolean holds(long last, long until, float worth) {
    return until - last < brief(worth);
  }

  @Override
  public boolean next(long last, long now, float worth, Span span) {
    long brief = last + brief(worth);
    double patience = Math.log(1 + total);
    double due = 0;
    long from = Span.NEVER;
    long to = last;
    long end;
    for (long t = last; t < last + AHEAD; t = end) {
      end = t < brief ? Math.min(brief, hourEnds(t)) : hourEnds(t);
      float rate = rate(hour(t), worth);
      boolean warm = t < brief;
      if (!warm && rate * worth >= 1) {
        double left = patience + Math.log(rate * worth) - due;
        if (left <= 0) {
          break;
        }
        warm = true;
        end = Math.min(end, t + 1 + (long) (left / rate));
      }
      if (warm) {
        due += rate * (end - t);
        from = Math.min(from, t);
        to = end;
      } else if (to > now) {
        break;
      } else {
        from = Span.NEVER;
      }
    }
    span.unlessOver(now, from, to, Span.UNKNOWN);
    return true;
  }

  @Override
  public void write(DataOutput out) throws IOException {
    State.write(out, came);
    State.write(out, idle);
    out.writeFloat(total);
    out.writeLong(faded);
  }

  @Override
  public void read(DataInput in) throws IOException {
    State.readFinite(in, came);
    State.readFinite(in, idle);
    total = State.finite(in.readFloat());
    faded = in.readLong();
  }
}
