package io.weir.kernel.internal;

import io.weir.engine.Residence;
import io.weir.function.FunctionName;
import io.weir.kernel.Adaptor.Place;
import io.weir.kernel.KernelSignal;
import io.weir.kernel.Traffic;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The instances in the maps. One lock, held for microseconds; listeners are called outside it. */
final class KernelTraffic implements Traffic {
  private static final Logger LOG = LoggerFactory.getLogger(KernelTraffic.class);
  private static final int AF_INET6 = 10;

  private final Maps maps;
  private final FunctionIndex functions;
  private final Seats seats;
  private final EgressRules egress;
  private final RouteBook routes;
  private final Shortcut shortcut;
  private final boolean hearsListens;
  private final Once once;
  private final Membership membership;
  private final Cookies cookies;
  private final Homes homes;
  private final Listens listens = new Listens();
  private final Listeners listeners = new Listeners();
  private final Map<FunctionName, Tally> retired = new HashMap<>();
  private volatile IntConsumer drained = slot -> {};

  /** @param hearsListens whether processes that begin to listen are signalled */
  KernelTraffic(Maps maps, FunctionIndex functions, Seats seats, EgressRules egress, RouteBook routes, Shortcut shortcut,
      boolean hearsListens, Once once) {
    this.maps = maps;
    this.membership = new Membership(maps.ebpf());
    this.cookies = new Cookies(maps.ebpf());
    this.functions = functions;
    this.seats = seats;
    this.egress = egress;
    this.routes = routes;
    this.shortcut = shortcut;
    this.hearsListens = hearsListens;
    this.homes = new Homes(maps, hearsListens || egress.hold());
    this.once = once;
    seats.all().forEach(seat -> functions.use(seat.instance.function()));
  }

  @Override
  public CompletionStage<Boolean> listening(Residence residence, int port) {
    long netns = hearsListens ? cookie(residence) : 0;
    return netns == 0 ? CompletableFuture.completedFuture(false) : listens.await(netns, port, maps.ebpf().clock());
  }

  private long cookie(Residence residence) {
    try {
      return residence.namespace().isPresent() ? cookies.of(residence.namespace().get()) : 0;
    } catch (KernelError e) {
      once.tell("it is not heard when functions listen", e);
      return 0;
    }
  }

  @Override
  public synchronized void join(Member member) {
    once.attempt("some instances are neither counted nor reached directly", () -> {
      OptionalInt index = functions.of(member.function());
      retired.keySet().removeAll(functions.forgotten());
      if (index.isEmpty()) {
        LOG.warn("{} is not counted: there are {} functions already", member.function(), Layout.SERVICES);
        return;
      }
      if (functions.begins(index.getAsInt())) {
        maps.ebpf().zeroHistogram(maps.fd("latency"), index.getAsInt());
      }
      join(member, index.getAsInt());
    });
  }

  private void join(Member member, int function) {
    egress.allow(function, membership.egress(member));
    int port = Membership.port(member);
    Optional<Seat> seat = seats.of(member.container());
    seat.filter(known -> known.port != 0 && known.port != port).ifPresent(this::leavePort);
    Instance wanted = membership.instance(member, function, seat.map(known -> known.instance.ifindex()).filter(
        ifindex -> ifindex == port).orElse(0));
    seat.ifPresent(known -> {
      shortcut.left(known);
      seats.move(known, wanted);
    });
    Optional<Seat> joined = seat.or(() -> take(member, wanted));
    if (joined.isEmpty()) {
      LOG.warn("{} is not counted: there are {} instances already", member.container(), Layout.INSTANCES);
    }
    joined.ifPresent(known -> {
      known.member = member;
      shortcut.joined(known);
      homes.moved(known, cookie(member.residence()));
      learnFamily(known);
      known.port = port;
      if (routes.arrived(port)) {
        seats.reach(known);
      }
    });
  }

  private Optional<Seat> take(Member member, Instance wanted) {
    Optional<Seat> seat = seats.take(member.function(), wanted);
    seat.ifPresent(fresh -> functions.use(fresh.instance.function()));
    return seat;
  }

  /** Whether IPv6 clients can be led to it. */
  private void learnFamily(Seat seat) {
    boolean six = seat.member != null && seat.member.residence().address6().isPresent()
        && listens.family(seat.netns, seat.instance.port()).filter(family -> family == AF_INET6).isPresent();
    if (six) {
      seats.flag(seat, Layout.IPV6, true);
      if (routes.isOpen(seat.function, seat.slot)) {
        routes.open(seat.function, Membership.target(seat));
      }
    }
  }

  @Override
  public synchronized void open(String container) {
    seats.of(container).filter(seat -> seat.member != null)
        .ifPresent(seat -> routes.open(seat.function, Membership.target(seat)));
  }

  @Override
  public synchronized void drain(String container) {
    seats.of(container).ifPresent(this::drain);
  }

  private void drain(Seat seat) {
    routes.drain(seat.function, seat.slot);
    drained.accept(seat.slot);
  }

  /** @param listener told the slot of every instance that gets nothing new any more; must not block or call back */
  void whenDrained(IntConsumer listener) {
    drained = listener;
  }

  /** An instance that takes connections and is awake. */
  synchronized Optional<Place> ready(FunctionName function) {
    return seats.all().stream().filter(seat -> seat.function.equals(function) && !seat.instance.has(Layout.ASLEEP)
        && routes.isOpen(function, seat.slot)).map(seat -> seat.member).filter(Objects::nonNull)
        .map(member -> new Place(member.container(), member.address())).findFirst();
  }

  /** Where the instance sits. */
  synchronized Optional<Seat> seat(String container) {
    return seats.of(container).filter(seat -> seat.member != null);
  }

  @Override
  public synchronized boolean rest(String container) {
    Optional<Seat> seat = seats.of(container);
    return seat.isPresent() && once.attempt("instances that are at rest are not woken by packets",
        () -> seats.rest(seat.get(), maps.ebpf().clock())) && stillIdle(seat.get());
  }

  /** Asked after the flag is set: a request that came before is seen here, one that comes later is signalled. */
  private boolean stillIdle(Seat seat) {
    seat.touched = false;
    byte[] load = new byte[Layout.LOAD];
    maps.ebpf().get(maps.fd("loads"), Layout.number(seat.slot), load);
    if (Layout.buffer(load).getLong() > 0) {
      wake(seat);
      return false;
    }
    return true;
  }

  @Override
  public synchronized void wake(String container) {
    seats.of(container).ifPresent(this::wake);
  }

  private void wake(Seat seat) {
    once.attempt("instances stay marked as being at rest", () -> seats.flag(seat, Layout.ASLEEP, false));
  }

  @Override
  public synchronized void leave(String container) {
    seats.of(container).ifPresent(this::leave);
  }

  /** The service's entry first, then the instance's: a connection that slips between finds nobody, not somebody else. */
  void leave(Seat seat) {
    drain(seat);
    once.attempt("counters of instances that are gone are lost", () -> retire(seat));
    once.attempt("connections of instances that are gone are not reset at once", () -> {
      shortcut.left(seat);
      homes.left(seat);
      seats.leave(seat);
    });
    functions.release(seat.instance.function());
    leavePort(seat);
    if (seat.netns != 0) {
      listens.over(seat.netns);
    }
  }

  /** The engine may have given the network to another container. */
  private void leavePort(Seat seat) {
    int port = seat.port;
    if (seats.all().stream().anyMatch(other -> other != seat && other.port == port)) {
      seat.port = 0;
    }
    routes.left(seat);
  }

  /** Packets can be led to the instances behind this interface. */
  synchronized void reachable(int ifindex) {
    once.attempt("clients of some instances are served through the gateway", () -> seats.all().stream()
        .filter(seat -> seat.port == ifindex && seat.member != null).forEach(seats::reach));
  }

  private void retire(Seat seat) {
    byte[] counters = maps.ebpf().read(maps.fd("counters"), seat.slot, 1, Layout.COUNTERS);
    byte[] load = new byte[Layout.LOAD];
    maps.ebpf().get(maps.fd("loads"), Layout.number(seat.slot), load);
    retired.computeIfAbsent(seat.function, name -> new Tally())
        .plus(Tally.at(counters, 0).aborted(Layout.buffer(load).getLong()));
  }

  @Override
  public synchronized List<Load> loads() {
    List<Load> loads = new ArrayList<>();
    once.attempt("what instances have to do is not known", () -> {
      Reading reading = reading();
      long now = maps.ebpf().clock();
      for (Seat seat : seats.all()) {
        seat.container().ifPresent(container -> loads.add(reading.load(container, seat.slot, now)));
        int most = seat.instance.limit();
        routes.full(seat.function, seat.slot, most > 0 && reading.inFlight(seat.slot) >= most);
      }
    });
    return loads;
  }

  /** What stands in the maps; under the lock, so that slots mean what they mean. */
  private Reading reading() {
    return Reading.of(maps, seats.end());
  }

  /** Calls with all that is known of the slots, under the lock. */
  synchronized <T> List<T> read(Meterable<T> reader) {
    List<T> result = new ArrayList<>();
    retired.keySet().removeAll(functions.forgotten());
    once.attempt("what the kernel counts is not known", () -> result.addAll(reader.read(seats.all(), reading(), retired)));
    return result;
  }

  /** What can be made of the counters. */
  interface Meterable<T> {
    List<T> read(Iterable<Seat> seats, Reading reading, Map<FunctionName, Tally> retired);
  }

  @Override
  public AutoCloseable subscribe(Consumer<KernelSignal> listener) {
    return listeners.add(listener);
  }

  /** On the thread of the signals. */
  void heard(Signal signal) {
    switch (signal.kind()) {
      case Layout.LISTENS -> listens(signal);
      case Layout.TOUCHED -> touched(signal)
          .ifPresent(container -> listeners.tell(new KernelSignal.Touched(container, when(signal))));
      case Layout.WANTED -> functions.name(signal.function())
          .ifPresent(function -> listeners.tell(new KernelSignal.Wanted(function, when(signal))));
      default -> LOG.debug("unknown: {}", signal);
    }
  }

  /** By the clock of the virtual machine, which is read first, so that a pause between makes it earlier. */
  private long when(Signal signal) {
    long now = System.nanoTime();
    return now - Math.max(0, maps.ebpf().clock() - signal.atNanos());
  }

  private void listens(Signal signal) {
    listens.heard(signal.netns(), signal.port(), signal.family(), signal.everywhere(), signal.atNanos());
    synchronized (this) {
      seats.all().stream().filter(seat -> seat.netns == signal.netns() && seat.instance.port() == signal.port())
          .forEach(this::learnFamily);
    }
  }

  /** The container, the first time since it was put to rest. */
  private synchronized Optional<String> touched(Signal signal) {
    Optional<Seat> seat = seats.at(signal.slot()).filter(known -> !known.touched && known.instance.has(Layout.ASLEEP)
        && known.instance.generation() == signal.generation() && signal.atNanos() >= known.instance.asleepNanos());
    seat.ifPresent(known -> known.touched = true);
    return seat.flatMap(Seat::container);
  }

  /** Those of an earlier life that nobody claimed, or whose container is gone. */
  synchronized void forget(List<Seat> gone) {
    gone.forEach(this::leave);
  }

  /** Instances of an earlier life that took connections go on doing so until somebody says otherwise. */
  synchronized void keepOpen(Set<Integer> slots) {
    seats.unclaimed().stream().filter(seat -> slots.contains(seat.slot))
        .forEach(seat -> routes.adopt(seat.function, Membership.target(seat.slot, seat.instance)));
  }

  synchronized List<Seat> unclaimed() {
    return seats.unclaimed();
  }

  void close() {
    listens.close();
  }
}
