package io.weir.kernel;

import io.weir.function.FunctionName;
import java.util.List;

/** What the kernel counted at the functions' sockets, whichever way the requests came. Optional service; thread-safe. */
public interface Meter {

  /** Upper bound of the latencies, exclusive, in microseconds, of each bucket of {@link FunctionTraffic#latency}. */
  List<Long> bounds();

  /** Totals since the gateway started, or since the functions' counters were last found empty; ordered by name. */
  List<FunctionTraffic> functions();

  /** Likewise for instances that are there. */
  List<InstanceTraffic> instances();

  /**
   * What happened at a function's sockets.
   *
   * @param requests HTTP/1 requests that came
   * @param responses final answers by the first digit of their status, index 1 to 5; index 0: others
   * @param inFlight requests that came and are not answered
   * @param aborts requests whose connection ended before their answer began
   * @param connections accepted ones
   * @param http2 of those, such that began with HTTP/2
   * @param other of those, such that began with neither
   * @param bytesIn of IP packets
   * @param bytesOut of IP packets
   */
  record Counts(long requests, List<Long> responses, long inFlight, long aborts, long connections, long http2, long other,
      long bytesIn, long bytesOut) {}

  /**
   * A function's traffic.
   *
   * @param latency counts by bucket, from a request's first byte to its answer's first byte
   * @param latencySumMicros of all requests
   */
  record FunctionTraffic(FunctionName function, Counts counts, List<Long> latency, long latencySumMicros) {}

  /** An instance's traffic; {@code container} is its full id. */
  record InstanceTraffic(String container, FunctionName function, Counts counts) {}
}
