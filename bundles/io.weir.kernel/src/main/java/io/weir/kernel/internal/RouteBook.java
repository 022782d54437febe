package io.weir.kernel.internal;

import io.weir.function.FunctionName;
import io.weir.kernel.Routes;
import java.net.InetAddress;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Which functions have ports and which instances take their connections; tells the way what changes. The way comes later,
 * because its programs take the kernel longest to check. Thread-safe.
 */
final class RouteBook implements Routes {
  private static final String FULL = "the gateway carries its connections itself: the kernel leads those of "
      + Layout.SERVICES + " functions at most, and there are so many already; nor does it count its requests or deny egress";

  private record Declared(int index, int port, Admission admission) {}

  private final FunctionIndex functions;
  private final Once once;
  private final Map<FunctionName, Declared> declared = new HashMap<>();
  private final Map<FunctionName, Map<Integer, Target>> open = new HashMap<>();
  private final Set<Integer> arrived = new LinkedHashSet<>();
  /** Slots whose instances have as much to do as they may; kept only for ways that do not see it. */
  private final Set<Integer> full = new HashSet<>();
  private RouteWay way = RouteWay.NONE;

  RouteBook(FunctionIndex functions, Once once) {
    this.functions = functions;
    this.once = once;
  }

  /** From now on, and for the instances that are there already. */
  synchronized void use(RouteWay found) {
    way = found;
    Set.copyOf(arrived).forEach(this::arrived);
  }

  @Override
  public synchronized Way way() {
    return way.way();
  }

  @Override
  public synchronized void reachableAt(Collection<InetAddress> addresses) {
    Set<InetAddress> all = new LinkedHashSet<>(addresses);
    once.attempt("services are not reached directly at every address", () -> way.reachableAt(all));
  }

  @Override
  public synchronized Optional<String> declare(FunctionName function, int port, Admission admission) {
    OptionalInt index = functions.of(function);
    if (index.isEmpty()) {
      return Optional.of(FULL);
    }
    Declared before = declared.get(function);
    Declared now = new Declared(index.getAsInt(), port, admission);
    if (now.equals(before)) {
      return Optional.empty();
    }
    declared.put(function, now);
    if (before == null) {
      functions.use(now.index());
    }
    boolean led = once.attempt(function + " is reached through the gateway only", () -> {
      if (before != null && before.port() != port) {
        way.withdraw(served(function, before));
      }
      way.declare(served(function, now));
    });
    if (!led) {
      withdraw(function);
      return Optional.of("the gateway carries its connections itself: the kernel refuses to lead them, the log says why");
    }
    return Optional.empty();
  }

  @Override
  public synchronized void withdraw(FunctionName function) {
    Declared before = declared.remove(function);
    if (before != null) {
      functions.release(before.index());
      once.attempt("the port of " + function + " is not given back", () -> way.withdraw(served(function, before)));
    }
  }

  @Override
  public synchronized boolean holdAt(int listener) {
    try {
      return way.holdAt(listener);
    } catch (KernelError e) {
      once.tell("each service gets a listener of its own", e);
      return false;
    }
  }

  private Served served(FunctionName function, Declared service) {
    List<Target> targets = open.getOrDefault(function, Map.of()).values().stream()
        .filter(target -> !full.contains(target.slot())).limit(Layout.FANOUT).toList();
    return new Served(function, service.index(), service.port(), service.admission(), targets);
  }

  /** Whether packets can be led there already. */
  synchronized boolean arrived(int ifindex) {
    if (ifindex == 0) {
      return false;
    }
    arrived.add(ifindex);
    return way.arrived(ifindex);
  }

  synchronized void open(FunctionName function, Target target) {
    Target before = open.computeIfAbsent(function, name -> new LinkedHashMap<>()).put(target.slot(), target);
    if (!target.equals(before)) {
      retarget(function);
    }
  }

  /** It was open in an earlier life, and is until somebody says otherwise. */
  synchronized void adopt(FunctionName function, Target target) {
    open.computeIfAbsent(function, name -> new LinkedHashMap<>()).put(target.slot(), target);
  }

  synchronized boolean isOpen(FunctionName function, int slot) {
    return open.getOrDefault(function, Map.of()).containsKey(slot);
  }

  /** Whether an instance has as much to do as it may, as was seen just now. */
  synchronized void full(FunctionName function, int slot, boolean now) {
    if (!way.seesLoads() && (now ? full.add(slot) : full.remove(slot)) && isOpen(function, slot)) {
      retarget(function);
    }
  }

  synchronized void drain(FunctionName function, int slot) {
    Map<Integer, Target> targets = open.get(function);
    if (targets != null && targets.remove(slot) != null) {
      if (targets.isEmpty()) {
        open.remove(function);
      }
      retarget(function);
    }
  }

  synchronized void left(Seat seat) {
    arrived.remove(seat.port);
    full.remove(seat.slot);
    once.attempt("something of an instance that is gone is left", () -> way.left(seat));
  }

  private void retarget(FunctionName function) {
    Declared service = declared.get(function);
    if (service != null) {
      once.attempt("some instances are reached through the gateway only", () -> way.retarget(served(function, service)));
    }
  }

  synchronized void look() {
    once.attempt("services are not reached directly at every interface", way::look);
  }

  synchronized void forgetUnclaimed() {
    once.attempt("something of an earlier life is left", way::forgetUnclaimed);
  }

  /** Not with the lock held: the way waits for a thread of its own, which may want to tell somebody who waits for us. */
  void close() {
    RouteWay last;
    synchronized (this) {
      last = way;
      way = RouteWay.NONE;
    }
    last.close();
  }
}
