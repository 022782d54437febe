package io.weir.registry.internal;

import io.weir.event.Events;
import io.weir.event.GatewayEvent.FunctionChanged;
import io.weir.function.FunctionListener;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Problem;
import io.weir.function.Trigger;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which functions run, which only want to, and why not. Readers see an immutable snapshot; everything else is called
 * with the registry's lock held.
 */
final class Catalogue {
  private static final Logger log = LoggerFactory.getLogger(Catalogue.class);

  /** A configuration: what it says now, what of it runs, and what is wrong with what it says. */
  record Entry(String pid, String origin, @Nullable FunctionSpec wanted, @Nullable FunctionSpec running,
      @Nullable Problem problem) {
    boolean settled() {
      return wanted == null || wanted.equals(running);
    }
  }

  /** What readers see. */
  record Snapshot(Map<FunctionName, FunctionSpec> functions, Map<FunctionName, String> origins,
      List<Problem> problems) {}

  private final Events events;
  private final Clock clock;
  private final Map<String, Entry> entries = new LinkedHashMap<>();
  private final List<FunctionListener> listeners = new ArrayList<>();
  private volatile Snapshot snapshot = new Snapshot(Map.of(), Map.of(), List.of());

  Catalogue(Events events, Clock clock) {
    this.events = events;
    this.clock = clock;
  }

  Snapshot snapshot() {
    return snapshot;
  }

  Collection<Entry> entries() {
    return entries.values();
  }

  @Nullable Entry byName(FunctionName name) {
    return entries.values().stream().filter(entry -> entry.running != null && entry.running.name().equals(name))
        .findFirst().orElse(null);
  }

  @Nullable Entry byPid(String pid) {
    return entries.get(pid);
  }

  /** Takes several functions at once, which the caller has checked against each other and against all that run. */
  void putChecked(Map<String, FunctionSpec> functions, String origin) {
    Map<String, Entry> before = new LinkedHashMap<>();
    functions.forEach((pid, spec) -> {
      Entry old = entries.get(pid);
      before.put(pid, old == null ? new Entry(pid, origin, null, null, null) : old);
      entries.put(pid, new Entry(pid, origin, spec, spec, null));
    });
    publish();
    before.forEach((pid, old) -> tell(old.running, functions.get(pid)));
    settle();
  }

  /** What a configuration says now. It runs unless another function is in its way; then the former one runs on. */
  void put(String pid, String origin, FunctionSpec wanted) {
    Entry old = entries.get(pid);
    FunctionSpec running = old == null ? null : old.running;
    if (old != null && old.problem == null && old.origin.equals(origin) && wanted.equals(running) && old.settled()) {
      return;   // ConfigurationAdmin's notice of what the registry did itself
    }
    Problem problem = old == null || wanted.equals(running) ? null : old.problem;
    entries.put(pid, new Entry(pid, origin, wanted, running, problem));
    settle();
  }

  /** A configuration that cannot be a function; its former version runs on. */
  void putInvalid(String pid, String origin, String message) {
    Entry old = entries.get(pid);
    FunctionSpec running = old == null ? null : old.running;
    entries.put(pid, new Entry(pid, origin, null, running, problem(pid, message, old)));
    settle();
  }

  void remove(String pid) {
    Entry old = entries.remove(pid);
    if (old != null) {
      publish();
      tell(old.running, null);
      settle();
    }
  }

  /** Starts what may run by now; what went away may have been in the way of something. */
  private void settle() {
    boolean again = true;
    while (again) {
      again = false;
      for (Entry entry : List.copyOf(entries.values())) {
        again |= !entry.settled() && start(entry);
      }
    }
    publish();
  }

  private boolean start(Entry entry) {
    FunctionSpec wanted = entry.wanted;
    if (wanted == null) {
      return false;
    }
    List<Entry> others = entries.values().stream().filter(other -> !other.pid.equals(entry.pid)).toList();
    Optional<Conflict> conflict = Conflict.of(wanted, others);
    if (conflict.isPresent()) {
      entries.put(entry.pid, new Entry(entry.pid, entry.origin, wanted, entry.running,
          problem(entry.pid, conflict.get().message(), entry)));
      return false;
    }
    entries.put(entry.pid, new Entry(entry.pid, entry.origin, wanted, wanted, null));
    publish();
    tell(entry.running, wanted);
    return true;
  }

  private Problem problem(String pid, String message, @Nullable Entry old) {
    if (old != null && old.problem != null && old.problem.message().equals(message)) {
      return old.problem;
    }
    log.warn("{}: {}", pid, message);
    return new Problem(pid, 0, message, clock.instant());
  }

  private void publish() {
    Map<FunctionName, FunctionSpec> functions = new TreeMap<>();
    Map<FunctionName, String> origins = new TreeMap<>();
    List<Problem> problems = new ArrayList<>();
    for (Entry entry : entries.values()) {
      if (entry.running != null) {
        functions.put(entry.running.name(), entry.running);
        origins.put(entry.running.name(), entry.origin);
      }
      if (entry.problem != null) {
        problems.add(entry.problem);
      }
    }
    problems.sort(Comparator.comparing(Problem::source));
    snapshot = new Snapshot(functions, origins, List.copyOf(problems));
  }

  void addListener(FunctionListener listener) {
    listeners.add(listener);
    snapshot.functions.values().forEach(function -> call(listener, each -> each.functionAdded(function)));
  }

  void removeListener(FunctionListener listener) {
    listeners.remove(listener);
  }

  private void tell(@Nullable FunctionSpec before, @Nullable FunctionSpec after) {
    if (before != null && after != null && before.name().equals(after.name())) {
      if (!before.equals(after)) {
        all(after.name(), "changed", listener -> listener.functionChanged(before, after));
      }
      return;
    }
    if (before != null) {
      all(before.name(), "removed", listener -> listener.functionRemoved(before));
    }
    if (after != null) {
      all(after.name(), "added", listener -> listener.functionAdded(after));
    }
  }

  private void all(FunctionName name, String change, Consumer<FunctionListener> call) {
    log.info("Function {} {}", name, change);
    List.copyOf(listeners).forEach(listener -> call(listener, call));
    events.publish(new FunctionChanged(clock.instant(), name, change));
  }

  private static void call(FunctionListener listener, Consumer<FunctionListener> call) {
    try {
      call.accept(listener);
    } catch (RuntimeException e) {
      log.error("A listener of functions failed; it may not know the function", e);
    }
  }

  /** Two functions that cannot both run: {@code key} of the later one is at fault. */
  record Conflict(String key, String message) {

    static Optional<Conflict> of(FunctionSpec wanted, Collection<Entry> others) {
      boolean takes = takesSomething(wanted);
      for (Entry other : others) {
        FunctionSpec running = other.running;
        if (running != null && wanted.name().equals(running.name())) {
          return Optional.of(name(wanted.name(), other));
        }
        Optional<Conflict> conflict = running != null && takes ? beside(wanted, running, owner(other)) : Optional.empty();
        if (conflict.isPresent()) {
          return conflict;
        }
      }
      return Optional.empty();
    }

    /** Whether there is anything, beside its name, that no other function may have. */
    static boolean takesSomething(FunctionSpec function) {
      return function.network().port().isPresent() || function.httpTriggers().findAny().isPresent();
    }

    static Conflict name(FunctionName name, Entry owner) {
      return new Conflict("name", "function " + name + ": is declared by " + owner(owner)
          + " already; remove it there or choose another name");
    }

    /** Between functions of different names. */
    static Optional<Conflict> beside(FunctionSpec wanted, FunctionSpec other, String owner) {
      return paths(wanted, other, owner).or(() -> ports(wanted, other, owner));
    }

    private static Optional<Conflict> ports(FunctionSpec wanted, FunctionSpec other, String owner) {
      OptionalInt port = wanted.network().port();
      return port.isEmpty() || !port.equals(other.network().port()) ? Optional.empty()
          : Optional.of(new Conflict("service.port", "function " + wanted.name() + ": service.port: '" + port.getAsInt()
              + "' is that of function " + other.name() + " (" + owner + ") already; choose another, or none and the "
              + "gateway chooses one"));
    }

    private static Optional<Conflict> paths(FunctionSpec wanted, FunctionSpec other, String owner) {
      return wanted.httpTriggers().flatMap(mine -> other.httpTriggers()
          .filter(theirs -> mine.covers(theirs.path()) || theirs.covers(mine.path()))
          .map(theirs -> new Conflict("http " + mine.path(), "function " + wanted.name() + ": trigger.http: '"
              + mine.path() + "' collides with '" + theirs.path() + "' of function " + other.name() + " (" + owner
              + "); choose a path that is not inside the other"))).findFirst();
    }

    private static String owner(Entry entry) {
      return switch (entry.origin) {
        case Registry.API -> "the API";
        case Registry.CONFIGURATION -> "configuration " + entry.pid;
        default -> Registry.isPackage(entry.origin) ? entry.origin.replace(':', ' ') : entry.origin;
      };
    }

    static String owner(String origin) {
      return origin.equals(Registry.API) ? "the API" : origin;
    }

  }
}
