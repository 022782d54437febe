package io.weir.gateway.http.internal;

import java.io.IOException;
import java.io.InputStream;

/** A body whose length is not known before it ends; stops at a limit, and when the exchange is over. */
final class LimitedStream extends InputStream {
  private final InputStream in;
  private final long limit;
  private long count;
  private volatile boolean exceeded;
  private volatile boolean over;

  LimitedStream(InputStream in, long limit) {
    this.in = in;
    this.limit = limit;
  }

  boolean exceeded() {
    return exceeded;
  }

  /** The servlet's stream must not be touched once the request is completed; the server may reuse it. */
  void end() {
    over = true;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    if (over) {
      throw new IOException("the request is over");
    }
    int read = in.read(bytes, offset, length);
    count += Math.max(0, read);
    if (count > limit) {
      exceeded = true;
      throw new IOException("the body is larger than " + limit + " bytes");
    }
    return read;
  }

  @Override
  public int available() throws IOException {
    return over ? 0 : in.available();
  }
}
