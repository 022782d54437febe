package io.weir.function;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * An MQTT topic filter (MQTT 5.0 §4.7) that knows what its wildcards matched.
 *
 * <p>Shared subscriptions ({@code $share/…}) are refused: a function has one session, so there is nobody to share with.
 */
public record TopicFilter(String value) {
  private static final int MAX_BYTES = 65_535;

  /** @throws InvalidFunction if the value is no topic filter */
  public TopicFilter {
    if (value.isEmpty() || value.getBytes(StandardCharsets.UTF_8).length > MAX_BYTES || value.indexOf('\0') >= 0) {
      throw new InvalidFunction("mqtt", value, "a topic filter of 1 to 65535 bytes without NUL");
    }
    if (value.startsWith("$share/")) {
      throw new InvalidFunction("mqtt", value, "the filter without $share/GROUP/; one function is one subscriber");
    }
    String[] levels = value.split("/", -1);
    for (int i = 0; i < levels.length; i++) {
      boolean hash = levels[i].indexOf('#') >= 0;
      boolean plus = levels[i].indexOf('+') >= 0;
      if ((hash || plus) && levels[i].length() > 1) {
        throw new InvalidFunction("mqtt", value, "'+' and '#' only as a whole level, for example sensors/+/temperature");
      }
      if (hash && i < levels.length - 1) {
        throw new InvalidFunction("mqtt", value, "'#' only as the last level, for example sensors/#");
      }
    }
  }

  /** How many wildcards the filter has; each captures one text. */
  public int wildcards() {
    return (int) value.chars().filter(c -> c == '+' || c == '#').count();
  }

  /**
   * What the wildcards stand for in a topic, in the order they are written; {@code #} captures all its levels with
   * their slashes. Empty if the topic does not match. Topics that begin with {@code $} do not match a leading wildcard.
   */
  public Optional<List<String>> match(String topic) {
    if (topic.startsWith("$") && (value.startsWith("+") || value.startsWith("#"))) {
      return Optional.empty();
    }
    List<String> captured = new ArrayList<>();
    int want = 0;   // where the level begins that is looked at
    int have = 0;
    while (true) {
      int wantEnd = levelEnd(value, want);
      char wildcard = wantEnd == want + 1 ? value.charAt(want) : 0;
      if (wildcard == '#') {
        captured.add(have > topic.length() ? "" : topic.substring(have));
        return Optional.of(List.copyOf(captured));
      }
      if (have > topic.length()) {
        return Optional.empty();   // no level is left
      }
      int haveEnd = levelEnd(topic, have);
      if (wildcard == '+') {
        captured.add(topic.substring(have, haveEnd));
      } else if (wantEnd - want != haveEnd - have || !value.regionMatches(want, topic, have, haveEnd - have)) {
        return Optional.empty();
      }
      if (wantEnd == value.length()) {
        return haveEnd == topic.length() ? Optional.of(List.copyOf(captured)) : Optional.empty();
      }
      want = wantEnd + 1;
      have = haveEnd + 1;
    }
  }

  private static int levelEnd(String levels, int from) {
    int slash = levels.indexOf('/', from);
    return slash < 0 ? levels.length() : slash;
  }

  @Override
  public String toString() {
    return value;
  }
}
