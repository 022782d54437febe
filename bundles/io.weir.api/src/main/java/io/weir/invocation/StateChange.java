package io.weir.invocation;

import java.time.Duration;
import java.util.Optional;

/** One change of a function's state. */
public sealed interface StateChange {
  String key();

  /** Sets the value of a key, for a while or for good; the bytes are not copied and must not change. */
  record Put(String key, byte[] value, Optional<Duration> ttl) implements StateChange {}

  /** Removes a key, if it is there. */
  record Delete(String key) implements StateChange {}
}
