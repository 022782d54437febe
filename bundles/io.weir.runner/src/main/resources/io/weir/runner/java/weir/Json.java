package weir;

import java.lang.reflect.Array;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** JSON (RFC 8259) to and from Java's own types. */
final class Json {
  private static final int DEEPEST = 500;
  private final String text;
  private int at;
  private int depth;

  private Json(String text) {
    this.text = text;
  }

  static Object parse(String text) {
    Json json = new Json(text);
    Object value = json.value();
    json.skipSpace();
    if (json.at < text.length()) {
      throw json.wrong("the end");
    }
    return value;
  }

  private IllegalArgumentException wrong(String expected) {
    return new IllegalArgumentException("malformed JSON at character " + (at + 1) + ": " + expected + " expected");
  }

  private void skipSpace() {
    while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
  }

  private boolean take(char c) {
    skipSpace();
    boolean found = at < text.length() && text.charAt(at) == c;
    at += found ? 1 : 0;
    return found;
  }

  private void need(char c) {
    if (!take(c)) {
      throw wrong("'" + c + "'");
    }
  }

  private Object value() {
    if (++depth > DEEPEST) {
      throw wrong("less depth");
    }
    try {
      if (take('{')) {
        return object();
      }
      if (take('[')) {
        return list();
      }
      if (take('"')) {
        return string();
      }
      return word();
    } finally {
      depth--;
    }
  }

  private Map<String, Object> object() {
    Map<String, Object> object = new LinkedHashMap<>();
    if (take('}')) {
      return object;
    }
    do {
      need('"');
      String key = string();
      need(':');
      object.put(key, value());
    } while (take(','));
    need('}');
    return object;
  }

  private List<Object> list() {
    List<Object> list = new ArrayList<>();
    if (take(']')) {
      return list;
    }
    do {
      list.add(value());
    } while (take(','));
    need(']');
    return list;
  }

  private String string() {
    StringBuilder string = new StringBuilder();
    while (at < text.length()) {
      char c = text.charAt(at++);
      if (c == '"') {
        return string.toString();
      }
      string.append(c == '\\' ? escaped() : c);
    }
    throw wrong("'\"'");
  }

  private char escaped() {
    char c = at < text.length() ? text.charAt(at++) : ' ';
    int known = "\"\\/bfnrt".indexOf(c);
    if (known >= 0) {
      return "\"\\/\b\f\n\r\t".charAt(known);
    }
    if (c != 'u' || at + 4 > text.length()) {
      throw wrong("an escape");
    }
    at += 4;
    try {
      return (char) Integer.parseInt(text, at - 4, at, 16);
    } catch (NumberFormatException e) {
      throw wrong("four hex digits");
    }
  }

  private Object word() {
    int from = at;
    while (at < text.length() && ",]} \t\r\n".indexOf(text.charAt(at)) < 0) {
      at++;
    }
    String word = text.substring(from, at);
    switch (word) {
      case "true": return true;
      case "false": return false;
      case "null": return null;
      default:
        if (word.matches("-?\\d{1,18}")) {
          return Long.valueOf(word);
        }
        if (word.matches("-?\\d+(\\.\\d+)?([eE][-+]?\\d+)?")) {
          return Double.valueOf(word);
        }
        at = from;
        throw wrong("a value");
    }
  }

  static String write(Object value) {
    StringBuilder json = new StringBuilder();
    write(json, value);
    return json.toString();
  }

  private static void write(StringBuilder json, Object value) {
    if (value instanceof CharSequence || value instanceof Character || value instanceof Enum) {
      quote(json, value.toString());
    } else if (value instanceof Map<?, ?> map) {
      writeObject(json, map);
    } else if (value instanceof Iterable<?> items) {
      String comma = "[";
      for (Object item : items) {
        json.append(comma);
        write(json, item);
        comma = ",";
      }
      json.append(comma.equals("[") ? "[]" : "]");
    } else if (value == null || value instanceof Boolean) {
      json.append(value);
    } else if (value instanceof Number number) {
      if (!Double.isFinite(number.doubleValue())) {
        throw new IllegalArgumentException(number + " has no JSON");
      }
      json.append(number);
    } else if (value instanceof Record record) {
      writeObject(json, components(record));
    } else if (value.getClass().isArray()) {
      List<Object> items = new ArrayList<>();
      for (int i = 0; i < Array.getLength(value); i++) {
        items.add(Array.get(value, i));
      }
      write(json, items);
    } else {
      throw new IllegalArgumentException("a " + value.getClass().getName()
          + " has no JSON; return a Map, List, record, String, number, boolean, byte[] or Answer");
    }
  }

  private static void writeObject(StringBuilder json, Map<?, ?> map) {
    String comma = "";
    json.append('{');
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      json.append(comma);
      quote(json, String.valueOf(entry.getKey()));
      json.append(':');
      write(json, entry.getValue());
      comma = ",";
    }
    json.append('}');
  }

  private static Map<String, Object> components(Record record) {
    Map<String, Object> values = new LinkedHashMap<>();
    try {
      for (RecordComponent component : record.getClass().getRecordComponents()) {
        component.getAccessor().setAccessible(true);
        values.put(component.getName(), component.getAccessor().invoke(record));
      }
    } catch (ReflectiveOperationException e) {
      throw new IllegalArgumentException("cannot read " + record, e);
    }
    return values;
  }

  private static void quote(StringBuilder json, String text) {
    json.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        json.append('\\').append(c);
      } else if (c < ' ') {
        json.append(String.format("\\u%04x", (int) c));
      } else {
        json.append(c);
      }
    }
    json.append('"');
  }
}
