package io.weir.invocation;

/** What became of an event that somebody wants to have handled; {@code number} is that of the event. */
public sealed interface Acceptance {
  long number();

  /** It is new and was accepted now: handle it. */
  record Taken(long number) implements Acceptance {}

  /** It was accepted before and has not ended. */
  record Pending(long number, int attempts) implements Acceptance {}

  /** It has ended like this. */
  record Done(long number, KeptOutcome outcome) implements Acceptance {}

  /** Nobody could handle it; it is a dead letter. */
  record Dead(long number, String reason, String detail) implements Acceptance {}
}
