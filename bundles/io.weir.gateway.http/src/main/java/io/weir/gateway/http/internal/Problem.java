package io.weir.gateway.http.internal;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;

/** An error as an RFC 9457 problem document. {@code code} is for programs and stays the same between versions. */
final class Problem extends RuntimeException {
  private static final long serialVersionUID = 1L;
  static final String MEDIA_TYPE = "application/problem+json";

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

  /** When to try again, if that is of use. */
  OptionalLong retryAfterSeconds() {
    return retryAfter.isZero() ? OptionalLong.empty() : OptionalLong.of(Math.max(1, (retryAfter.toMillis() + 999) / 1000));
  }

  /** What the caller is told. */
  Map<String, Object> document() {
    Map<String, Object> document = Json.object("type", "urn:weir:problem:" + code, "title", title(code),
        "status", status, "detail", getMessage(), "code", code);
    document.putAll(more);
    return document;
  }

  static Problem unknownFunction(String function) {
    return new Problem(404, "unknown-function", "there is no function '" + function
        + "'; /api/v1/functions lists them");
  }

  /** {@code queue-full} as {@code Queue full}. */
  private static String title(String code) {
    return Character.toUpperCase(code.charAt(0)) + code.substring(1).replace('-', ' ');
  }
}
