package io.weir.weirpkg;

/**
 * How large a package may be.
 *
 * @param totalBytes all its entries together, unpacked
 */
public record Limits(long totalBytes) {
  /** The largest manifest. */
  public static final int MANIFEST_BYTES = 64 << 10;
  /** The most entries beside manifest and signature. */
  public static final int FILES = 64;
  /** The largest entry that is no image. */
  public static final int TEXT_BYTES = 1 << 20;

  /** The largest entry of all; tar knows none that is larger without extensions. */
  public static final long FILE_BYTES = (8L << 30) - 1;

  /** For programs that only look at a package. */
  public static final Limits NONE = new Limits(Long.MAX_VALUE);
}
