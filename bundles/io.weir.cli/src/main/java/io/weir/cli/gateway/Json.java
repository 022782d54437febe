package io.weir.cli.gateway;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.jr.ob.JSON;

/** Reading of JSON documents whose shape is another program's word: what is absent or odd reads as empty. */
public final class Json {
  private Json() {}

  /** @throws IllegalArgumentException if it is no JSON object */
  public static Map<String, Object> object(String text) {
    try {
      return JSON.std.mapFrom(text);
    } catch (JacksonException e) {
      throw new IllegalArgumentException("not a JSON object: " + (text.length() > 200 ? text.substring(0, 200) + "…" : text), e);
    }
  }

  public static byte[] bytes(Object value) {
    return JSON.std.asBytes(value);
  }

  /** The same where null says something. */
  public static byte[] bytesWithNulls(Object value) {
    return JSON.std.with(JSON.Feature.WRITE_NULL_PROPERTIES).asBytes(value);
  }

  public static String text(Map<String, ?> object, String key) {
    Object value = object.get(key);
    return value == null ? "" : value.toString();
  }

  public static long number(Map<String, ?> object, String key) {
    return object.get(key) instanceof Number n ? n.longValue() : 0;
  }

  public static double decimal(Map<String, ?> object, String key) {
    return object.get(key) instanceof Number n ? n.doubleValue() : 0;
  }

  public static boolean flag(Map<String, ?> object, String key) {
    return Boolean.TRUE.equals(object.get(key));
  }

  @SuppressWarnings("unchecked")
  public static Map<String, Object> map(@Nullable Object value) {
    return value instanceof Map<?, ?> map ? (Map<String, Object>) map : Map.of();
  }

  /** The objects of an array; anything else in it is left out. */
  public static List<Map<String, Object>> maps(Map<String, ?> object, String key) {
    return object.get(key) instanceof List<?> list
        ? list.stream().filter(Map.class::isInstance).map(Json::map).toList() : List.of();
  }
}
