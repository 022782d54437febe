package io.weir.engine;

import io.weir.function.FunctionName;
import java.time.Instant;
import java.util.Optional;

/**
 * One instance of a function, for people to look at.
 *
 * @param id container id; empty until the engine has created it
 * @param name container name
 * @param function whose it is
 * @param revision {@link io.weir.function.FunctionSpec#revision()} it was made from
 * @param state see {@link State}
 * @param address host and port the gateway reaches it at, once it is ready
 * @param inFlight requests it serves now
 * @param served requests it has served
 * @param memoryBytes what it is charged for in the memory budget
 * @param since when it entered its state
 */
public record Instance(String id, String name, FunctionName function, String revision, State state,
    Optional<String> address, int inFlight, long served, long memoryBytes, Instant since) {

  /** From the first call to the engine to the last; those that end in -ING last as long as one call. */
  public enum State {
    /** Being created. */
    CREATING,
    /** On {@link io.weir.function.Rung#CREATED}. */
    CREATED,
    /** Being armed. */
    ARMING,
    /** On {@link io.weir.function.Rung#ARMED}. */
    ARMED,
    /** Its entrypoint was or is being executed; it does not listen yet. */
    STARTING,
    /** On {@link io.weir.function.Rung#RUNNING}: takes requests. */
    READY,
    /** Its CPU is being taken away. */
    FREEZING,
    /** On {@link io.weir.function.Rung#FROZEN}. */
    FROZEN,
    /** Its CPU is being given back. */
    THAWING,
    /** Finishes what it serves, and takes nothing new. */
    DRAINING,
    /** Being stopped and removed. */
    STOPPING
  }
}
