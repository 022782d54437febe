package io.weir.secret;

/**
 * Passwords as they may be stored, with the host's key: Eclipse Kura's own there, a key file of the gateway elsewhere.
 * Exactly one service of this kind. Thread-safe.
 */
public interface Secrets {

  /**
   * The clear text of a stored value. A value that was never concealed is its own clear text.
   *
   * @throws IllegalArgumentException if it was concealed with another key; the message says what to do, and nothing of the
   *     value
   */
  String reveal(String stored);

  /** What may be stored instead of the clear text; different each time. */
  String conceal(String clear);
}
