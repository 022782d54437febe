package io.weir.kernel.internal;

import io.weir.engine.ContainerEngine;
import io.weir.kernel.KernelReport;
import io.weir.kernel.Meter;
import io.weir.kernel.Routes;
import io.weir.kernel.Traffic;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
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
    configurationPolicy = ConfigurationPolicy.REQUIRE, service = KernelReport.class)
@Designate(ocd = KernelConfig.class)
public final class KernelSide implements KernelReport, Engagement.Users {
  private final BundleContext context;
  private final Features features;
  private final Optional<Engagement> engagement;
  private final List<ServiceRegistration<?>> registrations = new CopyOnWriteArrayList<>();
  private volatile @Nullable ContainerEngine engine;
  private volatile @Nullable DataPlane plane;

  @Activate
  public KernelSide(BundleContext context, KernelConfig config) {
    this.context = context;
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
  public void counted(DataPlane ready) {
    plane = ready;
    registrations.add(context.registerService(Traffic.class, ready.traffic(), null));
    registrations.add(context.registerService(Meter.class, ready.meter(), null));
  }

  @Override
  public void routed(Routes routes) {
    registrations.add(context.registerService(Routes.class, routes, null));
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
    engagement.ifPresent(Engagement::nudge);
  }

  public void unsetEngine(ContainerEngine service) {
    engine = engine == service ? null : engine;
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
