package io.weir.function;

/**
 * Knows something about this gateway that a function may ask too much of; register one as a service (whiteboard). The
 * registry asks every one before it accepts a declaration.
 */
public interface FunctionCheck {
  /**
   * Returns if the function can run here, as far as can be known now. May take seconds.
   *
   * @throws InvalidFunction if it cannot
   */
  void check(FunctionSpec function);
}
