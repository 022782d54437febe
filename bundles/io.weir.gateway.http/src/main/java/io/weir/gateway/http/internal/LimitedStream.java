package io.weir.gateway.http.internal;

import java.io.IOException;
import java.io.InputStream;

/** A body whose length is not known before it ends; stops at a limit, and when the exchange is over. */
final class LimitedStream extends InputStream {
  private final InputStream in;
  private final long limit;
  private final long length;
  private long count;
  private volatile boolean exceeded;
  private volatile boolean read;
  private volatile boolean over;

  /** @param length as declared, negative if it was not */
  LimitedStream(InputStream in, long limit, long length) {
    this.in = in;
    this.limit = limit;
    this.length = length;
  }

  boolean exceeded() {
    return exceeded;
  }

  /** Whether the body was read to its end. */
  boolean wasRead() {
    return read;
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
    int taken = in.read(bytes, offset, length);
    count += Math.max(0, taken);
    read = taken < 0 || count == length;
    if (count > limit) {
      exceeded = true;
      throw new IOException("the body is larger than " + limit + " bytes");
    }
    return taken;
  }

  @Override
  public int available() throws IOException {
    return over ? 0 : in.available();
  }
}
