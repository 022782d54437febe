package io.weir.kernel.internal;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A network, and a port in it where that matters.
 *
 * @param port 0: every port
 */
record Network(InetAddress address, int bits, int port) {
  private static final Pattern TARGET =
      Pattern.compile("\\[(?<six>[^\\]]+)\\]:(?<sixport>\\d+)|(?<four>[0-9./]+):(?<fourport>\\d+)|(?<plain>[0-9A-Fa-f:./]+)");

  /** Those that a text of {@link io.weir.function.Network} means; {@code any} is two. */
  static List<Network> of(String text) {
    if (text.equals("any")) {
      return List.of(parse("0.0.0.0/0", 0), parse("::/0", 0));
    }
    Matcher matcher = TARGET.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException("'" + text + "' is no network");
    }
    if (matcher.group("six") != null) {
      return List.of(parse(matcher.group("six"), Integer.parseInt(matcher.group("sixport"))));
    }
    return List.of(matcher.group("four") != null
        ? parse(matcher.group("four"), Integer.parseInt(matcher.group("fourport"))) : parse(matcher.group("plain"), 0));
  }

  private static Network parse(String text, int port) {
    int slash = text.indexOf('/');
    try {
      // Digits only, so nobody is asked for a name.
      InetAddress address = InetAddress.getByName(slash < 0 ? text : text.substring(0, slash));
      int whole = 8 * address.getAddress().length;
      return new Network(address, slash < 0 ? whole : Integer.parseInt(text.substring(slash + 1)), port);
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException("'" + text + "' is no network", e);
    }
  }

  /** Whether every address of the other one is in this one. */
  boolean covers(Network other) {
    byte[] mine = address.getAddress();
    byte[] others = other.address.getAddress();
    if (mine.length != others.length || bits > other.bits) {
      return false;
    }
    for (int bit = 0; bit < bits; bit++) {
      if (((mine[bit / 8] ^ others[bit / 8]) & 0x80 >> bit % 8) != 0) {
        return false;
      }
    }
    return true;
  }

  /** As nftables writes it. */
  @Override
  public String toString() {
    return address.getHostAddress() + '/' + bits;
  }
}
