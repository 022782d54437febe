package io.weir.pool.internal;

import io.weir.engine.ColdStart;
import io.weir.engine.Instance.State;
import io.weir.engine.LeaseRefused;
import io.weir.function.Rung;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Decides which instances of a function go up the ladder. Methods that take {@code todo} are called with the
 * owner's lock held; what they add to it is run after the lock is released.
 *
 * <p>A burst on a sleeping function starts one instance; another one follows as soon as the first in the
 * queue has waited for longer than a start takes.
 */
final class Ascent {
  /** What could not be prepared is tried again after this; nobody waits for it. */
  static final Duration PREPARE_AGAIN = Duration.ofSeconds(30);
  private static final Duration AUTOSCALE = Duration.ofSeconds(2);

  private final Roster roster;
  private final Home home;
  private final FunctionInstances owner;
  private final Descent descent;
  private long autoscaledNanos;
  private boolean checkScheduled;

  Ascent(Roster roster, FunctionInstances owner, Descent descent) {
    this.roster = roster;
    this.home = roster.home;
    this.owner = owner;
    this.descent = descent;
    this.autoscaledNanos = roster.lastCallNanos;
  }

  /** Sees to it that those who wait will be served. */
  void plan(long now, List<Runnable> todo) {
    if (!roster.settled || roster.removed || roster.waiters.isEmpty()) {
      return;
    }
    int perInstance = roster.spec.scaling().concurrency();
    int unserved = roster.waiters.size() - roster.count(Slot::isComing) * perInstance;
    for (Slot frozen : roster.sorted(slot -> slot.state() == State.FROZEN && !slot.unwanted)) {
      if (unserved <= 0) {
        return;
      }
      thaw(frozen, demandCause(frozen), "demand", todo);
      unserved -= perInstance;
    }
    boolean first = roster.none(slot -> slot.isComing() || slot.state() == State.FREEZING);
    boolean impatient = roster.waiters.longest(now).compareTo(startTime()) >= 0;
    while (unserved > 0 && (first || impatient) && mayStart(now)) {
      ColdStart.Cause cause = demandCause(null);
      raise(bestStart(now), Rung.RUNNING, cause, "demand", todo);
      first = false;
      unserved -= perInstance;
    }
    if (unserved > 0 && !impatient && !checkScheduled) {
      checkScheduled = true;
      home.scheduler().schedule(owner::lookAtQueue, startTime().toNanos(), TimeUnit.NANOSECONDS);
    }
  }

  /** Takes an instance up that has work, if it rests or is on its way to. */
  void resume(Slot slot, List<Runnable> todo) {
    if (slot.unwanted) {
      return;
    }
    if (slot.state() == State.FROZEN) {
      thaw(slot, demandCause(slot), "demand", todo);
    } else if (slot.state() == State.FREEZING) {
      slot.touched = true;
    }
  }

  /** Sees to it that there is an instance, although nobody waits for one yet. */
  void bringUp(long now, List<Runnable> todo) {
    if (roster.any(slot -> !slot.unwanted && slot.isRunning() || slot.isComing())) {
      return;
    }
    Optional<Slot> resting = roster.sorted(slot -> !slot.unwanted
        && (slot.state() == State.FROZEN || slot.state() == State.FREEZING)).stream().findFirst();
    if (resting.isPresent()) {
      resume(resting.get(), todo);
    } else if (mayStart(now)) {
      raise(bestStart(now), Rung.RUNNING, demandCause(null), "demand", todo);
    }
  }

  /**
   * The look at the queue that was asked for; whoever still waits after a start's time is worth another
   * start.
   */
  void planAgain(long now, List<Runnable> todo) {
    checkScheduled = false;
    plan(now, todo);
  }

  private Duration startTime() {
    Rung from = roster.prepared().map(Slot::rung).orElse(Rung.IMAGE);
    return Duration.ofNanos((long) (roster.costs.resumeSeconds(from) * 1e9));
  }

  private boolean mayStart(long now) {
    return roster.backOff.remaining(now).isZero() && roster.live() < roster.spec.scaling().max();
  }

  private Slot bestStart(long now) {
    return roster.prepared().orElseGet(() -> roster.newSlot(Rung.RUNNING, "demand", now));
  }

  /** Why there is nothing ready for a request that comes now. */
  private ColdStart.Cause demandCause(@Nullable Slot resting) {
    boolean others = roster.any(slot -> slot != resting && (slot.isRunning() || slot.isComing()));
    return others ? ColdStart.Cause.BURST : roster.absence;
  }

  /** {@code min} instances, and one of the new revision beside the old. */
  void keepRunning(long now, List<Runnable> todo) {
    int current = roster.live();
    boolean replacing = current == 0 && roster.any(Slot::isLive);
    int min = roster.pin.wanted().isPresent() ? 0 : roster.spec.scaling().min();
    if (roster.none(Slot::isComing) && (current < min || replacing) && mayStart(now)) {
      raise(bestStart(now), Rung.RUNNING, replacing ? ColdStart.Cause.NEW_REVISION : roster.absence,
          replacing ? "new-revision" : "min", todo);
    }
    int awake = roster.count(slot -> roster.isCurrent(slot) && slot.isLive() && slot.state() != State.FROZEN);
    for (Slot frozen : roster.frozen()) {
      if (awake++ < min || roster.pin.is(Rung.RUNNING)) {
        thaw(frozen, roster.absence, "min", todo);
      }
    }
  }

  /** Follows the {@link Autoscaler}, every other second. */
  void autoscale(long now, List<Runnable> todo) {
    if (now - autoscaledNanos < AUTOSCALE.toNanos()) {
      return;
    }
    autoscaledNanos = now;
    List<Slot> awake = roster.sorted(slot -> roster.isCurrent(slot) && (slot.isRunning() || slot.isComing()));
    int desired = Math.min(roster.spec.scaling().max(),
        roster.autoscaler.desired(now, roster.spec.scaling().concurrency(), awake.size()));
    if (awake.size() >= desired) {
      boolean busy = awake.stream().allMatch(slot -> slot.load() > 0);
      if (busy && awake.size() > Math.max(desired, Math.max(1, roster.spec.scaling().min()))) {
        awake.stream().min(Comparator.comparingInt(Slot::load))
            .ifPresent(slot -> descent.drain(slot, "scale-in", todo));
      }
      return;
    }
    if (roster.inFlight + roster.direct() == 0 && roster.waiters.isEmpty()) {
      return;   // a burst that is over; thawing what has just been frozen would help nobody
    }
    for (int missing = desired - awake.size(); missing > 0; missing--) {
      Optional<Slot> frozen = roster.frozen().stream().findFirst();
      if (frozen.isPresent()) {
        thaw(frozen.get(), ColdStart.Cause.BURST, "scale-out", todo);
      } else if (mayStart(now)) {
        raise(bestStart(now), Rung.RUNNING, ColdStart.Cause.BURST, "scale-out", todo);
      }
    }
  }

  /** Without an instance that is up, one is prepared as far as is wanted, and no further. */
  void prepare(Rung target, long now, List<Runnable> todo) {
    boolean pinned = roster.pin.wanted().isPresent();
    if (roster.any(Slot::isLive) || roster.spec.scaling().min() > 0 && !pinned) {
      return;
    }
    if (target == Rung.FROZEN && !pinned && roster.prospect.mayPrewarm(now)) {
      if (prewarm(now, todo)) {
        return;
      }
      target = descent.fallback(now);
    }
    String why = pinned ? "operator" : "prepared";
    Optional<Slot> prepared = roster.slots.stream().filter(Slot::isPrepared).findFirst();
    if (prepared.isPresent()) {
      Slot slot = prepared.get();
      boolean resting = !slot.climbing && slot.rung() == slot.goal;
      if (!roster.isCurrent(slot) || resting && target.compareTo(slot.rung()) < 0) {
        descent.stop(slot, roster.isCurrent(slot) ? "idle" : "new-revision", todo);
      } else if (resting && target.compareTo(slot.rung()) > 0 && mayPrepare(now)) {
        raise(slot, target, roster.absence, why, todo);
      }
    } else if (target != Rung.IMAGE && mayPrepare(now) && (target.compareTo(Rung.ARMED) <= 0 || pinned)) {
      raise(roster.newSlot(target, why, now), target, roster.absence, why, todo);
    }
  }

  /**
   * Starts an instance for a call that is likely; false if the budget has no room. What is started for a
   * guess makes nobody give way, so it is charged under the lock: whoever needs the memory from now on finds
   * it to give up.
   */
  private boolean prewarm(long now, List<Runnable> todo) {
    Optional<Slot> prepared = roster.prepared();
    if (prepared.filter(slot -> slot.climbing).isPresent()) {
      return true;   // at the next look
    }
    long more = Math.max(0, roster.costs.expectedBytes() - prepared.map(slot -> slot.charge).orElse(0L));
    if (!home.budget().charge(more)) {
      roster.prospect.refused();
      return false;
    }
    Slot slot = prepared.orElseGet(() -> roster.newSlot(Rung.FROZEN, "forecast", now));
    slot.charge += more;
    slot.from = slot.rung();
    slot.goal = Rung.FROZEN;
    slot.cause = roster.absence;
    slot.why = "forecast";
    roster.prospect.guessed(slot);
    todo.add(() -> home.lifecycle().climb(slot, owner, false));
    return true;
  }

  private boolean mayPrepare(long now) {
    return (now >= roster.prepareAfterNanos || roster.pin.wanted().isPresent())
        && roster.backOff.remaining(now).isZero();
  }

  private void raise(Slot slot, Rung goal, ColdStart.Cause cause, String why, List<Runnable> todo) {
    slot.from = slot.rung();
    slot.goal = goal;
    slot.cause = cause;
    slot.why = roster.rehearsal ? "rehearsal" : why;
    long needed = goal == Rung.ARMED ? roster.costs.memoryBytes(Rung.ARMED)
        : goal == Rung.CREATED ? 0 : roster.costs.expectedBytes();
    long more = Math.max(0, needed - slot.charge);
    boolean demand = goal == Rung.RUNNING;
    todo.add(() -> {
      boolean room = demand ? home.admission().admit(more, roster.spec.scaling().priority())
          : home.budget().charge(more);
      if (room) {
        owner.charged(slot, more);
        home.lifecycle().climb(slot, owner, demand);
      } else {
        owner.noRoom(slot, noMemory(more));
      }
    });
  }

  private LeaseRefused noMemory(long bytes) {
    return Roster.refused(LeaseRefused.Code.OUT_OF_MEMORY, "an instance of " + roster.spec.name()
        + " needs about " + (bytes >> 20) + " MiB, and the memory budget of " + (home.budget().total() >> 20)
        + " MiB is held by instances that work or have a higher priority; raise memory.budget.mib of "
        + OnDemandPool.PID + " or lower memory of functions", Duration.ofSeconds(1));
  }

  private void thaw(Slot slot, ColdStart.Cause cause, String why, List<Runnable> todo) {
    slot.from = Rung.FROZEN;
    slot.goal = Rung.RUNNING;
    slot.cause = cause;
    slot.why = why;
    slot.enter(State.THAWING);
    todo.add(() -> home.lifecycle().thaw(slot, owner));
  }
}
