package io.weir.gateway.http.internal;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;

/** Tells callers over HTTP of problems. */
final class ProblemWriter {
  private static final long DRAIN_BYTES = 8 << 20;
  private static final Duration DRAIN_TIME = Duration.ofSeconds(5);

  private ProblemWriter() {}

  /** Does nothing but end the response if its head is out already. */
  static void write(Problem problem, HttpServletResponse response) throws IOException {
    if (response.isCommitted()) {
      return;
    }
    response.resetBuffer();
    response.setStatus(problem.status());
    response.setContentType(Problem.MEDIA_TYPE);
    if (!problem.retryAfter().isZero()) {
      response.setHeader("Retry-After", Long.toString(Math.max(1, (problem.retryAfter().toMillis() + 999) / 1000)));
    }
    byte[] body = Json.bytes(problem.document());
    response.setContentLength(body.length);
    response.getOutputStream().write(body);
  }

  /**
   * Also reads on for a while where a body was too large: a server that closes a connection with input unread resets
   * it, and the client would lose the answer that tells why.
   */
  static void write(Problem problem, HttpServletRequest request, HttpServletResponse response) throws IOException {
    if (!response.isCommitted()) {
      Unread.settle(request, response);
    }
    write(problem, response);
    if (problem.status() == 413) {
      response.flushBuffer();
      byte[] sink = new byte[16 << 10];
      InputStream in = request.getInputStream();
      long deadline = System.nanoTime() + DRAIN_TIME.toNanos();
      long left = DRAIN_BYTES;
      for (int read = 0; read >= 0 && left > 0 && System.nanoTime() < deadline; left -= read) {
        read = in.read(sink);
      }
    }
  }
}
