package io.weir.kernel.internal;

import io.weir.kernel.Meter.Counts;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

/** struct weir_counters, and what is added to it. Not thread-safe. */
final class Tally {
  private static final int WORDS = Layout.COUNTERS / 8;
  private static final int REQUESTS = 0;
  private static final int RESPONSES = 1;
  private static final int CLASSES = 6;
  private static final int ABORTS = 7;

  private final long[] words = new long[WORDS];

  /** What stands at a slot of values that were read in one go. */
  static Tally at(byte[] values, int slot) {
    Tally tally = new Tally();
    ByteBuffer in = Layout.buffer(values).position(slot * Layout.COUNTERS).slice().order(Layout.buffer(0).order());
    Arrays.setAll(tally.words, i -> in.getLong(8 * i));
    return tally;
  }

  Tally plus(Tally other) {
    for (int i = 0; i < WORDS; i++) {
      words[i] += other.words[i];
    }
    return this;
  }

  /** Its connections ended with so many requests in flight. */
  Tally aborted(long requests) {
    words[ABORTS] += Math.max(0, requests);
    return this;
  }

  long requests() {
    return words[REQUESTS];
  }

  Counts counts(long inFlight) {
    List<Long> responses = Arrays.stream(words, RESPONSES, RESPONSES + CLASSES).boxed().toList();
    return new Counts(words[REQUESTS], responses, Math.max(0, inFlight), words[ABORTS], words[8], words[9], words[10],
        words[12], words[13]);
  }
}
