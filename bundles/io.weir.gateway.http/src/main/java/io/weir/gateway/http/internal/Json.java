package io.weir.gateway.http.internal;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.jr.ob.JSON;

/** Plain maps, lists, texts and numbers as JSON. */
final class Json {
  private static final JSON JSON_WITH_NULLS = JSON.std.with(JSON.Feature.WRITE_NULL_PROPERTIES);

  private Json() {}

  static byte[] bytes(Object value) {
    return JSON_WITH_NULLS.asBytes(value);
  }

  static String line(Object value) {
    return JSON_WITH_NULLS.asString(value);
  }

  /** @throws Problem 400 if the text is no JSON object */
  static Map<String, Object> parse(String text) {
    try {
      return JSON.std.mapFrom(text);
    } catch (JacksonException e) {
      throw new Problem(400, "bad-json", "the body is no JSON object: " + e.getOriginalMessage());
    }
  }

  /** Keys and values in turn; keeps their order. */
  static Map<String, Object> object(@Nullable Object... keysAndValues) {
    Map<String, Object> object = new LinkedHashMap<>();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      object.put((String) keysAndValues[i], keysAndValues[i + 1]);
    }
    return object;
  }
}
