package io.weir.forecast.internal;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.Arrays;

/**
 * What to believe of a function of which little is known: what the last functions did after their first
 * arrival, estimated with those that did not come back yet (Kaplan and Meier, 1958), mixed with the general
 * belief that a gap which has lasted so long will last as long again, and somewhat longer. Written under a
 * lock, read without: a stale figure does no harm.
 */
final class Surroundings {
  private static final int KEPT = 32;
  /** Chance that a gap ends while it grows by the factor e: Pareto's exponent. */
  private static final double TAIL = 0.8;
  private static final float[] GENERAL = new float[Gaps.BINS];

  static {
    GENERAL[0] = 0.1f;
    for (int bin = 1; bin < Gaps.BINS; bin++) {
      GENERAL[bin] = (float) Math.min(0.5, TAIL * Math.log((double) Gaps.end(bin) / Gaps.start(bin)));
    }
  }

  /** Functions whose word counts as much as the general belief. */
  private static final float TRUST = 4;

  /** Gaps of a function itself that count as much as what all others say of a candidate. */
  private static final float WORD = 5;
  private static final float FADE = 0.99f;

  /** Milliseconds. */
  private static final long OUTDATED = 60_000;

  private final long[] first = new long[KEPT];
  /** Milliseconds until the second arrival; 0: it did not come yet; negative: unused. */
  private final long[] gap = new long[KEPT];
  private int next;
  private long computed;
  /** Of gaps that reach a bin, how many end in it. */
  private final float[] hazard = new float[Gaps.BINS];

  /**
   * What each candidate cost on all functions per gap, and the specialists saved per opinion; in cold starts,
   * fading.
   */
  private final float[] cost = new float[Ledger.NAMES.length];
  private float gaps;
  /** What one of the costs counts for. */
  private float word = WORD;
  private final float[] saved = new float[Chooser.SPECIALISTS];
  private final float[] opinions = new float[Chooser.SPECIALISTS];

  /** What a candidate cost elsewhere in as many gaps as the word of others counts for, cold starts. */
  float cost(int candidate) {
    return cost[candidate] * word;
  }

  /** The same of what a specialist's opinions saved. */
  float saved(int specialist) {
    return WORD * saved[specialist] / (opinions[specialist] + 1);
  }

  /** A gap of some function has ended and is booked. */
  void gap(Account[] accounts, float stake, float worth) {
    float fade = 1 - (1 - FADE) * stake;
    gaps = gaps * fade + stake;
    word = WORD / (gaps + 1);
    float part = 1 / worth;
    for (int i = 0; i < cost.length; i++) {
      cost[i] = cost[i] * fade + accounts[i].gap() * part;
    }
  }

  /** So was one of which a specialist had an opinion. */
  void opinion(int specialist, float cheaper) {
    saved[specialist] = saved[specialist] * FADE + cheaper;
    opinions[specialist] = opinions[specialist] * FADE + 1;
  }

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
      hazard[bin] = (ended[bin] + TRUST * GENERAL[bin]) / (risk + TRUST);
      risk -= ended[bin] + open[bin];
    }
  }

  synchronized void write(DataOutput out) throws IOException {
    out.writeByte(next);
    for (int i = 0; i < KEPT; i++) {
      out.writeLong(first[i]);
      out.writeLong(gap[i]);
    }
    State.write(out, cost);
    out.writeFloat(gaps);
    for (int i = 0; i < saved.length; i++) {
      out.writeFloat(saved[i]);
      out.writeFloat(opinions[i]);
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
    State.readFinite(in, cost);
    gaps = State.finite(in.readFloat());
    word = WORD / (gaps + 1);
    for (int i = 0; i < saved.length; i++) {
      saved[i] = State.number(in.readFloat());
      opinions[i] = State.finite(in.readFloat());
    }
    compute(latest);
  }
}
