package io.weir.invocation;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;

/** How an invocation ended. Refusals are decided before any container sees the request. */
public sealed interface Outcome {

  /**
   * The function answered, with whatever status.
   *
   * @param status HTTP status
   * @param headers header fields, hop-by-hop fields excluded
   * @param body the answer; close it, or the instance stays leased
   * @param took from arrival to the head of the answer
   * @param coldStart how long an instance had to be waited for; zero if one was ready
   */
  record Replied(int status, List<Header> headers, Body body, Duration took, Duration coldStart) implements Outcome {
    public Replied {
      headers = List.copyOf(headers);
    }
  }

  /**
   * No answer came, on any attempt.
   *
   * @param code stable, for programs: {@code timeout}, {@code connection-reset}, {@code start-failed}…
   * @param detail what failed, on what, what to do
   * @param mayRetry whether the same invocation could succeed later
   */
  record Failed(String code, String detail, boolean mayRetry) implements Outcome {}

  /** Not tried at all; {@code retryAfter} is when it is worth asking again. */
  record Refused(Reason reason, String detail, Duration retryAfter) implements Outcome {}

  /** Why an invocation was not tried. All but the first pass. */
  enum Reason {
    UNKNOWN_FUNCTION, QUEUE_FULL, OUT_OF_MEMORY,
    /** The function is declared, but not everybody in the gateway has heard of it yet. */
    STARTING,
    /** No instance could be had, for a reason that lies beside the function, or one that is too fresh to be tried again. */
    UNAVAILABLE,
    STOPPING
  }

  /** The bytes of an answer. Not thread-safe; closing it early ends the call. */
  interface Body extends AutoCloseable {
    InputStream stream();

    /** Length in bytes, or -1 if it is only known at the end. */
    long length();

    @Override
    void close() throws IOException;
  }
}
