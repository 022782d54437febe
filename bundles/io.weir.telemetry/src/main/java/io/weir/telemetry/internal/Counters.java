package io.weir.telemetry.internal;

import io.weir.event.GatewayEvent;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/** What can be counted from events. Adding is wait-free; every name is there at once, so that graphs begin at 0. */
final class Counters {
  private final Map<String, LongAdder> adders = new LinkedHashMap<>();
  private final LongAdder accepted = adder("invocations.accepted");
  private final LongAdder replied = adder("invocations.replied");
  private final LongAdder noContent = adder("invocations.no-content");
  private final LongAdder rejected = adder("invocations.rejected");
  private final LongAdder failed = adder("invocations.failed");
  private final LongAdder refused = adder("invocations.refused");
  private final LongAdder retries = adder("invocations.retries");
  private final LongAdder coldStarts = adder("cold-starts");
  private final LongAdder started = adder("instances.started");
  private final LongAdder crashed = adder("instances.crashed");
  private final LongAdder oomKilled = adder("instances.oom-killed");
  private final LongAdder startFailed = adder("instances.start-failed");
  private final LongAdder published = adder("published");
  final LongAdder dropped = adder("events.dropped");

  void count(GatewayEvent event) {
    if (event instanceof GatewayEvent.Accepted) {
      accepted.increment();
    } else if (event instanceof GatewayEvent.Ended ended) {
      countEnd(ended);
    } else if (event instanceof GatewayEvent.Retrying) {
      retries.increment();
    } else if (event instanceof GatewayEvent.Published) {
      published.increment();
    } else if (event instanceof GatewayEvent.InstanceChanged instance) {
      countChange(instance.change());
    }
  }

  private void countEnd(GatewayEvent.Ended ended) {
    switch (ended.result()) {
      case "replied" -> replied.increment();
      case "no-content" -> noContent.increment();
      case "rejected" -> rejected.increment();
      case "refused" -> refused.increment();
      default -> failed.increment();
    }
    if (!ended.coldStart().isZero()) {
      coldStarts.increment();
    }
  }

  private void countChange(String change) {
    switch (change) {
      case "ready" -> started.increment();
      case "crashed" -> crashed.increment();
      case "oom-killed" -> oomKilled.increment();
      case "start-failed" -> startFailed.increment();
      default -> { }
    }
  }

  Map<String, Long> snapshot() {
    Map<String, Long> values = new LinkedHashMap<>();
    adders.forEach((name, adder) -> values.put(name, adder.sum()));
    return values;
  }

  private LongAdder adder(String name) {
    LongAdder adder = new LongAdder();
    adders.put(name, adder);
    return adder;
  }
}
