package io.weir.invoker.internal;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.weir.invocation.Header;
import io.weir.invocation.Invocation;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;

/** Writes an invocation as an HTTP/1.1 request, head and body in one piece. */
final class RequestEncoder {
  private static final byte[] VERSION = " HTTP/1.1\r\n".getBytes(US_ASCII);
  private static final byte[] HOST = "Host: ".getBytes(US_ASCII);
  private static final byte[] AGENT = "User-Agent: weir\r\n".getBytes(US_ASCII);
  private static final byte[] IDENTITY = "Accept-Encoding: identity\r\n".getBytes(US_ASCII);
  private static final byte[] LENGTH = "Content-Length: ".getBytes(US_ASCII);
  /** More than all that is written beside what the invocation brings. */
  private static final int OVERHEAD = 160;
  private static final int LINE_OVERHEAD = 4;

  private final byte[] bytes;
  private int at;

  private RequestEncoder(int size) {
    this.bytes = new byte[size];
  }

  /**
   * @throws IllegalArgumentException if the invocation has characters that no request may have
   * @throws IOException if the body cannot be read
   */
  static ByteBuffer encode(Invocation invocation) throws IOException {
    int length = Math.toIntExact(invocation.body().length());
    RequestEncoder encoder = new RequestEncoder(Math.addExact(headSize(invocation), length));
    encoder.head(invocation, length);
    encoder.body(invocation, length);
    return ByteBuffer.wrap(encoder.bytes, 0, encoder.at);
  }

  private static int headSize(Invocation invocation) {
    int size = OVERHEAD + invocation.method().length() + invocation.target().length()
        + invocation.function().value().length();
    for (Header header : invocation.headers()) {
      size += header.name().length() + header.value().length() + LINE_OVERHEAD;
    }
    return size;
  }

  private void head(Invocation invocation, int length) {
    put(invocation.method(), '!');
    bytes[at++] = ' ';
    put(invocation.target(), '!');
    put(VERSION);
    boolean host = false;
    boolean encoding = false;
    boolean agent = false;
    for (Header header : invocation.headers()) {
      String name = header.name();
      host |= name.equalsIgnoreCase("host");
      encoding |= name.equalsIgnoreCase("accept-encoding");
      agent |= name.equalsIgnoreCase("user-agent");
      if (!name.equalsIgnoreCase("content-length") && !HopByHop.contains(name)) {
        field(name, header.value());
      }
    }
    if (!host) {
      put(HOST);
      put(invocation.function().value(), '!');
      endOfLine();
    }
    if (!encoding) {
      put(IDENTITY);
    }
    if (!agent) {
      put(AGENT);
    }
    if (length > 0 || expectsBody(invocation.method())) {
      put(LENGTH);
      put(Integer.toString(length), '0');
      endOfLine();
    }
    endOfLine();
  }

  private static boolean expectsBody(String method) {
    return method.equals("POST") || method.equals("PUT") || method.equals("PATCH");
  }

  private void body(Invocation invocation, int length) throws IOException {
    if (length == 0) {
      return;
    }
    try (InputStream in = invocation.body().open()) {
      if (in.readNBytes(bytes, at, length) < length) {
        throw new EOFException("the body is shorter than it says");
      }
    }
    at += length;
  }

  private void field(String name, String value) {
    int before = at;
    put(name, '!');
    for (int i = before; i < at; i++) {
      if (bytes[i] == ':') {
        throw new IllegalArgumentException("a header may not be named '" + name + "'");
      }
    }
    if (at == before) {
      throw new IllegalArgumentException("a header without a name");
    }
    bytes[at++] = ':';
    bytes[at++] = ' ';
    put(value, ' ');
    endOfLine();
  }

  private void endOfLine() {
    bytes[at++] = '\r';
    bytes[at++] = '\n';
  }

  private void put(byte[] text) {
    System.arraycopy(text, 0, bytes, at, text.length);
    at += text.length;
  }

  /** Printable ASCII from {@code lowest} on; a line's end in it would be another line's beginning. */
  private void put(String text, char lowest) {
    int to = at;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if ((c < lowest || c > '~') && (c != '\t' || lowest > ' ')) {
        throw new IllegalArgumentException(
            String.format("character 0x%02X at %d of '%s' is not allowed in a request", (int) c, i, text));
      }
      bytes[to++] = (byte) c;
    }
    at = to;
  }
}
