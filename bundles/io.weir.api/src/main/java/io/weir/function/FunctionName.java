package io.weir.function;

import java.util.regex.Pattern;

/** The name of a function: a DNS label (RFC 1123 §2.1), so that it fits URLs, labels and host names. */
public record FunctionName(String value) implements Comparable<FunctionName> {
  private static final Pattern LABEL = Pattern.compile("[a-z]([a-z0-9-]{0,61}[a-z0-9])?");

  /** @throws InvalidFunction if the value is no DNS label that begins with a letter */
  public FunctionName {
    if (!LABEL.matcher(value).matches()) {
      throw new InvalidFunction("name", value,
          "1 to 63 lower-case letters, digits and hyphens, beginning with a letter and not ending in a hyphen");
    }
  }

  @Override
  public int compareTo(FunctionName other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
