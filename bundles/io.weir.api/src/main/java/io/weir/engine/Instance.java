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
 * @param since when it entered its state
 */
public record Instance(String id, String name, FunctionName function, String revision, State state,
    Optional<String> address, int inFlight, long served, Instant since) {

  /** From the first call to the engine to the last. */
  public enum State { STARTING, READY, DRAINING, STOPPING }
}
