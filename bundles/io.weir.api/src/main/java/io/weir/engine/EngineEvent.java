package io.weir.engine;

import java.time.Instant;
import java.util.Map;

/** What the engine reports unasked. A death is reported late (100–250 ms): treat it as confirmation, not as signal. */
public sealed interface EngineEvent {

  /** A container's first process ended. */
  record Died(String id, Map<String, String> labels, int exitCode, Instant at) implements EngineEvent {}

  /** An image was built, loaded, imported or pulled: what a reference stood for may be another one now. */
  record ImagesChanged(Instant at) implements EngineEvent {}

  /** Events may have been missed since {@code since}, because the service was away: look for yourself. */
  record Gap(Instant since) implements EngineEvent {}
}
