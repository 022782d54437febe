package io.weir.gateway.http.internal;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/** A request to the admin API and the answer that is being made, by whatever way it came. Of one thread. */
interface Exchange {
  String method();

  /** Percent-encoded, without the question mark. */
  @Nullable String query();

  /** A header field of the request. */
  @Nullable String header(String name);

  @Nullable String contentType();

  /** Length of the request's body, or -1 if it is only known at the end. */
  long contentLength();

  InputStream body() throws IOException;

  void status(int status);

  void type(String mediaType);

  /** Sets a header field of the answer. */
  void header(String name, String value);

  /** Length of the answer's body, if it is known. */
  void length(int bytes);

  OutputStream out() throws IOException;

  /** Lets the answer go on after the call returned. */
  Stream stream() throws IOException;

  /** An answer that goes on. */
  interface Stream {
    OutputStream out();

    void complete();
  }
}
