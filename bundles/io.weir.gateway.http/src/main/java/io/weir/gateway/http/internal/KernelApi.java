package io.weir.gateway.http.internal;

import io.weir.kernel.KernelReport;
import io.weir.kernel.Meter;
import io.weir.kernel.Meter.Counts;
import io.weir.kernel.Meter.FunctionTraffic;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the kernel does, and what it counted. Both are empty where it does nothing. */
final class KernelApi {
  private final Services services;

  KernelApi(Services services) {
    this.services = services;
  }

  List<Route> routes() {
    return List.of(
        new Route("GET", "/kernel", call -> call.json(200, kernel())),
        new Route("GET", "/traffic", call -> call.json(200, traffic())));
  }

  private Map<String, Object> kernel() {
    Optional<KernelReport> report = services.kernel();
    return Json.object("kernel", report.map(KernelReport::kernel).orElse(""),
        "features", report.map(KernelReport::features).orElse(List.of()).stream().map(feature -> Json.object(
            "name", feature.name(), "active", feature.active(), "how", feature.how(), "why", feature.why())).toList(),
        "notes", report.map(KernelReport::notes).orElse(Map.of()));
  }

  private Map<String, Object> traffic() {
    Optional<Meter> meter = services.meter();
    List<Long> bounds = meter.map(Meter::bounds).orElse(List.of());
    return Json.object(
        "functions", meter.map(Meter::functions).orElse(List.of()).stream().map(each -> function(each, bounds)).toList(),
        "instances", meter.map(Meter::instances).orElse(List.of()).stream().map(each -> with(
            List.of("id", each.container(), "function", each.function().value()), each.counts())).toList());
  }

  private static Map<String, Object> function(FunctionTraffic traffic, List<Long> bounds) {
    Map<String, Object> json = with(List.of("function", traffic.function().value()), traffic.counts());
    json.put("latencyMs", Json.object("p50", quantile(traffic, bounds, 0.5), "p90", quantile(traffic, bounds, 0.9),
        "p99", quantile(traffic, bounds, 0.99), "max", quantile(traffic, bounds, 1)));
    return json;
  }

  private static Map<String, Object> with(List<Object> first, Counts counts) {
    List<Object> all = new ArrayList<>(first);
    Map<String, Object> responses = Json.object();
    for (int i = 0; i < counts.responses().size(); i++) {
      responses.put(TrafficMetrics.CLASSES.get(i), counts.responses().get(i));
    }
    all.addAll(Arrays.asList("requests", counts.requests(), "responses", responses, "inFlight", counts.inFlight(),
        "aborts", counts.aborts(), "connections", counts.connections(), "http2", counts.http2(), "other", counts.other(),
        "bytesIn", counts.bytesIn(), "bytesOut", counts.bytesOut()));
    return Json.object(all.toArray());
  }

  /** The upper end of the bucket where that share of the requests is reached, so never too low; 0 if there were none. */
  static double quantile(FunctionTraffic traffic, List<Long> bounds, double share) {
    long all = traffic.latency().stream().mapToLong(Long::longValue).sum();
    long wanted = Math.max(1, (long) Math.ceil(share * all));
    long below = 0;
    for (int i = 0; i < bounds.size() && all > 0; i++) {
      below += traffic.latency().get(i);
      if (below >= wanted) {
        return Math.min(bounds.get(i), bounds.get(bounds.size() - 2)) / 1000.0;
      }
    }
    return 0;
  }
}
