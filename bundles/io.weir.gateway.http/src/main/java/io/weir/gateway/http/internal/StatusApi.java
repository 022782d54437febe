package io.weir.gateway.http.internal;

import io.weir.engine.EngineException;
import io.weir.engine.EngineInfo;
import io.weir.engine.InstancePool;
import io.weir.event.Part;
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
    String accept = Optional.ofNullable(call.request().getHeader("Accept")).orElse("");
    boolean open = accept.contains("application/openmetrics-text");
    StringBuilder text = new StringBuilder();
    services.events().counters().forEach((name, value) -> {
      String metric = "weir_" + name.replace('.', '_').replace('-', '_');
      text.append("# TYPE ").append(metric).append(open ? "" : "_total").append(" counter\n")
          .append(metric).append("_total ").append(value).append('\n');
    });
    gauge(text, "weir_functions", services.registry().functions().size());
    gauge(text, "weir_instances", services.pool().map(pool -> pool.instances().size()).orElse(0));
    gauge(text, "weir_requests_in_flight", services.pool().map(InstancePool::instances).orElse(List.of()).stream()
        .mapToInt(instance -> instance.inFlight()).sum());
    gauge(text, "weir_ready", ready() ? 1 : 0);
    gauge(text, "weir_uptime_seconds", Duration.between(started, clock.instant()).toSeconds());
    call.text(open ? "application/openmetrics-text;version=1.0.0;charset=utf-8" : "text/plain;version=0.0.4;"
        + "charset=utf-8", open ? text + "# EOF\n" : text.toString());
  }

  private static void gauge(StringBuilder text, String name, long value) {
    text.append("# TYPE ").append(name).append(" gauge\n").append(name).append(' ').append(value).append('\n');
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
