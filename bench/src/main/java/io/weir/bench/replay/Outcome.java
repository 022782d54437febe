package io.weir.bench.replay;

/**
 * How a policy fared.
 *
 * @param policy its name
 * @param calls of all functions
 * @param cold calls that had to wait for a start, or for the rest of one
 * @param coldSeconds that those waited in all; not the milliseconds that frozen instances take to thaw
 * @param delays what each call waited, milliseconds, ascending
 * @param memory MiB·s held, work included
 * @param cpu CPU seconds for starts and for processes that run without work
 * @param starts instances brought up
 * @param wrong of those, brought up for nobody
 * @param refused prewarms that the budget did not allow
 */
public record Outcome(String policy, long calls, long cold, double coldSeconds, int[] delays, double memory,
    double cpu, long starts, long wrong, long refused) {

  public double coldShare() {
    return (double) cold / calls;
  }

  /** Milliseconds that a share of all calls does not exceed. */
  public double felt(double share) {
    return delays[rank(share, delays.length)];
  }

  /** Index, in so many values that ascend, of the one that a share of them does not exceed. */
  static int rank(double share, int count) {
    return Math.max(0, (int) Math.ceil(share * count) - 1);
  }

  /** MiB·s, waiting for cold starts included at its price. */
  double cost(Device device) {
    return coldSeconds * device.delayPrice() + memory;
  }

  /** Whether the other one has no more cold starts and no more memory, and less of one. */
  boolean dominatedBy(Outcome other) {
    return other.cold <= cold && other.memory <= memory && (other.cold < cold || other.memory < memory);
  }

  /** The same by what callers waited in all. */
  boolean outwaitedBy(Outcome other) {
    return other.coldSeconds <= coldSeconds && other.memory <= memory
        && (other.coldSeconds < coldSeconds || other.memory < memory);
  }
}
