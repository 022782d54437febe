package io.weir.gateway.http.internal;

import io.weir.engine.EngineException;
import io.weir.engine.EngineInfo;
import io.weir.engine.InstancePool;
import io.weir.engine.Ladder;
import io.weir.engine.Runners;
import io.weir.event.Part;
import io.weir.invocation.InvocationJournal;
import io.weir.kernel.KernelReport;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** How the gateway is. */
final class StatusApi {
  /** Asking the engine is a call over its socket, and dashboards ask often. */
  private static final Duration ENGINE_INFO_AGE = Duration.ofSeconds(10);

  private record Known(Instant until, @Nullable EngineInfo info) {}

  private final Services services;
  private final String version;
  private final String gateway;
  private final Clock clock;
  private final Instant started;
  private final byte[] openApi = openApi();
  private volatile Known engine = new Known(Instant.MIN, null);

  StatusApi(Services services, String version, String gateway, Clock clock, Instant started) {
    this.services = services;
    this.version = version;
    this.gateway = gateway;
    this.clock = clock;
    this.started = started;
  }

  List<Route> routes() {
    return List.of(
        new Route("GET", "/status", call -> call.json(200, status())),
        new Route("GET", "/metrics", this::metrics),
        new Route("GET", "/openapi.json", call -> call.bytes(200, "application/json", openApi)));
  }

  /** As the part "gateway" says: it alone knows which parts are missing, so without it nothing is ready yet. */
  boolean ready() {
    return services.parts().stream().anyMatch(part -> isGateway(part) && part.ready());
  }

  private static boolean isGateway(Part part) {
    return part.name().equals("gateway");
  }

  private Map<String, Object> status() {
    Instant now = clock.instant();
    return Json.object("version", version, "gateway", gateway, "ready", ready(), "started", started.toString(),
        "uptimeSeconds", Duration.between(started, now).toSeconds(),
        "parts", services.parts().stream().filter(part -> !isGateway(part)).sorted(Comparator.comparing(Part::name))
            .map(part -> Json.object("name", part.name(), "ready", part.ready(), "state", part.state())).toList(),
        "engine", engine(now).map(info -> Json.object("version", info.version(), "runtime", info.runtime(),
            "socket", info.socket(), "embedded", info.embedded(), "rootless", info.rootless(),
            "cgroups", info.cgroups())).orElse(null),
        "broker", services.broker().map(broker -> Json.object("uri", broker.uri().toString(),
            "bundled", broker.bundled(), "state", broker.state())).orElse(null),
        "functions", services.registry().functions().size(),
        "instances", services.pool().map(pool -> pool.instances().size()).orElse(0),
        "memory", services.ladder().map(Ladder::budget).map(budget -> Json.object("totalBytes", budget.totalBytes(),
            "heldBytes", budget.heldBytes(), "pressed", budget.pressed())).orElse(null),
        "runners", services.runners().map(Runners::spares).orElse(List.of()).stream().map(spare -> Json.object(
            "name", spare.name(), "language", spare.language(), "memoryBytes", spare.memoryBytes())).toList(),
        "journal", services.journal().map(InvocationJournal::usage).map(JournalApi::view).orElse(null),
        "counters", services.events().counters(),
        "problems", services.registry().problems().stream().map(problem -> Json.object("source", problem.source(),
            "line", problem.line(), "message", problem.message(), "since", problem.since().toString())).toList());
  }

  private Optional<EngineInfo> engine(Instant now) {
    boolean down = services.parts().stream().anyMatch(part -> part.name().equals("engine") && !part.ready());
    if (down || services.engine().isEmpty()) {
      return Optional.empty();
    }
    if (now.isAfter(engine.until)) {
      EngineInfo info;
      try {
        info = services.engine().get().info();
      } catch (EngineException e) {
        info = null; // The part "engine" says why.
      }
      engine = new Known(now.plus(ENGINE_INFO_AGE), info);
    }
    return Optional.ofNullable(engine.info);
  }

  private void metrics(Call call) throws IOException {
    String accept = Optional.ofNullable(call.exchange().header("Accept")).orElse("");
    Metrics metrics = new Metrics(accept.contains("application/openmetrics-text"));
    metrics.counters(services.events());
    metrics.gauge("weir_functions", services.registry().functions().size());
    services.serviceAddresses().ifPresent(all -> metrics.gauge("weir_functions_carried", services.registry().functions()
        .stream().flatMap(function -> all.of(function.name()).stream())
        .filter(its -> its.problem().isPresent() && !its.addresses().isEmpty()).count()));
    metrics.gauge("weir_instances", services.pool().map(pool -> pool.instances().size()).orElse(0));
    metrics.gauge("weir_requests_in_flight", services.pool().map(InstancePool::instances).orElse(List.of()).stream()
        .mapToInt(instance -> instance.inFlight()).sum());
    services.ladder().map(Ladder::budget).ifPresent(budget -> {
      metrics.gauge("weir_memory_budget_bytes", budget.totalBytes());
      metrics.gauge("weir_memory_held_bytes", budget.heldBytes());
      metrics.gauge("weir_memory_pressed", budget.pressed() ? 1 : 0);
    });
    services.meter().ifPresent(meter -> TrafficMetrics.write(metrics, meter));
    services.kernel().map(KernelReport::notes).ifPresent(notes -> TrafficMetrics.write(metrics, notes));
    UsageApi.write(metrics, services);
    ForecastApi.write(metrics, services);
    services.journal().ifPresent(journal -> JournalApi.write(metrics, journal.usage()));
    metrics.gauge("weir_ready", ready() ? 1 : 0);
    metrics.gauge("weir_uptime_seconds", Duration.between(started, clock.instant()).toSeconds());
    call.text(metrics.mediaType(), metrics.toString());
  }

  private static byte[] openApi() {
    try (InputStream in = StatusApi.class.getResourceAsStream("openapi.json")) {
      if (in == null) {
        throw new IllegalStateException("openapi.json is missing from the bundle");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
