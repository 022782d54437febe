package io.weir.invocation;

/** How hard the gateway tries. */
public enum Guarantee {
  /** One attempt that may reach the function; repeated only while the function cannot have seen it. */
  AT_MOST_ONCE,
  /** Repeated until the function has answered, or refused for good, or the attempts are used up. */
  AT_LEAST_ONCE
}
