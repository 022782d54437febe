package io.weir.telemetry.internal;

import io.weir.event.Events.Measure;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/** Counters of one name, told apart by the values of its labels. Adding is wait-free once a value is known. */
final class Labelled {
  /** A label comes from an event's text: whoever writes many different ones must not fill the memory. */
  static final int MOST = 200;
  private static final String OTHER = "other";

  private record Cell(LongAdder count, LongAdder nanos) {
    Cell() {
      this(new LongAdder(), new LongAdder());
    }
  }

  private final String name;
  private final boolean timed;
  private final List<String> labels;
  private final Map<List<String>, Cell> cells = new ConcurrentHashMap<>();

  /** @param timed whether what is counted has a length */
  Labelled(String name, boolean timed, String... labels) {
    this.name = name;
    this.timed = timed;
    this.labels = List.of(labels);
  }

  /** Makes it appear, so that graphs begin at 0. */
  Labelled with(String... values) {
    cell(List.of(values));
    return this;
  }

  void add(Duration took, String... values) {
    Cell cell = cell(List.of(values));
    cell.count.increment();
    cell.nanos.add(took.toNanos());
  }

  private Cell cell(List<String> values) {
    Cell known = cells.get(values);
    if (known != null) {
      return known;
    }
    List<String> key = cells.size() < MOST ? values : values.stream().map(value -> OTHER).toList();
    return cells.computeIfAbsent(key, fresh -> new Cell());
  }

  List<Measure> measures() {
    return cells.entrySet().stream().sorted(Map.Entry.comparingByKey((a, b) -> a.toString().compareTo(b.toString())))
        .map(entry -> measure(entry.getKey(), entry.getValue())).toList();
  }

  private Measure measure(List<String> values, Cell cell) {
    Map<String, String> named = new LinkedHashMap<>();
    for (int i = 0; i < labels.size(); i++) {
      named.put(labels.get(i), values.get(i));
    }
    return new Measure(name, named, cell.count.sum(),
        timed ? Optional.of(Duration.ofNanos(cell.nanos.sum())) : Optional.empty());
  }
}
