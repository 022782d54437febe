package io.weir.engine;

import java.time.Duration;

/** No instance could be had. */
public final class LeaseRefused extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Why. */
  public enum Code {
    UNKNOWN_FUNCTION,
    /** As many wait as may wait, or as can be served before their time is up. */
    QUEUE_FULL,
    /** The memory budget is used up by instances that work or matter more. */
    OUT_OF_MEMORY,
    /** The caller's patience ended. */
    WAITED_TOO_LONG,
    /** The image is not on this gateway. */
    NO_SUCH_IMAGE,
    /** The container does not come up; the message has its last words. */
    START_FAILED,
    /** The container runs but nothing listens on the function's port. */
    NEVER_LISTENED,
    /** The container engine does not answer. */
    ENGINE_UNAVAILABLE,
    /** The gateway is going down. */
    STOPPING;

    /** {@code START_FAILED} as {@code start-failed}, for programs. */
    public String label() {
      return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    }
  }

  private final Code code;
  private final transient Duration retryAfter;
  private final boolean tried;

  public LeaseRefused(Code code, String message, Duration retryAfter, Throwable cause) {
    this(code, message, retryAfter, cause, true);
  }

  private LeaseRefused(Code code, String message, Duration retryAfter, Throwable cause, boolean tried) {
    super(message, cause);
    this.code = code;
    this.retryAfter = retryAfter;
    this.tried = tried;
  }

  /** The same, for somebody for whom it was not tried again, because it failed a moment ago. */
  public LeaseRefused untried(Duration retryLater) {
    return new LeaseRefused(code, getMessage(), retryLater, null, false);
  }

  /** Whether it says something about an attempt that was made for whoever gets it. */
  public boolean tried() {
    return tried;
  }

  public Code code() {
    return code;
  }

  /** When it is worth asking again. */
  public Duration retryAfter() {
    return retryAfter;
  }
}
