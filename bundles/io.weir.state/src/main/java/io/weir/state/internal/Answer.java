package io.weir.state.internal;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** An answer in memory. */
record Answer(int status, Map<String, String> headers, byte[] body) {
  private static final byte[] NOTHING = new byte[0];
  private static final Map<Integer, String> PHRASES = Map.of(200, "OK", 204, "No Content", 400, "Bad Request",
      401, "Unauthorized", 404, "Not Found", 409, "Conflict", 412, "Precondition Failed", 503, "Service Unavailable");

  static Answer value(byte[] value) {
    return new Answer(200, Map.of("Content-Type", "application/octet-stream", "ETag", Etag.of(value)), value);
  }

  static Answer changed() {
    return new Answer(204, Map.of(), NOTHING);
  }

  static Answer changed(byte[] value) {
    return new Answer(204, Map.of("ETag", Etag.of(value)), NOTHING);
  }

  static Answer keys(List<String> keys) {
    StringBuilder json = new StringBuilder("{\"keys\":[");
    for (int i = 0; i < keys.size(); i++) {
      quote(json.append(i == 0 ? "" : ","), keys.get(i));
    }
    return new Answer(200, Map.of("Content-Type", "application/json"), json.append("]}").toString().getBytes(UTF_8));
  }

  /** An error as an RFC 9457 problem document. {@code code} is for programs and stays the same between versions. */
  static Answer problem(int status, String code, String detail) {
    StringBuilder json = new StringBuilder("{\"type\":\"urn:weir:problem:").append(code).append("\",\"title\":\"")
        .append(code.substring(0, 1).toUpperCase(Locale.ROOT)).append(code.substring(1).replace('-', ' '))
        .append("\",\"status\":").append(status).append(",\"detail\":");
    quote(json, detail).append(",\"code\":\"").append(code).append("\"}");
    return new Answer(status, Map.of("Content-Type", "application/problem+json"), json.toString().getBytes(UTF_8));
  }

  Answer with(String name, String value) {
    Map<String, String> more = new LinkedHashMap<>(headers);
    more.put(name, value);
    return new Answer(status, more, body);
  }

  private static StringBuilder quote(StringBuilder json, String text) {
    json.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        json.append('\\').append(c);
      } else if (c < ' ') {
        json.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
      } else {
        json.append(c);
      }
    }
    return json.append('"');
  }

  /**
   * @param bodiless whether it answers HEAD
   * @param last whether the connection is closed afterwards
   */
  ByteBuffer encode(boolean bodiless, boolean last) {
    StringBuilder head = new StringBuilder("HTTP/1.1 ").append(status).append(' ')
        .append(PHRASES.getOrDefault(status, "Refused")).append("\r\n");
    headers.forEach((name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
    if (status != 204) {
      head.append("Content-Length: ").append(body.length).append("\r\n");
    }
    head.append(last ? "Connection: close\r\n\r\n" : "\r\n");
    byte[] bytes = head.toString().getBytes(ISO_8859_1);
    ByteBuffer all = ByteBuffer.allocate(bytes.length + (bodiless ? 0 : body.length)).put(bytes);
    return (bodiless ? all : all.put(body)).flip();
  }
}
