package io.weir.itest;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** When the gateway was killed, and when it was ready again. Thread-safe. */
final class Downtimes {
  private record Downtime(long from, long to) {}

  private final List<Downtime> past = new CopyOnWriteArrayList<>();
  private volatile long since = Long.MAX_VALUE;

  void begin() {
    since = System.nanoTime();
  }

  void end() {
    past.add(new Downtime(since, System.nanoTime()));
    since = Long.MAX_VALUE;
  }

  boolean now() {
    return since != Long.MAX_VALUE;
  }

  /** Whether the gateway was down at any time between then and now. */
  boolean since(long nanos) {
    return now() || past.stream().anyMatch(downtime -> downtime.to - nanos >= 0);
  }
}
