package io.weir.registry.internal;

/** What is wrong with a YAML text, and on which line. */
final class YamlFault extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int line;

  YamlFault(int line, String message) {
    super(message);
    this.line = line;
  }

  YamlFault(int line, String message, Throwable cause) {
    super(message, cause);
    this.line = line;
  }

  int line() {
    return line;
  }
}
