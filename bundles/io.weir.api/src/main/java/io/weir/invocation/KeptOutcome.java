package io.weir.invocation;

import java.util.List;

/**
 * How an event ended, as far as it must be told again to whoever brings the same event.
 *
 * @param status HTTP status of the function's answer, or 0 if there was none
 * @param headers header fields of the answer
 * @param body the answer; not copied, must not change
 * @param detail why there was no answer; otherwise empty
 */
public record KeptOutcome(int status, List<Header> headers, byte[] body, String detail) {
  public KeptOutcome {
    headers = List.copyOf(headers);
  }
}
