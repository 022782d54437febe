package io.weir.kernel.internal;

import java.net.InetAddress;
import java.net.UnknownHostException;

/** ::1, which {@link InetAddress#getLoopbackAddress} does not always mean. */
final class Loopback {
  static final InetAddress SIX = six();

  private Loopback() {}

  private static InetAddress six() {
    try {
      byte[] bytes = new byte[Layout.ADDRESS];
      bytes[Layout.ADDRESS - 1] = 1;
      return InetAddress.getByAddress(bytes);
    } catch (UnknownHostException e) {
      throw new IllegalStateException(e);
    }
  }
}
