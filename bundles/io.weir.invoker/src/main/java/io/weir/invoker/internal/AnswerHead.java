package io.weir.invoker.internal;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.weir.invocation.Header;
import java.net.ProtocolException;
import java.util.ArrayList;
import java.util.List;

/** Status line and header fields of an answer, and what they say about its body. */
final class AnswerHead {
  /** As {@link #length}: in chunks. */
  static final long CHUNKED = -1;
  /** As {@link #length}: until the connection is closed. */
  static final long UNTIL_CLOSE = -2;

  private static final long UNSAID = -3;
  private static final int STATUS_LINE = "HTTP/1.1 200".length();

  final int status;
  /** Hop-by-hop fields excluded. */
  final List<Header> headers = new ArrayList<>(8);
  final boolean keepAlive;
  /** Bytes of the body, or one of the constants. */
  final long length;

  private long contentLength = UNSAID;
  private boolean chunked;
  private boolean close;
  private boolean keep;

  /** @param bytes from {@code from} on to {@code to}, the empty line that ends the head excluded */
  AnswerHead(byte[] bytes, int from, int to, boolean ofHead) throws ProtocolException {
    int end = lineEnd(bytes, from, to);
    this.status = status(bytes, from, contentEnd(bytes, from, end));
    boolean modern = bytes[from + 7] != '0';
    for (int at = end + 1; at < to; at = end + 1) {
      end = lineEnd(bytes, at, to);
      field(bytes, at, contentEnd(bytes, at, end));
    }
    if ((status == 204 || status == 205) && contentLength > 0) {
      throw new ProtocolException("status " + status + " with a body of " + contentLength + " bytes");
    }
    boolean bodiless = ofHead || status < 200 || status == 204 || status == 304;
    this.length = bodiless ? 0 : chunked ? CHUNKED : contentLength == UNSAID ? UNTIL_CLOSE : contentLength;
    // With both lengths one of them is a lie, and what follows may be part of it.
    this.keepAlive = !close && (modern || keep) && length != UNTIL_CLOSE && !(chunked && contentLength != UNSAID);
  }

  private static int lineEnd(byte[] bytes, int from, int to) {
    int at = from;
    while (at < to && bytes[at] != '\n') {
      at++;
    }
    return at;
  }

  private static int contentEnd(byte[] bytes, int from, int lineEnd) {
    return lineEnd > from && bytes[lineEnd - 1] == '\r' ? lineEnd - 1 : lineEnd;
  }

  private static int status(byte[] bytes, int from, int to) throws ProtocolException {
    boolean valid = to - from >= STATUS_LINE && bytes[from] == 'H' && bytes[from + 1] == 'T' && bytes[from + 2] == 'T'
        && bytes[from + 3] == 'P' && bytes[from + 4] == '/' && bytes[from + 5] == '1' && bytes[from + 6] == '.'
        && digit(bytes[from + 7]) >= 0 && bytes[from + 8] == ' '
        && (to - from == STATUS_LINE || bytes[from + STATUS_LINE] == ' ');
    int hundreds = valid ? digit(bytes[from + 9]) : -1;
    int tens = valid ? digit(bytes[from + 10]) : -1;
    int ones = valid ? digit(bytes[from + 11]) : -1;
    if (hundreds < 1 || tens < 0 || ones < 0) {
      throw new ProtocolException("unexpected status line: "
          + new String(bytes, from, Math.min(to - from, 80), ISO_8859_1));
    }
    return hundreds * 100 + tens * 10 + ones;
  }

  private static int digit(byte b) {
    return b >= '0' && b <= '9' ? b - '0' : -1;
  }

  private void field(byte[] bytes, int from, int to) throws ProtocolException {
    int colon = from;
    while (colon < to && bytes[colon] != ':') {
      if (bytes[colon] <= ' ' || bytes[colon] == 127) {
        throw unexpected(bytes, from, to);
      }
      colon++;
    }
    if (colon == to || colon == from) {
      throw unexpected(bytes, from, to);
    }
    String name = new String(bytes, from, colon - from, ISO_8859_1);
    int begin = colon + 1;
    int end = to;
    while (begin < end && (bytes[begin] == ' ' || bytes[begin] == '\t')) {
      begin++;
    }
    while (end > begin && (bytes[end - 1] == ' ' || bytes[end - 1] == '\t')) {
      end--;
    }
    String value = text(bytes, begin, end);
    if (HopByHop.contains(name)) {
      hop(name, value);
      return;
    }
    if (name.equalsIgnoreCase("content-length")) {
      long length = number(value);
      if (contentLength != UNSAID && contentLength != length) {
        throw new ProtocolException("two lengths: " + contentLength + " and " + length);
      }
      contentLength = length;
    }
    headers.add(new Header(name, value));
  }

  private static ProtocolException unexpected(byte[] bytes, int from, int to) {
    return new ProtocolException("unexpected header line: "
        + new String(bytes, from, Math.min(to - from, 80), ISO_8859_1));
  }

  private void hop(String name, String value) throws ProtocolException {
    if (name.equalsIgnoreCase("connection")) {
      for (String option : value.split(",")) {
        close |= option.strip().equalsIgnoreCase("close");
        keep |= option.strip().equalsIgnoreCase("keep-alive");
      }
    } else if (name.equalsIgnoreCase("transfer-encoding")) {
      if (!value.equalsIgnoreCase("chunked") || chunked) {
        throw new ProtocolException("unexpected Transfer-Encoding: " + value);
      }
      chunked = true;
    }
  }

  private static long number(String value) throws ProtocolException {
    boolean digits = !value.isEmpty() && value.length() <= 18 && value.chars().allMatch(c -> c >= '0' && c <= '9');
    if (!digits) {
      throw new ProtocolException("unexpected Content-Length: " + value);
    }
    return Long.parseLong(value);
  }

  private static String text(byte[] bytes, int from, int to) throws ProtocolException {
    boolean ascii = true;
    for (int i = from; i < to; i++) {
      ascii &= bytes[i] >= 0;
      if (bytes[i] == 0 || bytes[i] == '\r') {
        throw unexpected(bytes, from, to);
      }
    }
    return new String(bytes, from, to - from, ascii ? ISO_8859_1 : UTF_8);
  }
}
