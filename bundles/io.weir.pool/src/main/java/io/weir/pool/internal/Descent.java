package io.weir.pool.internal;

import io.weir.engine.ColdStart;
import io.weir.engine.Instance.State;
import io.weir.function.Rung;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Decides which instances of a function go down the ladder: frozen, drained, stopped. Methods that take
 * {@code todo} are called with the owner's lock held; what they add to it is run after the lock is released.
 */
final class Descent {
  /** A burst's surplus instances are kept for as long as the autoscaler remembers it. */
  private static final Duration SURPLUS = Autoscaler.STABLE_WINDOW;
  /** One that drains is stopped when every request it had must have timed out. */
  private static final Duration DRAIN_SLACK = Duration.ofSeconds(5);

  /** A function that timed out so often in a row, or on all it serves at a time, hangs. */
  private static final int HUNG = 3;

  /**
   * A function that was never called is no likelier to be called soon than one that was called so long ago.
   */
  private static final Duration UNCALLED = Duration.ofHours(2);

  private final Roster roster;
  private final Home home;
  private final FunctionInstances owner;

  Descent(Roster roster, FunctionInstances owner) {
    this.roster = roster;
    this.home = roster.home;
    this.owner = owner;
  }

  /** Where the function is to rest now: where the operator wants it, or where it costs least. */
  Rung target(long now) {
    return roster.pin.wanted().orElseGet(() -> advised(now));
  }

  private Rung advised(long now) {
    Optional<Rung> advice = roster.rehearsal || roster.spec.scaling().rest().isPresent() ? Optional.empty()
        : roster.prospect.rung(now);
    return home.policy().rest(roster.spec, roster.costs, idle(now), roster.live() > 0, advice,
        roster.prospect.mayPrewarm(now));
  }

  /** How long the function has been without work, or what is up waits for work. */
  private Duration idle(long now) {
    boolean up = roster.live() > 0;
    long from = up ? roster.prospect.heldSince(roster.lastCallNanos, now) : roster.lastCallNanos;
    Duration since = Duration.ofNanos(now - from);
    return !up && !roster.called && since.compareTo(UNCALLED) < 0 ? UNCALLED : since;
  }

  /** Where it rests if nothing may be started. */
  Rung fallback(long now) {
    return home.policy().cheapest(roster.spec, roster.costs, idle(now), false);
  }

  /** Takes idle instances down to the rung. */
  void settle(Rung target, long now, List<Runnable> todo) {
    boolean pinned = roster.pin.wanted().isPresent();
    boolean alwaysRuns = target == Rung.RUNNING
        && (pinned || roster.spec.scaling().rest().equals(Optional.of(Rung.RUNNING)));
    boolean pressed = home.budget().pressed() || home.budget().exceeded();
    int spare = roster.live() - (pinned ? 0 : roster.spec.scaling().min());
    for (Slot slot : roster.sorted(slot -> slot.isIdle() && roster.isCurrent(slot) && !slot.unwanted)) {
      if (spare <= 0 || target == Rung.RUNNING && spare == 1) {
        return;
      }
      boolean last = spare == 1;
      Duration unused = Duration.ofNanos(now - slot.lastUsedNanos);
      if (!last && unused.compareTo(SURPLUS) > 0) {
        end(slot, "scale-in", now, todo);
      } else if (target.compareTo(Rung.FROZEN) < 0 && (last || pinned)) {
        if (end(slot, pinned ? "operator" : "idle", now, todo)) {
          roster.absence = ColdStart.Cause.SCALED_TO_ZERO;
        }
      } else if (slot.state() == State.READY && !alwaysRuns
          && (pressed || pinned || unused.compareTo(home.settings().freezeAfter()) > 0)) {
        freeze(slot, pinned ? "operator" : "idle", now, todo);
      }
      spare--;
    }
  }

  private void freeze(Slot slot, String why, long now, List<Runnable> todo) {
    if (!home.kernel().rest(slot)) {
      slot.lastUsedNanos = now;   // it has got work meanwhile
      return;
    }
    roster.absence = ColdStart.Cause.SCALED_TO_ZERO;
    slot.goal = Rung.FROZEN;
    slot.why = why;
    slot.climbing = true;
    slot.enter(State.FREEZING);
    todo.add(() -> home.lifecycle().freeze(slot, owner));
  }

  /** Stops an idle one; false if it has got work meanwhile. */
  private boolean end(Slot slot, String why, long now, List<Runnable> todo) {
    if (!home.kernel().quiesce(slot)) {
      home.kernel().open(slot);
      slot.lastUsedNanos = now;
      return false;
    }
    stop(slot, why, todo);
    return true;
  }

  /** No new requests; stopped when the last one it has is over. */
  void drain(Slot slot, String why, List<Runnable> todo) {
    if (slot.state() == State.READY && (!home.kernel().quiesce(slot) || slot.inFlight > 0)) {
      slot.why = why;
      slot.enter(State.DRAINING);
    } else if (slot.state() != State.DRAINING) {
      stop(slot, why, todo);
    }
  }

  /** Somebody's time was over before the instance answered. */
  void replaceIfHung(Slot slot, List<Runnable> todo) {
    if (slot.state() == State.READY && slot.timeouts >= Math.min(HUNG, roster.spec.scaling().concurrency())) {
      roster.absence = ColdStart.Cause.CRASHED;
      todo.add(() -> home.lifecycle().tell(slot, "hung", Duration.ZERO,
          slot.timeouts + " requests in a row timed out; it is replaced"));
      drain(slot, "hung", todo);
    }
  }

  /**
   * Stops one that drains if its last request is over. The kernel is asked again: what it counted while a
   * lease was out may have been that lease's request, already answered, or another one.
   */
  void endDrained(Slot slot, List<Runnable> todo) {
    if (slot.state() == State.DRAINING && slot.inFlight == 0 && home.kernel().quiesce(slot)) {
      stop(slot, slot.why, todo);
    }
  }

  void endOverdueDrains(List<Runnable> todo) {
    Duration longest = roster.spec.timeout().plus(DRAIN_SLACK);
    for (Slot slot : roster.sorted(slot -> slot.state() == State.DRAINING)) {
      if (Duration.between(slot.since, Instant.now()).compareTo(longest) > 0) {
        stop(slot, slot.why, todo);
      }
    }
  }

  /**
   * Takes a slot off the list; its memory counts as free from now on, although giving it back takes a moment.
   */
  void stop(Slot slot, String why, List<Runnable> todo) {
    slot.why = why;
    roster.giveBack(slot);
    if (slot.climbing || slot.state() == State.THAWING) {
      slot.unwanted = true;   // whoever is at it stops it
      return;
    }
    roster.slots.remove(slot);
    if (slot.state() == State.CREATING) {
      home.lifecycle().disown(slot);
      return;
    }
    slot.enter(State.STOPPING);
    todo.add(() -> home.lifecycle().stop(slot));
  }

  /** Instances of an earlier revision or image go as soon as a new one can serve. */
  void retireOutdated(List<Runnable> todo) {
    if (roster.any(slot -> slot.state() == State.READY && roster.isCurrent(slot))) {
      for (Slot slot : roster.sorted(slot -> !roster.isCurrent(slot) && !slot.unwanted)) {
        drain(slot, "new-revision", todo);
      }
    }
  }

  /** The revision or the image is another one now: what was merely prepared is of no use. */
  void outdated(long now, List<Runnable> todo) {
    roster.backOff.forget();
    roster.prepareAfterNanos = now;
    if (roster.absence != ColdStart.Cause.NEVER_STARTED) {
      roster.absence = ColdStart.Cause.NEW_REVISION;
    }
    for (Slot slot : roster.sorted(slot -> !roster.isCurrent(slot) && slot.isPrepared())) {
      stop(slot, "new-revision", todo);
    }
  }

  /** What would be given up first if memory is needed; empty if nothing may be. */
  Optional<Slot> cheapest() {
    int up = roster.count(Slot::isLive);
    return roster.sorted(this::mayGo).stream()
        .filter(slot -> slot.isPrepared() || up > roster.spec.scaling().min()).findFirst();
  }

  private boolean mayGo(Slot slot) {
    return slot.charge > 0 && !slot.unwanted
        && (roster.prospect.isGuess(slot) || !slot.climbing && (slot.isIdle() || slot.isPrepared()));
  }

  /**
   * Gives up a slot for the sake of others; answers the bytes that makes free, 0 if it has work meanwhile.
   */
  long evict(Slot slot, long now, List<Runnable> todo) {
    if (!roster.slots.contains(slot) || !mayGo(slot)) {
      return 0;
    }
    long free = slot.charge;
    if (slot.isComing()) {
      stop(slot, "evicted", todo);   // a guess on its way up; nobody waits for it
    } else if (!end(slot, "evicted", now, todo)) {
      return 0;
    }
    roster.absence = ColdStart.Cause.EVICTED;
    roster.prepareAfterNanos = now + Ascent.PREPARE_AGAIN.toNanos();
    return free;
  }
}
