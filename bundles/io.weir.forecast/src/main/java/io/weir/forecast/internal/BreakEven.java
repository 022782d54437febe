package io.weir.forecast.internal;

import java.io.DataInput;
import java.io.DataOutput;

/**
 * The rule of ski rental without any knowledge: warm for as long as a cold start is worth, so that no gap costs more than twice
 * what foresight would (Karlin et al., Competitive randomized algorithms for nonuniform problems, Algorithmica 1994). Shorter
 * where a silence as long as this says that traffic has ended: {@link Habit#patience}. Of a function that was called once it
 * believes what others did.
 */
final class BreakEven implements Candidate {
  private final Habit habit;

  BreakEven(Habit habit) {
    this.habit = habit;
  }

  @Override
  public void arrived(long at, long gap, float worth) {
    // the habit learns
  }

  @Override
  public boolean next(long last, long now, float worth, Span span) {
    if (habit.unknown()) {
      return habit.next(last, now, worth, span);
    }
    long keep = habit.patience(worth);
    if (now < last + keep) {
      span.set(last, last + keep, 0.5);
    } else {
      span.never();
    }
    return true;
  }

  @Override
  public double expected(long last, long now, long horizon) {
    return -1;
  }

  @Override
  public void write(DataOutput out) {
    // no state of its own
  }

  @Override
  public void read(DataInput in) {
    // no state of its own
  }
}
