package io.weir.forecast.internal;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * Learns how long the gaps between arrivals are and is warm for as long as the next moment of warmth is
 * likely enough to spare a cold start. For each bin of gaps that is decided by its hazard, the share of the
 * gaps which reach the bin that end in it: warm if hazard times the worth of a cold start exceeds the time
 * held. That is the break-even rule of ski rental (Karlin et al., Competitive randomized algorithms for
 * nonuniform problems, Algorithmica 1994) with a distribution that is learned. A bin forgets only when it is
 * reached, so a crowd of short gaps does not bury what is known of long ones. Weir's own; what other
 * forecasters fall back on.
 *
 * <p>Parameters: {@link Gaps}' bins; gaps that a bin remembers; how much it takes from its neighbours
 * ({@link #NEAR}) and from other functions ({@link #CREDIT}).
 */
final class Habit implements Candidate {
  /**
   * Share of a gap that counts for the bins below and above: the next one will not be the same to the second.
   */
  private static final float BELOW = 0.15f;
  private static final float ABOVE = 0.2f;
  /** Cold for less than this is not worth a start, milliseconds. */
  private static final long BRIDGE = 20_000;
  /** Bins on either side that say what to expect of a bin with few gaps. */
  private static final int NEAR = 2;
  /** Gaps whose word counts as much as what is known of neighbours and other functions. */
  private static final float CREDIT = 1;
  /**
   * After as many gaps, one that is longer than all of them is half as likely to end as that of an unknown
   * function.
   */
  private static final float OTHERS = 30;
  private static final float SETTLED = 16;
  private static final float LEAST_TAIL = 0.12f;
  /** So many gaps say half of what there is to know of how long to wait. */
  private static final float FEW = 2;
  private static final float FEW_GAPS = 16;
  private static final float ENOUGH_NEWS = 0.02f;
  private static final float NEARLY = 0.05f;

  private final Surroundings surroundings;
  private final float fade;
  private final float[] ended = new float[Gaps.BINS];
  private final float[] reached = new float[Gaps.BINS];
  private float total;
  private float mean;
  private float square;
  private float tail = 1;
  /**
   * Of the gaps and of their squares; they fade by what is at stake in a gap, so that a crowd of short ones
   * buries nothing.
   */
  private float sum;
  private float sumOfSquares;
  private float patience;
  /** A bit for every bin in which to be warm. */
  private long warmLow;
  private long warmHigh;
  /** Until when it is warm from an arrival on, milliseconds. */
  private long held;
  private float decidedFor = -1;
  /** What was learned since then, in parts of what is remembered. */
  private float news;

  /** @param memory gaps that a bin remembers */
  Habit(Surroundings surroundings, int memory) {
    this.surroundings = surroundings;
    fade = 1 - 1f / memory;
  }

  @Override
  public void arrived(long at, long gap, float worth) {
    if (gap >= 0) {
      int bin = Gaps.bin(gap);
      int last = Math.min(Gaps.BINS - 1, bin + 1);
      for (int i = 0; i < last; i++) {
        ended[i] *= fade;
        reached[i] = reached[i] * fade + 1;
      }
      ended[Math.max(0, bin - 1)] += BELOW;
      ended[bin] += 1 - BELOW - ABOVE;
      ended[last] += ABOVE;
      reached[bin] -= bin == 0 ? 0 : BELOW;
      reached[last] += ABOVE;
      total = Math.min(1_000, total + 1);
      float share = Math.max(1 - fade, 1 / total);
      mean += (gap - mean) * share;
      square += ((float) gap * gap - square) * share;
      float fading = 1 - Ledger.FADING * Ledger.stake(gap, worth);
      sum = sum * fading + gap;
      sumOfSquares = sumOfSquares * fading + (float) gap * gap;
      news += Ledger.stake(gap, worth) * (1 - fade);
    }
    // A short gap among many changes nothing.
    if (total < FEW_GAPS || news > ENOUGH_NEWS) {
      decide(worth);
    }
  }

  /** Of gaps that reach a bin, how many are expected to end in it. */
  private float hazard(int bin) {
    return (ended[bin] + CREDIT * surroundings.hazard(bin) * tail) / (reached[bin] + CREDIT);
  }

  /** Whether to be warm in a bin, by its hazard given those around; reckoned without a division. */
  private boolean worthwhile(int bin, float endedNear, float reachedNear, float worth) {
    float near = reachedNear + OTHERS;
    float ends = ended[bin] * near + CREDIT * (endedNear + OTHERS * surroundings.hazard(bin) * tail);
    float of = (reached[bin] + CREDIT) * near;
    float length = Gaps.length(bin);
    return Math.min(ends, of) * (worth + length / 2) > length * of;
  }

  /**
   * What to make of a gap longer than all before, 0 to 1. Gaps that vary by no more than those of chance, and
   * then one many times as long, are the end of something; where they vary a lot, as people's do, longer ones
   * are to be expected.
   */
  float tail() {
    float variation = mean > 0 ? (float) Math.sqrt(Math.max(0, square / mean / mean - 1)) : 1;
    float regular = Math.max(LEAST_TAIL, Math.min(1, LEAST_TAIL + (variation - 1) * (1 - LEAST_TAIL)));
    return Math.max(regular, SETTLED / (SETTLED + total));
  }

  private void decide(float worth) {
    decidedFor = worth;
    news = 0;
    patience = patienceFor(worth);
    tail = tail();
    warmLow = 0;
    warmHigh = 0;
    float endedNear = 0;
    float reachedNear = 0;
    for (int bin = Gaps.BINS - 1; bin >= Gaps.BINS - NEAR; bin--) {
      endedNear += ended[bin];
      reachedNear += reached[bin];
    }
    int warmFrom = Gaps.BINS;
    for (int bin = Gaps.BINS - 1; bin >= 0; bin--) {
      if (bin - NEAR >= 0) {
        endedNear += ended[bin - NEAR];
        reachedNear += reached[bin - NEAR];
      }
      if (bin + NEAR + 1 < Gaps.BINS) {
        endedNear -= ended[bin + NEAR + 1];
        reachedNear -= reached[bin + NEAR + 1];
      }
      boolean worthwhile = worthwhile(bin, Math.max(0, endedNear), Math.max(0, reachedNear), worth);
      if (worthwhile || warmFrom < Gaps.BINS && Gaps.start(warmFrom) - Gaps.start(bin) < BRIDGE) {
        if (bin < 64) {
          warmLow |= 1L << bin;
        } else {
          warmHigh |= 1L << bin - 64;
        }
      }
      if (worthwhile) {
        warmFrom = bin;
      }
    }
    int cold = warmLow == -1L ? 64 + Long.numberOfTrailingZeros(~warmHigh)
        : Long.numberOfTrailingZeros(~warmLow);
    // The last bin has no end; nobody is kept warm for ever.
    held = cold == 0 ? 0 : cold == Gaps.BINS ? 2 * Gaps.start(cold - 1) : Gaps.end(cold - 1);
  }

  /** Decides anew if a cold start is worth something else now. */
  private void price(float worth) {
    if (Math.abs(worth - decidedFor) > NEARLY * decidedFor) {
      decide(worth);
    }
  }

  private boolean warm(int bin) {
    return bin < 64 ? (warmLow >>> bin & 1) != 0 : (warmHigh >>> bin - 64 & 1) != 0;
  }

  @Override
  public boolean holds(long last, long until, float worth) {
    price(worth);
    return until < last + held;
  }

  @Override
  public boolean next(long last, long now, float worth, Span span) {
    price(worth);
    if (now < last + held) {
      span.set(last, last + held, Span.UNKNOWN);
      return true;
    }
    int from = Gaps.bin(Math.max(0, now - last));
    while (from < Gaps.BINS && !warm(from)) {
      from++;
    }
    if (from == Gaps.BINS) {
      span.never();
      return true;
    }
    int to = from;
    while (to + 1 < Gaps.BINS && warm(to + 1)) {
      to++;
    }
    while (from > 0 && warm(from - 1)) {
      from--;
    }
    long end = to == Gaps.BINS - 1 ? 2 * Gaps.start(to) : Gaps.end(to);
    span.unlessOver(now, last + Gaps.start(from), last + end, Span.UNKNOWN);
    return true;
  }

  /** Chance that a gap which has lasted a while ends before another. */
  float chance(long from, long to) {
    return share(Gaps.bin(Math.max(0, from)), Gaps.bin(Math.max(0, to - 1)));
  }

  /** Of the gaps that reach a bin, those that end no later than another. */
  private float share(int from, int to) {
    float survives = 1;
    for (int bin = from; bin <= to; bin++) {
      survives *= 1 - Math.min(1, hazard(bin));
    }
    return 1 - survives;
  }

  @Override
  public double expected(long last, long now, long horizon) {
    if (total < 1) {
      return -1;
    }
    int from = Gaps.bin(Math.max(0, now - last));
    int to = Gaps.bin(Math.max(0, now - last + horizon));
    double first = share(from, to);
    return first * (1 + horizon / 2.0 / Math.max(1_000, mean));
  }

  @Override
  public double dispersion() {
    return 2;
  }

  /**
   * For how long to wait for the next arrival without looking at hazards, milliseconds: at most what a cold
   * start is worth, less once it is more likely that the traffic has ended. One gap in all that were seen may
   * be the end; while gaps end by chance after {@code residual} on average, the belief that this one will,
   * times what it spares, falls below what is held after
   * {@code residual × (ln gaps + ln (worth / residual))}. Of few gaps little is believed.
   */
  long patience(float worth) {
    price(worth);
    return (long) patience;
  }

  private float patienceFor(float worth) {
    // What a moment chosen by chance has before it: the mean, if gaps are those of chance; more if they are
    // of all lengths.
    float residual = Math.max(1, sumOfSquares / 2 / Math.max(1, sum));
    double certain = Math.log(1 + total) + Math.max(0, Math.log(worth / residual));
    return (float) Math.min(worth, residual * certain + worth * FEW / (1 + total));
  }

  /** Whether no gap was seen yet. */
  boolean unknown() {
    return total < 1;
  }

  /** Mean of the gaps it remembers, milliseconds. */
  float mean() {
    return mean;
  }

  @Override
  public void write(DataOutput out) throws IOException {
    if (decidedFor > 0) {
      // Who reads decides by all that was learned, so both do the same.
      decide(decidedFor);
    }
    State.write(out, total, mean, square, sum, sumOfSquares);
    for (int i = 0; i < Gaps.BINS; i++) {
      out.writeFloat(ended[i]);
      out.writeFloat(reached[i]);
    }
  }

  @Override
  public void read(DataInput in) throws IOException {
    total = State.finite(in.readFloat());
    mean = State.finite(in.readFloat());
    square = State.square(in.readFloat());
    sum = State.finite(in.readFloat());
    sumOfSquares = State.square(in.readFloat());
    for (int i = 0; i < Gaps.BINS; i++) {
      ended[i] = State.finite(in.readFloat());
      reached[i] = State.finite(in.readFloat());
    }
    decidedFor = -1;
    tail = tail();
  }
}
