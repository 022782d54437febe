package io.weir.gateway.http.internal;

import java.io.IOException;
import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One request to the admin API. */
record Call(Exchange exchange, Map<String, String> pathParameters) {
  private static final int MAX_TEXT = 1 << 20;
  private static final int MAX_JSON = 8 << 20;

  /** Read from the query alone: the body is for who handles the call. */
  List<String> all(String name) {
    List<String> values = new ArrayList<>();
    String query = exchange.query();
    for (String pair : query == null ? new String[0] : query.split("&")) {
      int equals = pair.indexOf('=');
      String key = equals < 0 ? pair : pair.substring(0, equals);
      if (decode(key).equals(name)) {
        values.add(equals < 0 ? "" : decode(pair.substring(equals + 1)));
      }
    }
    return values;
  }

  private static String decode(String text) {
    try {
      return URLDecoder.decode(text, StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw new Problem(400, "bad-query", "'" + text + "' in the query is not percent-encoded; write % as %25");
    }
  }

  Optional<String> query(String name) {
    return all(name).stream().filter(value -> !value.isBlank()).findFirst();
  }

  String required(String name) {
    return query(name).orElseThrow(() ->
        new Problem(400, "missing-parameter", "the query needs " + name + "=…").with("parameter", name));
  }

  int whole(String name, int otherwise, int max) {
    return (int) whole(name, otherwise, 1, max);
  }

  long whole(String name, long otherwise, long min, long max) {
    String text = query(name).orElse(Long.toString(otherwise));
    long value;
    try {
      value = Long.parseLong(text);
    } catch (NumberFormatException e) {
      value = min - 1;
    }
    if (value < min || value > max) {
      throw new Problem(400, "bad-parameter", name + ": '" + text + "' is not allowed; use " + min + ".." + max)
          .with("parameter", name);
    }
    return value;
  }

  Instant instant(String name, Instant otherwise) {
    Optional<String> text = query(name);
    try {
      return text.map(Instant::parse).orElse(otherwise);
    } catch (DateTimeParseException e) {
      throw new Problem(400, "bad-parameter", name + ": '" + text.orElse("") + "' is no time; write for example "
          + "2026-11-30T12:00:00Z").with("parameter", name);
    }
  }

  /** For what cannot be undone: a link that is followed, or a path that was mistyped, must not be enough. */
  void requireConfirmation(String what) {
    if (!query("confirm").filter("true"::equals).isPresent()) {
      throw new Problem(400, "unconfirmed", what + " cannot be undone; add confirm=true to the query")
          .with("parameter", "confirm");
    }
  }

  String path(String name) {
    return pathParameters.getOrDefault(name, "");
  }

  /** The body as text of at most 1 MiB. */
  String text() throws IOException {
    return text(MAX_TEXT);
  }

  boolean isJson() {
    String type = String.valueOf(exchange.contentType());
    return type.split(";", 2)[0].strip().equalsIgnoreCase("application/json");
  }

  /** The body as a JSON object, with room for some files in it. */
  Map<String, Object> jsonObject() throws IOException {
    return Json.parse(text(MAX_JSON));
  }

  /** The same where a request may do without. */
  Map<String, Object> jsonObjectIfAny() throws IOException {
    String text = text(MAX_JSON);
    return text.isBlank() ? Map.of() : Json.parse(text);
  }

  private String text(int most) throws IOException {
    byte[] bytes = exchange.contentLength() > most ? null : exchange.body().readNBytes(most + 1);
    if (bytes == null || bytes.length > most) {
      throw new Problem(413, "too-large", "the text is larger than " + most + " bytes; split it");
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new Problem(400, "not-utf-8", "the text is not UTF-8; save it as UTF-8");
    }
  }

  void json(int status, Object value) throws IOException {
    bytes(status, "application/json", Json.bytes(value));
  }

  void text(String mediaType, String text) throws IOException {
    bytes(200, mediaType, text.getBytes(StandardCharsets.UTF_8));
  }

  void bytes(int status, String mediaType, byte[] bytes) throws IOException {
    exchange.status(status);
    exchange.type(mediaType);
    exchange.header("Cache-Control", "no-store");
    exchange.length(bytes.length);
    exchange.out().write(bytes);
  }
}
