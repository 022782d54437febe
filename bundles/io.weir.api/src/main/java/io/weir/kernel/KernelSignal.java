package io.weir.kernel;

import io.weir.function.FunctionName;

/** What the kernel reports unasked, within microseconds. Signals can be lost when there are too many: a help, no promise. */
public sealed interface KernelSignal {

  /**
   * Somebody connects to a function that has no instance. The connection is held by the gateway's listener.
   *
   * @param function which
   * @param atNanos when, of {@link System#nanoTime}; rather too early than too late
   */
  record Wanted(FunctionName function, long atNanos) implements KernelSignal {}

  /**
   * A packet came for an instance that {@link Traffic#rest} had put to rest; it waits in the instance's socket.
   *
   * @param container id of the container
   * @param atNanos when, as of {@link Wanted}
   */
  record Touched(String container, long atNanos) implements KernelSignal {}
}
