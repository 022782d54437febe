package io.weir.activator.internal;

import io.weir.function.FunctionSpec;

/** One function's service address, as its connections see it. Thread-safe. */
final class Door {
  private static final long AWAKE_NANOS = 1_000_000_000;

  final Crowd crowd;
  private volatile FunctionSpec function;
  private volatile Gate gate;
  private volatile long leasedNanos = System.nanoTime() - 2 * AWAKE_NANOS;

  Door(FunctionSpec function, Gate gate, int most) {
    this.function = function;
    this.gate = gate;
    this.crowd = new Crowd(most);
  }

  FunctionSpec function() {
    return function;
  }

  Gate gate() {
    return gate;
  }

  void change(FunctionSpec changed, Gate itsGate) {
    function = changed;
    gate = itsGate;
  }

  void leased() {
    leasedNanos = System.nanoTime();
  }

  /** Whether there was an instance a moment ago, so that there is nothing to begin before a request is here. */
  boolean isAwake() {
    return System.nanoTime() - leasedNanos < AWAKE_NANOS;
  }
}
