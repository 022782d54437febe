package io.weir.telemetry.internal;

import io.weir.event.Events;
import io.weir.event.GatewayEvent;
import io.weir.event.Part;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
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

/**
 * Says once, loudly, when every part is ready, and tells each change after that. It is a part itself, "gateway": unlike
 * a look at the parts that are there, it knows which ones are missing.
 */
@Component(name = "io.weir.telemetry.readiness", configurationPid = TelemetryConfig.PID, immediate = true,
    service = Part.class, property = Readiness.SELF, configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class Readiness implements Part {
  /** Keeps it from being a part of itself. */
  static final String SELF = "weir.part=gateway";
  private static final Logger log = LoggerFactory.getLogger("io.weir.gateway");

  private final Events events;
  private final List<String> wanted;
  private final Clock clock;
  private final Instant started;
  private final BooleanSupplier goingDown;
  private final List<Part> parts = new CopyOnWriteArrayList<>();
  private final AutoCloseable subscription;
  private volatile boolean ready;
  private boolean announced;

  @Activate
  public Readiness(@Reference Events events, BundleContext context, TelemetryConfig config) {
    this(events, config, Clock.systemUTC(),
        ProcessHandle.current().info().startInstant().orElseGet(Clock.systemUTC()::instant),
        () -> context.getBundle(Constants.SYSTEM_BUNDLE_ID).getState() == Bundle.STOPPING);
  }

  Readiness(Events events, TelemetryConfig config, Clock clock, Instant started, BooleanSupplier goingDown) {
    this.goingDown = goingDown;
    this.events = events;
    this.wanted = Stream.of(config.parts().split(",")).map(String::strip).filter(name -> !name.isEmpty()).toList();
    this.clock = clock;
    this.started = started;
    this.subscription = events.subscribe(GatewayEvent.PartChanged.class, event -> look());
  }

  @Deactivate
  void close() throws Exception {
    subscription.close();
  }

  @Override
  public String name() {
    return "gateway";
  }

  @Override
  public boolean ready() {
    return ready;
  }

  @Override
  public String state() {
    return ready ? "ready" : "waiting for " + missing();
  }

  @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY, target = "(!(" + SELF + "))")
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
    if (now == ready || goingDown.getAsBoolean()) {
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
    events.publish(new GatewayEvent.PartChanged(clock.instant(), name(), ready ? "ready" : "not ready"));
  }

  private String missing() {
    return String.join(", ", wanted.stream().filter(name ->
        parts.stream().noneMatch(part -> part.name().equals(name) && part.ready())).toList());
  }
}
