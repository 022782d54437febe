package io.weir.gateway.http.internal;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;

/** What is left of a body that was refused. */
final class Leftover {
  private static final long BYTES = 8 << 20;
  private static final Duration TIME = Duration.ofSeconds(5);

  private Leftover() {}

  /**
   * Reads on for a while after the answer: a server that closes a connection with input unread resets it, and the client would
   * lose the answer that tells why.
   */
  static void drain(InputStream in) throws IOException {
    byte[] sink = new byte[16 << 10];
    long deadline = System.nanoTime() + TIME.toNanos();
    long left = BYTES;
    for (int read = 0; read >= 0 && left > 0 && System.nanoTime() < deadline; left -= read) {
      read = in.read(sink);
    }
  }
}
