package io.weir.forecast.internal;

/**
 * Bins for gaps between arrivals, each a fifth to a quarter wider than the one before: four to an octave,
 * from one second to a day and a half, read off the bits of a float.
 */
final class Gaps {
  static final int OCTAVES = 17;
  static final int BINS = 4 * OCTAVES + 1;

  private static final float[] LENGTHS = new float[BINS];

  static {
    for (int bin = 0; bin < BINS; bin++) {
      LENGTHS[bin] = bin == BINS - 1 ? start(bin) : end(bin) - start(bin);
    }
  }

  private Gaps() {}

  /** Bin of a gap in milliseconds; the last one has no end. */
  static int bin(long gap) {
    if (gap <= 1_000) {
      return 0;
    }
    int bits = Float.floatToRawIntBits(gap / 1_000f);
    int bin = 4 * ((bits >>> 23) - 127) + (bits >>> 21 & 3);
    return Math.min(bin, BINS - 1);
  }

  /** First millisecond of a bin; that of the first is zero. */
  static long start(int bin) {
    return bin == 0 ? 0 : (1_000L << bin / 4) * (4 + bin % 4) / 4;
  }

  /** How long a bin is, milliseconds; the last one is taken to be as long as all before. */
  static float length(int bin) {
    return LENGTHS[bin];
  }

  /** First millisecond behind a bin. */
  static long end(int bin) {
    return bin >= BINS - 1 ? Long.MAX_VALUE / 4 : start(bin + 1);
  }
}
