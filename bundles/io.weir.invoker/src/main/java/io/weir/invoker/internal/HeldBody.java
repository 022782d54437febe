package io.weir.invoker.internal;

import io.weir.invocation.Outcome;
import java.io.ByteArrayInputStream;
import java.io.InputStream;

/** An answer in memory. */
final class HeldBody implements Outcome.Body {
  private final byte[] bytes;

  HeldBody(byte[] bytes) {
    this.bytes = bytes;
  }

  @Override
  public InputStream stream() {
    return new ByteArrayInputStream(bytes);
  }

  @Override
  public long length() {
    return bytes.length;
  }

  @Override
  public void close() {}
}
