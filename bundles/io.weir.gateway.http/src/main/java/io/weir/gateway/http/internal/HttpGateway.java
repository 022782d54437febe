package io.weir.gateway.http.internal;

import io.weir.admin.AdminApi;
import io.weir.broker.Broker;
import io.weir.deployment.Deployments;
import io.weir.engine.ContainerEngine;
import io.weir.engine.InstancePool;
import io.weir.engine.Ladder;
import io.weir.engine.Runners;
import io.weir.event.Events;
import io.weir.event.GatewayEvent.PartChanged;
import io.weir.event.Part;
import io.weir.forecast.Foresight;
import io.weir.function.FunctionRegistry;
import io.weir.invocation.Courier;
import io.weir.invocation.InvocationJournal;
import io.weir.invocation.Invoker;
import io.weir.kernel.KernelReport;
import io.weir.kernel.Meter;
import io.weir.kernel.ServiceAddresses;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
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

/**
 * The admin API and the front door, on an HTTP server where the host has one that this was made for. Everything but the
 * registry and the events may be missing: the API then says so, which is more use than an API that is missing too.
 *
 * <p>Nothing in here may need the servlet API to be loaded: Eclipse Kura 5 has none of this age. On Kura the admin API is
 * offered through Kura, and if it is wanted at a port of this machine.
 */
@Component(name = HttpConfig.PID, configurationPid = HttpConfig.PID, immediate = true, service = {},
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = HttpConfig.class)
public final class HttpGateway implements Part, Services {
  private static final Duration PING = Duration.ofSeconds(15);
  private static final String KURA = "org.eclipse.kura.configuration.ConfigurationService";

  private final FunctionRegistry registry;
  private final Events events;
  private final Clock clock = Clock.systemUTC();
  private final List<Part> parts = new CopyOnWriteArrayList<>();
  private final AtomicBoolean toldReady = new AtomicBoolean();
  private final EventsApi eventsApi;
  private final Optional<Site> site;
  private final List<ServiceRegistration<?>> registrations;
  private volatile @Nullable Invoker invoker;
  private volatile @Nullable InvocationJournal journal;
  private volatile @Nullable Courier courier;
  private volatile @Nullable ContainerEngine engine;
  private volatile @Nullable InstancePool pool;
  private volatile @Nullable Ladder ladder;
  private volatile @Nullable Foresight foresight;
  private volatile @Nullable Runners runners;
  private volatile @Nullable Broker broker;
  private volatile @Nullable KernelReport kernel;
  private volatile @Nullable Meter meter;
  private volatile @Nullable ServiceAddresses serviceAddresses;
  private volatile @Nullable Deployments deployments;

  @Activate
  public HttpGateway(BundleContext context, @Reference FunctionRegistry registry, @Reference Events events,
      HttpConfig config) {
    if (config.local_port() < 0 || config.local_port() > 65535) {
      throw new IllegalArgumentException(HttpConfig.PID + ": local.port: '" + config.local_port()
          + "' is not allowed; use 0..65535");
    }
    if (config.max_body_bytes() < 0) {
      throw new IllegalArgumentException(HttpConfig.PID + ": max.body.bytes: '" + config.max_body_bytes()
          + "' is not allowed; use 0 or more");
    }
    if (config.max_kept_bytes() < 0 || config.max_kept_bytes() > HttpConfig.LARGEST_KEPT) {
      throw new IllegalArgumentException(HttpConfig.PID + ": max.kept.bytes: '" + config.max_kept_bytes()
          + "' is not allowed; use 0.." + HttpConfig.LARGEST_KEPT);
    }
    this.registry = registry;
    this.events = events;
    this.eventsApi = new EventsApi(this, PING);
    StatusApi status = new StatusApi(this, context.getBundle().getVersion().toString(),
        config.gateway_name().isBlank() ? hostName() : config.gateway_name().strip(), clock,
        ProcessHandle.current().info().startInstant().orElseGet(clock::instant));
    Router router = new Router(routes(this, eventsApi, status, clock));
    this.site = site(context, router, status, config);
    // Registered by hand: as services of this component they would depend on the parts of which the one is one.
    this.registrations = List.of(context.registerService(AdminApi.class, router, null),
        context.registerService(Part.class, this, null));
    mountedChanged();
  }

  /** Kura's own web server lets everybody on the network call a servlet that is not Kura's. */
  private Optional<Site> site(BundleContext context, Router router, StatusApi status, HttpConfig config) {
    if (context.getServiceReference(KURA) != null) {
      boolean wanted = config.local_port() > 0 && known("com.sun.net.httpserver.HttpServer");
      return wanted ? Optional.of(new LocalSite(router, config.local_port())) : Optional.empty();
    }
    return known("jakarta.servlet.Servlet")
        ? Optional.of(new ServletSite(context, this, router, status::ready, config, clock, this::mountedChanged))
        : Optional.empty();
  }

  private static boolean known(String type) {
    try {
      HttpGateway.class.getClassLoader().loadClass(type);
      return true;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }

  static List<Route> routes(Services services, EventsApi events, StatusApi status, Clock clock) {
    return Stream.of(status.routes(), new FunctionsApi(services).routes(),
        new LadderApi(services).routes(), new ForecastApi(services).routes(), events.routes(), new ImagesApi(services).routes(),
        new PackagesApi(services).routes(),
        new KernelApi(services).routes(), new UsageApi(services).routes(),
        new DeadLettersApi(services, clock).routes(), new JournalApi(services, clock).routes(),
        new OutcomesApi(services).routes()).flatMap(List::stream).toList();
  }

  @Deactivate
  void close() {
    registrations.forEach(ServiceRegistration::unregister);
    site.ifPresent(Site::close);
    eventsApi.close();
  }

  private void mountedChanged() {
    boolean now = ready();
    if (toldReady.getAndSet(now) != now) {
      events.publish(new PartChanged(clock.instant(), name(), now ? "ready" : "not ready"));
    }
  }

  private static String hostName() {
    try {
      return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
    } catch (IOException e) {
      return "weir";
    }
  }

  @Override
  public String name() {
    return "http";
  }

  @Override
  public boolean ready() {
    Optional<Site> serving = site;
    // While the site is being made its servlets are taken up already. Without one there is nothing to wait for.
    return serving == null ? false : serving.map(Site::ready).orElse(true);
  }

  @Override
  public String state() {
    return site.map(Site::state).orElse("no front door on this host; functions are reached at their own addresses");
  }

  @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void addPart(Part part) {
    parts.add(part);
  }

  public void removePart(Part part) {
    parts.remove(part);
  }

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void setInvoker(Invoker service) {
    invoker = service;
  }

  public void unsetInvoker(Invoker service) {
    invoker = invoker == service ? null : invoker;
  }

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void setJournal(InvocationJournal service) {
    journal = service;
  }

  public void unsetJournal(InvocationJournal service) {
    journal = journal == service ? null : journal;
  }

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void setCourier(Courier service) {
    courier = service;
  }

  public void unsetCourier(Courier service) {
    courier = courier == service ? null : courier;
  }

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void setEngine(ContainerEngine service) {
    engine = service;
  }

  public void unsetEngine(ContainerEngine service) {
    engine = engine == service ? null : engine;
  }

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void setDeployments(Deployments service) {
    deployments = service;
  }

  public void unsetDeployments(Deployments service) {
    deployments = deployments == service ? null : deployments;
  }

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void setPool(InstancePool service) {
    pool = service;
  }

  public void unsetPool(InstancePool service) {
    pool = pool == service ? null : pool;
  }

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void setLadder(Ladder service) {
    ladder = service;
  }

  public void unsetLadder(Ladder service) {
    ladder = ladder == service ? null : ladder;
  }

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void setForesight(Foresight service) {
    foresight = service;
  }

  public void unsetForesight(Foresight service) {
    foresight = foresight == service ? null : foresight;
  }

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void setRunners(Runners service) {
    runners = service;
  }

  public void unsetRunners(Runners service) {
    runners = runners == service ? null : runners;
  }

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void setBroker(Broker service) {
    broker = service;
  }

  public void unsetBroker(Broker service) {
    broker = broker == service ? null : broker;
  }

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void setKernel(KernelReport service) {
    kernel = service;
  }

  public void unsetKernel(KernelReport service) {
    kernel = kernel == service ? null : kernel;
  }

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void setMeter(Meter service) {
    meter = service;
  }

  public void unsetMeter(Meter service) {
    meter = meter == service ? null : meter;
  }

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void setServiceAddresses(ServiceAddresses service) {
    serviceAddresses = service;
  }

  public void unsetServiceAddresses(ServiceAddresses service) {
    serviceAddresses = serviceAddresses == service ? null : serviceAddresses;
  }

  @Override
  public FunctionRegistry registry() {
    return registry;
  }

  @Override
  public Events events() {
    return events;
  }

  @Override
  public Optional<Invoker> invoker() {
    return Optional.ofNullable(invoker);
  }

  @Override
  public Optional<InvocationJournal> journal() {
    return Optional.ofNullable(journal);
  }

  @Override
  public Optional<Courier> courier() {
    return Optional.ofNullable(courier);
  }

  @Override
  public Optional<ContainerEngine> engine() {
    return Optional.ofNullable(engine);
  }

  @Override
  public Optional<InstancePool> pool() {
    return Optional.ofNullable(pool);
  }

  @Override
  public Optional<Ladder> ladder() {
    return Optional.ofNullable(ladder);
  }

  @Override
  public Optional<Foresight> foresight() {
    return Optional.ofNullable(foresight);
  }

  @Override
  public Optional<Runners> runners() {
    return Optional.ofNullable(runners);
  }

  @Override
  public Optional<Broker> broker() {
    return Optional.ofNullable(broker);
  }

  @Override
  public Optional<KernelReport> kernel() {
    return Optional.ofNullable(kernel);
  }

  @Override
  public Optional<Meter> meter() {
    return Optional.ofNullable(meter);
  }

  @Override
  public Optional<Deployments> deployments() {
    return Optional.ofNullable(deployments);
  }

  @Override
  public Optional<ServiceAddresses> serviceAddresses() {
    return Optional.ofNullable(serviceAddresses);
  }

  @Override
  public List<Part> parts() {
    return parts;
  }
}
