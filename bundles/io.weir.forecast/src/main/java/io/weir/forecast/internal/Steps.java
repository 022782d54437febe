package io.weir.forecast.internal;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * Candidates that count arrivals in steps of a minute and forecast the next step's count: warm through each
 * step for which at least half an arrival is expected.
 */
abstract class Steps implements Candidate {
  static final long STEP = 60_000;
  private static final int AHEAD = 30;
  private static final double ENOUGH = 0.5;

  /** The step that is open, and what arrived in it. */
  private long step = Long.MIN_VALUE;
  private int open;
  /** How many steps it looks ahead, once reckoned; negative: not since the last arrival. */
  private int ahead = -1;

  /** Every arrival, also those that come without a pause. */
  final void count(long at, int arrivals) {
    long now = Math.floorDiv(at, STEP);
    if (now > step) {
      if (step != Long.MIN_VALUE) {
        closed(open);
        // What is learned from silence is learned in the first minutes.
        for (long idle = Math.min(AHEAD, now - step - 1); idle > 0; idle--) {
          closed(0);
        }
      }
      step = now;
      open = 0;
    }
    open = Math.min(1_000_000, open + arrivals);
    ahead = -1;
  }

  @Override
  public final boolean next(long last, long now, float worth, Span span) {
    span.unlessOver(now, last, end(), 0.5);
    return true;
  }

  @Override
  public final boolean holds(long last, long until, float worth) {
    return until < (step + 1) * STEP || until < end();
  }

  private long end() {
    if (ahead < 0) {
      ahead = 0;
      begin(open);
      while (ahead < AHEAD && peek() >= ENOUGH) {
        ahead++;
        advance();
      }
    }
    return (step + 1 + ahead) * STEP;
  }

  @Override
  public final double expected(long last, long now, long horizon) {
    if (step == Long.MIN_VALUE) {
      return -1;
    }
    begin(open);
    long quiet = Math.min(AHEAD, Math.floorDiv(now, STEP) - step - 1);
    for (long i = 0; i < quiet; i++) {
      advance();
    }
    return Math.max(0, peek()) * horizon / STEP;
  }

  @Override
  public void write(DataOutput out) throws IOException {
    out.writeLong(step);
    out.writeInt(open);
  }

  @Override
  public void read(DataInput in) throws IOException {
    step = in.readLong();
    open = Math.max(0, in.readInt());
    ahead = -1;
  }

  /** Learns the count of a step that ended. */
  abstract void closed(int arrivals);

  /** Starts a look ahead from the state after the open step, if no more arrives in it. */
  abstract void begin(int arrivals);

  /** The forecast for the step the look is at. */
  abstract double peek();

  /** Looks one step further, in which nothing arrives. */
  abstract void advance();
}
