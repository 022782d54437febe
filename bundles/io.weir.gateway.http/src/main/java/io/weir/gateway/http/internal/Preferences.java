package io.weir.gateway.http.internal;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What a caller prefers (RFC 7240).
 *
 * @param async whether it would rather not wait
 * @param patience how long it would wait otherwise
 * @param others what is not for the gateway, as it was written
 */
record Preferences(boolean async, Optional<Duration> patience, List<String> others) {
  static final String FIELD = "Prefer";
  static final String ASYNC = "respond-async";
  private static final int LONGEST_WAIT = 86_400;

  static Preferences of(Enumeration<String> fields) {
    boolean async = false;
    Optional<Duration> patience = Optional.empty();
    List<String> others = new ArrayList<>();
    for (String field : Collections.list(fields)) {
      for (String preference : split(field)) {
        String word = preference.toLowerCase(Locale.ROOT);
        if (word.equals(ASYNC)) {
          async = true;
        } else if (word.matches("wait\\s*=\\s*\"?\\d{1,9}\"?")) {
          int seconds = Integer.parseInt(word.replaceAll("\\D", ""));
          patience = Optional.of(Duration.ofSeconds(Math.max(1, Math.min(LONGEST_WAIT, seconds))));
        } else {
          others.add(preference);
        }
      }
    }
    return new Preferences(async, patience, List.copyOf(others));
  }

  /** At the commas that are not within quotes. */
  private static List<String> split(String field) {
    List<String> parts = new ArrayList<>();
    StringBuilder part = new StringBuilder();
    boolean quoted = false;
    for (int i = 0; i < field.length(); i++) {
      char c = field.charAt(i);
      quoted ^= c == '"' && (i == 0 || field.charAt(i - 1) != '\\');
      if (c == ',' && !quoted) {
        parts.add(part.toString().strip());
        part.setLength(0);
      } else {
        part.append(c);
      }
    }
    parts.add(part.toString().strip());
    parts.removeIf(String::isEmpty);
    return parts;
  }
}
