package io.weir.cli.gateway;

import java.util.List;
import java.util.Map;

/** MQTT topic names and filters, as far as a client must know them. */
public final class Topics {
  private Topics() {}

  public static boolean matches(String filter, String topic) {
    String[] want = filter.split("/", -1);
    String[] have = topic.split("/", -1);
    if (topic.startsWith("$") && (want[0].equals("+") || want[0].equals("#"))) {
      return false;
    }
    for (int i = 0; i < want.length; i++) {
      if (want[i].equals("#")) {
        return true;
      }
      if (i >= have.length || !want[i].equals("+") && !want[i].equals(have[i])) {
        return false;
      }
    }
    return want.length == have.length;
  }

  /** @throws IllegalArgumentException if messages cannot be published to it */
  public static String requireName(String topic) {
    if (topic.isEmpty() || topic.indexOf('+') >= 0 || topic.indexOf('#') >= 0 || topic.indexOf('\0') >= 0
        || topic.length() > 65_535) {
      throw new IllegalArgumentException("'" + topic + "' is no topic to publish to; it must not be empty nor contain + or #");
    }
    return topic;
  }

  /** The names of the functions that a message to the topic triggers, as {@code GET /functions} tells them. */
  public static List<String> listeners(Map<String, Object> functions, String topic) {
    return Json.maps(functions, "functions").stream()
        .filter(function -> Json.maps(function, "triggers").stream()
            .map(trigger -> Json.text(trigger, "mqtt"))
            .anyMatch(filter -> !filter.isEmpty() && matches(filter, topic)))
        .map(function -> Json.text(function, "name"))
        .toList();
  }
}
