package io.weir.engine;

import java.util.Optional;

/**
 * What a container uses.
 *
 * @param cpuNanos CPU time since its start, in nanoseconds
 * @param memoryBytes memory in use, in bytes; page cache that the kernel can take back at once does not count
 * @param memoryLimitBytes its limit, in bytes
 * @param pids processes and threads
 * @param pressure what it waits for; empty where the kernel does not tell
 */
public record ContainerStats(long cpuNanos, long memoryBytes, long memoryLimitBytes, int pids,
    Optional<Pressure> pressure) {
  /** Where the kernel does not tell what containers wait for. */
  public ContainerStats(long cpuNanos, long memoryBytes, long memoryLimitBytes, int pids) {
    this(cpuNanos, memoryBytes, memoryLimitBytes, pids, Optional.empty());
  }
}
