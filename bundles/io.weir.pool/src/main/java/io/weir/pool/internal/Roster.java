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
 * What is known of one function: its instances, who waits for them, and how it has fared. Everything here is guarded by
 * the lock of its {@link FunctionInstances}, and used by it, its {@link Ascent} and its {@link Descent} alone.
 */
final class Roster {
  final Home home;
  final List<Slot> slots = new ArrayList<>();
  final WaitQueue waiters = new WaitQueue();
  final BackOff backOff = new BackOff();
  final Pin pin = new Pin();
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

  Roster(FunctionSpec spec, Home home) {
    this.home = home;
    this.spec = spec;
    this.costs = home.ledger().costs(spec);
    this.lastCallNanos = home.nanoTime();
    this.prepareAfterNanos = lastCallNanos;
    this.autoscaler = new Autoscaler(lastCallNanos);
  }

  Slot newSlot(Rung goal, String why, long now) {
    Slot slot = new Slot(home.lifecycle().newName(spec), spec, goal, why, now);
    slot.imageId = imageId;
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
    return slots.stream().anyMatch(which);
  }

  boolean none(Predicate<Slot> which) {
    return slots.stream().noneMatch(which);
  }

  int count(Predicate<Slot> which) {
    return (int) slots.stream().filter(which).count();
  }

  /** Those that serve, could at once or will, of the revision that counts. */
  int live() {
    return count(slot -> slot.isLive() && isCurrent(slot));
  }

  /** Longest unused first. */
  List<Slot> sorted(Predicate<Slot> which) {
    return slots.stream().filter(which).sorted(Comparator.comparingLong(slot -> slot.lastUsedNanos)).toList();
  }

  List<Slot> frozen() {
    return sorted(slot -> slot.state() == State.FROZEN && !slot.unwanted && isCurrent(slot));
  }

  /** The warmest of those that are below running and may be taken up. */
  Optional<Slot> prepared() {
    return slots.stream().filter(slot -> slot.isPrepared() && isCurrent(slot)).max(Comparator.comparing(Slot::rung));
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
    return slots.stream().mapToInt(slot -> slot.direct).sum();
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
    return refused(LeaseRefused.Code.UNKNOWN_FUNCTION, "function " + spec.name() + " was removed", Duration.ZERO);
  }

  static LeaseRefused refused(LeaseRefused.Code code, String message, Duration retryAfter) {
    return new LeaseRefused(code, message, retryAfter, null);
  }
}
