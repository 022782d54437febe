package io.weir.kernel.internal;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** The buckets of weir_event.h: below 8 one each, then 8 to each power of two; the last one holds all that is longer. */
final class Histogram {
  private static final int LINEAR = 8;

  private static final List<Long> BOUNDS = IntStream.range(0, Layout.BUCKETS).mapToObj(Histogram::bound).toList();

  private Histogram() {}

  /** Upper ends in microseconds, exclusive. */
  static List<Long> bounds() {
    return BOUNDS;
  }

  private static long bound(int bucket) {
    if (bucket == Layout.BUCKETS - 1) {
      return Long.MAX_VALUE;
    }
    if (bucket < LINEAR) {
      return bucket + 1;
    }
    int exponent = bucket / LINEAR + 2;
    long width = 1L << exponent - 3;
    return (1L << exponent) + (bucket % LINEAR + 1) * width;
  }

  /** Where a value of so many microseconds counts. */
  static int bucket(long micros) {
    if (micros < LINEAR) {
      return (int) Math.max(0, micros);
    }
    int exponent = Long.SIZE - 1 - Long.numberOfLeadingZeros(micros);
    return (int) Math.min(Layout.BUCKETS - 1L, LINEAR * (exponent - 2L) + (micros >> exponent - 3 & LINEAR - 1));
  }

  /** Counts of a histogram as the library reads it: the sum comes first. */
  static List<Long> counts(long[] read) {
    return Arrays.stream(read, 1, read.length).boxed().toList();
  }
}
