package io.weir.gateway.http.internal;

import io.weir.engine.FunctionUsage;
import io.weir.engine.InstancePool;
import io.weir.engine.Pressure;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** What functions use of CPU and memory. */
final class UsageApi {
  private final Services services;

  UsageApi(Services services) {
    this.services = services;
  }

  List<Route> routes() {
    return List.of(new Route("GET", "/usage", this::usage));
  }

  private void usage(Call call) throws IOException {
    call.json(200, Json.object("functions", all(services).stream().map(UsageApi::view).toList()));
  }

  private static List<FunctionUsage> all(Services services) {
    return services.pool().map(InstancePool::usage).orElse(List.of());
  }

  private static Map<String, Object> view(FunctionUsage usage) {
    return Json.object("function", usage.function().value(), "instances", usage.instances(),
        "cpuSeconds", usage.cpuNanos() / 1e9, "memoryBytes", usage.memoryBytes(),
        "memoryLimitBytes", usage.memoryLimitBytes(), "pids", usage.pids(),
        "pressure", usage.pressure().map(UsageApi::view).orElse(null));
  }

  private static Map<String, Object> view(Pressure pressure) {
    return Json.object("cpu", pressure.cpu(), "memory", pressure.memory(), "io", pressure.io());
  }

  /** The same for monitoring systems. */
  static void write(Metrics metrics, Services services) {
    List<FunctionUsage> all = all(services);
    if (all.isEmpty()) {
      return;
    }
    metrics.counter("weir_function_cpu_seconds");
    samples(metrics, "weir_function_cpu_seconds_total", all, usage -> usage.cpuNanos() / 1e9);
    metrics.gauge("weir_function_memory_bytes");
    samples(metrics, "weir_function_memory_bytes", all, FunctionUsage::memoryBytes);
  }

  private static void samples(Metrics metrics, String name, List<FunctionUsage> all,
      Function<FunctionUsage, Number> value) {
    all.forEach(usage -> metrics.sample(name, Map.of("function", usage.function().value()),
        value.apply(usage).toString()));
  }
}
