package io.weir.kernel.internal;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/**
 * The structures of weir_event.h as bytes, and those that the others need of weir_route.h and weir_sockets.h: the machine's
 * own byte order, but ports and function prefixes big-endian. Those of the adaptor are in {@link Adapting}.
 */
final class Layout {
  static final int VERSION = 3;
  static final int SERVICES = 1024;
  static final int INSTANCES = 1024;
  static final int FANOUT = 16;
  static final int ADDRESS = 16;
  static final int SERVICE_KEY = 4;
  static final int SERVICE = 88;
  static final int INSTANCE = 80;
  static final int LOAD = 32;
  static final int COUNTERS = 112;
  static final int BUCKETS = 208;
  static final int HISTOGRAM = 840;
  static final int SIGNAL = 48;
  static final int PREFIX = 24;
  static final int EGRESS = 8;
  static final int EGRESS_PORTS = 4;
  static final int TARGET = 20;
  static final int CONFIG = 16;
  static final int PAIR = 36;
  static final int SHORTCUT = 80;
  static final int SHORTCUT_SETTINGS = 16;

  static final int FILTERED = 1;
  static final int LIMITED = 2;
  static final int LIVE = 1;
  static final int ASLEEP = 2;
  static final int IPV6 = 4;

  static final int WANTED = 1;
  static final int TOUCHED = 2;
  static final int LISTENS = 3;

  private static final byte TCP = 6;
  private static final int FUNCTION_BITS = 32;
  private static final int MAPPED_BITS = 96;

  private Layout() {}

  static ByteBuffer buffer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
  }

  static ByteBuffer buffer(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
  }

  static byte[] number(int value) {
    return buffer(4).putInt(value).array();
  }

  static byte[] number(long value) {
    return buffer(8).putLong(value).array();
  }

  static void port(ByteBuffer into, int port) {
    into.put((byte) (port >> 8)).put((byte) port);
  }

  static int port(ByteBuffer from) {
    return (from.get() & 0xff) << 8 | from.get() & 0xff;
  }

  /** 16 bytes; IPv4 as ::ffff:a.b.c.d. */
  static byte[] address(InetAddress address) {
    byte[] bytes = address.getAddress();
    if (!(address instanceof Inet4Address)) {
      return bytes;
    }
    byte[] mapped = new byte[ADDRESS];
    mapped[10] = (byte) 0xff;
    mapped[11] = (byte) 0xff;
    System.arraycopy(bytes, 0, mapped, ADDRESS - bytes.length, bytes.length);
    return mapped;
  }

  static byte[] serviceKey(int port) {
    ByteBuffer key = buffer(SERVICE_KEY);
    port(key, port);
    return key.put(TCP).array();
  }

  /** struct weir_target; the address as it stands in the maps. */
  static byte[] target(byte[] address, int port) {
    ByteBuffer out = buffer(TARGET).put(address);
    port(out, port);
    return out.array();
  }

  /** struct weir_config. */
  static byte[] config(long netns) {
    return buffer(CONFIG).putLong(netns).array();
  }

  /** struct weir_shortcut_settings; netns 0: nothing is cut short. */
  static byte[] shortcutSettings(long netns, int budget) {
    return buffer(SHORTCUT_SETTINGS).putLong(netns).putInt(budget).array();
  }

  /** What is read of struct weir_shortcut: messages that went directly, and whether a request is in flight. */
  record Led(long toFunction, long toGateway, boolean busy) {
    private static final int DIRECT_AT = 8;
    private static final int ASKED_AT = 48;

    static Led of(byte[] bytes) {
      ByteBuffer in = buffer(bytes);
      return new Led(in.getLong(DIRECT_AT), in.getLong(DIRECT_AT + Long.BYTES),
          in.getInt(ASKED_AT) != in.getInt(ASKED_AT + Integer.BYTES));
    }
  }

  static int servicePort(byte[] key) {
    return port(buffer(key));
  }

  /** struct weir_service. */
  record Service(int function, int flags, int rate, int burst, List<Integer> slots) {
    byte[] bytes() {
      ByteBuffer out = buffer(SERVICE).putInt(function).putInt(flags).putInt(rate).putInt(burst).putInt(slots.size());
      slots.forEach(out::putInt);
      return out.array();
    }

    static Service of(byte[] bytes) {
      ByteBuffer in = buffer(bytes);
      int function = in.getInt();
      int flags = in.getInt();
      int rate = in.getInt();
      int burst = in.getInt();
      Integer[] slots = new Integer[Math.min(FANOUT, Math.max(0, in.getInt()))];
      Arrays.setAll(slots, i -> in.getInt());
      return new Service(function, flags, rate, burst, List.of(slots));
    }
  }

  /** struct weir_prefix of a network such as 10.0.0.0/8. */
  static byte[] prefix(int function, Network network) {
    ByteBuffer out = buffer(PREFIX);
    out.putInt(FUNCTION_BITS + network.bits() + (network.address() instanceof Inet4Address ? MAPPED_BITS : 0));
    out.order(ByteOrder.BIG_ENDIAN).putInt(function);
    return out.put(address(network.address())).array();
  }

  /** The function that a struct weir_prefix is of. */
  static int function(byte[] prefix) {
    return ByteBuffer.wrap(prefix, 4, 4).getInt();
  }

  /** @param ports none: every one */
  static byte[] egress(List<Integer> ports) {
    ByteBuffer out = buffer(EGRESS);
    ports.forEach(port -> port(out, port));
    return out.array();
  }
}
