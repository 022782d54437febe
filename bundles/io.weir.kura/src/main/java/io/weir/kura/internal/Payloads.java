package io.weir.kura.internal;

import io.weir.invocation.Header;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.eclipse.kura.message.KuraPayload;
import org.eclipse.kura.message.KuraPosition;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.jr.ob.JSON;

/** Kura's payloads as JSON, and answers of functions as payloads. */
final class Payloads {
  private static final byte[] NOTHING = new byte[0];

  private Payloads() {}

  static byte[] body(KuraPayload payload) {
    return payload.getBody() == null ? NOTHING : payload.getBody();
  }

  /** {@code {"timestamp": …, "position": {…}, "metrics": {…}, "body": base64}}, each if there is such. */
  static byte[] json(KuraPayload payload) {
    Map<String, Object> json = new LinkedHashMap<>();
    if (payload.getTimestamp() != null) {
      json.put("timestamp", payload.getTimestamp().toInstant().toString());
    }
    if (payload.getPosition() != null) {
      json.put("position", position(payload.getPosition()));
    }
    Map<String, Object> metrics = new TreeMap<>();
    payload.metrics().forEach((name, value) -> metrics.put(name, value instanceof byte[] bytes
        ? Base64.getEncoder().encodeToString(bytes) : value));
    json.put("metrics", metrics);
    if (payload.getBody() != null) {
      json.put("body", Base64.getEncoder().encodeToString(payload.getBody()));
    }
    return JSON.std.asBytes(json);
  }

  private static Map<String, Object> position(KuraPosition position) {
    Map<String, Object> json = new LinkedHashMap<>();
    put(json, "latitude", position.getLatitude());
    put(json, "longitude", position.getLongitude());
    put(json, "altitude", position.getAltitude());
    put(json, "precision", position.getPrecision());
    put(json, "heading", position.getHeading());
    put(json, "speed", position.getSpeed());
    put(json, "satellites", position.getSatellites());
    put(json, "status", position.getStatus());
    return json;
  }

  private static void put(Map<String, Object> json, String key, @Nullable Object value) {
    if (value != null) {
      json.put(key, value);
    }
  }

  /** A JSON object's values become metrics, or those of its member {@code metrics}; anything else becomes the body. */
  static KuraPayload payload(List<Header> headers, byte[] answer, Instant now) {
    KuraPayload payload = new KuraPayload();
    payload.setTimestamp(Date.from(now));
    String type = headers.stream().filter(header -> header.name().equalsIgnoreCase("Content-Type")).map(Header::value)
        .findFirst().orElse("").split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
    if (type.endsWith("json") && metrics(answer, payload)) {
      return payload;
    }
    payload.setBody(answer);
    if (!type.isEmpty()) {
      payload.addMetric(AdminRequests.CONTENT_TYPE, type);
    }
    return payload;
  }

  private static boolean metrics(byte[] answer, KuraPayload payload) {
    Map<String, Object> json;
    try {
      json = JSON.std.mapFrom(new String(answer, StandardCharsets.UTF_8));
    } catch (JacksonException e) {
      return false;   // No object.
    }
    Map<?, ?> metrics = json.get("metrics") instanceof Map<?, ?> inner ? inner : json;
    metrics.forEach((name, value) -> {
      if (value != null) {
        payload.addMetric(String.valueOf(name), metric(value));
      }
    });
    if (metrics != json && json.get("body") instanceof String body) {
      payload.setBody(decoded(body));
    }
    return true;
  }

  private static byte[] decoded(String text) {
    try {
      return Base64.getDecoder().decode(text);
    } catch (IllegalArgumentException e) {
      return text.getBytes(StandardCharsets.UTF_8);
    }
  }

  /** Kura knows int, long, float, double, boolean, texts and bytes. */
  private static Object metric(Object value) {
    if (value instanceof String || value instanceof Boolean || value instanceof Long || value instanceof Double) {
      return value;
    } else if (value instanceof Integer || value instanceof Short || value instanceof Byte) {
      return ((Number) value).longValue();
    }
    return value instanceof Number number ? (Object) number.doubleValue() : JSON.std.asString(value);
  }
}
