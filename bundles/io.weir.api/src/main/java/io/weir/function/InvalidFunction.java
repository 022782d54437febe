package io.weir.function;

/** A function, or one value of it, that cannot be accepted; the message says what, why and how to mend it. */
public final class InvalidFunction extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /** The key at fault as it is written in {@code weir.yaml}, for example {@code memory}. */
  private final String key;

  /**
   * @param key the key at fault, as written in {@code weir.yaml}
   * @param value what was given
   * @param expected what would be accepted, for example {@code 1..65535}
   */
  public InvalidFunction(String key, Object value, String expected) {
    this(key, key + ": '" + value + "' is not allowed; use " + expected);
  }

  /** With a message of its own, where "use this instead" is not the shape of the advice. */
  public InvalidFunction(String key, String message) {
    super(message);
    this.key = key;
  }

  public String key() {
    return key;
  }
}
