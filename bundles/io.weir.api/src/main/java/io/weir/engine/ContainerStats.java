package io.weir.engine;

/**
 * What a container uses.
 *
 * @param cpuNanos CPU time since its start, in nanoseconds
 * @param memoryBytes memory in use, in bytes; page cache that the kernel can take back at once does not count
 * @param memoryLimitBytes its limit, in bytes
 * @param pids processes and threads
 */
public record ContainerStats(long cpuNanos, long memoryBytes, long memoryLimitBytes, int pids) {}
