package io.weir.gateway.http.internal;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/** An error as an RFC 9457 problem document. {@code code} is for programs and stays the same between versions. */
final class Problem extends RuntimeException {
  private static final long serialVersionUID = 1L;
  static final String MEDIA_TYPE = "application/problem+json";

  private static final long DRAIN_BYTES = 8 << 20;
  private static final Duration DRAIN_TIME = Duration.ofSeconds(5);

  private final int status;
  private final String code;
  private final transient Map<String, Object> more = new LinkedHashMap<>();
  private transient Duration retryAfter = Duration.ZERO;

  Problem(int status, String code, String detail) {
    super(detail, null, false, false);
    this.status = status;
    this.code = code;
  }

  Problem with(String key, Object value) {
    more.put(key, value);
    return this;
  }

  Problem retryAfter(Duration delay) {
    retryAfter = delay;
    return this;
  }

  int status() {
    return status;
  }

  /** Does nothing but end the response if its head is out already. */
  void write(HttpServletResponse response) throws IOException {
    if (response.isCommitted()) {
      return;
    }
    response.resetBuffer();
    response.setStatus(status);
    response.setContentType(MEDIA_TYPE);
    if (!retryAfter.isZero()) {
      response.setHeader("Retry-After", Long.toString(Math.max(1, (retryAfter.toMillis() + 999) / 1000)));
    }
    Map<String, Object> document = Json.object("type", "urn:weir:problem:" + code, "title", title(code),
        "status", status, "detail", getMessage(), "code", code);
    document.putAll(more);
    byte[] body = Json.bytes(document);
    response.setContentLength(body.length);
    response.getOutputStream().write(body);
  }

  /**
   * Also reads on for a while where a body was too large: a server that closes a connection with input unread resets
   * it, and the client would lose the answer that tells why.
   */
  void write(HttpServletRequest request, HttpServletResponse response) throws IOException {
    if (!response.isCommitted()) {
      Unread.settle(request, response);
    }
    write(response);
    if (status == 413) {
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

  /** {@code queue-full} as {@code Queue full}. */
  private static String title(String code) {
    return Character.toUpperCase(code.charAt(0)) + code.substring(1).replace('-', ' ');
  }
}
