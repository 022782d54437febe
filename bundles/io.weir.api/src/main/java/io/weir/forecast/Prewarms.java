package io.weir.forecast;

/**
 * What came of starting instances for calls that were only expected, since the gateway started.
 *
 * @param made starts that were begun
 * @param hits of these, the ones that the next call found up
 * @param late those that the next call had to wait for, as it came during the start
 * @param wrong those that were given up before a call came: their time was over, or others needed the memory
 * @param refused times that nothing was started, as the memory budget had no room
 */
public record Prewarms(long made, long hits, long late, long wrong, long refused) {
  public static final Prewarms NONE = new Prewarms(0, 0, 0, 0, 0);
}
