package io.weir.kura.wire.internal;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.eclipse.kura.type.DataType;
import org.eclipse.kura.type.TypedValue;
import org.eclipse.kura.type.TypedValues;
import org.eclipse.kura.wire.WireRecord;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.jr.ob.JSON;

/**
 * Records as JSON and back. Each value is an object of its type and itself, such as {@code {"type": "LONG", "value": 5}};
 * bytes are in base64, and what JSON has no number for is a text ({@code "NaN"}). Whoever answers may leave types away: then
 * whole numbers are LONG, others DOUBLE.
 */
final class Records {

  /** What is no answer that could be emitted; the message says why. */
  static final class Unreadable extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Unreadable(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  private Records() {}

  static byte[] json(String emitter, List<WireRecord> records) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("emitter", emitter);
    json.put("records", records.stream().map(Records::record).toList());
    return JSON.std.asBytes(json);
  }

  private static Map<String, Object> record(WireRecord record) {
    Map<String, Object> json = new TreeMap<>();
    record.getProperties().forEach((name, value) -> json.put(name, value(value)));
    return json;
  }

  private static Map<String, Object> value(TypedValue<?> typed) {
    Object value = typed.getValue();
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("type", typed.getType().name());
    if (value instanceof byte[] bytes) {
      json.put("value", Base64.getEncoder().encodeToString(bytes));
    } else if (value instanceof Float number) {
      // As a double it would have digits that were never measured.
      json.put("value", Float.isFinite(number) ? Double.valueOf(number.toString()) : number.toString());
    } else if (value instanceof Double number && !Double.isFinite(number)) {
      json.put("value", number.toString());
    } else {
      json.put("value", value);
    }
    return json;
  }

  /** @throws Unreadable if it is no JSON, or not of records */
  static List<WireRecord> read(byte[] answer) {
    Object json;
    try {
      json = JSON.std.anyFrom(new String(answer, StandardCharsets.UTF_8));
    } catch (JacksonException e) {
      throw new Unreadable("the answer is no JSON: " + e.getOriginalMessage(), e);
    }
    Object records = json instanceof Map<?, ?> map && map.get("records") instanceof List<?> list ? list : json;
    List<?> all = records instanceof List<?> list ? list : List.of(records == null ? Map.of() : records);
    List<WireRecord> read = new ArrayList<>();
    for (Object each : all) {
      if (!(each instanceof Map<?, ?> properties)) {
        throw new Unreadable("the answer must be a record, a list of records, or {\"records\": […]}; a record is an object",
            null);
      }
      read.add(read(properties));
    }
    return read;
  }

  private static WireRecord read(Map<?, ?> json) {
    Map<String, TypedValue<?>> properties = new LinkedHashMap<>();
    json.forEach((name, value) -> {
      if (value != null) {
        properties.put(String.valueOf(name), typed(String.valueOf(name), value));
      }
    });
    return new WireRecord(properties);
  }

  private static TypedValue<?> typed(String name, Object json) {
    if (json instanceof Map<?, ?> map && map.size() == 2 && map.get("type") instanceof String type
        && map.get("value") != null) {
      return typed(name, type, map.get("value"));
    } else if (json instanceof String text) {
      return TypedValues.newStringValue(text);
    } else if (json instanceof Boolean truth) {
      return TypedValues.newBooleanValue(truth);
    } else if (json instanceof Integer || json instanceof Long) {
      return TypedValues.newLongValue(((Number) json).longValue());
    } else if (json instanceof Number number) {
      return TypedValues.newDoubleValue(number.doubleValue());
    }
    return TypedValues.newStringValue(JSON.std.asString(json));
  }

  private static TypedValue<?> typed(String name, String type, Object value) {
    try {
      DataType kind = DataType.valueOf(type.toUpperCase(Locale.ROOT));
      if (value instanceof Map || value instanceof List) {
        throw new IllegalArgumentException("a single value is wanted");
      } else if (kind == DataType.BOOLEAN && !value.toString().matches("(?i)true|false")) {
        throw new IllegalArgumentException("true or false is wanted");
      }
      return TypedValues.parseTypedValue(kind, value.toString());
    } catch (IllegalArgumentException e) {
      throw new Unreadable(name + ": '" + value + "' is no " + type + "; types are BOOLEAN, BYTE_ARRAY (base64), DOUBLE, "
          + "FLOAT, INTEGER, LONG and STRING", e);
    }
  }
}
