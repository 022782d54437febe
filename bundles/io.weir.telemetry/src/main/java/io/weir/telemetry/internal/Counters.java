package io.weir.telemetry.internal;

import io.weir.engine.ColdStart;
import io.weir.engine.Instance;
import io.weir.event.Events.Measure;
import io.weir.event.GatewayEvent;
import io.weir.function.Rung;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Stream;

/** What can be counted from events. Adding is wait-free; every name is there at once, so that graphs begin at 0. */
final class Counters {
  /** Changes of an instance beside the states it enters. */
  private static final List<String> CHANGES =
      List.of("adopted", "stopped", "crashed", "hung", "oom-killed", "start-failed");

  private final Map<String, LongAdder> adders = new LinkedHashMap<>();
  private final LongAdder accepted = adder("invocations.accepted");
  private final LongAdder replied = adder("invocations.replied");
  private final LongAdder noContent = adder("invocations.no-content");
  private final LongAdder rejected = adder("invocations.rejected");
  private final LongAdder failed = adder("invocations.failed");
  private final LongAdder refused = adder("invocations.refused");
  private final LongAdder retries = adder("invocations.retries");
  private final LongAdder resumes = adder("resumes");
  private final LongAdder published = adder("published");
  final LongAdder dropped = adder("events.dropped");
  private final Labelled coldStarts = new Labelled("cold-starts", false, "cause", "from");
  private final Labelled changes = new Labelled("instance-changes", false, "change", "cause");
  private final Labelled lengths = new Labelled("instance-change-seconds", true, "change");

  Counters() {
    for (ColdStart.Cause cause : ColdStart.Cause.values()) {
      Stream.of(Rung.IMAGE, Rung.CREATED, Rung.ARMED).forEach(from -> coldStarts.with(cause.label(), from.label()));
    }
  }

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
      changes.add(Duration.ZERO, instance.change(), instance.cause());
      if (!instance.took().isZero()) {
        lengths.add(instance.took(), instance.change());
      }
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
    // Giving a frozen process its CPU back starts nothing: whoever waits for it does not notice.
    if (ended.coldFrom().equals(Rung.FROZEN.label())) {
      resumes.increment();
    } else if (!ended.coldCause().isEmpty()) {
      coldStarts.add(ended.coldStart(), ended.coldCause(), ended.coldFrom());
    }
  }

  Map<String, Long> snapshot() {
    Map<String, Long> values = new LinkedHashMap<>();
    adders.forEach((name, adder) -> values.put(name, adder.sum()));
    Map<String, Long> byCause = sums(coldStarts, "cause", "cold-starts.");
    values.put("cold-starts", byCause.values().stream().mapToLong(Long::longValue).sum());
    values.putAll(byCause);
    Stream.of(Instance.State.values()).map(state -> state.name().toLowerCase(Locale.ROOT))
        .forEach(state -> values.put("instances." + state, 0L));
    CHANGES.forEach(change -> values.put("instances." + change, 0L));
    values.putAll(sums(changes, "change", "instances."));
    return values;
  }

  /** Over all labels but one. */
  private static Map<String, Long> sums(Labelled labelled, String label, String prefix) {
    Map<String, Long> sums = new TreeMap<>();
    labelled.measures().forEach(measure -> sums.merge(prefix + measure.labels().get(label), measure.count(), Long::sum));
    return sums;
  }

  List<Measure> measures() {
    return Stream.of(coldStarts, changes, lengths).flatMap(each -> each.measures().stream()).toList();
  }

  private LongAdder adder(String name) {
    LongAdder adder = new LongAdder();
    adders.put(name, adder);
    return adder;
  }
}
