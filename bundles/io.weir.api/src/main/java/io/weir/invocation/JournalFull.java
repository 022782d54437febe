package io.weir.invocation;

/** A change the journal has no room for; nothing was kept of it, and nothing was thrown away for it. */
public final class JournalFull extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** What is full. */
  public enum Reason {
    /** What is kept for this function; its outputs must be sent, or its events handled. */
    FUNCTION,
    /** The journal as a whole. */
    TOTAL,
    /** An event of this function waits for longer than is allowed. */
    AGE,
    /** The disk. */
    DISK,
    /** More changes wait to be written than memory is given to. */
    BUSY,
    /** The change is larger than any that is allowed; asking again does not help. */
    TOO_LARGE,
    /** The function's state; asking again does not help before something of it is deleted. */
    STATE
  }

  private final Reason reason;

  public JournalFull(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }
}
