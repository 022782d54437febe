package io.weir.gateway.http.internal;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

/**
 * What to do about a request that is answered before its body was read. The server closes such a connection when the
 * answer is out, without having said so; a client that keeps connections sends its next request into the close.
 */
final class Unread {
  /** A body up to this size is simply read: cheaper for both sides than a new connection. */
  static final int HELD_BYTES = 64 << 10;

  private Unread() {}

  /** Call before the answer is committed. Reads what is short, and says of the rest that the connection ends here. */
  static void settle(HttpServletRequest request, HttpServletResponse response) throws IOException {
    long length = request.getContentLengthLong();
    if (length > HELD_BYTES || length < 0 && request.getHeader("Transfer-Encoding") != null) {
      lastOnItsConnection(response);
    } else if (length > 0) {
      request.getInputStream().readNBytes((int) length);
    }
  }

  static void lastOnItsConnection(HttpServletResponse response) {
    response.setHeader("Connection", "close");
  }
}
