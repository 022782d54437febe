package io.weir.engine.podman.internal;

import io.weir.engine.EngineException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import tools.jackson.core.JacksonException;
import tools.jackson.jr.ob.JSON;

/**
 * Podman's JSON as maps, read forgivingly: fields come and go between its versions, so whatever is missing or of another
 * type reads as empty.
 */
final class Json {
  private Json() {}

  static String write(Object value) {
    return JSON.std.asString(value);
  }

  static Map<String, Object> object(String text) {
    return object(parse(text));
  }

  static List<Map<String, Object>> objects(String text) {
    return objects(parse(text));
  }

  static Object parse(String text) {
    try {
      Object value = JSON.std.anyFrom(text);
      return value == null ? "" : value;
    } catch (JacksonException e) {
      throw new EngineException(EngineException.Code.FAILED, "Podman answered something that is no JSON: "
          + text.substring(0, Math.min(200, text.length())), e);
    }
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> object(Object value) {
    return value instanceof Map<?, ?> map ? (Map<String, Object>) map : Map.of();
  }

  private static List<Map<String, Object>> objects(Object value) {
    return value instanceof List<?> list ? list.stream().map(Json::object).toList() : List.of();
  }

  static Map<String, Object> object(Map<String, Object> from, String key) {
    return object(orEmpty(from, key));
  }

  static List<Map<String, Object>> objects(Map<String, Object> from, String key) {
    return objects(orEmpty(from, key));
  }

  static List<String> strings(Map<String, Object> from, String key) {
    return orEmpty(from, key) instanceof List<?> list ? list.stream().map(String::valueOf).toList() : List.of();
  }

  static Map<String, String> texts(Map<String, Object> from, String key) {
    Map<String, String> texts = new TreeMap<>();
    object(from, key).forEach((name, value) -> texts.put(name, String.valueOf(value)));
    return texts;
  }

  static String text(Map<String, Object> from, String key) {
    return String.valueOf(orEmpty(from, key));
  }

  static Optional<String> nonEmpty(Map<String, Object> from, String key) {
    return Optional.of(text(from, key)).filter(text -> !text.isEmpty());
  }

  static long number(Map<String, Object> from, String key) {
    return orEmpty(from, key) instanceof Number number ? number.longValue() : 0;
  }

  static boolean flag(Map<String, Object> from, String key) {
    return Boolean.TRUE.equals(from.get(key));
  }

  private static Object orEmpty(Map<String, Object> from, String key) {
    Object value = from.get(key);
    return value == null ? "" : value;
  }
}
