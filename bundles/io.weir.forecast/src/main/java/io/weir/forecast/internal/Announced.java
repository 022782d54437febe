package io.weir.forecast.internal;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * Expects a function because another was called that it usually follows; {@link Followers} has learned which.
 * Warm in the announced windows, and if calls come that nobody announces, also as it is the function's habit.
 * The idea is that of causal prefetching (CloudNet 2020 prefetches by rate only): along a corridor the
 * sensors fire in turn.
 *
 * <p>Parameters: {@value #PENDING} announcements at a time; the share of announced arrivals fades with 0.98.
 */
final class Announced implements Candidate {
  private static final int PENDING = 4;
  private static final float FADE = 0.98f;
  /** Before an announcement was in vain. */
  private static final float OVER = 0.2f;

  private final Habit habit;
  private final long[] from = new long[PENDING];
  private final long[] to = new long[PENDING];
  /** When it was announced, and what a start took then; one that is called sooner waits for the rest of it. */
  private final long[] heard = new long[PENDING];
  private final long[] start = new long[PENDING];
  private final float[] chance = new float[PENDING];
  private float announced;
  private float arrivals;
  /** Milliseconds that warmth without announcements would have held in the same gaps. */
  private float idle;
  /** Odds that it is not called any more, whoever is taken to announce it. */
  private float over = OVER;

  Announced(Habit habit) {
    this.habit = habit;
  }

  /**
   * Another function's call makes one of this likely. The account must be settled until now.
   *
   * @param takes how many milliseconds a start takes
   */
  void announce(long now, long head, long tail, float probability, long takes) {
    int place = 0;
    for (int i = 1; i < PENDING; i++) {
      if (to[i] < to[place]) {
        place = i;
      }
    }
    if (to[place] > 0 && to[place] <= head) {
      // Nothing has come since, or it would have been cleared.
      over = Math.min(1e6f, over / Math.max(0.05f, 1 - chance[place]));
    }
    heard[place] = now;
    start[place] = takes;
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
      }
      if (from[i] <= at) {
        to[i] = 0;
      }
    }
    over = OVER;
    announced = announced * FADE + (expected ? 1 : 0);
    arrivals = arrivals * FADE + 1;
    idle = idle * FADE + Math.min(worth, Math.max(0, gap));
  }

  /** Chance that a call comes which nobody announced. */
  private float surprise() {
    return (arrivals - announced + 1) / (arrivals + 2);
  }

  /** Whether so few calls come unannounced that it does not pay to wait for those. */
  boolean alone(float worth) {
    return arrivals > 3 && surprise() * worth < idle / arrivals;
  }

  @Override
  public boolean next(long last, long now, float worth, Span span) {
    int soonest = -1;
    for (int i = 0; i < PENDING; i++) {
      boolean worthwhile = to[i] > now && chance[i] / (1 + over) * worth > to[i] - from[i];
      if (worthwhile && (soonest < 0 || from[i] < from[soonest])) {
        soonest = i;
      }
    }
    boolean alone = alone(worth);
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
      span.heardOf(heard[soonest], start[soonest]);
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
    State.write(out, announced, arrivals, idle, over);
  }

  @Override
  public void read(DataInput in) throws IOException {
    announced = State.finite(in.readFloat());
    arrivals = State.finite(in.readFloat());
    idle = State.finite(in.readFloat());
    over = State.finite(in.readFloat());
  }
}
