package io.weir.journal.internal;

import org.jspecify.annotations.Nullable;

/** Bytes that are not what was written. */
final class Damaged extends RuntimeException {
  private static final long serialVersionUID = 1L;

  Damaged(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
