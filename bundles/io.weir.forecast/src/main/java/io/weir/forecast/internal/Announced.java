package io.weir.forecast.internal;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * Expects a function because another was called that it usually follows; {@link Followers} has learned which. Warm in the
 * announced windows, and if calls come that nobody announces, also as it is the function's habit. The idea is that of causal
 * prefetching (CloudNet 2020 prefetches by rate only): along a corridor the sensors fire in turn.
 *
 * <p>Parameters: {@value #PENDING} announcements at a time; the share of announced arrivals fades with 0.95.
 */
final class Announced implements Candidate {
  private static final int PENDING = 4;
  private static final float FADE = 0.95f;

  private final Habit habit;
  private final long[] from = new long[PENDING];
  private final long[] to = new long[PENDING];
  private final float[] chance = new float[PENDING];
  private float announced;
  private float arrivals;

  Announced(Habit habit) {
    this.habit = habit;
  }

  /** Another function's call makes one of this likely. The account must be settled until now. */
  void announce(long head, long tail, float probability) {
    int place = 0;
    for (int i = 1; i < PENDING; i++) {
      if (to[i] < to[place]) {
        place = i;
      }
    }
    from[place] = head;
    to[place] = tail;
    chance[place] = probability;
  }

  @Override
  public void arrived(long at, long gap, float worth) {
    boolean expected = false;
    for (int i = 0; i < PENDING; i++) {
      if (from[i] <= at && at < to[i]) {
        expected = true;
        to[i] = 0;
      }
    }
    announced = announced * FADE + (expected ? 1 : 0);
    arrivals = arrivals * FADE + 1;
  }

  /** Chance that a call comes which nobody announced. */
  private float surprise() {
    return 1 - (announced - 0.1f) / (arrivals + 0.2f);
  }

  @Override
  public boolean next(long last, long now, float worth, Span span) {
    int soonest = -1;
    for (int i = 0; i < PENDING; i++) {
      if (to[i] > now && chance[i] * worth > to[i] - from[i] && (soonest < 0 || from[i] < from[soonest])) {
        soonest = i;
      }
    }
    boolean alone = arrivals > 3 && surprise() * worth < Math.min(worth, habit.mean());
    if (!alone) {
      if (soonest < 0) {
        return false;
      }
      habit.next(last, now, worth, span);
      if (span.from <= from[soonest]) {
        return true;
      }
    }
    if (soonest < 0) {
      span.never();
    } else {
      span.set(from[soonest], to[soonest], chance[soonest]);
    }
    return true;
  }

  @Override
  public double expected(long last, long now, long horizon) {
    double sum = 0;
    for (int i = 0; i < PENDING; i++) {
      if (to[i] > now && from[i] < now + horizon) {
        sum += chance[i];
      }
    }
    return sum > 0 ? sum : -1;
  }

  @Override
  public void write(DataOutput out) throws IOException {
    out.writeFloat(announced);
    out.writeFloat(arrivals);
  }

  @Override
  public void read(DataInput in) throws IOException {
    announced = State.finite(in.readFloat());
    arrivals = State.finite(in.readFloat());
  }
}
