package io.weir.forecast.internal;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.Optional;

/**
 * The hybrid histogram of Shahrad et al., Serverless in the Wild, USENIX ATC 2020, §4.2: idle times in bins
 * of a minute up to four hours; warm from the 5th percentile less 10 % to the 99th plus 10 %. A histogram
 * whose bins do not stand out from each other (coefficient of variation of the counts at most 2) says
 * nothing, then the standard keep-alive, which is as long as the histogram, applies. Where more than half of
 * the idle times are longer than that, ARIMA forecasts the next, ± 15 %.
 */
final class HybridHistogram implements Candidate {
  private static final long MINUTE = 60_000;
  private static final int BINS = 240;
  private static final int KEPT = 12;

  private final short[] bins = new short[BINS];
  private int total;
  private int squares;
  private int outOfBounds;
  private final float[] longest = new float[KEPT];
  private int kept;

  private long head;
  private long tail = BINS * MINUTE;

  @Override
  public void arrived(long at, long gap, float worth) {
    if (gap < 0) {
      return;
    }
    longest[kept++ % KEPT] = gap;
    if (kept == 2 * KEPT) {
      kept = KEPT;
    }
    long minute = gap / MINUTE;
    if (minute >= BINS) {
      outOfBounds++;
    } else {
      squares += 2 * bins[(int) minute] + 1;
      bins[(int) minute]++;
      total++;
    }
    if (total + outOfBounds > 4_000) {
      halve();
    }
    // Percentiles of many hardly move with one more.
    if (total < 32 || total % 16 == 0 || outOfBounds > total) {
      plan();
    }
  }

  private void halve() {
    total = 0;
    squares = 0;
    outOfBounds /= 2;
    for (int i = 0; i < BINS; i++) {
      bins[i] /= 2;
      total += bins[i];
      squares += bins[i] * bins[i];
    }
  }

  private void plan() {
    if (outOfBounds > total) {
      Optional<Double> idle = kept >= 5 ? Arima.next(recent()) : Optional.empty();
      if (idle.isPresent()) {
        head = (long) (idle.get() * 0.85);
        tail = (long) (idle.get() * 1.15) + MINUTE;
        return;
      }
    } else if (total > 0 && (double) BINS * squares / ((double) total * total) - 1 > 4) {
      head = (long) (MINUTE * 0.9 * percentile(0.05));
      tail = (long) (MINUTE * 1.1 * (percentile(0.99) + 1));
      return;
    }
    head = 0;
    tail = BINS * MINUTE;
  }

  private double[] recent() {
    int size = Math.min(kept, KEPT);
    double[] gaps = new double[size];
    for (int i = 0; i < size; i++) {
      gaps[i] = longest[Math.floorMod(kept - size + i, KEPT)];
    }
    return gaps;
  }

  /** Minute below which a share of the idle times ends. */
  private int percentile(double share) {
    int wanted = Math.max(1, (int) Math.ceil(total * share));
    int below = 0;
    for (int i = 0; i < BINS; i++) {
      below += bins[i];
      if (below >= wanted) {
        return i;
      }
    }
    return BINS - 1;
  }

  @Override
  public boolean holds(long last, long until, float worth) {
    return head == 0 && until < last + tail;
  }

  @Override
  public boolean next(long last, long now, float worth, Span span) {
    span.unlessOver(now, last + head, last + tail, 0.94);
    return true;
  }

  @Override
  public double expected(long last, long now, long horizon) {
    if (total < 1) {
      return -1;
    }
    long from = Math.max(0, now - last) / MINUTE;
    long to = Math.max(0, now - last + horizon) / MINUTE;
    int within = 0;
    int beyond = outOfBounds;
    double mean = 0;
    for (int i = 0; i < BINS; i++) {
      mean += (i + 0.5) * MINUTE * bins[i] / total;
      if (i >= from) {
        within += i <= to ? bins[i] : 0;
        beyond += i > to ? bins[i] : 0;
      }
    }
    return within + beyond == 0 ? 0 : within / (double) (within + beyond) * (1 + horizon / 2.0 / mean);
  }

  @Override
  public void write(DataOutput out) throws IOException {
    for (short bin : bins) {
      out.writeShort(bin);
    }
    out.writeLong(head);
    out.writeLong(tail);
    out.writeInt(outOfBounds);
    out.writeInt(kept);
    State.write(out, longest);
  }

  @Override
  public void read(DataInput in) throws IOException {
    total = 0;
    squares = 0;
    for (int i = 0; i < BINS; i++) {
      bins[i] = (short) Math.max(0, in.readShort());
      total += bins[i];
      squares += bins[i] * bins[i];
    }
    head = in.readLong();
    tail = in.readLong();
    outOfBounds = Math.max(0, in.readInt());
    kept = Math.floorMod(in.readInt(), 2 * KEPT);
    State.readFinite(in, longest);
  }
}
