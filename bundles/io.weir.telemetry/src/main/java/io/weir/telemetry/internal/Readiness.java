package io.weir.telemetry.internal;

import io.weir.event.Events;
import io.weir.event.GatewayEvent;
import io.weir.event.Part;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says once, loudly, when every part is ready, and tells each change after that as an event of the part "gateway". */
@Component(name = "io.weir.telemetry.readiness", configurationPid = TelemetryConfig.PID, immediate = true,
    service = {}, configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class Readiness {
  private static final Logger log = LoggerFactory.getLogger("io.weir.gateway");

  private final Events events;
  private final List<String> wanted;
  private final Clock clock;
  private final Instant started;
  private final List<Part> parts = new CopyOnWriteArrayList<>();
  private final AutoCloseable subscription;
  private boolean ready;
  private boolean announced;

  @Activate
  public Readiness(@Reference Events events, TelemetryConfig config) {
    this(events, config, Clock.systemUTC(),
        ProcessHandle.current().info().startInstant().orElseGet(Clock.systemUTC()::instant));
  }

  Readiness(Events events, TelemetryConfig config, Clock clock, Instant started) {
    this.events = events;
    this.wanted = Stream.of(config.parts().split(",")).map(String::strip).filter(name -> !name.isEmpty()).toList();
    this.clock = clock;
    this.started = started;
    this.subscription = events.subscribe(event -> {
      if (event instanceof GatewayEvent.PartChanged) {
        look();
      }
    });
  }

  @Deactivate
  void close() throws Exception {
    subscription.close();
  }

  @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  void addPart(Part part) {
    parts.add(part);
    look();
  }

  void removePart(Part part) {
    parts.remove(part);
    look();
  }

  private synchronized void look() {
    boolean now = wanted.stream().allMatch(name ->
        parts.stream().anyMatch(part -> part.name().equals(name) && part.ready()));
    if (now == ready) {
      return;
    }
    ready = now;
    if (!ready) {
      log.warn("Not ready any more: {}", missing());
    } else if (announced) {
      log.info("Ready again");
    } else {
      announced = true;
      log.info("READY after {} ms", Duration.between(started, clock.instant()).toMillis());
    }
    events.publish(new GatewayEvent.PartChanged(clock.instant(), "gateway", ready ? "ready" : "not ready"));
  }

  private String missing() {
    return String.join(", ", wanted.stream().filter(name ->
        parts.stream().noneMatch(part -> part.name().equals(name) && part.ready())).toList());
  }
}
