package io.weir.event;

import io.weir.function.FunctionName;
import java.time.Duration;
import java.time.Instant;

/** Something that happened in the gateway, told for people and dashboards; nothing depends on hearing it. */
public sealed interface GatewayEvent {
  Instant at();

  /** An event or request arrived and was admitted. */
  record Accepted(Instant at, String invocation, FunctionName function, String trigger, String subject, long bytes)
      implements GatewayEvent {}

  /**
   * An invocation ended.
   *
   * @param result {@code replied}, {@code no-content}, {@code rejected} (4xx), {@code failed} or {@code refused}
   * @param status HTTP status, or 0 if there was no answer
   * @param detail code and cause where there was no answer; otherwise empty
   * @param took from arrival to the outcome
   * @param coldStart how long an instance was waited for; zero if one was ready
   * @param coldCause why none was ready, as {@link io.weir.engine.ColdStart.Cause#label()}; empty if one was
   * @param coldFrom the rung it came from, as {@link io.weir.function.Rung#label()}; empty if one was ready
   * @param attempts calls made to instances
   */
  record Ended(Instant at, String invocation, FunctionName function, String trigger, String subject, String result,
      int status, String detail, Duration took, Duration coldStart, String coldCause, String coldFrom, int attempts) implements GatewayEvent {}

  /** An attempt failed and will be repeated after {@code delay}. */
  record Retrying(Instant at, String invocation, FunctionName function, int attempt, String cause, Duration delay)
      implements GatewayEvent {}

  /** An answer was published. */
  record Published(Instant at, String invocation, FunctionName function, String topic, long bytes)
      implements GatewayEvent {}

  /**
   * An instance changed.
   *
   * @param change the state it entered, as {@link io.weir.engine.Instance.State} in lower case, or {@code adopted},
   *     {@code stopped}, {@code crashed}, {@code hung}, {@code oom-killed} or {@code start-failed}
   * @param cause why, in one or two words for counters: {@code demand}, {@code idle}, {@code prepared}, {@code evicted},
   *     {@code scale-in}, {@code new-revision}, {@code removed}, {@code shutdown}, {@code operator}…
   * @param took how long the change took, for example from first call to first listening port; zero if it has no length
   * @param detail reason or last words; may be empty
   */
  record InstanceChanged(Instant at, FunctionName function, String instance, String change, String cause,
      Duration took, String detail) implements GatewayEvent {}

  /** A function was {@code added}, {@code changed} or {@code removed}. */
  record FunctionChanged(Instant at, FunctionName function, String change) implements GatewayEvent {}

  /** A part of the gateway that operators know by name changed, for example {@code broker}: {@code restarted}. */
  record PartChanged(Instant at, String part, String state) implements GatewayEvent {}

  /**
   * A package is being installed.
   *
   * @param deployment its id
   * @param name the package's name
   * @param version the package's version
   * @param state as {@link io.weir.deployment.Deployment.State#label()}
   * @param step what it does, or why it was rolled back
   * @param percent how far it is, 0 to 100
   */
  record DeploymentChanged(Instant at, String deployment, String name, String version, String state, String step,
      int percent) implements GatewayEvent {}
}
