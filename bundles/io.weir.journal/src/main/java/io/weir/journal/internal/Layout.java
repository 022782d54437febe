package io.weir.journal.internal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Where the bytes of a segment are; the text of it is docs/reference/journal-format.md.
 *
 * <p>Checksums begin with the segment's own random number, so that neither what a file held in an earlier use nor
 * bytes that somebody sends as a body are ever taken for groups of this segment.
 */
final class Layout {
  static final int VERSION = 1;
  /** Groups begin at pages, so a page that was forced is never written again. */
  static final int PAGE = 4096;
  static final int HEAD = 64;
  static final int RECORD_HEAD = 10;
  static final int HASH = 32;

  /** More records of the same change follow: all of them count, or none. */
  static final int CONTINUED = 1;
  /** The same record as in a segment that is to be removed. */
  static final int COPY = 2;
  /** The first record of a change. */
  static final int FIRST = 4;

  private static final long FILE_MAGIC = 0x574549524A524E4CL;  // WEIRJRNL
  private static final int GROUP_MAGIC = 0x574A4731;  // WJG1
  private static final int HEADER_CRC_AT = 112;
  private static final int SECOND_HEADER = PAGE / 2;

  private Layout() {}

  /**
   * What a segment's first page says.
   *
   * @param number grows by one with each segment
   * @param nonce random
   * @param created milliseconds since 1970
   * @param previous number of the segment before, 0 if there is none
   * @param previousEnd where that ends; what is behind it does not count
   * @param sequence number of the first group
   * @param nextNumber no event or output has a number this high yet
   * @param link hash of everything before
   */
  record Header(long number, long nonce, long created, long previous, long previousEnd, long sequence, long nextNumber,
      byte[] link) {}

  /**
   * The beginning of a group.
   *
   * @param length of its records in bytes
   * @param records how many
   * @param sequence one more than that of the group before
   * @param time milliseconds since 1970, as the clock had it
   * @param link hash of everything before
   */
  record Head(int length, int records, long sequence, long time, byte[] link) {
    /** Bytes that the group takes in the file. */
    long padded() {
      return pages(HEAD + length);
    }
  }

  /** A record: its kind, its flags, where its bytes are in the buffer it was found in. */
  record Found(int type, int flags, int at, int length) {
    boolean first() {
      return (flags & FIRST) != 0;
    }

    boolean continued() {
      return (flags & CONTINUED) != 0;
    }

    boolean copy() {
      return (flags & COPY) != 0;
    }
  }

  /** A file that is not of this version; what else it says cannot be known. */
  static final class OtherVersion extends IOException {
    private static final long serialVersionUID = 1L;

    OtherVersion(int version) {
      super("is of version " + version + ", and this gateway knows version " + VERSION);
    }
  }

  static long pages(long bytes) {
    return (bytes + PAGE - 1) / PAGE * PAGE;
  }

  /** The first page; everything is there twice, since without it nothing else can be checked. */
  static ByteBuffer header(Header header) {
    ByteBuffer page = ByteBuffer.allocate(PAGE);
    for (int at : new int[] {0, SECOND_HEADER}) {
      page.position(at);
      page.putLong(FILE_MAGIC).putInt(VERSION).putInt(PAGE).putLong(header.number).putLong(header.nonce)
          .putLong(header.created).putLong(header.previous).putLong(header.previousEnd).putLong(header.sequence)
          .putLong(header.nextNumber).put(header.link).putLong(0);
      page.putInt(crc(0, page.duplicate().clear().position(at).limit(at + HEADER_CRC_AT)));
    }
    return page.clear();
  }

  /** What a first page says; empty if it is damaged. */
  static Optional<Header> header(ByteBuffer page) throws OtherVersion {
    for (int at : new int[] {0, SECOND_HEADER}) {
      ByteBuffer from = page.duplicate().clear().position(at);
      if (from.getLong() != FILE_MAGIC) {
        continue;
      }
      int version = from.getInt();
      boolean sound = page.getInt(at + HEADER_CRC_AT)
          == crc(0, page.duplicate().clear().position(at).limit(at + HEADER_CRC_AT));
      // Another version may have its checksum elsewhere; a flipped bit is told by the second copy.
      if (version != VERSION && page.getInt(SECOND_HEADER - at + Long.BYTES) == version) {
        throw new OtherVersion(version);
      }
      if (!sound) {
        continue;
      }
      from.getInt();
      long number = from.getLong();
      long nonce = from.getLong();
      long created = from.getLong();
      long previous = from.getLong();
      long previousEnd = from.getLong();
      long sequence = from.getLong();
      long nextNumber = from.getLong();
      byte[] link = new byte[HASH];
      from.get(link);
      return Optional.of(new Header(number, nonce, created, previous, previousEnd, sequence, nextNumber, link));
    }
    return Optional.empty();
  }

  /** Writes the head of a group whose records are behind it in the buffer already. */
  static void head(ByteBuffer group, long nonce, Head head) {
    group.putInt(0, GROUP_MAGIC).putInt(8, head.length).putInt(12, head.records).putLong(16, head.sequence)
        .putLong(24, head.time).put(32, head.link);
    group.putInt(4, crc(nonce, group.duplicate().position(8).limit(HEAD)));
  }

  /** The head of a group; null if there is none at the beginning of the buffer. */
  static @Nullable Head head(ByteBuffer group, long nonce) {
    if (group.limit() < HEAD || group.getInt(0) != GROUP_MAGIC
        || group.getInt(4) != crc(nonce, group.duplicate().position(8).limit(HEAD)) || group.getInt(8) < 0) {
      return null;
    }
    byte[] link = new byte[HASH];
    group.get(32, link);
    return new Head(group.getInt(8), group.getInt(12), group.getLong(16), group.getLong(24), link);
  }

  /** Whether it looks like a group that was to follow and was not written as a whole. */
  static boolean begun(ByteBuffer group, long sequence) {
    return group.limit() >= HEAD && group.getInt(0) == GROUP_MAGIC && group.getLong(16) == sequence;
  }

  static void record(ByteBuffer group, long nonce, int type, int flags, byte[] payload) {
    int at = group.position();
    group.putInt(payload.length).putInt(0).put((byte) type).put((byte) flags).put(payload);
    group.putInt(at + 4, crc(nonce, group.duplicate().position(at + 8).limit(at + RECORD_HEAD + payload.length)));
  }

  /** The record at a place; null if it is damaged or leads beyond the limit. */
  static @Nullable Found found(ByteBuffer group, long nonce, int at) {
    if (at < 0 || at > group.limit() - RECORD_HEAD) {
      return null;
    }
    int length = group.getInt(at);
    if (length < 0 || length > group.limit() - at - RECORD_HEAD
        || group.getInt(at + 4) != crc(nonce, group.duplicate().position(at + 8).limit(at + RECORD_HEAD + length))) {
      return null;
    }
    return new Found(group.get(at + 8) & 0xFF, group.get(at + 9) & 0xFF, at + RECORD_HEAD, length);
  }

  /** The hash of everything up to a group; its head holds the one before. */
  static byte[] hash(ByteBuffer group, int length) {
    MessageDigest digest = sha256();
    digest.update(group.duplicate().position(8).limit(HEAD + length));
    return digest.digest();
  }

  static byte[] beginning() {
    return new byte[HASH];
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  private static int crc(long nonce, ByteBuffer bytes) {
    CRC32C crc = new CRC32C();
    for (int shift = 56; shift >= 0; shift -= 8) {
      crc.update((int) (nonce >>> shift));
    }
    crc.update(bytes);
    return (int) crc.getValue();
  }
}
