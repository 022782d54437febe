package io.weir.engine.podman.internal;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Pattern;

/** An IPv6 network of /64, by its first eight bytes. */
record Subnet6(long network) {
  private static final String ALLOWED = "an IPv6 network of /64 such as fd12:3456:789a::/64, 'none', or empty";
  /** Nothing that would have to be looked up by name. */
  private static final Pattern NUMERIC = Pattern.compile("[0-9a-fA-F:]{2,39}");

  /**
   * A network that the operator asks for.
   *
   * @param fallback if he asks for nothing
   * @return empty if he wants none
   */
  static Optional<Subnet6> parse(String text, Subnet6 fallback) {
    if (text.isEmpty()) {
      return Optional.of(fallback);
    }
    return text.equals("none") ? Optional.empty() : Optional.of(parse(text));
  }

  private static Subnet6 parse(String text) {
    byte[] bytes = numeric(text.replaceFirst("/64$", "")).map(InetAddress::getAddress).orElse(new byte[0]);
    if (!text.endsWith("/64") || bytes.length != 16 || !Arrays.equals(bytes, 8, 16, new byte[8], 0, 8)) {
      throw Settings.invalid("subnet6", text, ALLOWED);
    }
    return new Subnet6(ByteBuffer.wrap(bytes).getLong());
  }

  /** The unique local network (RFC 4193) of whoever has this hash. */
  static Subnet6 local(int hash) {
    return new Subnet6(0xfd57L << 48 | Integer.toUnsignedLong(hash) << 16);
  }

  /** The address with this number in the network, 1 being the gateway's. */
  String host(int number) {
    return prefix() + ":" + Integer.toHexString(number);
  }

  /** An address in digits; empty if it is none. */
  static Optional<InetAddress> numeric(String text) {
    try {
      return NUMERIC.matcher(text).matches() ? Optional.of(InetAddress.getByName(text)) : Optional.empty();
    } catch (UnknownHostException e) {
      return Optional.empty();
    }
  }

  private String prefix() {
    return String.format("%x:%x:%x:%x:", network >>> 48, network >>> 32 & 0xffff, network >>> 16 & 0xffff,
        network & 0xffff);
  }

  @Override
  public String toString() {
    return prefix() + ":/64";
  }
}
