package io.weir.gateway.http.internal;

import io.weir.event.Events;
import io.weir.event.Events.Measure;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Counters and gauges in the text formats of Prometheus and OpenMetrics. */
final class Metrics {
  /** Measures, and the counters that are nothing but their sums. */
  private static final Map<String, String> SUMS = Map.of("cold-starts", "cold-starts", "instance-changes", "instances");

  private final boolean open;
  private final StringBuilder text = new StringBuilder();

  /** @param open whether it shall be OpenMetrics */
  Metrics(boolean open) {
    this.open = open;
  }

  void counters(Events events) {
    Map<String, List<Measure>> families = events.measures().stream()
        .collect(Collectors.groupingBy(Measure::name, LinkedHashMap::new, Collectors.toList()));
    events.counters().forEach((name, value) -> {
      boolean sum = SUMS.entrySet().stream().anyMatch(each -> families.containsKey(each.getKey())
          && (name.equals(each.getValue()) || name.startsWith(each.getValue() + ".")));
      if (!sum) {
        type(name, false);
        line(metric(name) + "_total", Map.of(), value.toString());
      }
    });
    families.forEach(this::family);
  }

  private void family(String name, List<Measure> measures) {
    boolean timed = measures.get(0).total().isPresent();
    type(name, timed);
    for (Measure measure : measures) {
      line(metric(name) + (timed ? "_count" : "_total"), measure.labels(), Long.toString(measure.count()));
      measure.total().ifPresent(total ->
          line(metric(name) + "_sum", measure.labels(), Double.toString(total.toNanos() / 1e9)));
    }
  }

  void gauge(String name, long value) {
    text.append("# TYPE ").append(name).append(" gauge\n");
    line(name, Map.of(), Long.toString(value));
  }

  /** Begins a counter; each of its {@link #sample}s follows at once. */
  void counter(String name) {
    text.append("# TYPE ").append(name).append(open ? " counter\n" : "_total counter\n");
  }

  void gauge(String name) {
    text.append("# TYPE ").append(name).append(" gauge\n");
  }

  void histogram(String name) {
    text.append("# TYPE ").append(name).append(" histogram\n");
  }

  void sample(String name, Map<String, String> labels, String value) {
    line(name, labels, value);
  }

  private void type(String name, boolean timed) {
    text.append("# TYPE ").append(metric(name)).append(timed ? " summary\n" : open ? " counter\n" : "_total counter\n");
  }

  private void line(String name, Map<String, String> labels, String value) {
    text.append(name);
    if (!labels.isEmpty()) {
      text.append(labels.entrySet().stream().map(label -> label.getKey() + "=\"" + escape(label.getValue()) + '"')
          .collect(Collectors.joining(",", "{", "}")));
    }
    text.append(' ').append(value).append('\n');
  }

  private static String escape(String value) {
    return value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
  }

  private static String metric(String name) {
    return "weir_" + name.replace('.', '_').replace('-', '_');
  }

  String mediaType() {
    return open ? "application/openmetrics-text;version=1.0.0;charset=utf-8" : "text/plain;version=0.0.4;charset=utf-8";
  }

  @Override
  public String toString() {
    return open ? text + "# EOF\n" : text.toString();
  }
}
