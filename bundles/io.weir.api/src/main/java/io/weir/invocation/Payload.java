package io.weir.invocation;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;

/** A body of bytes, either held in memory or streamed once from where it comes. */
public interface Payload {

  /** Length in bytes, or -1 if it is only known at the end. */
  long length();

  /** The bytes from the start. A payload that is not {@link #repeatable()} opens once. */
  InputStream open() throws IOException;

  /** Whether {@link #open()} may be called again, so that a failed attempt can be repeated. */
  boolean repeatable();

  /** Bytes in memory; the array is not copied and must not change. */
  static Payload of(byte[] bytes) {
    return new Payload() {
      @Override
      public long length() {
        return bytes.length;
      }

      @Override
      public InputStream open() {
        return new ByteArrayInputStream(bytes);
      }

      @Override
      public boolean repeatable() {
        return true;
      }
    };
  }

  /** Bytes that can be read once, while they arrive; {@code length} is -1 if unknown. */
  static Payload once(InputStream in, long length) {
    return new Payload() {
      @Override
      public long length() {
        return length;
      }

      @Override
      public InputStream open() {
        return in;
      }

      @Override
      public boolean repeatable() {
        return false;
      }
    };
  }
}
