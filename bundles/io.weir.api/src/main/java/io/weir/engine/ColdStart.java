package io.weir.engine;

import io.weir.function.Rung;
import java.time.Duration;
import java.util.Locale;

/**
 * What a request had to wait for because no instance was ready.
 *
 * @param cause why none was
 * @param from the rung the instance came from
 * @param waited how long the request waited for it
 */
public record ColdStart(Cause cause, Rung from, Duration waited) {

  /** Why no instance was ready. */
  public enum Cause {
    /** The function was never called since it was declared, or since the gateway started. */
    NEVER_STARTED,
    /** Its last instance was put to rest for want of work. */
    SCALED_TO_ZERO,
    /** Its last instance had to give way to others, or to memory pressure. */
    EVICTED,
    /** Its last instance died or was replaced because it hung. */
    CRASHED,
    /** It was changed, and the old instances are of no use. */
    NEW_REVISION,
    /** There are instances, but more requests than they can take. */
    BURST;

    /** {@code SCALED_TO_ZERO} as {@code scaled-to-zero}, for programs. */
    public String label() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }
}
