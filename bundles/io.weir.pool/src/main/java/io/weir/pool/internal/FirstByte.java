package io.weir.pool.internal;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * How long a function takes to say anything: {@code OPTIONS *} asks a server about itself, not about any resource
 * (RFC 9110 §9.3.7), so it makes no function do its work, and every HTTP server answers something.
 */
final class FirstByte {
  private static final byte[] REQUEST =
      "OPTIONS * HTTP/1.1\r\nHost: weir\r\nConnection: close\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

  private FirstByte() {}

  /** @throws IOException if nothing comes in time */
  static Duration of(InetSocketAddress address, Duration timeout) throws IOException {
    long began = System.nanoTime();
    try (Socket socket = new Socket()) {
      socket.setTcpNoDelay(true);
      socket.setSoTimeout((int) timeout.toMillis());
      socket.connect(address, (int) timeout.toMillis());
      socket.getOutputStream().write(REQUEST);
      if (socket.getInputStream().read() < 0) {
        throw new IOException("the connection was closed without an answer");
      }
      return Duration.ofNanos(System.nanoTime() - began);
    }
  }
}
