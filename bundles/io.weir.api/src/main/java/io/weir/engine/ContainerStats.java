package io.weir.engine;

/**
 * What a container uses.
 *
 * @param cpuNanos CPU time since its start, in nanoseconds
 * @param memoryBytes memory in use, in bytes
 * @param memoryLimitBytes its limit, in bytes
 * @param pids processes and threads
 */
public record ContainerStats(long cpuNanos, long memoryBytes, long memoryLimitBytes, int pids) {}
