package io.weir.pool.internal;

import io.weir.engine.ColdStart;
import io.weir.engine.Instance;
import io.weir.engine.Instance.State;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Rung;
import io.weir.kernel.Traffic;
import io.weir.kernel.Traffic.Load;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One instance as its {@link FunctionInstances} sees it: a state machine with one owner. Its fields are
 * guarded by that owner's lock, but for those that say otherwise.
 */
final class Slot {
  /** What may follow what; anything else is a mistake of ours. */
  private static final Map<State, Set<State>> NEXT = new EnumMap<>(Map.ofEntries(
      Map.entry(State.CREATING, EnumSet.of(State.CREATED, State.STARTING, State.STOPPING)),
      Map.entry(State.CREATED, EnumSet.of(State.ARMING, State.STARTING, State.STOPPING)),
      Map.entry(State.ARMING, EnumSet.of(State.ARMED, State.STOPPING)),
      Map.entry(State.ARMED, EnumSet.of(State.STARTING, State.STOPPING)),
      Map.entry(State.STARTING, EnumSet.of(State.READY, State.STOPPING)),
      Map.entry(State.READY, EnumSet.of(State.FREEZING, State.DRAINING, State.STOPPING)),
      Map.entry(State.FREEZING, EnumSet.of(State.FROZEN, State.READY, State.STOPPING)),
      Map.entry(State.FROZEN, EnumSet.of(State.THAWING, State.STOPPING)),
      Map.entry(State.THAWING, EnumSet.of(State.READY, State.STOPPING)),
      Map.entry(State.DRAINING, EnumSet.of(State.STOPPING)),
      Map.entry(State.STOPPING, EnumSet.noneOf(State.class))));
  private static final Set<State> ASCENDING = EnumSet.of(State.CREATING, State.CREATED, State.ARMING,
      State.ARMED, State.STARTING, State.THAWING);
  private static final Set<State> UP = EnumSet.of(State.READY, State.FREEZING, State.FROZEN, State.THAWING);

  final FunctionSpec spec;
  /** Container name; a runner brings its own. */
  String name;
  /** Container id; empty until the engine has created it. */
  String id = "";
  /** Id of the image it was made from; empty if not known. */
  String imageId = "";
  @Nullable InetSocketAddress address;
  private State state = State.CREATING;
  Instant since = Instant.now();
  /** Where it climbs to and then rests: {@code CREATED}, {@code ARMED}, {@code FROZEN} or {@code READY}. */
  Rung goal;
  /** Why it does what it does, in the words of {@link io.weir.event.GatewayEvent.InstanceChanged#cause()}. */
  String why;
  /** What a request that waits for it will be told. */
  ColdStart.Cause cause = ColdStart.Cause.NEVER_STARTED;
  /** The rung it was on when somebody began to wait for it. */
  Rung from = Rung.IMAGE;
  /** Whether a thread takes it up the ladder now; only that thread may take it further, or stop it. */
  boolean climbing;
  /** Whether it is to be stopped as soon as that thread looks. */
  boolean unwanted;
  /** Requests that leases were given for and not given back. */
  int inFlight;
  /** Requests beside those that the kernel last saw in flight. */
  int direct;
  /** Leases since it was ready. */
  private long leases;
  /** Most leases at a time since the kernel was last asked. */
  private int mostLeased;
  /** Requests that came without a lease; negative until the kernel was asked for the first time. */
  private long directRequests;
  /** How many of them the kernel had not counted yet when it was asked before. */
  int directSince;
  long served;
  /** Requests that timed out since it last answered one. */
  int timeouts;
  long readyNanos;
  long lastUsedNanos;
  /** A connection to it failed: nobody gets it until it was looked at. */
  boolean suspect;
  /** Bytes it is charged for in the budget. */
  long charge;
  /** The state's beginning when it was last metered; only for the thread that meters. */
  Instant meteredAt = Instant.MIN;
  /** Whether a packet came while its CPU was being taken away. */
  boolean touched;
  /** Set by the engine's event, read by the thread that waits for the port. */
  volatile boolean dead;
  /** Follows its states once it is on the roster. */
  @Nullable KernelSide kernel;
  /** Whether it only shows that it can be started: nobody's requests are led to it. */
  boolean rehearsal;

  Slot(String name, FunctionSpec spec, Rung goal, String why, long nowNanos) {
    this.name = name;
    this.spec = spec;
    this.goal = goal;
    this.why = why;
    this.lastUsedNanos = nowNanos;
  }

  /** One that an earlier life of the gateway left running. */
  static Slot adopted(String name, String id, InetSocketAddress address, FunctionSpec spec, long nowNanos) {
    Slot slot = new Slot(name, spec, Rung.RUNNING, "adopted", nowNanos);
    slot.id = id;
    slot.address = address;
    slot.state = State.READY;
    slot.readyNanos = nowNanos;
    slot.directRequests = -1;   // the kernel counts on from its earlier life
    return slot;
  }

  /** Whom the kernel is to count it for; what a function may do there is one thing for all its instances. */
  FunctionName counted() {
    return rehearsal ? Traffic.REHEARSAL : spec.name();
  }

  FunctionName function() {
    return spec.name();
  }

  State state() {
    return state;
  }

  void enter(State next) {
    if (!NEXT.get(state).contains(next)) {
      throw new IllegalStateException(name + " cannot go from " + state + " to " + next);
    }
    State before = state;
    state = next;
    since = Instant.now();
    touched = touched && next != State.FREEZING;
    if (kernel != null) {
      kernel.entered(this, before);
    }
  }

  /** Requests it has to do, whichever way they came. */
  int load() {
    return inFlight + direct;
  }

  void leased() {
    inFlight++;
    leases++;
    mostLeased = Math.max(mostLeased, inFlight);
  }

  /**
   * Takes over what the kernel counted. It counts leased requests, too, and was asked a moment ago: only what
   * exceeds every lease of that time came another way.
   *
   * @param load null if the kernel does not know it
   * @return whether requests came that nobody had a lease for
   */
  boolean counted(@Nullable Load load) {
    direct = load == null ? 0 : Math.max(0, load.inFlight() - mostLeased);
    directSince = 0;
    mostLeased = inFlight;
    if (load == null) {
      return false;
    }
    long before = directRequests;
    directRequests = Math.max(before, load.requests() - leases);
    directSince = before < 0 ? 0 : (int) Math.min(Integer.MAX_VALUE, directRequests - before);
    return direct > 0 || before >= 0 && directRequests > before;
  }

  /** The rung it is on; while it climbs, the one it left. */
  Rung rung() {
    return switch (state) {
      case CREATING -> Rung.IMAGE;
      case CREATED, ARMING -> Rung.CREATED;
      case ARMED -> Rung.ARMED;
      case STARTING -> id.isEmpty() ? Rung.IMAGE : Rung.CREATED;
      case FROZEN, THAWING -> Rung.FROZEN;
      case READY, FREEZING, DRAINING, STOPPING -> Rung.RUNNING;
    };
  }

  /** Has a process that listens, frozen or not. */
  boolean isUp() {
    return !unwanted && UP.contains(state);
  }

  boolean canServe() {
    return state == State.READY && !suspect && load() < spec.scaling().concurrency();
  }

  /** Serves, could at once, or will. */
  boolean isLive() {
    return !unwanted && (UP.contains(state) || isComing());
  }

  /** Will serve as soon as it can. */
  boolean isComing() {
    return !unwanted && ASCENDING.contains(state) && goal.compareTo(Rung.FROZEN) >= 0;
  }

  /** Holds a process that gets CPU time. */
  boolean isRunning() {
    return state == State.READY || state == State.THAWING;
  }

  /** Below running and not asked to go there. */
  boolean isPrepared() {
    return !unwanted && goal.compareTo(Rung.ARMED) <= 0 && ASCENDING.contains(state);
  }

  boolean isIdle() {
    return load() == 0 && !suspect && (state == State.READY || state == State.FROZEN);
  }

  /** In lower case, as events and the API tell it. */
  String label() {
    return state.name().toLowerCase(Locale.ROOT);
  }

  Instance view() {
    return new Instance(id, name, spec.name(), spec.revision(), state,
        Optional.ofNullable(address).map(a -> a.getHostString() + ":" + a.getPort()), load(),
        served + Math.max(0, directRequests - direct), charge, since);
  }
}
