package io.weir.function;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A topic to publish to, in which {@code {1}}, {@code {2}}… stand for what the trigger's wildcards matched. */
public record TopicTemplate(String value) {
  private static final Pattern PLACEHOLDER = Pattern.compile("\\{(\\d+)}");

  /** @throws InvalidFunction if the value cannot be a topic, whatever its placeholders become */
  public TopicTemplate {
    String filled = PLACEHOLDER.matcher(value).replaceAll("x");
    if (filled.isEmpty() || filled.matches("(?s).*[+#\\x00{}].*") || filled.startsWith("$")) {
      throw new InvalidFunction("output", value,
          "a topic without '+', '#' and a leading '$'; {1}, {2}… stand for the trigger's wildcards");
    }
    if (PLACEHOLDER.matcher(value).results().anyMatch(found -> number(found.group(1)) < 1)) {
      throw new InvalidFunction("output", value, "{1} for the first wildcard, {2} for the second, and so on");
    }
  }

  /** The highest placeholder used; 0 if there is none. */
  public int placeholders() {
    return PLACEHOLDER.matcher(value).results().mapToInt(found -> number(found.group(1))).max().orElse(0);
  }

  /** The topic for one event. {@code captured} must have at least {@link #placeholders()} entries. */
  public String expand(List<String> captured) {
    return PLACEHOLDER.matcher(value)
        .replaceAll(found -> Matcher.quoteReplacement(captured.get(number(found.group(1)) - 1)));
  }

  private static int number(String digits) {
    return digits.length() > 4 ? Integer.MAX_VALUE : Integer.parseInt(digits);
  }

  @Override
  public String toString() {
    return value;
  }
}
