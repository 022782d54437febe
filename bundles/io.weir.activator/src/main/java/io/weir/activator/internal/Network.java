package io.weir.activator.internal;

import java.net.InetAddress;
import java.net.UnknownHostException;

/** A network that addresses may belong to. An IPv4 address never belongs to an IPv6 network. */
record Network(byte[] prefix, int bits) {

  /** @param text an address, or one with a prefix length, that {@link io.weir.function.Network} has accepted */
  static Network of(String text) {
    int slash = text.indexOf('/');
    try {
      // A literal: nothing is looked up.
      byte[] address = InetAddress.getByName(slash < 0 ? text : text.substring(0, slash)).getAddress();
      return new Network(address, slash < 0 ? address.length * 8 : Integer.parseInt(text.substring(slash + 1)));
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException("'" + text + "' is no network", e);
    }
  }

  boolean has(InetAddress client) {
    byte[] address = client.getAddress();
    if (address.length != prefix.length) {
      return false;
    }
    for (int bit = 0; bit < bits; bit += 8) {
      int mask = bits - bit >= 8 ? 0xff : 0xff << 8 - (bits - bit) & 0xff;
      if (((address[bit / 8] ^ prefix[bit / 8]) & mask) != 0) {
        return false;
      }
    }
    return true;
  }
}
