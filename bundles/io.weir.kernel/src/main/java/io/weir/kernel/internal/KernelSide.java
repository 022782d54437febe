package io.weir.kernel.internal;

import io.weir.engine.ContainerEngine;
import io.weir.event.Events;
import io.weir.event.GatewayEvent.PartChanged;
import io.weir.event.Part;
import io.weir.kernel.Adaptor;
import io.weir.kernel.KernelReport;
import io.weir.kernel.Meter;
import io.weir.kernel.Routes;
import io.weir.kernel.Traffic;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.Designate;

/** Reports always what the kernel does; the services by which it does it are there only while it does. */
@Component(name = KernelConfig.PID, configurationPid = KernelConfig.PID, immediate = true,
    configurationPolicy = ConfigurationPolicy.REQUIRE, service = {KernelReport.class, Part.class})
@Designate(ocd = KernelConfig.class)
public final class KernelSide implements KernelReport, Part, Engagement.Users {
  private final BundleContext context;
  private final Events events;
  private final Features features;
  private final Optional<Engagement> engagement;
  private final List<ServiceRegistration<?>> registrations = new CopyOnWriteArrayList<>();
  private volatile @Nullable ContainerEngine engine;
  private volatile @Nullable DataPlane plane;
  private volatile boolean wasReady;

  @Activate
  public KernelSide(BundleContext context, @Reference Events events, KernelConfig config) {
    this.context = context;
    this.events = events;
    Settings settings = Settings.of(config);
    if (!settings.enabled()) {
      this.features = new Features("enabled=false in " + KernelConfig.PID);
      this.engagement = Optional.empty();
      return;
    }
    this.features = new Features(Engagement.WAITING);
    Path run = directory("weir.run", "/run/weir");
    // The engine's own socket tells gateways apart, and so does its hash in the names of cgroups and bridges.
    String hash = String.format("%08x", run.resolve("engine").resolve("podman.sock").hashCode());
    Engagement engaged = new Engagement(
        new Engagement.Place(directory("weir.data", "/var/lib/weir").resolve("kernel"), run, "/ebpf/", hash), settings,
        features, () -> Optional.ofNullable(engine).flatMap(ContainerEngine::functionsCgroup), this);
    this.engagement = Optional.of(engaged);
    engaged.start();
  }

  private Path directory(String property, String fallback) {
    String configured = context.getProperty(property);
    return Path.of(configured == null || configured.isBlank() ? fallback : configured).toAbsolutePath();
  }

  @Override
  public boolean engineReady() {
    return engine instanceof Part part && part.ready();
  }

  @Override
  public void changed() {
    boolean now = ready();
    if (now != wasReady) {
      wasReady = now;
      events.publish(new PartChanged(Instant.now(), name(), state()));
    }
  }

  @Override
  public void counted(DataPlane ready) {
    plane = ready;
    registrations.add(context.registerService(Traffic.class, ready.traffic(), null));
    registrations.add(context.registerService(Meter.class, ready.meter(), null));
  }

  @Override
  public void routed(Routes routes) {
    registrations.add(context.registerService(Routes.class, routes, null));
  }

  @Override
  public void adapting(Adaptor adaptor) {
    registrations.add(context.registerService(Adaptor.class, adaptor, null));
  }

  @Deactivate
  void close() {
    plane = null;
    unregister();
    engagement.ifPresent(Engagement::close);
    // It may just have been getting ready.
    unregister();
  }

  private void unregister() {
    registrations.forEach(ServiceRegistration::unregister);
    registrations.clear();
  }

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void setEngine(ContainerEngine service) {
    engine = service;
  }

  public void unsetEngine(ContainerEngine service) {
    engine = engine == service ? null : engine;
  }

  @Override
  public String name() {
    return "kernel";
  }

  /** Also where the kernel does nothing, once that is certain. */
  @Override
  public boolean ready() {
    return engagement.map(Engagement::decided).orElse(true);
  }

  @Override
  public String state() {
    String active = features().stream().filter(Feature::active).map(Feature::name).collect(Collectors.joining(", "));
    return active.isEmpty() ? "does nothing for the gateway" : active;
  }

  @Override
  public String kernel() {
    return features.kernel();
  }

  @Override
  public List<Feature> features() {
    return features.features();
  }

  @Override
  public Map<String, Long> notes() {
    DataPlane known = plane;
    try {
      return known == null ? Map.of() : known.notes();
    } catch (KernelError e) {
      // It is being taken off right now.
      return Map.of();
    }
  }
}
