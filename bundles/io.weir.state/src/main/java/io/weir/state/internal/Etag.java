package io.weir.state.internal;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;

/** Entity tags: the same value has the same tag, whoever wrote it and when. */
final class Etag {
  private static final int BYTES = 16;

  private Etag() {}

  static String of(byte[] value) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(value);
      return '"' + HexFormat.of().formatHex(digest, 0, BYTES) + '"';
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Whether {@code If-Match} or {@code If-None-Match} names what is there. */
  static boolean matches(String condition, Optional<byte[]> value) {
    if (value.isEmpty()) {
      return false;
    }
    String tag = of(value.get());
    for (String each : condition.split(",")) {
      if (each.strip().equals("*") || each.strip().equals(tag)) {
        return true;
      }
    }
    return false;
  }
}
