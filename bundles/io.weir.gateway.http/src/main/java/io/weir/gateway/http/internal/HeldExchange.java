package io.weir.gateway.http.internal;

import io.weir.admin.AdminApi.Reply;
import io.weir.admin.AdminApi.Request;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/** One that is held in memory, and came by a way that is not HTTP. */
final class HeldExchange implements Exchange {
  private final Request request;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private int status = 200;
  private String type = "";

  HeldExchange(Request request) {
    this.request = request;
  }

  Reply reply() {
    return new Reply(status, type, out.toByteArray());
  }

  /** Instead of what was answered so far. */
  Reply reply(Problem problem) {
    return new Reply(problem.status(), Problem.MEDIA_TYPE, Json.bytes(problem.document()));
  }

  @Override
  public String method() {
    return request.method();
  }

  @Override
  public @Nullable String query() {
    return request.query().isEmpty() ? null : request.query();
  }

  @Override
  public @Nullable String header(String name) {
    return null;
  }

  @Override
  public @Nullable String contentType() {
    return request.contentType().isEmpty() ? null : request.contentType();
  }

  @Override
  public long contentLength() {
    return request.body().length;
  }

  @Override
  public InputStream body() {
    return new ByteArrayInputStream(request.body());
  }

  @Override
  public void status(int code) {
    status = code;
  }

  @Override
  public void type(String mediaType) {
    type = mediaType;
  }

  @Override
  public void header(String name, String value) {
    // There is no place for it.
  }

  @Override
  public void length(int bytes) {
    // Known once all of it is there.
  }

  @Override
  public OutputStream out() {
    return out;
  }

  @Override
  public Stream stream() {
    throw new Problem(501, "no-stream", "events cannot be streamed this way; ask for /invocations, or use HTTP");
  }
}
