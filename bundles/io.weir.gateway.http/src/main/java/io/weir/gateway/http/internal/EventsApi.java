package io.weir.gateway.http.internal;

import io.weir.event.GatewayEvent;
import java.io.IOException;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** What happened, and what happens now. */
final class EventsApi implements AutoCloseable {
  private static final int MAX_STREAMS = 32;
  private static final int MAX_INVOCATIONS = 10_000;

  private final Services services;
  private final Set<EventStream> streams = ConcurrentHashMap.newKeySet();
  private final ScheduledExecutorService pings;

  EventsApi(Services services, Duration ping) {
    this.services = services;
    this.pings = Executors.newSingleThreadScheduledExecutor(work -> {
      Thread thread = new Thread(work, "weir-http-ping");
      thread.setDaemon(true);
      return thread;
    });
    pings.scheduleAtFixedRate(() -> streams.forEach(EventStream::ping), ping.toMillis(), ping.toMillis(),
        TimeUnit.MILLISECONDS);
  }

  List<Route> routes() {
    return List.of(
        new Route("GET", "/events", this::stream),
        new Route("GET", "/invocations", this::invocations));
  }

  @Override
  public void close() {
    pings.shutdownNow();
    streams.forEach(EventStream::end);
  }

  private void stream(Call call) throws IOException {
    if (streams.size() >= MAX_STREAMS) {
      throw new Problem(503, "too-many-listeners", "there are " + MAX_STREAMS + " listeners already; close one")
          .retryAfter(Duration.ofSeconds(30));
    }
    boolean recent = call.query("recent").filter("true"::equals).isPresent();
    call.exchange().type("text/event-stream;charset=utf-8");
    call.exchange().header("Cache-Control", "no-store");
    EventStream stream = new EventStream(call.exchange().stream(), streams::remove);
    streams.add(stream);
    stream.begin(services.events(), recent);
  }

  private void invocations(Call call) throws IOException {
    int limit = call.whole("limit", 100, MAX_INVOCATIONS);
    String function = call.query("function").orElse("");
    List<GatewayEvent.Ended> ended = new java.util.ArrayList<>(services.events().recent().stream()
        .filter(GatewayEvent.Ended.class::isInstance).map(GatewayEvent.Ended.class::cast)
        .filter(event -> function.isEmpty() || event.function().value().equals(function)).toList());
    Collections.reverse(ended);
    List<Map<String, Object>> views = ended.stream().limit(limit).map(EventViews::invocation).toList();
    call.json(200, Json.object("invocations", views));
  }
}
