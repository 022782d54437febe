package io.weir.kura.internal;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import org.eclipse.kura.configuration.metatype.AD;
import org.eclipse.kura.configuration.metatype.Option;
import org.eclipse.kura.configuration.metatype.Scalar;
import org.jspecify.annotations.Nullable;

/** What the metatype allows for one setting. Kura's web admin checks it, but neither its REST API nor snapshots are checked. */
final class Range {
  private Range() {}

  /** What is allowed instead, in words, if the value is not. */
  static Optional<String> violated(AD definition, @Nullable Object value) {
    if (value == null || definition.getType() == Scalar.PASSWORD || value.getClass().isArray()) {
      return Optional.empty();
    }
    List<Option> options = definition.getOption();
    if (options != null && !options.isEmpty()) {
      return options.stream().anyMatch(option -> option.getValue().equals(value.toString())) ? Optional.empty()
          : Optional.of(options.stream().map(Option::getValue).map(text -> text.isEmpty() ? "nothing" : text)
              .collect(Collectors.joining(", ")));
    }
    return switch (definition.getType()) {
      case INTEGER, LONG, SHORT, BYTE -> number(definition, value, true);
      case DOUBLE, FLOAT -> number(definition, value, false);
      case BOOLEAN -> List.of("true", "false").contains(value.toString().toLowerCase(Locale.ROOT)) ? Optional.empty()
          : Optional.of("true or false");
      default -> Optional.empty();
    };
  }

  private static Optional<String> number(AD definition, Object value, boolean whole) {
    double min = bound(definition.getMin(), -Double.MAX_VALUE);
    double max = bound(definition.getMax(), Double.MAX_VALUE);
    try {
      double number = whole ? Long.parseLong(value.toString().strip()) : Double.parseDouble(value.toString().strip());
      if (number >= min && number <= max) {
        return Optional.empty();
      }
    } catch (NumberFormatException e) {
      // Told below.
    }
    String kind = whole ? "a whole number" : "a number";
    boolean bounded = definition.getMin() != null && definition.getMax() != null;
    return Optional.of(bounded ? definition.getMin() + ".." + definition.getMax() : kind);
  }

  private static double bound(@Nullable String text, double otherwise) {
    return text == null || text.isBlank() ? otherwise : Double.parseDouble(text);
  }
}
