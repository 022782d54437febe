package io.weir.function;

import java.util.Locale;

/** Whose instances give way when memory is short: lower before higher, and none to a lower one. */
public enum Priority {
  LOW, NORMAL, HIGH;

  /** {@code HIGH} as {@code high}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** @throws InvalidFunction if the text is no priority */
  public static Priority of(String text) {
    for (Priority priority : values()) {
      if (priority.label().equals(text)) {
        return priority;
      }
    }
    throw new InvalidFunction("priority", text, "low, normal or high");
  }
}
