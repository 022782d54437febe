package io.weir.gateway.http.internal;

import jakarta.servlet.AsyncContext;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/** One that came by HTTP. */
record ServletExchange(HttpServletRequest request, HttpServletResponse response) implements Exchange {
  @Override
  public String method() {
    return request.getMethod();
  }

  @Override
  public @Nullable String query() {
    return request.getQueryString();
  }

  @Override
  public @Nullable String header(String name) {
    return request.getHeader(name);
  }

  @Override
  public @Nullable String contentType() {
    return request.getContentType();
  }

  @Override
  public long contentLength() {
    return request.getContentLengthLong();
  }

  @Override
  public InputStream body() throws IOException {
    return request.getInputStream();
  }

  @Override
  public void status(int status) {
    response.setStatus(status);
  }

  @Override
  public void type(String mediaType) {
    response.setContentType(mediaType);
  }

  @Override
  public void header(String name, String value) {
    response.setHeader(name, value);
  }

  @Override
  public void length(int bytes) {
    response.setContentLength(bytes);
  }

  @Override
  public OutputStream out() throws IOException {
    return response.getOutputStream();
  }

  @Override
  public Stream stream() throws IOException {
    AsyncContext async = request.startAsync(request, response);
    async.setTimeout(0);
    OutputStream out = response.getOutputStream();
    return new Stream() {
      @Override
      public OutputStream out() {
        return out;
      }

      @Override
      public void complete() {
        async.complete();
      }
    };
  }
}
