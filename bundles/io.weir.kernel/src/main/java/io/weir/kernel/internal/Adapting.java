package io.weir.kernel.internal;

import io.weir.kernel.Adaptor.Flight;
import io.weir.kernel.Adaptor.Head;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;

/** The structures of weir_sockets.h that are about the adaptor, as bytes; see {@link Layout}. */
final class Adapting {
  static final int SUBSCRIPTIONS = 16;
  static final int LANES = 256;
  static final int DEPTH = 64;
  static final int TOPIC = 64;
  static final int HEAD = 512;
  static final int END = 16;
  static final int SUBSCRIPTION = 24;
  static final int PASSED = 16;
  static final int TOPIC_KEY = 68;
  static final int TEMPLATE = 528;
  static final int LANE = 32;
  static final int FLIGHT = 672;

  static final int CLIENT = 1;
  static final int BROKER = 2;
  static final int FUNCTION = 3;

  private static final int COUNTED_AT = 28;
  private static final int IDS_AT = 544;
  private static final int BLOCK = 64;

  private Adapting() {}

  /** A connection as the socket at {@code local} sees it. */
  static byte[] pair(InetSocketAddress local, InetSocketAddress remote) {
    ByteBuffer out = Layout.buffer(Layout.PAIR).put(Layout.address(local.getAddress())).put(Layout.address(remote.getAddress()));
    Layout.port(out, local.getPort());
    Layout.port(out, remote.getPort());
    return out.array();
  }

  static byte[] end(long netns, int role, int index) {
    return Layout.buffer(END).putLong(netns).putInt(role).putInt(index).array();
  }

  /** @param version of MQTT; 0: off */
  static byte[] subscription(long confirmed, long wallNanos, int version) {
    return Layout.buffer(SUBSCRIPTION).putLong(confirmed).putLong(wallNanos).putInt(version).array();
  }

  /** @throws IllegalArgumentException if the topic does not fit */
  static byte[] topic(int subscription, String topic) {
    byte[] text = topic.getBytes(StandardCharsets.UTF_8);
    if (text.length > TOPIC) {
      throw new IllegalArgumentException("a topic of " + text.length + " bytes; allowed: " + TOPIC);
    }
    return Layout.buffer(TOPIC_KEY).putInt(subscription).put(text).array();
  }

  /** @throws IllegalArgumentException if the head does not fit */
  static byte[] template(int lane, Head head) {
    byte[] text = head.text().getBytes(StandardCharsets.US_ASCII);
    if (text.length == 0 || text.length > HEAD || text.length % BLOCK != 0) {
      throw new IllegalArgumentException("a head of " + text.length + " bytes; allowed: 64, 128 … " + HEAD);
    }
    return Layout.buffer(TEMPLATE).putInt(lane).putShort((short) text.length).putShort((short) head.lengthAt())
        .putShort((short) head.idAt()).putShort((short) head.timeAt()).putInt(0).put(text).array();
  }

  static byte[] lane(boolean enabled, int subscription, int slot, int generation, long firstId) {
    return Layout.buffer(LANE).putInt(enabled ? 1 : 0).putInt(subscription).putInt(slot).putInt(generation).putInt(DEPTH)
        .putInt(0).putLong(firstId).array();
  }

  static Flight flight(byte[] bytes) {
    ByteBuffer in = Layout.buffer(bytes);
    int sent = in.getInt();
    int answered = in.getInt();
    boolean handed = in.getInt() != 0;
    List<Integer> open = IntStream.range(0, Math.max(0, Math.min(DEPTH, sent - answered)))
        .mapToObj(i -> in.getShort(IDS_AT + Short.BYTES * (answered + i & DEPTH - 1)) & 0xffff).toList();
    return new Flight(sent, answered, in.getInt(COUNTED_AT), handed, in.getInt(COUNTED_AT - Integer.BYTES) != 0, open);
  }
}
