package io.weir.bench.replay;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Calls of functions in the order of their arrival.
 *
 * @param name what it is called in reports
 * @param functions names, by number
 * @param calls by time
 * @param begin milliseconds since the epoch
 * @param end milliseconds since the epoch, until which policies pay for what they hold
 */
public record Trace(String name, List<String> functions, List<Call> calls, long begin, long end) {

  /**
   * A call.
   *
   * @param at arrival, milliseconds since the epoch
   * @param function number of the function
   * @param millis how long it works
   */
  public record Call(long at, int function, int millis) {}

  /** The same calls, each of which works for so long, milliseconds. */
  public Trace working(int millis) {
    List<Call> same = calls.stream().map(call -> new Call(call.at(), call.function(), millis)).toList();
    return new Trace(name, functions, same, begin, end);
  }

  /** Collects calls in any order. */
  static final class Builder {
    private final Map<String, Integer> functions = new LinkedHashMap<>();
    private final List<Call> calls = new ArrayList<>();

    void add(long at, String function, int millis) {
      calls.add(new Call(at, functions.computeIfAbsent(function, name -> functions.size()), millis));
    }

    int size() {
      return calls.size();
    }

    Trace build(String name, long begin, long end) {
      calls.sort(Comparator.comparingLong(Call::at));
      if (calls.isEmpty()) {
        throw new IllegalArgumentException(name + ": there is no call in it");
      }
      return new Trace(name, List.copyOf(functions.keySet()), List.copyOf(calls),
          Math.min(begin, calls.get(0).at()), Math.max(end, calls.get(calls.size() - 1).at()));
    }

    Trace build(String name) {
      return build(name, Long.MAX_VALUE, Long.MIN_VALUE);
    }
  }
}
