package io.weir.kernel;

import io.weir.function.FunctionName;

/** What the kernel reports unasked, within microseconds. Signals can be lost when there are too many: a help, no promise. */
public sealed interface KernelSignal {

  /** Somebody connects to a function that has no instance. The connection is held by the gateway's listener. */
  record Wanted(FunctionName function) implements KernelSignal {}

  /**
   * A packet came for an instance that {@link Traffic#rest} had put to rest; it waits in the instance's socket.
   *
   * @param container id of the container
   */
  record Touched(String container) implements KernelSignal {}
}
