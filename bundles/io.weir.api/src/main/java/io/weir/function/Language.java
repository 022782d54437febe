package io.weir.function;

import java.util.Locale;

/** A language whose runner can load a {@link Source.Handler}. */
public enum Language {
  PYTHON(".py"), NODE(".js"), JAVA(".java");

  private final String suffix;

  Language(String suffix) {
    this.suffix = suffix;
  }

  /** How the name of a handler's file ends. */
  public String suffix() {
    return suffix;
  }

  /** {@code PYTHON} as {@code python}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** @throws InvalidFunction if the text is no language that has a runner */
  public static Language of(String text) {
    for (Language language : values()) {
      if (language.label().equals(text)) {
        return language;
      }
    }
    throw new InvalidFunction("runtime", text, "python, node or java");
  }
}
