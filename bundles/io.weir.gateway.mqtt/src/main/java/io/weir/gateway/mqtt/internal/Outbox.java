package io.weir.gateway.mqtt.internal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Bytes that wait until the broker takes them, in order. Not thread-safe. */
final class Outbox {
  private static final int SMALL = 1024;
  /** Who could write without end waits from here on. */
  private static final int ENOUGH = 1 << 20;
  private static final CompletableFuture<Void> NOW = CompletableFuture.completedFuture(null);

  private byte[] bytes = new byte[SMALL];
  private int from;
  private int to;
  private @Nullable CompletableFuture<Void> room;
  private @Nullable IOException ended;

  void add(byte[] packet) {
    if (packet.length > bytes.length - to) {
      int size = to - from;
      byte[] larger = size + packet.length <= bytes.length / 2 ? bytes
          : new byte[Math.max(Math.addExact(size, packet.length), (int) Math.min(2L * bytes.length, 64L << 20))];
      System.arraycopy(bytes, from, larger, 0, size);
      bytes = larger;
      from = 0;
      to = size;
    }
    System.arraycopy(packet, 0, bytes, to, packet.length);
    to += packet.length;
  }

  boolean isEmpty() {
    return from == to;
  }

  /** What waits; {@link #sent} says how much of it went. */
  ByteBuffer waiting() {
    return ByteBuffer.wrap(bytes, from, to - from);
  }

  /** Returns who may be told that there is room again, or null. */
  @Nullable CompletableFuture<Void> sent(int count) {
    from += count;
    if (from == to) {
      from = 0;
      to = 0;
      bytes = bytes.length > 64 * SMALL ? new byte[SMALL] : bytes;
    }
    if (to - from >= ENOUGH) {
      return null;
    }
    CompletableFuture<Void> waiter = room;
    room = null;
    return waiter;
  }

  /** A copy of all that waits; {@link #sent} says that it went. */
  byte[] copy() {
    return Arrays.copyOfRange(bytes, from, to);
  }

  CompletableFuture<Void> room() {
    if (ended != null) {
      return CompletableFuture.failedFuture(ended);
    }
    if (to - from < ENOUGH) {
      return NOW;
    }
    room = room == null ? new CompletableFuture<>() : room;
    return room;
  }

  /** Nothing goes out any more. Returns who waits for room, or null. */
  @Nullable CompletableFuture<Void> end(IOException cause) {
    ended = cause;
    CompletableFuture<Void> waiter = room;
    room = null;
    return waiter;
  }
}
