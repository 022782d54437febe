package io.weir.kura.internal;

import io.weir.admin.AdminApi;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.eclipse.kura.KuraException;
import org.eclipse.kura.cloudconnection.request.RequestHandlerRegistry;
import org.eclipse.kura.configuration.ConfigurableComponent;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers {@code WEIR-V1} on every cloud connection of Kura, as far as its settings allow. */
@Component(name = KuraConfig.PID, configurationPid = KuraConfig.PID, immediate = true,
    configurationPolicy = ConfigurationPolicy.REQUIRE, service = ConfigurableComponent.class)
@Designate(ocd = KuraConfig.class)
public final class KuraLink implements ConfigurableComponent {
  private static final Logger log = LoggerFactory.getLogger(KuraLink.class);
  static final String APPLICATION = "WEIR-V1";

  private final AtomicReference<AdminApi> api = new AtomicReference<>();
  private final List<RequestHandlerRegistry> registries = new CopyOnWriteArrayList<>();
  private volatile KuraConfig config;
  private final AdminRequests requests = new AdminRequests(api::get, () -> config.remote(), () -> config.remote_changes());

  @Activate
  public KuraLink(KuraConfig config) {
    this.config = config;
  }

  @Modified
  void changed(KuraConfig now) {
    config = now;
  }

  @Deactivate
  void close() {
    registries.forEach(this::unregister);
  }

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void setApi(AdminApi service) {
    api.set(service);
  }

  public void unsetApi(AdminApi service) {
    api.compareAndSet(service, null);
  }

  @Reference(name = "RequestHandlerRegistry", cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void addRegistry(RequestHandlerRegistry registry) {
    try {
      registry.registerRequestHandler(APPLICATION, requests);
      registries.add(registry);
    } catch (KuraException e) {
      log.error("A cloud connection refuses {}; Weir cannot be administered over it", APPLICATION, e);
    }
  }

  public void removeRegistry(RequestHandlerRegistry registry) {
    if (registries.remove(registry)) {
      unregister(registry);
    }
  }

  private void unregister(RequestHandlerRegistry registry) {
    try {
      registry.unregister(APPLICATION);
    } catch (KuraException e) {
      log.debug("{} could not be unregistered", APPLICATION, e);
    }
  }
}
