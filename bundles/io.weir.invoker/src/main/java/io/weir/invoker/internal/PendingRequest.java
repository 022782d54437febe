package io.weir.invoker.internal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/** A request on its way out. Not thread-safe. */
final class PendingRequest {
  /** Written at a time: Java keeps a copy of this size for each thread that writes. */
  private static final int SLICE = 128 * 1024;

  private final ByteBuffer rest;

  PendingRequest(ByteBuffer request) {
    this.rest = request;
  }

  /** Writes what the kernel takes; whether that was all. */
  boolean writeTo(SocketChannel channel) throws IOException {
    int end = rest.limit();
    while (rest.position() < end) {
      int until = Math.min(end, rest.position() + SLICE);
      rest.limit(until);
      channel.write(rest);
      rest.limit(end);
      if (rest.position() < until) {
        return false;
      }
    }
    return true;
  }
}
