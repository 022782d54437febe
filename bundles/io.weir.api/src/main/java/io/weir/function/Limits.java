package io.weir.function;

/**
 * What one instance may use.
 *
 * @param memoryBytes RAM in bytes, swap excluded; at least {@value #MIN_MEMORY}, below which no container starts
 * @param cpus CPU cores, {@value #MIN_CPUS} or more; 0.5 is half a core
 * @param pids processes and threads, 1 to {@value #MAX_PIDS}
 */
public record Limits(long memoryBytes, double cpus, int pids) {
  /** The OCI runtime itself needs about 4 MiB inside the cgroup before the function's first instruction. */
  public static final long MIN_MEMORY = 6L << 20;
  public static final double MIN_CPUS = 0.01;
  public static final int MAX_PIDS = 32_768;

  /** @throws InvalidFunction if a value is out of range */
  public Limits {
    if (memoryBytes < MIN_MEMORY) {
      throw new InvalidFunction("memory", memoryBytes + " bytes", "6MiB or more; below that no container starts");
    }
    if (!(cpus >= MIN_CPUS && cpus <= 1024)) {
      throw new InvalidFunction("cpus", cpus, MIN_CPUS + "..1024 cores");
    }
    if (pids < 1 || pids > MAX_PIDS) {
      throw new InvalidFunction("pids", pids, "1.." + MAX_PIDS);
    }
  }
}
