package io.weir.gateway.http.internal;

import io.weir.invocation.Header;
import io.weir.invocation.Outcome;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes an outcome as an HTTP response, passing a body on as it arrives. */
final class AnswerWriter {
  private static final Logger log = LoggerFactory.getLogger(AnswerWriter.class);
  private static final int BUFFER = 16 << 10;

  private final BlockingQueue<byte[]> buffers = new ArrayBlockingQueue<>(16);

  /** Returns whether the client has the whole answer. */
  boolean write(String method, Outcome outcome, HttpServletResponse response) throws IOException {
    if (outcome instanceof Outcome.Replied replied) {
      try (Outcome.Body body = replied.body()) {
        head(replied, response);
        return method.equals("HEAD") || copy(body, response);
      }
    }
    ProblemWriter.write(problem(outcome), response);
    return true;
  }

  private static void head(Outcome.Replied replied, HttpServletResponse response) {
    response.setStatus(replied.status());
    for (Header header : replied.headers()) {
      if (Headers.passesBack(header.name())) {
        if (Headers.single(header.name())) {
          response.setHeader(header.name(), header.value());
        } else {
          response.addHeader(header.name(), header.value());
        }
      }
    }
    if (replied.body().length() >= 0 && replied.status() != 204 && replied.status() != 304) {
      response.setContentLengthLong(replied.body().length());
    }
    if (!replied.coldStart().isZero()) {
      response.addHeader("Server-Timing", "cold;dur=" + replied.coldStart().toNanos() / 10_000 / 100.0);
    }
  }

  private boolean copy(Outcome.Body body, HttpServletResponse response) throws IOException {
    long length = body.length();
    if (length == 0) {
      return true;
    }
    InputStream in = body.stream();
    if (length < 0) {
      // Whoever streams may send its first byte much later than its head.
      response.flushBuffer();
    }
    OutputStream out = response.getOutputStream();
    byte[] buffer = buffers.poll();
    if (buffer == null) {
      buffer = new byte[BUFFER];
    }
    try {
      long total = 0;
      while (total != length) {
        int read;
        try {
          read = in.read(buffer);
        } catch (IOException e) {
          log.debug("The function broke off its answer after {} bytes", total, e);
          return false;
        }
        if (read < 0) {
          return length < 0;
        }
        out.write(buffer, 0, read);
        total += read;
        if (total != length && in.available() == 0) {
          out.flush();
        }
      }
      return true;
    } finally {
      buffers.offer(buffer);
    }
  }

  private static Problem problem(Outcome outcome) {
    if (outcome instanceof Outcome.Refused refused) {
      return switch (refused.reason()) {
        case UNKNOWN_FUNCTION -> new Problem(404, "unknown-function", refused.detail());
        case QUEUE_FULL -> later("queue-full", refused);
        case OUT_OF_MEMORY -> later("out-of-memory", refused);
        case STARTING -> later("starting", refused);
        case UNAVAILABLE -> later("unavailable", refused);
        case STOPPING -> later("stopping", refused);
      };
    }
    Outcome.Failed failed = (Outcome.Failed) outcome;
    return switch (failed.code()) {
      case "timeout", "waited-too-long" -> new Problem(504, failed.code(), failed.detail());
      case "engine-unavailable" ->
          new Problem(503, failed.code(), failed.detail()).retryAfter(Duration.ofSeconds(5));
      case "invalid-request" -> new Problem(400, failed.code(), failed.detail());
      default -> new Problem(502, failed.code(), failed.detail());
    };
  }

  private static Problem later(String code, Outcome.Refused refused) {
    Duration delay = refused.retryAfter();
    boolean soon = delay.compareTo(Duration.ofSeconds(1)) < 0;
    return new Problem(503, code, refused.detail()).retryAfter(soon ? Duration.ofSeconds(1) : delay);
  }
}
