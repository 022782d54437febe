package io.weir.gateway.http.internal;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/** One that came to a {@link LocalSite}. */
final class LocalExchange implements Exchange {
  private static final int UNKNOWN = -1;
  /** As the server calls them. */
  private static final long NO_BODY = -1;
  private static final long CHUNKED = 0;

  private final HttpExchange http;
  private int status = 200;
  private int length = UNKNOWN;
  private @Nullable OutputStream out;
  private boolean goesOn;

  LocalExchange(HttpExchange http) {
    this.http = http;
  }

  @Override
  public String method() {
    return http.getRequestMethod();
  }

  @Override
  public @Nullable String query() {
    return http.getRequestURI().getRawQuery();
  }

  @Override
  public @Nullable String header(String name) {
    return http.getRequestHeaders().getFirst(name);
  }

  @Override
  public @Nullable String contentType() {
    return header("Content-Type");
  }

  @Override
  public long contentLength() {
    String told = header("Content-Length");
    return told != null ? Long.parseLong(told) : header("Transfer-Encoding") != null ? UNKNOWN : 0;
  }

  @Override
  public InputStream body() {
    return http.getRequestBody();
  }

  @Override
  public void status(int code) {
    status = code;
  }

  @Override
  public void type(String mediaType) {
    header("Content-Type", mediaType);
  }

  @Override
  public void header(String name, String value) {
    http.getResponseHeaders().set(name, value);
  }

  @Override
  public void length(int bytes) {
    length = bytes;
  }

  @Override
  public OutputStream out() throws IOException {
    if (out == null) {
      boolean none = length == 0 || method().equals("HEAD");
      http.sendResponseHeaders(status, none ? NO_BODY : length == UNKNOWN ? CHUNKED : length);
      out = none ? OutputStream.nullOutputStream() : http.getResponseBody();
    }
    return out;
  }

  @Override
  public Stream stream() throws IOException {
    goesOn = true;
    OutputStream to = out();
    return new Stream() {
      @Override
      public OutputStream out() {
        return to;
      }

      @Override
      public void complete() {
        http.close();
      }
    };
  }

  /** An answer without a body needs its head all the same. */
  void end() throws IOException {
    if (out == null) {
      length(0);
      out();
    }
  }

  /** Tells of the problem, unless the answer has begun. */
  void end(Problem problem) throws IOException {
    if (out != null) {
      return;
    }
    status(problem.status());
    type(Problem.MEDIA_TYPE);
    problem.retryAfterSeconds().ifPresent(seconds -> header("Retry-After", Long.toString(seconds)));
    byte[] body = Json.bytes(problem.document());
    length(body.length);
    out().write(body);
    if (problem.status() == 413) {
      out().flush();
      Leftover.drain(body());
    }
  }

  /** Does nothing to one that goes on. */
  void close() {
    if (!goesOn) {
      http.close();
    }
  }
}
