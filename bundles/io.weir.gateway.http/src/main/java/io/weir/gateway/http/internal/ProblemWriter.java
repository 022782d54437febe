package io.weir.gateway.http.internal;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

/** Tells callers over HTTP of problems. */
final class ProblemWriter {
  private ProblemWriter() {}

  /** Does nothing but end the response if its head is out already. */
  static void write(Problem problem, HttpServletResponse response) throws IOException {
    if (response.isCommitted()) {
      return;
    }
    response.resetBuffer();
    response.setStatus(problem.status());
    response.setContentType(Problem.MEDIA_TYPE);
    problem.retryAfterSeconds().ifPresent(seconds -> response.setHeader("Retry-After", Long.toString(seconds)));
    byte[] body = Json.bytes(problem.document());
    response.setContentLength(body.length);
    response.getOutputStream().write(body);
  }

  /** Also reads on for a while where a body was too large. */
  static void write(Problem problem, HttpServletRequest request, HttpServletResponse response) throws IOException {
    if (!response.isCommitted()) {
      Unread.settle(request, response);
    }
    write(problem, response);
    if (problem.status() == 413) {
      response.flushBuffer();
      Leftover.drain(request.getInputStream());
    }
  }
}
