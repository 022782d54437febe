package io.weir.forecast.internal;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * One way to expect the next arrival of one function. What it says depends on what it observed and on the
 * time it is given, nothing else. Times are milliseconds since the epoch that never go back; <em>worth</em>
 * is how many milliseconds of warmth one cold start is worth. Not thread-safe.
 */
interface Candidate {

  /**
   * Learns that work began after a while without; nothing, unless it says otherwise.
   *
   * @param gap since the arrival before; negative for the first
   */
  default void arrived(long at, long gap, float worth) {}

  /**
   * The first span that ends after {@code now} in which the function should be warm, if nothing arrives
   * before.
   *
   * @param last the arrival before
   * @return false if it has no opinion, as it has not learned enough
   */
  boolean next(long last, long now, float worth, Span span);

  /**
   * Whether it is sure to be warm from the last arrival beyond a time, as can be told at once; false: ask
   * {@link #next}.
   */
  default boolean holds(long last, long until, float worth) {
    return false;
  }

  /** Expected arrivals within a horizon from now on; negative if it has no opinion. */
  default double expected(long last, long now, long horizon) {
    return -1;
  }

  /** Variance of the number of arrivals over its mean: 1 for pure chance, 0 for a clock. */
  default double dispersion() {
    return 1;
  }

  /** Writes what it has learned; nothing, if it keeps no state of its own. */
  default void write(DataOutput out) throws IOException {}

  /** Continues from what {@link #write} wrote. */
  default void read(DataInput in) throws IOException {}
}
