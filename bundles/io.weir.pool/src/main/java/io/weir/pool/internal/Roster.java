package io.weir.pool.internal;

import io.weir.engine.ColdStart;
import io.weir.engine.Instance.State;
import io.weir.engine.LeaseRefused;
import io.weir.function.FunctionSpec;
import io.weir.function.Rung;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What is known of one function: its instances, who waits for them, and how it has fared. Everything here is
 * guarded by the lock of its {@link FunctionInstances}, and used by it, its {@link Ascent} and its
 * {@link Descent} alone.
 *
 * <p>Plain loops: waking a function is rare, so the JVM interprets it, and a stream costs it many times what
 * a loop does.
 */
final class Roster {
  final Home home;
  final List<Slot> slots = new ArrayList<>();
  final WaitQueue waiters = new WaitQueue();
  final BackOff backOff = new BackOff();
  final Pin pin = new Pin();
  final Prospect prospect;
  final Autoscaler autoscaler;
  FunctionSpec spec;
  Costs costs;
  /** Id of the image instances are to be made from; empty until it was looked up. */
  String imageId = "";
  /** Why there is no instance, for whoever comes next. */
  ColdStart.Cause absence = ColdStart.Cause.NEVER_STARTED;
  int inFlight;
  /** When the last call came or ended; when the function was declared, if there was none. */
  long lastCallNanos;
  boolean called;
  /** Nothing is prepared before that. */
  long prepareAfterNanos;
  /** Whether instances of an earlier life were looked for; nothing is started before, lest it be doubled. */
  boolean settled;
  boolean removed;
  /** Whether this is no function yet: its one instance shows that it can be started. */
  final boolean rehearsal;

  Roster(FunctionSpec spec, Home home, FunctionInstances owner, boolean rehearsal) {
    this.home = home;
    this.rehearsal = rehearsal;
    this.spec = spec;
    this.costs = home.ledger().costs(spec);
    this.lastCallNanos = home.nanoTime();
    this.prepareAfterNanos = lastCallNanos;
    this.autoscaler = new Autoscaler(lastCallNanos);
    this.prospect = new Prospect(this, owner);
  }

  Slot newSlot(Rung goal, String why, long now) {
    Slot slot = new Slot(home.lifecycle().newName(spec), spec, goal, why, now);
    slot.imageId = imageId;
    slot.rehearsal = rehearsal;
    add(slot);
    return slot;
  }

  void add(Slot slot) {
    slot.kernel = home.kernel();
    slots.add(slot);
  }

  /** Made from the revision and the image that count now. */
  boolean isCurrent(Slot slot) {
    return slot.spec.revision().equals(spec.revision())
        && (slot.imageId.isEmpty() || imageId.isEmpty() || slot.imageId.equals(imageId));
  }

  boolean any(Predicate<Slot> which) {
    for (Slot slot : slots) {
      if (which.test(slot)) {
        return true;
      }
    }
    return false;
  }

  boolean none(Predicate<Slot> which) {
    return !any(which);
  }

  int count(Predicate<Slot> which) {
    int count = 0;
    for (Slot slot : slots) {
      count += which.test(slot) ? 1 : 0;
    }
    return count;
  }

  /** Those that serve, could at once or will, of the revision that counts. */
  int live() {
    return count(slot -> slot.isLive() && isCurrent(slot));
  }

  /** Longest unused first. */
  List<Slot> sorted(Predicate<Slot> which) {
    List<Slot> found = new ArrayList<>();
    for (Slot slot : slots) {
      if (which.test(slot)) {
        found.add(slot);
      }
    }
    if (found.size() > 1) {
      found.sort(Comparator.comparingLong(slot -> slot.lastUsedNanos));
    }
    return found;
  }

  List<Slot> frozen() {
    return sorted(slot -> slot.state() == State.FROZEN && !slot.unwanted && isCurrent(slot));
  }

  /** The warmest of those that are below running and may be taken up. */
  Optional<Slot> prepared() {
    Slot warmest = null;
    for (Slot slot : slots) {
      if (slot.isPrepared() && isCurrent(slot)
          && (warmest == null || slot.rung().compareTo(warmest.rung()) > 0)) {
        warmest = slot;
      }
    }
    return Optional.ofNullable(warmest);
  }

  /** The first of several equals, so that the others fall idle and can rest. */
  @Nullable Slot leastLoaded() {
    Slot best = null;
    for (Slot slot : slots) {
      if (slot.canServe() && (best == null || slot.load() < best.load())) {
        best = slot;
      }
    }
    return best;
  }

  void loadChanged(long now) {
    autoscaler.record(now, inFlight + direct() + waiters.size());
  }

  /** Requests in flight that nobody has a lease for. */
  int direct() {
    int sum = 0;
    for (Slot slot : slots) {
      sum += slot.direct;
    }
    return sum;
  }

  /** Takes a slot off the list; false if it was not on it. */
  boolean forget(Slot slot) {
    if (!slots.remove(slot)) {
      return false;
    }
    home.kernel().leave(slot.id);
    giveBack(slot);
    return true;
  }

  void giveBack(Slot slot) {
    home.budget().correct(-slot.charge);
    slot.charge = 0;
  }

  LeaseRefused gone() {
    return refused(LeaseRefused.Code.UNKNOWN_FUNCTION, "function " + spec.name() + " was removed",
        Duration.ZERO);
  }

  static LeaseRefused refused(LeaseRefused.Code code, String message, Duration retryAfter) {
    return new LeaseRefused(code, message, retryAfter, null);
  }
}
