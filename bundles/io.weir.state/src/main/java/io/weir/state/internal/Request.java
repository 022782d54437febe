package io.weir.state.internal;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The head of a request.
 *
 * @param path still encoded
 * @param query still encoded; empty if there is none
 * @param headers by their names in lower case; of equal names the first
 * @param length of the body
 * @param last whether the client wants the connection closed
 */
record Request(String method, String path, String query, Map<String, String> headers, int length, boolean last) {

  /** What is wrong with a head. */
  static final class Malformed extends Exception {
    private static final long serialVersionUID = 1L;
    final int status;

    Malformed(int status, String detail) {
      super(detail, null, false, false);
      this.status = status;
    }
  }

  Optional<String> header(String name) {
    return Optional.ofNullable(headers.get(name.toLowerCase(Locale.ROOT)));
  }

  boolean expectsContinue() {
    return header("expect").filter(value -> value.equalsIgnoreCase("100-continue")).isPresent();
  }

  /** @param bytes the head from its start up to, but without, the empty line that ends it */
  static Request parse(byte[] bytes, int to) throws Malformed {
    String[] lines = new String(bytes, 0, to, ISO_8859_1).split("\r?\n");
    String[] words = lines[0].split(" ");
    if (words.length != 3 || !words[2].matches("HTTP/1\\.[01]") || !words[0].matches("[A-Z]{1,16}")
        || !words[1].startsWith("/")) {
      throw new Malformed(400, "this is no request of HTTP/1.1");
    }
    Map<String, String> headers = new HashMap<>();
    for (int i = 1; i < lines.length; i++) {
      int colon = lines[i].indexOf(':');
      if (colon <= 0 || lines[i].charAt(colon - 1) == ' ' || lines[i].charAt(0) == ' ' || lines[i].charAt(0) == '\t') {
        throw new Malformed(400, "line " + (i + 1) + " of the request's head is no header field");
      }
      String name = lines[i].substring(0, colon).toLowerCase(Locale.ROOT);
      String before = headers.putIfAbsent(name, lines[i].substring(colon + 1).strip());
      if (before != null && name.equals("content-length")) {
        throw new Malformed(400, "the request has two lengths");
      }
    }
    if (headers.containsKey("transfer-encoding")) {
      throw new Malformed(411, "send the value with a Content-Length, not in chunks");
    }
    String connection = headers.getOrDefault("connection", words[2].equals("HTTP/1.0") ? "close" : "");
    int mark = words[1].indexOf('?');
    return new Request(words[0], mark < 0 ? words[1] : words[1].substring(0, mark),
        mark < 0 ? "" : words[1].substring(mark + 1), headers, length(headers), connection.equalsIgnoreCase("close"));
  }

  private static int length(Map<String, String> headers) throws Malformed {
    String length = headers.getOrDefault("content-length", "0");
    if (!length.matches("\\d{1,18}")) {
      throw new Malformed(400, "Content-Length must be a number, not " + length);
    }
    return (int) Math.min(Integer.MAX_VALUE, Long.parseLong(length));
  }
}
