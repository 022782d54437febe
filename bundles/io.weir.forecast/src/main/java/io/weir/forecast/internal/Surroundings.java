package io.weir.forecast.internal;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.Arrays;

/**
 * What to believe of a function of which little is known: what the last functions did after their first arrival, estimated with
 * those that did not come back yet (Kaplan and Meier, 1958), mixed with the general belief that a gap which has lasted so long
 * will last as long again, and somewhat longer. Written under a lock, read without: a stale figure does no harm.
 */
final class Surroundings {
  private static final int KEPT = 32;
  /** Chance that a gap ends while it grows by the factor e: Pareto's exponent. */
  private static final double TAIL = 0.8;
  /** Functions whose word counts as much as the general belief. */
  private static final double TRUST = 4;

  /** Milliseconds. */
  private static final long OUTDATED = 60_000;

  private final long[] first = new long[KEPT];
  /** Milliseconds until the second arrival; 0: it did not come yet; negative: unused. */
  private final long[] gap = new long[KEPT];
  private int next;
  private long computed;
  /** Of gaps that reach a bin, how many end in it. */
  private final float[] hazard = new float[Gaps.BINS];

  Surroundings() {
    Arrays.fill(gap, -1);
    compute(0);
  }

  float hazard(int bin) {
    return hazard[bin];
  }

  /** A function was called for the first time; the ticket is for {@link #returned}. */
  synchronized int appeared(long at) {
    int slot = next;
    next = (next + 1) % KEPT;
    first[slot] = at;
    gap[slot] = 0;
    compute(at);
    return slot;
  }

  /** It was called for the second time. */
  synchronized void returned(int slot, long firstAt, long after) {
    if (first[slot] == firstAt && gap[slot] == 0) {
      gap[slot] = Math.max(1, after);
    }
    compute(firstAt + after);
  }

  /** Time goes by, and those that did not come back tell more. */
  void refresh(long now) {
    if (now - computed > OUTDATED) {
      compute(now);
    }
  }

  private synchronized void compute(long now) {
    computed = now;
    int[] ended = new int[Gaps.BINS];
    int[] open = new int[Gaps.BINS];
    int risk = 0;
    for (int i = 0; i < KEPT; i++) {
      if (gap[i] > 0) {
        ended[Gaps.bin(gap[i])]++;
        risk++;
      } else if (gap[i] == 0 && now > first[i]) {
        open[Gaps.bin(now - first[i])]++;
        risk++;
      }
    }
    for (int bin = 0; bin < Gaps.BINS; bin++) {
      double general = bin == 0 ? 0.1 : Math.min(0.5, TAIL * Math.log((double) Gaps.end(bin) / Gaps.start(bin)));
      hazard[bin] = (float) ((ended[bin] + TRUST * general) / (risk + TRUST));
      risk -= ended[bin] + open[bin];
    }
  }

  synchronized void write(DataOutput out) throws IOException {
    out.writeByte(next);
    for (int i = 0; i < KEPT; i++) {
      out.writeLong(first[i]);
      out.writeLong(gap[i]);
    }
  }

  synchronized void read(DataInput in) throws IOException {
    next = Math.floorMod(in.readByte(), KEPT);
    long latest = 0;
    for (int i = 0; i < KEPT; i++) {
      first[i] = in.readLong();
      gap[i] = Math.max(-1, in.readLong());
      latest = Math.max(latest, first[i]);
    }
    compute(latest);
  }
}
