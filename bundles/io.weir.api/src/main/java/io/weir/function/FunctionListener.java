package io.weir.function;

/**
 * Told of every function there is; register one as a service (whiteboard).
 *
 * <p>A new listener first hears {@link #functionAdded} for each function that exists. Calls come one at a time, on the
 * thread of whoever made the change: return quickly and do not call the registry's mutators.
 */
public interface FunctionListener {
  void functionAdded(FunctionSpec function);

  /** The name stays the same; compare {@link FunctionSpec#revision()} to see whether containers must be replaced. */
  void functionChanged(FunctionSpec before, FunctionSpec after);

  void functionRemoved(FunctionSpec function);
}
