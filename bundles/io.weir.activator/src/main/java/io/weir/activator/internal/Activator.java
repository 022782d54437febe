package io.weir.activator.internal;

import io.weir.engine.InstancePool;
import io.weir.event.Events;
import io.weir.event.GatewayEvent.PartChanged;
import io.weir.event.Part;
import io.weir.function.FunctionCheck;
import io.weir.function.FunctionListener;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.InvalidFunction;
import io.weir.kernel.KernelSignal;
import io.weir.kernel.Routes;
import io.weir.kernel.ServiceAddresses;
import io.weir.kernel.Traffic;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives each function an address of its own, and carries what the kernel does not lead to instances: everything where it
 * cannot, otherwise what comes while a function sleeps.
 */
@Component(name = Activator.PID, configurationPid = Activator.PID, configurationPolicy = ConfigurationPolicy.REQUIRE,
    immediate = true, service = {ServiceAddresses.class, FunctionListener.class, FunctionCheck.class, Part.class})
@Designate(ocd = ActivatorConfig.class)
public final class Activator implements ServiceAddresses, FunctionListener, FunctionCheck, Part {
  static final String PID = "io.weir.activator";
  private static final Logger log = LoggerFactory.getLogger(Activator.class);
  private static final Duration LOOK = Duration.ofSeconds(3);
  private static final int MOST_LOOPS = 2;

  private final Events events;
  private final Clock clock = Clock.systemUTC();
  private final List<Loop> loops;
  private final Wakes wakes;
  private final Carrier carrier;
  private final Doors doors;
  private volatile @Nullable Traffic traffic;
  private @Nullable AutoCloseable subscription;
  private String toldState = "";

  @Activate
  public Activator(BundleContext context, @Reference InstancePool pool, @Reference Events events, ActivatorConfig config) {
    this(pool, events, Settings.of(config), dataDirectory(context), LOOK);
  }

  Activator(InstancePool pool, Events events, Settings settings, Path data, Duration look) {
    this(pool, events, settings, data, look, () -> Interfaces.look(settings.interfaces()));
  }

  Activator(InstancePool pool, Events events, Settings settings, Path data, Duration look, Interfaces.Source interfaces) {
    this.events = events;
    this.wakes = new Wakes(pool, settings.patience());
    this.carrier = new Carrier(settings, wakes, events, clock, this::routed, this::isDeclared);
    this.loops = IntStream.range(0, Math.min(MOST_LOOPS, Runtime.getRuntime().availableProcessors()))
        .mapToObj(number -> new Loop("weir-activator-" + number)).toList();
    this.doors = new Doors(settings, interfaces, new PortBook(data.resolve("service-ports")),
        new Acceptor(carrier, loops), look, this::tellState);
  }

  private static Path dataDirectory(BundleContext context) {
    String configured = context.getProperty("weir.data");
    return Path.of(configured == null || configured.isBlank() ? "/var/lib/weir" : configured);
  }

  @Deactivate
  void close() {
    doors.close();
    loops.forEach(Loop::close);
  }

  private boolean isDeclared(FunctionName function) {
    return doors.view().addresses().containsKey(function);
  }

  private boolean routed() {
    return doors.routed();
  }

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void setRoutes(Routes service) {
    doors.routes(service);
  }

  public void unsetRoutes(Routes service) {
    doors.noRoutes(service);
  }

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public synchronized void setTraffic(Traffic service) {
    unsubscribe();
    traffic = service;
    subscription = service.subscribe(this::heard);
  }

  public synchronized void unsetTraffic(Traffic service) {
    if (traffic == service) {
      traffic = null;
      unsubscribe();
    }
  }

  private void unsubscribe() {
    AutoCloseable before = subscription;
    subscription = null;
    try {
      if (before != null) {
        before.close();
      }
    } catch (Exception e) {
      log.debug("The kernel's signals did not end", e);
    }
  }

  /** On a thread of the kernel bundle, which must not wait for the pool's locks. */
  private void heard(KernelSignal signal) {
    if (signal instanceof KernelSignal.Wanted wanted) {
      loops.get(0).execute(() -> wakes.wanted(wanted.function()));
    }
  }

  @Override
  public void functionAdded(FunctionSpec function) {
    doors.put(function);
  }

  @Override
  public void functionChanged(FunctionSpec before, FunctionSpec after) {
    doors.put(after);
  }

  @Override
  public void functionRemoved(FunctionSpec function) {
    doors.remove(function.name());
  }

  @Override
  public void check(FunctionSpec function) {
    function.network().port().ifPresent(port -> doors.chosenFor(port).filter(other -> !other.equals(function.name()))
        .ifPresent(other -> {
          throw new InvalidFunction("service.port", "service.port: '" + port + "' is what the gateway gave to function "
              + other + "; choose another, best outside of ports of " + PID);
        }));
  }

  @Override
  public Optional<ServiceAddress> of(FunctionName function) {
    return Optional.ofNullable(doors.view().addresses().get(function));
  }

  @Override
  public String way() {
    return doors.view().way();
  }

  @Override
  public String name() {
    return "services";
  }

  /** Always: an address that cannot be had is one function's problem, and no reason to take the gateway for broken. */
  @Override
  public boolean ready() {
    return true;
  }

  @Override
  public String state() {
    return summary() + ", " + carrier.crowd.count() + " connections carried";
  }

  private String summary() {
    Doors.View view = doors.view();
    long broken = view.addresses().values().stream().filter(each -> each.addresses().isEmpty()).count();
    long carried = view.addresses().values().stream()
        .filter(each -> each.problem().isPresent() && !each.addresses().isEmpty()).count();
    long elsewhere = view.reachable().stream().filter(address -> !address.isLoopbackAddress()).count();
    return view.addresses().size() - broken + " service addresses on loopback"
        + (elsewhere > 0 ? " and " + elsewhere + " LAN addresses" : "") + " by " + view.way()
        + (carried > 0 ? ", " + carried + " of them carried for want of room in the kernel" : "")
        + (broken > 0 ? ", " + broken + " not reached" : "")
        + (view.missing().isEmpty() ? "" : ", interface " + String.join(" and ", view.missing()) + " is missing");
  }

  private void tellState() {
    String now = summary();
    if (!now.equals(toldState)) {
      toldState = now;
      events.publish(new PartChanged(clock.instant(), name(), now));
    }
  }
}
