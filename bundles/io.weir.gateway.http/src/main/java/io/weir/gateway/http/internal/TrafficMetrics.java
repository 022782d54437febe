package io.weir.gateway.http.internal;

import io.weir.function.FunctionName;
import io.weir.kernel.Meter;
import io.weir.kernel.Meter.Counts;
import io.weir.kernel.Meter.FunctionTraffic;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;

/** What the kernel counted, in the text formats of Prometheus and OpenMetrics. */
final class TrafficMetrics {
  /** Answers by the first digit of their status; the first are those with another one. */
  static final List<String> CLASSES = List.of("other", "1xx", "2xx", "3xx", "4xx", "5xx");
  private static final String LATENCY = "weir_function_latency_seconds";
  /** Scrapers keep a series for each bound, so each second power of two is enough: from 16 microseconds to 67 seconds. */
  private static final int FIRST_POWER = 4;
  private static final int LAST_POWER = 26;

  private final Metrics metrics;
  private final List<FunctionTraffic> functions;

  private TrafficMetrics(Metrics metrics, List<FunctionTraffic> functions) {
    this.metrics = metrics;
    this.functions = functions;
  }

  static void write(Metrics metrics, Meter meter) {
    TrafficMetrics traffic = new TrafficMetrics(metrics, meter.functions());
    traffic.counter("weir_function_requests", Counts::requests);
    traffic.responses();
    traffic.inFlight();
    traffic.counter("weir_function_aborts", Counts::aborts);
    traffic.counter("weir_function_connections", Counts::connections);
    traffic.bytes();
    traffic.latency(meter.bounds());
  }

  /** @param notes of the kernel's programs; none: nothing is written */
  static void write(Metrics metrics, Map<String, Long> notes) {
    if (!notes.isEmpty()) {
      metrics.counter("weir_kernel_notes");
      notes.forEach((note, count) -> metrics.sample("weir_kernel_notes_total", Map.of("note", note), count.toString()));
    }
  }

  private void counter(String name, ToLongFunction<Counts> count) {
    metrics.counter(name);
    functions.forEach(each -> metrics.sample(name + "_total", labels(each.function()),
        Long.toString(count.applyAsLong(each.counts()))));
  }

  private void responses() {
    metrics.counter("weir_function_responses");
    for (FunctionTraffic each : functions) {
      for (int i = 0; i < each.counts().responses().size(); i++) {
        metrics.sample("weir_function_responses_total", labels(each.function(), "class", CLASSES.get(i)),
            each.counts().responses().get(i).toString());
      }
    }
  }

  private void inFlight() {
    metrics.gauge("weir_function_in_flight");
    functions.forEach(each -> metrics.sample("weir_function_in_flight", labels(each.function()),
        Long.toString(each.counts().inFlight())));
  }

  private void bytes() {
    metrics.counter("weir_function_bytes");
    for (FunctionTraffic each : functions) {
      metrics.sample("weir_function_bytes_total", labels(each.function(), "direction", "in"),
          Long.toString(each.counts().bytesIn()));
      metrics.sample("weir_function_bytes_total", labels(each.function(), "direction", "out"),
          Long.toString(each.counts().bytesOut()));
    }
  }

  private void latency(List<Long> bounds) {
    metrics.histogram(LATENCY);
    for (FunctionTraffic each : functions) {
      int bucket = 0;
      long below = 0;
      for (int power = FIRST_POWER; power <= LAST_POWER; power += 2) {
        for (; bucket < bounds.size() && bounds.get(bucket) <= 1L << power; bucket++) {
          below += each.latency().get(bucket);
        }
        metrics.sample(LATENCY + "_bucket", labels(each.function(), "le", seconds(1L << power)), Long.toString(below));
      }
      String all = Long.toString(each.latency().stream().mapToLong(Long::longValue).sum());
      metrics.sample(LATENCY + "_bucket", labels(each.function(), "le", "+Inf"), all);
      metrics.sample(LATENCY + "_count", labels(each.function()), all);
      metrics.sample(LATENCY + "_sum", labels(each.function()), seconds(each.latencySumMicros()));
    }
  }

  private static String seconds(long micros) {
    return Double.toString(micros / 1e6);
  }

  private static Map<String, String> labels(FunctionName function, String... more) {
    Map<String, String> labels = new LinkedHashMap<>();
    labels.put("function", function.value());
    for (int i = 0; i < more.length; i += 2) {
      labels.put(more[i], more[i + 1]);
    }
    return labels;
  }
}
