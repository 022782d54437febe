package io.weir.kernel.internal;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * struct weir_instance.
 *
 * @param container the first 16 hex digits of its id
 * @param address4 16 bytes
 * @param address6 16 bytes, all zero: none
 * @param asleepNanos of the kernel's clock, when it was last put to rest
 */
record Instance(long container, long cgroup, byte[] address4, byte[] address6, int function, int flags, int generation,
    int ifindex, int limit, int port, long asleepNanos) {
  private static final int ID_DIGITS = 16;
  private static final int ASLEEP_AT = 72;

  /** What a container's full id is to the programs. */
  static long shortId(String container) {
    return Long.parseUnsignedLong(container.substring(0, Math.min(ID_DIGITS, container.length())), 16);
  }

  static Instance of(byte[] bytes) {
    ByteBuffer in = Layout.buffer(bytes);
    long container = in.getLong();
    long cgroup = in.getLong();
    byte[] address4 = new byte[Layout.ADDRESS];
    byte[] address6 = new byte[Layout.ADDRESS];
    in.get(address4).get(address6);
    return new Instance(container, cgroup, address4, address6, in.getInt(), in.getInt(), in.getInt(), in.getInt(),
        in.getInt(), Layout.port(in), in.position(ASLEEP_AT).getLong());
  }

  byte[] bytes() {
    ByteBuffer out = Layout.buffer(Layout.INSTANCE).putLong(container).putLong(cgroup).put(address4).put(address6)
        .putInt(function).putInt(flags).putInt(generation).putInt(ifindex).putInt(limit);
    Layout.port(out, port);
    out.position(ASLEEP_AT).putLong(asleepNanos);
    return out.array();
  }

  boolean has(int flag) {
    return (flags & flag) != 0;
  }

  Instance with(int flag, boolean set) {
    return flagged(set ? flags | flag : flags & ~flag, generation);
  }

  Instance asleep(long now) {
    return new Instance(container, cgroup, address4, address6, function, flags | Layout.ASLEEP, generation, ifindex, limit,
        port, now);
  }

  Instance behind(int hostEnd) {
    return new Instance(container, cgroup, address4, address6, function, flags, generation, hostEnd, limit, port,
        asleepNanos);
  }

  /** Its slot as the next one finds it: nobody there, and every connection over. */
  Instance gone() {
    return new Instance(0, 0, address4, address6, function, 0, generation + 1, ifindex, 0, port, 0);
  }

  private Instance flagged(int now, int inGeneration) {
    return new Instance(container, cgroup, address4, address6, function, now, inGeneration, ifindex, limit, port,
        asleepNanos);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Instance instance && Arrays.equals(bytes(), instance.bytes());
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes());
  }
}
