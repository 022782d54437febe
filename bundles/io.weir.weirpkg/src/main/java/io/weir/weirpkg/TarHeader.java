package io.weir.weirpkg;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * One header of a tar archive in the form that every tar knows (POSIX ustar): names of at most 255 bytes, no extensions.
 *
 * @param type {@code '0'} for a file
 */
record TarHeader(String name, long size, char type) {
  static final int BLOCK = 512;
  private static final int NAME = 100;
  private static final int SIZE_AT = 124;
  private static final int CHECKSUM_AT = 148;
  private static final int TYPE_AT = 156;
  private static final int MAGIC_AT = 257;
  private static final int PREFIX_AT = 345;
  private static final int PREFIX = 155;

  /** Bytes of contents with what fills up the last block. */
  long paddedSize() {
    return size + (BLOCK - size % BLOCK) % BLOCK;
  }

  boolean isFile() {
    return type == '0';
  }

  static boolean isEnd(byte[] block) {
    for (byte each : block) {
      if (each != 0) {
        return false;
      }
    }
    return true;
  }

  /** @throws PackageFault if the block is no header */
  static TarHeader of(byte[] block) {
    long stored = octal(block, CHECKSUM_AT, 8, "checksum");
    long sum = 0;
    for (int i = 0; i < BLOCK; i++) {
      sum += i >= CHECKSUM_AT && i < CHECKSUM_AT + 8 ? ' ' : block[i] & 0xff;
    }
    if (sum != stored) {
      throw PackageFault.malformed("this is no tar archive, or it is damaged: a header's checksum is wrong");
    }
    boolean posix = new String(block, MAGIC_AT, 6, StandardCharsets.ISO_8859_1).equals("ustar\0");
    String prefix = posix ? text(block, PREFIX_AT, PREFIX) : "";
    String name = text(block, 0, NAME);
    char type = block[TYPE_AT] == 0 ? '0' : (char) (block[TYPE_AT] & 0xff);
    return new TarHeader(prefix.isEmpty() ? name : prefix + "/" + name, octal(block, SIZE_AT, 12, "size"), type);
  }

  /** The same whatever machine and time it is written at. */
  byte[] bytes() {
    byte[] name = this.name.getBytes(StandardCharsets.US_ASCII);
    if (name.length > NAME) {
      throw new IllegalArgumentException(this.name + " is too long for an entry");
    }
    byte[] block = new byte[BLOCK];
    System.arraycopy(name, 0, block, 0, name.length);
    put(block, 100, "0000644\0");
    put(block, 108, "0000000\0");
    put(block, 116, "0000000\0");
    put(block, SIZE_AT, String.format("%011o\0", size));
    put(block, 136, "00000000000\0");
    Arrays.fill(block, CHECKSUM_AT, CHECKSUM_AT + 8, (byte) ' ');
    block[TYPE_AT] = (byte) type;
    put(block, MAGIC_AT, "ustar\00000");
    int sum = 0;
    for (byte each : block) {
      sum += each & 0xff;
    }
    put(block, CHECKSUM_AT, String.format("%06o\0 ", sum));
    return block;
  }

  private static void put(byte[] block, int at, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(bytes, 0, block, at, bytes.length);
  }

  private static String text(byte[] block, int at, int length) {
    int end = at;
    while (end < at + length && block[end] != 0) {
      end++;
    }
    return new String(block, at, end - at, StandardCharsets.UTF_8);
  }

  private static long octal(byte[] block, int at, int length, String what) {
    String digits = text(block, at, length).strip();
    if (!digits.matches("[0-7]{1,12}")) {
      throw PackageFault.malformed("this is no tar archive, or it is damaged: the " + what + " of an entry is no octal number");
    }
    return Long.parseLong(digits, 8);
  }
}
