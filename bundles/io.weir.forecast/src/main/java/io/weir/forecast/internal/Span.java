package io.weir.forecast.internal;

/**
 * From when until when a function should be warm, in milliseconds; reused, so that scoring allocates nothing.
 */
final class Span {
  static final long NEVER = Long.MAX_VALUE;

  /** For {@link #probability} of one that nobody has asked for: it takes longer than the rest. */
  static final float UNKNOWN = -1;

  long from = NEVER;
  long to = NEVER;
  /** That an arrival comes within, as the candidate believes. */
  float probability;
  /** It was heard of so late that it can be warm from then on only, after a start of so many milliseconds. */
  private long ready;
  private long start;

  void set(long from, long to, double probability) {
    ready = Long.MIN_VALUE;
    this.from = from;
    this.to = Math.max(from, to);
    this.probability = (float) probability;
  }

  /** As {@link #set}, but {@link #never} if it has ended by now. */
  void unlessOver(long now, long from, long to, double probability) {
    if (now < to) {
      set(from, to, probability);
    } else {
      never();
    }
  }

  /** It was heard of at a time at which a start would take so long. */
  void heardOf(long at, long start) {
    ready = at + start;
    this.start = start;
  }

  /** What part of a start an arrival within has to wait for. */
  float late(long at) {
    return at >= ready ? 0 : Math.min(1, (ready - at) / (float) start);
  }

  /** Not before the next arrival. */
  void never() {
    set(NEVER, NEVER, 0);
  }

  boolean isNever() {
    return from == NEVER;
  }
}
