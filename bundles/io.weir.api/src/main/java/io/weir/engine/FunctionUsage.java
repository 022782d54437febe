package io.weir.engine;

import io.weir.function.FunctionName;
import java.util.Optional;

/**
 * What all instances of a function use together, as last metered.
 *
 * @param instances those that were metered
 * @param cpuNanos CPU time, in nanoseconds, that of instances that are gone included; since the gateway started, or since
 *     their start for those it adopted
 * @param memoryBytes memory in use, in bytes
 * @param memoryLimitBytes their limits together, in bytes
 * @param pids processes and threads
 * @param pressure of the instance that has most of each; empty where the kernel does not tell
 */
public record FunctionUsage(FunctionName function, int instances, long cpuNanos, long memoryBytes,
    long memoryLimitBytes, int pids, Optional<Pressure> pressure) {}
