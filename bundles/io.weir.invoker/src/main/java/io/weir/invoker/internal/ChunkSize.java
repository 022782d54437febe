package io.weir.invoker.internal;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.net.ProtocolException;

/** The line before a chunk: hexadecimal digits, then perhaps extensions, which nobody uses. */
final class ChunkSize {
  private static final int MOST_DIGITS = 15;

  private ChunkSize() {}

  static long of(byte[] line, int length) throws ProtocolException {
    long size = 0;
    int at = 0;
    for (; at < length && Character.digit(line[at], 16) >= 0; at++) {
      if (at == MOST_DIGITS) {
        throw unexpected(line, length);
      }
      size = size << 4 | Character.digit(line[at], 16);
    }
    int digits = at;
    while (at < length && (line[at] == ' ' || line[at] == '\t')) {
      at++;
    }
    if (digits == 0 || at < length && line[at] != ';') {
      throw unexpected(line, length);
    }
    return size;
  }

  private static ProtocolException unexpected(byte[] line, int length) {
    return new ProtocolException("unexpected size of a chunk: " + new String(line, 0, Math.min(length, 40), ISO_8859_1));
  }
}
