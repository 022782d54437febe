package io.weir.activator.internal;

import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Network;
import io.weir.kernel.Routes;
import io.weir.kernel.Routes.Admission;
import io.weir.kernel.ServiceAddresses.ServiceAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the functions' ports, the machine's addresses and the kernel's routes in step: whatever changed, everything is
 * looked at again, on one thread. What failed is tried again at the next look.
 */
final class Doors implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Doors.class);

  /** What the kernel was told about a function. */
  private record Told(int port, Admission admission) {}

  /** What others see. */
  record View(Map<FunctionName, ServiceAddress> addresses, List<InetAddress> reachable, Set<String> missing,
      String way) {}

  private final Settings settings;
  private final Interfaces.Source interfaces;
  private final PortBook book;
  private final Acceptor acceptor;
  private final Duration look;
  private final Runnable changed;
  private final ScheduledThreadPoolExecutor thread;
  private final AtomicInteger pending = new AtomicInteger();
  private final Map<FunctionName, Service> services = new TreeMap<>();
  private final Map<FunctionName, Told> told = new HashMap<>();
  private final Map<Integer, Door> byPort = new ConcurrentHashMap<>();
  private volatile View view = new View(Map.of(), List.of(), Set.of(), "proxy");
  private volatile @Nullable Routes routes;
  private @Nullable Routes known;
  private @Nullable Claim common;
  private boolean holding;
  private long modeNanos = System.nanoTime();
  private List<InetAddress> toldAddresses = List.of();
  /** Ports that declarations ask for, as of this look. */
  private Set<Integer> fixed = Set.of();
  /** No port below is free, as of this look. */
  private int nextPort;

  /**
   * @param look how long until everything is looked at again although nothing was heard of a change
   * @param changed called after the view changed
   */
  Doors(Settings settings, Interfaces.Source interfaces, PortBook book, Acceptor acceptor, Duration look,
      Runnable changed) {
    this.settings = settings;
    this.interfaces = interfaces;
    this.book = book;
    this.acceptor = acceptor;
    this.look = look;
    this.changed = changed;
    this.thread = new ScheduledThreadPoolExecutor(1, work -> {
      Thread made = new Thread(work, "weir-activator-doors");
      made.setDaemon(true);
      return made;
    });
    thread.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    thread.scheduleWithFixedDelay(this::settle, look.toMillis(), look.toMillis(), TimeUnit.MILLISECONDS);
  }

  View view() {
    return view;
  }

  /** Whether the kernel leads connections now. */
  boolean routed() {
    return routes != null;
  }

  void put(FunctionSpec function) {
    run(() -> {
      Gate gate = gate(function);
      Service service = services.get(function.name());
      if (service == null) {
        services.put(function.name(), new Service(function, new Door(function, gate, settings.heldPerFunction()), acceptor));
      } else {
        service.function = function;
        service.door.change(function, service.door.gate().admission().equals(gate.admission())
            ? service.door.gate() : gate);
      }
    });
  }

  private static Gate gate(FunctionSpec function) {
    Network network = function.network();
    return new Gate(new Admission(network.from(), network.rate(), network.burst()), System::nanoTime);
  }

  void remove(FunctionName function) {
    run(() -> {
      Service service = services.remove(function);
      if (service != null) {
        withdraw(function);
        service.close();
        book.forget(function);
      }
    });
  }

  void routes(Routes service) {
    routes = service;
    run(() -> { });
  }

  /** This one is no longer there; another may have come before it went. */
  void noRoutes(Routes service) {
    if (routes == service) {
      routes = null;
      run(() -> { });
    }
  }

  /** If a port is given to a function by the gateway's own choice: which function that is. */
  Optional<FunctionName> chosenFor(int port) {
    return view.addresses.values().stream().filter(each -> each.port() == port).map(ServiceAddress::function).findFirst();
  }

  private void run(Runnable change) {
    try {
      pending.incrementAndGet();
      thread.execute(() -> {
        change.run();
        if (pending.decrementAndGet() == 0) {
          settle(); // Once for a thousand functions of one weir.yaml.
        }
      });
    } catch (RejectedExecutionException e) {
      log.debug("Going down; nothing changes any more", e);
    }
  }

  private void settle() {
    try {
      Interfaces.Found found = interfaces.look();
      meetRoutes();
      boolean patient = System.nanoTime() - modeNanos < look.toNanos();
      if (known != null && !toldAddresses.equals(found.addresses())) {
        known.reachableAt(found.addresses());
        toldAddresses = found.addresses();
      }
      fixed = services.values().stream().flatMapToInt(service -> service.wanted().stream()).boxed()
          .collect(Collectors.toSet());
      nextPort = settings.firstPort();
      for (Service service : services.values()) {
        place(service, found.addresses(), patient);
      }
      if (!holding && !patient && common != null) {
        common.close();
        common = null;
      }
      book.save();
      show(found);
    } catch (RuntimeException e) {
      log.error("Service addresses could not be brought up to date: {}", e.getMessage(), e);
    }
  }

  /** The kernel's routes came, went or were replaced. */
  private void meetRoutes() {
    Routes now = routes;
    if (now == known) {
      return;
    }
    known = now;
    told.clear();
    toldAddresses = List.of();
    modeNanos = System.nanoTime();
    holding = false;
    if (now != null) {
      try {
        if (common == null) {
          common = Claim.listenForAll(acceptor, this::doorOf);
        }
        holding = now.holdAt(common.port());
      } catch (IOException e) {
        log.warn("There is no listener for the kernel to bring connections to: {}; each function has its own",
            e.getMessage());
      }
    }
  }

  /** The local port of a connection that the kernel brought is that of the service. */
  private @Nullable Door doorOf(SocketChannel client) {
    try {
      return client.getLocalAddress() instanceof InetSocketAddress local ? byPort.get(local.getPort()) : null;
    } catch (IOException e) {
      return null;
    }
  }

  private void place(Service service, List<InetAddress> addresses, boolean patient) {
    Optional<String> before = service.problem();
    boolean placed = claim(service, addresses, patient);
    if (placed) {
      // Before the kernel is told: whatever it brings must have a door.
      byPort.put(service.port(), service.door);
      declare(service);
      if (service.isCarried()) {
        placed = claim(service, addresses, patient);
      }
    }
    FunctionName name = service.function.name();
    if (!placed) {
      withdraw(name);
    }
    if (!before.equals(service.problem())) {
      service.problem().ifPresentOrElse(
          problem -> log.warn("Function {} {}: {}", name, service.isOpen() ? "is served" : "has no service address", problem),
          () -> log.info("Function {} is reached at port {} now", name, service.port()));
    }
  }

  private boolean claim(Service service, List<InetAddress> addresses, boolean patient) {
    return service.wanted().isPresent()
        ? service.claim(service.wanted().getAsInt(), addresses, listens(service), patient)
        : placeAnywhere(service, addresses, patient);
  }

  private boolean listens(Service service) {
    return !holding || service.isCarried();
  }

  private boolean placeAnywhere(Service service, List<InetAddress> addresses, boolean patient) {
    FunctionName name = service.function.name();
    Optional<Integer> kept = book.port(name).filter(port -> port >= settings.firstPort() && port <= settings.lastPort()
        && !fixed.contains(port));
    if (kept.isPresent()) {
      return service.claim(kept.get(), addresses, listens(service), patient);
    }
    while (nextPort <= settings.lastPort()) {
      int port = nextPort++;
      if (!fixed.contains(port) && book.owner(port).filter(services::containsKey).isEmpty()
          && service.claim(port, addresses, listens(service), patient)) {
        book.owner(port).ifPresent(book::forget);
        book.keep(name, port);
        return true;
      }
    }
    service.hasNone("no port of " + settings.firstPort() + "-" + settings.lastPort() + " is free; widen ports of "
        + Activator.PID);
    return false;
  }

  private void declare(Service service) {
    Told now = new Told(service.port(), service.door.gate().admission());
    FunctionName name = service.function.name();
    if (known == null) {
      service.carried(Optional.empty());
    } else if (!now.equals(told.get(name))) {
      service.carried(known.declare(name, now.port(), now.admission()));
      if (service.isCarried()) {
        told.remove(name);
      } else {
        told.put(name, now);
      }
    }
  }

  private void withdraw(FunctionName function) {
    if (told.remove(function) != null && known != null) {
      known.withdraw(function);
    }
  }

  private void show(Interfaces.Found found) {
    Map<FunctionName, ServiceAddress> addresses = new TreeMap<>();
    services.forEach((name, service) -> addresses.put(name,
        new ServiceAddress(name, service.port(), service.addresses(), service.problem())));
    View now = new View(addresses, found.addresses(), found.missing(), known == null ? "proxy"
        : known.way().name().toLowerCase(java.util.Locale.ROOT));
    Map<Integer, Door> doors = new HashMap<>();
    services.values().stream().filter(Service::isOpen).forEach(service -> doors.put(service.port(), service.door));
    byPort.entrySet().removeIf(entry -> doors.get(entry.getKey()) != entry.getValue());
    View before = view;
    view = now;
    if (!now.missing.equals(before.missing)) {
      Set<String> back = new TreeSet<>(before.missing);
      back.removeAll(now.missing);
      if (!now.missing.isEmpty()) {
        log.warn("Functions are not reached on {}: no such interface, or it is down", String.join(", ", now.missing));
      } else {
        log.info("Functions are reached on {} again", String.join(", ", back));
      }
    }
    if (!now.equals(before)) {
      changed.run();
    }
  }

  @Override
  public void close() {
    thread.shutdown();
    try {
      if (!thread.awaitTermination(2, TimeUnit.SECONDS)) {
        thread.shutdownNow();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    // Nobody else touches these any more.
    book.save();
    Routes last = known;
    if (last != null) {
      List.copyOf(told.keySet()).forEach(this::withdraw);
    }
    services.values().forEach(Service::close);
    if (common != null) {
      common.close();
    }
  }
}
