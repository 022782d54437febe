package io.weir.pool.internal;

import io.weir.engine.Breakdown;
import io.weir.engine.ColdStart;
import io.weir.engine.ContainerStats;
import io.weir.engine.Instance;
import io.weir.engine.Instance.State;
import io.weir.engine.Lease;
import io.weir.engine.LeaseRefused;
import io.weir.forecast.Outlook;
import io.weir.forecast.Prewarms;
import io.weir.function.FunctionSpec;
import io.weir.function.Rung;
import io.weir.function.Source;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The instances of one function and who waits for them: decides, while {@link Lifecycle} does.
 *
 * <p>Every method takes the lock only to decide; containers are touched and futures completed outside it.
 * What goes up is decided by {@link Ascent}, what goes down by {@link Descent}, who gets an instance by
 * {@link Leasing}, over the {@link Roster} that all share. After a change of revision the old instances serve
 * until a new one is ready.
 */
final class FunctionInstances {
  private final Home home;
  private final Roster roster;
  private final Leasing leasing;
  private final Ascent ascent;
  private final Descent descent;
  private final DirectCalls direct;

  FunctionInstances(FunctionSpec spec, Home home) {
    this(spec, home, false);
  }

  /** @param rehearsal whether there is to be one instance that shows that it can be started, and no more */
  FunctionInstances(FunctionSpec spec, Home home, boolean rehearsal) {
    this.home = home;
    this.roster = new Roster(spec, home, this, rehearsal);
    this.leasing = new Leasing(roster, this::release);
    this.descent = new Descent(roster, this);
    this.ascent = new Ascent(roster, this, descent);
    this.direct = new DirectCalls(roster, this, leasing, ascent, descent);
  }

  /** Decides under the lock, then does what was decided without it. */
  void decide(BiConsumer<Long, List<Runnable>> decision) {
    List<Runnable> todo = new ArrayList<>();
    synchronized (this) {
      decision.accept(home.nanoTime(), todo);
    }
    todo.forEach(Runnable::run);
  }

  // ---- requests ----

  CompletionStage<Lease> acquire(Duration patience) {
    List<Runnable> todo = new ArrayList<>();
    WaitQueue.Waiter waiter;
    synchronized (this) {
      long now = home.nanoTime();
      if (roster.removed) {
        return CompletableFuture.failedFuture(roster.gone());
      }
      roster.lastCallNanos = now;
      roster.called = true;
      roster.prospect.arrived(todo);
      roster.pin.release(todo);
      Slot free = roster.waiters.isEmpty() ? roster.leastLoaded() : null;
      if (free != null) {
        return CompletableFuture.completedFuture(leasing.lease(free, now, now));
      }
      LeaseRefused refusal = leasing.refusal(patience, now);
      if (refusal != null) {
        return CompletableFuture.failedFuture(refusal);
      }
      waiter = roster.waiters.add(now);
      roster.loadChanged(now);
      ascent.plan(now, todo);
    }
    todo.forEach(Runnable::run);
    if (!waiter.future().isDone()) {
      var timeout = home.scheduler().schedule(() -> giveUp(waiter, patience), patience.toNanos(),
          TimeUnit.NANOSECONDS);
      waiter.future().whenComplete((lease, error) -> timeout.cancel(false));
    }
    return waiter.future();
  }

  private void giveUp(WaitQueue.Waiter waiter, Duration patience) {
    synchronized (this) {
      if (!roster.waiters.remove(waiter)) {
        return;
      }
      roster.loadChanged(home.nanoTime());
    }
    waiter.future().completeExceptionally(Roster.refused(LeaseRefused.Code.WAITED_TOO_LONG, "no instance of "
        + roster.spec.name() + " was free within " + patience.toMillis() + " ms", Duration.ofSeconds(1)));
  }

  private void release(Slot slot, SlotLease.End end, long leasedSinceNanos) {
    decide((now, todo) -> {
      leasing.returned(slot, end, leasedSinceNanos, now);
      if (end == SlotLease.End.TIMED_OUT) {
        descent.replaceIfHung(slot, todo);
      } else if (end == SlotLease.End.CONNECTION_FAILED && !slot.suspect && !slot.dead
          && slot.state() == State.READY) {
        slot.suspect = true;
        todo.add(() -> home.lifecycle().examine(slot, this));
      }
      descent.endDrained(slot, todo);
      leasing.serveWaiters(now, todo);
      roster.loadChanged(now);
      ascent.plan(now, todo);
    });
  }

  /** Somebody has waited for as long as a start takes. */
  void lookAtQueue() {
    decide(ascent::planAgain);
  }

  // ---- what Ascent and Lifecycle report ----

  /** The budget has room for the slot. */
  synchronized void charged(Slot slot, long bytes) {
    if (roster.slots.contains(slot) && !slot.unwanted) {
      slot.charge += bytes;
    } else {
      home.budget().correct(-bytes);
    }
  }

  /** The budget has no room: the slot stays where it is, and whoever nobody else can serve is told. */
  void noRoom(Slot slot, LeaseRefused why) {
    decide((now, todo) -> {
      roster.prepareAfterNanos = now + Ascent.PREPARE_AGAIN.toNanos();
      if (slot.state() == State.CREATING && !slot.climbing) {
        roster.slots.remove(slot);
        home.lifecycle().disown(slot);
      } else {
        slot.goal = slot.rung();
      }
      leasing.refuseUnlessLive(why, now, todo);
      roster.pin.fail(why, todo);
    });
  }

  /** A thread takes the slot up; empty if another one does, or there is nothing to do. */
  synchronized Optional<State> begin(Slot slot) {
    if (slot.climbing || !roster.slots.contains(slot)) {
      return Optional.empty();
    }
    slot.climbing = true;
    if (slot.state() == State.CREATING) {
      if (slot.spec.source() instanceof Source.Handler) {
        slot.enter(State.STARTING);   // a runner comes ready-made
      }
      return Optional.of(slot.state());
    }
    return next(slot);
  }

  /** The container exists; from now on its death can be recognised. */
  synchronized void created(Slot slot, String id) {
    slot.id = id;
  }

  /** A runner took the slot's place. */
  synchronized void created(Slot slot, String id, String name) {
    slot.id = id;
    slot.name = name;
  }

  /** A step is done; answers the next one, or nothing if the slot rests here. */
  Optional<State> reached(Slot slot, State state, @Nullable InetSocketAddress address) {
    List<Runnable> todo = new ArrayList<>();
    Optional<State> next;
    synchronized (this) {
      long now = home.nanoTime();
      slot.enter(state);
      if (state == State.READY) {
        slot.address = address;
        roster.backOff.started();
        ready(slot, now, todo);
      }
      next = next(slot);
      ascent.plan(now, todo);
      roster.pin.check(roster.slots, todo);
    }
    todo.forEach(Runnable::run);
    return next;
  }

  private void ready(Slot slot, long now, List<Runnable> todo) {
    slot.readyNanos = now;
    slot.lastUsedNanos = now;
    if (!slot.unwanted) {
      descent.retireOutdated(todo);
      leasing.serveWaiters(now, todo);
    }
  }

  private Optional<State> next(Slot slot) {
    State state = slot.state();
    if (slot.unwanted) {
      roster.slots.remove(slot);
      slot.enter(State.STOPPING);
    } else if (state == State.CREATED && slot.goal == Rung.ARMED) {
      slot.enter(State.ARMING);
    } else if ((state == State.CREATED || state == State.ARMED) && slot.goal.compareTo(Rung.ARMED) > 0) {
      slot.enter(State.STARTING);
    } else if (state == State.READY && slot.goal == Rung.FROZEN && slot.load() == 0
        && home.kernel().rest(slot)) {
      slot.enter(State.FREEZING);
    } else {
      slot.climbing = false;
      return Optional.empty();
    }
    return Optional.of(slot.state());
  }

  /** The CPU is taken away, or could not be. Whoever came meanwhile gets it back at once. */
  void frozen(Slot slot, boolean succeeded) {
    decide((now, todo) -> {
      slot.climbing = false;
      if (slot.state() != State.FREEZING) {
        return;
      }
      slot.enter(succeeded ? State.FROZEN : State.READY);
      slot.goal = slot.rung();
      if (slot.unwanted) {
        descent.stop(slot, slot.why, todo);
      } else if (!succeeded) {
        slot.lastUsedNanos = now;   // not again at once
        leasing.serveWaiters(now, todo);
      } else if (slot.touched) {
        ascent.resume(slot, todo);
      }
      ascent.plan(now, todo);
      roster.pin.check(roster.slots, todo);
    });
  }

  /** The CPU is back. */
  void thawed(Slot slot) {
    decide((now, todo) -> {
      if (slot.state() != State.THAWING) {
        return;
      }
      slot.enter(State.READY);
      ready(slot, now, todo);
      if (slot.unwanted) {
        descent.stop(slot, slot.why, todo);
      }
      ascent.plan(now, todo);
      roster.pin.check(roster.slots, todo);
    });
  }

  /** The start failed; whoever waits is told why, unless there is an instance that can serve them. */
  void startFailed(Slot slot, LeaseRefused failure) {
    decide((now, todo) -> {
      roster.forget(slot);
      roster.prepareAfterNanos = now + Ascent.PREPARE_AGAIN.toNanos();
      boolean guess = roster.prospect.isGuess(slot);
      boolean wanted = slot.goal.compareTo(Rung.ARMED) > 0 && !slot.unwanted && !guess;
      if (guess) {
        roster.prospect.failed();
      }
      if (wanted) {
        roster.backOff.failed(failure, now);
      }
      LeaseRefused answer = Roster.refused(failure.code(), failure.getMessage(),
          roster.backOff.remaining(now));
      if (wanted) {
        leasing.refuseUnlessLive(answer, now, todo);
      }
      ascent.plan(now, todo);
      roster.pin.fail(answer, todo);
    });
  }

  /** The container is gone; starts another one if somebody waits. False if that was known already. */
  boolean died(Slot slot, LeaseRefused death) {
    boolean[] news = {false};
    decide((now, todo) -> {
      if (!roster.forget(slot)) {
        return;
      }
      news[0] = true;
      slot.dead = true;
      if (slot.rung().compareTo(Rung.FROZEN) >= 0) {
        roster.backOff.died(Duration.ofNanos(now - slot.readyNanos), death, now);
        roster.absence = ColdStart.Cause.CRASHED;
      } else {
        roster.prepareAfterNanos = now + Ascent.PREPARE_AGAIN.toNanos();
      }
      ascent.plan(now, todo);
      roster.pin.check(roster.slots, todo);
    });
    return news[0];
  }

  /** A suspect was looked at and lives. */
  void cleared(Slot slot) {
    decide((now, todo) -> {
      slot.suspect = false;
      leasing.serveWaiters(now, todo);
    });
  }

  // ---- what nobody asks for ----

  /** Looks after {@code min}, scale, replacement and rest. */
  void tend() {
    decide((now, todo) -> {
      descent.endOverdueDrains(todo);
      if (roster.settled && !roster.removed) {
        ascent.plan(now, todo);
        ascent.keepRunning(now, todo);
        ascent.autoscale(now, todo);
        rest(now, todo);
      }
    });
  }

  /** Another function's call tells something of this one's. */
  void announced() {
    decide((now, todo) -> {
      roster.prospect.changed();
      rest(now, todo);
    });
  }

  private void rest(long now, List<Runnable> todo) {
    if (roster.settled && !roster.removed && roster.waiters.isEmpty()) {
      Rung target = descent.target(now);
      descent.settle(target, now, todo);
      ascent.prepare(target, now, todo);
    }
    roster.pin.check(roster.slots, todo);
  }

  /** What would be given up first if memory is needed; empty if nothing may be. */
  synchronized Optional<Slot> cheapest() {
    return descent.cheapest();
  }

  /** Whether a slot was started for a call that has not come yet: whoever needs memory goes before it. */
  synchronized boolean isGuess(Slot slot) {
    return roster.prospect.isGuess(slot);
  }

  /**
   * Gives up a slot for the sake of others; answers the bytes that makes free, 0 if it has work meanwhile.
   */
  long evict(Slot slot) {
    long[] free = {0};
    decide((now, todo) -> free[0] = descent.evict(slot, now, todo));
    return free[0];
  }

  // ---- the function itself ----

  /** No earlier instance will be adopted any more. */
  void settle() {
    decide((now, todo) -> {
      roster.settled = true;
      ascent.plan(now, todo);
      rest(now, todo);
    });
  }

  /** Adopts an instance that an earlier life of the gateway started; false if it does not fit any more. */
  boolean adopt(Slot slot) {
    boolean[] fits = {false};
    decide((now, todo) -> {
      fits[0] = !roster.removed && roster.isCurrent(slot)
          && roster.count(Slot::isLive) < roster.spec.scaling().max();
      if (fits[0]) {
        slot.charge = roster.costs.memoryBytes(Rung.RUNNING);
        home.budget().correct(slot.charge);
        roster.add(slot);
        leasing.serveWaiters(now, todo);
      }
    });
    return fits[0];
  }

  void change(FunctionSpec next) {
    decide((now, todo) -> {
      boolean other = !roster.spec.revision().equals(next.revision());
      roster.spec = next;
      if (other) {
        roster.imageId = "";
        roster.costs = home.ledger().costs(next);
        descent.outdated(now, todo);
      }
      ascent.plan(now, todo);
    });
    direct.changed();
  }

  /** The function's image is this one now; what was made from another one is replaced. */
  void image(String id) {
    decide((now, todo) -> {
      if (roster.imageId.equals(id)) {
        return;
      }
      boolean other = !roster.imageId.isEmpty();
      roster.imageId = id;
      roster.prepareAfterNanos = now;
      if (other) {
        descent.outdated(now, todo);
      } else {
        // What was made before anybody looked was made of this.
        roster.slots.stream().filter(slot -> slot.imageId.isEmpty()).forEach(slot -> slot.imageId = id);
      }
    });
  }

  /** The function is no more: nobody gets a lease, requests in flight end, then its instances stop. */
  void remove() {
    decide((now, todo) -> {
      roster.removed = true;
      roster.prospect.close();
      leasing.refuseAll(roster.gone(), now, todo);
      for (Slot slot : List.copyOf(roster.slots)) {
        descent.drain(slot, "removed", todo);
      }
      roster.pin.fail(roster.gone(), todo);
    });
  }

  /** The gateway goes down: everybody who waits is told, every instance is stopped, busy or not. */
  void abandon() {
    LeaseRefused stopping =
        Roster.refused(LeaseRefused.Code.STOPPING, "the gateway is going down", Duration.ofSeconds(10));
    decide((now, todo) -> {
      roster.removed = true;
      leasing.refuseAll(stopping, now, todo);
      for (Slot slot : List.copyOf(roster.slots)) {
        slot.dead = true;
        descent.stop(slot, "shutdown", todo);
      }
      roster.pin.fail(stopping, todo);
    });
  }

  // ---- what operators want ----

  /** Brings the function to a rung, where it stays until the next call. */
  CompletionStage<Void> rest(Rung rung) {
    List<CompletableFuture<Void>> done = new ArrayList<>();
    decide((now, todo) -> {
      if (rung != Rung.RUNNING && !RestPolicy.rungs(roster.spec).contains(rung)) {
        done.add(CompletableFuture.failedFuture(new IllegalArgumentException(roster.spec.name()
            + " cannot rest at " + rung.label()
            + ": a handler's runner is frozen or not there; use frozen or image")));
        return;
      }
      done.add(roster.pin.set(rung, now, todo));
      rest(now, todo);
    });
    return done.get(0);
  }

  synchronized Prewarms prewarms() {
    return roster.prospect.prewarms();
  }

  Outlook outlook() {
    Outlook outlook;
    FunctionSpec spec;
    Costs costs;
    synchronized (this) {
      outlook = roster.prospect.outlook(descent.target(home.nanoTime()));
      spec = roster.spec;
      costs = roster.costs;
    }
    return new Outlook(outlook.function(), outlook.unused(), outlook.rests(), outlook.prewarms(),
        home.forecasting().report(spec, costs));
  }

  /** What reaches its instances past the gateway. */
  DirectCalls direct() {
    return direct;
  }

  synchronized FunctionSpec spec() {
    return roster.spec;
  }

  synchronized String imageId() {
    return roster.imageId;
  }

  synchronized Costs costs() {
    return roster.costs;
  }

  /** Whether somebody waits, or an instance works or is on its way. */
  synchronized boolean isBusy() {
    return !roster.waiters.isEmpty() || roster.inFlight + roster.direct() > 0
        || roster.any(slot -> slot.climbing);
  }

  synchronized Optional<Breakdown> breakdown() {
    return roster.backOff.breakdown(home.nanoTime());
  }

  synchronized Optional<Slot> byId(String id) {
    return roster.slots.stream().filter(slot -> slot.id.equals(id)).findFirst();
  }

  synchronized List<Slot> slots() {
    return List.copyOf(roster.slots);
  }

  /** Slots that can be metered now. */
  synchronized List<Slot> metered() {
    return roster.slots.stream()
        .filter(slot -> !slot.climbing && !slot.unwanted && slot.rung().compareTo(Rung.ARMED) >= 0).toList();
  }

  /** A slot was metered. */
  synchronized void measured(Slot slot, ContainerStats stats) {
    if (roster.slots.contains(slot) && !slot.unwanted) {
      long bytes = stats.memoryBytes();
      home.lifecycle().usage().measured(slot.function(), slot.id, stats);
      roster.costs.held(slot.rung(), bytes);
      home.budget().correct(bytes - slot.charge);
      slot.charge = bytes;
    }
  }

  synchronized List<Instance> views() {
    return roster.slots.stream().map(Slot::view).toList();
  }
}
