package io.weir.forecast;

import io.weir.function.FunctionName;
import java.time.Instant;

/**
 * A request or message that wants a function.
 *
 * @param function who is wanted
 * @param at when it arrived, by the gateway's clock
 */
public record Arrival(FunctionName function, Instant at) {}
