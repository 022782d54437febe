package io.weir.invocation;

import org.jspecify.annotations.Nullable;

/** The journal cannot write now: its disk fails or is read-only, or it is being closed. It tries again when asked again. */
public final class JournalUnavailable extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public JournalUnavailable(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
