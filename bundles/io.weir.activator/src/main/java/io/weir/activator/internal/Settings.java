package io.weir.activator.internal;

import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The activator's configuration, checked.
 *
 * @param firstPort of the range that ports are chosen from
 * @param lastPort of it, inclusive
 * @param interfaces on which services are reached, besides loopback; {@code *} stands for all that are not virtual
 */
record Settings(int firstPort, int lastPort, Set<String> interfaces, int heldPerFunction, int heldTotal,
    Duration patience, Duration headTimeout, Duration stallTimeout) {
  private static final Pattern RANGE = Pattern.compile("\\s*([0-9]{1,5})\\s*-\\s*([0-9]{1,5})\\s*");
  private static final Pattern INTERFACE = Pattern.compile("\\*|[^\\s/]{1,15}");
  private static final int LOWEST_PORT = 1024;
  private static final int HIGHEST_PORT = 65_535;

  static Settings of(ActivatorConfig config) {
    Matcher range = RANGE.matcher(config.ports());
    int first = range.matches() ? Integer.parseInt(range.group(1)) : 0;
    int last = range.matches() ? Integer.parseInt(range.group(2)) : 0;
    if (first < LOWEST_PORT || last < first || last > HIGHEST_PORT) {
      throw refused("ports", config.ports(), "FIRST-LAST within " + LOWEST_PORT + "-" + HIGHEST_PORT);
    }
    return new Settings(first, last, interfaces(config.interfaces()),
        inRange("held.per.function", config.held_per_function(), 100_000),
        inRange("held.total", config.held_total(), 100_000),
        Duration.ofSeconds(inRange("patience.seconds", config.patience_seconds(), 3600)),
        Duration.ofSeconds(inRange("head.timeout.seconds", config.head_timeout_seconds(), 3600)),
        Duration.ofSeconds(inRange("stall.timeout.seconds", config.stall_timeout_seconds(), 86_400)));
  }

  private static Set<String> interfaces(String text) {
    Set<String> names = new TreeSet<>();
    for (String part : text.split(",")) {
      String name = part.strip();
      if (!name.isEmpty() && !INTERFACE.matcher(name).matches()) {
        throw refused("interfaces", text, "names of network interfaces separated by commas, or *");
      }
      if (!name.isEmpty()) {
        names.add(name);
      }
    }
    return names;
  }

  private static int inRange(String key, int value, int max) {
    if (value < 1 || value > max) {
      throw refused(key, value, "1.." + max);
    }
    return value;
  }

  private static IllegalArgumentException refused(String key, Object value, String expected) {
    return new IllegalArgumentException(Activator.PID + ": " + key + " = '" + value + "' is not allowed; use " + expected);
  }
}
