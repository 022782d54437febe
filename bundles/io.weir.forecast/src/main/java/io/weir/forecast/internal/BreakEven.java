package io.weir.forecast.internal;

/**
 * The rule of ski rental without any knowledge: warm for as long as a cold start is worth, so that no gap
 * costs more than twice what foresight would (Karlin et al., Competitive randomized algorithms for nonuniform
 * problems, Algorithmica 1994). Shorter where a silence as long as this says that traffic has ended:
 * {@link Habit#patience}. Of a function that was called once it believes what others did.
 */
final class BreakEven implements Candidate {
  private final Habit habit;

  BreakEven(Habit habit) {
    this.habit = habit;
  }

  @Override
  public boolean holds(long last, long until, float worth) {
    return !habit.unknown() && until < last + habit.patience(worth);
  }

  @Override
  public boolean next(long last, long now, float worth, Span span) {
    if (habit.unknown()) {
      return habit.next(last, now, worth, span);
    }
    long keep = habit.patience(worth);
    span.unlessOver(now, last, last + keep, 0.5);
    return true;
  }
}
