package io.weir.kernel.internal;

import java.nio.ByteBuffer;

/** struct weir_signal. */
record Signal(long atNanos, long netns, long cgroup, int kind, int function, int slot, int generation, int port,
    int family, boolean everywhere) {
  static Signal of(ByteBuffer in) {
    return new Signal(in.getLong(), in.getLong(), in.getLong(), in.getInt(), in.getInt(), in.getInt(), in.getInt(),
        Layout.port(in), in.getShort(), in.getInt() != 0);
  }
}
