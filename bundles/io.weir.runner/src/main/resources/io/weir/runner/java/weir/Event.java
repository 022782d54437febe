package weir;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** One request: a message, or what an HTTP client sent. */
public final class Event {
  private final String method;
  private final String path;
  private final String queryString;
  private final Map<String, String> headers;
  private final byte[] body;

  Event(String method, String path, String queryString, Map<String, String> headers, byte[] body) {
    this.method = method;
    this.path = path;
    this.queryString = queryString;
    this.headers = headers;
    this.body = body;
  }

  public String method() {
    return method;
  }

  public String path() {
    return path;
  }

  /** What follows the question mark, as it was sent; empty if there is none. */
  public String queryString() {
    return queryString;
  }

  /** Parameters by name; the last one wins. */
  public Map<String, String> query() {
    Map<String, String> query = new LinkedHashMap<>();
    for (String pair : queryString.split("&")) {
      int at = pair.indexOf('=');
      String name = at < 0 ? pair : pair.substring(0, at);
      if (!name.isEmpty()) {
        query.put(decoded(name), at < 0 ? "" : decoded(pair.substring(at + 1)));
      }
    }
    return query;
  }

  private static String decoded(String text) {
    try {
      return URLDecoder.decode(text, StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      return text;
    }
  }

  /** All header fields; upper and lower case are the same. */
  public Map<String, String> headers() {
    return headers;
  }

  /** A header field, or null. */
  public String header(String name) {
    return headers.get(name);
  }

  public byte[] body() {
    return body;
  }

  public String text() {
    return new String(body, StandardCharsets.UTF_8);
  }

  /** The body as Map, List, String, Long, Double, Boolean or null. */
  public Object json() {
    return Json.parse(text());
  }

  public String id() {
    return header("ce-id");
  }

  public String type() {
    return header("ce-type");
  }

  public String source() {
    return header("ce-source");
  }

  /** The topic of a message; null for other requests. */
  public String subject() {
    return header("ce-subject");
  }

  public String time() {
    return header("ce-time");
  }
}
