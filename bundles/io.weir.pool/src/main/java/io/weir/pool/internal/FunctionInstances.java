package io.weir.pool.internal;

import io.weir.engine.Breakdown;
import io.weir.engine.ColdStart;
import io.weir.engine.Instance;
import io.weir.engine.Instance.State;
import io.weir.engine.Lease;
import io.weir.engine.LeaseRefused;
import io.weir.function.FunctionSpec;
import io.weir.function.Rung;
import io.weir.function.Source;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The instances of one function and who waits for them: decides, while {@link Lifecycle} does.
 *
 * <p>Every method takes the lock only to decide; containers are touched and futures completed outside it. A burst on a
 * sleeping function starts one instance; another one follows as soon as the first in the queue has waited for longer than
 * a start takes. After a change of revision the old instances serve until a new one is ready.
 */
final class FunctionInstances {
  /** A burst's surplus instances are kept this long, like Knative's, and one that drains gets its function's timeout. */
  private static final Duration SURPLUS = Autoscaler.STABLE_WINDOW;
  private static final Duration DRAIN_SLACK = Duration.ofSeconds(5);
  /** What could not be prepared is tried again after this; nobody waits for it. */
  private static final Duration PREPARE_AGAIN = Duration.ofSeconds(30);
  private static final Duration AUTOSCALE = Duration.ofSeconds(2);
  /** A function that timed out so often in a row, or on all it serves at a time, hangs. */
  private static final int HUNG = 3;

  private final Home home;
  private final List<Slot> slots = new ArrayList<>();
  private final WaitQueue waiters = new WaitQueue();
  private final BackOff backOff = new BackOff();
  private final Autoscaler autoscaler;
  private final Pin pin = new Pin();
  private FunctionSpec spec;
  private Costs costs;
  /** Id of the image instances are to be made from; empty until it was looked up. */
  private String imageId = "";
  private ColdStart.Cause absence = ColdStart.Cause.NEVER_STARTED;
  private int inFlight;
  private long lastCallNanos;
  private long prepareAfterNanos;
  private long autoscaledNanos;
  private boolean checkScheduled;
  /** Whether instances of an earlier life were looked for; nothing is started before, lest it be doubled. */
  private boolean settled;
  private boolean removed;

  FunctionInstances(FunctionSpec spec, Home home) {
    this.spec = spec;
    this.home = home;
    this.costs = home.ledger().costs(spec);
    this.lastCallNanos = home.nanoTime();
    this.prepareAfterNanos = lastCallNanos;
    this.autoscaledNanos = lastCallNanos;
    this.autoscaler = new Autoscaler(lastCallNanos);
  }

  // ---- requests ----

  CompletionStage<Lease> acquire(Duration patience) {
    List<Runnable> todo = new ArrayList<>();
    WaitQueue.Waiter waiter;
    synchronized (this) {
      long now = home.nanoTime();
      if (removed) {
        return CompletableFuture.failedFuture(gone());
      }
      lastCallNanos = now;
      pin.release(todo);
      Slot free = waiters.isEmpty() ? leastLoaded() : null;
      if (free != null) {
        return CompletableFuture.completedFuture(lease(free, now, now));
      }
      LeaseRefused refusal = refusal(patience, now);
      if (refusal != null) {
        return CompletableFuture.failedFuture(refusal);
      }
      waiter = waiters.add(now);
      loadChanged(now);
      plan(now, todo);
    }
    todo.forEach(Runnable::run);
    if (!waiter.future().isDone()) {
      var timeout = home.scheduler().schedule(() -> giveUp(waiter, patience), patience.toNanos(), TimeUnit.NANOSECONDS);
      waiter.future().whenComplete((lease, error) -> timeout.cancel(false));
    }
    return waiter.future();
  }

  private @Nullable LeaseRefused refusal(Duration patience, long now) {
    if (waiters.size() >= home.settings().queueLength()) {
      return refused(LeaseRefused.Code.QUEUE_FULL, waiters.size() + " requests wait for " + spec.name()
          + " already; raise instances.max or concurrency", Duration.ofSeconds(1));
    }
    Duration expected = waiters.expectedWait(spec.scaling().max() * spec.scaling().concurrency());
    if (expected.compareTo(patience) > 0) {
      return refused(LeaseRefused.Code.QUEUE_FULL, waiters.size() + " requests wait for " + spec.name()
          + ", which takes about " + expected.toMillis() + " ms; raise instances.max or concurrency", Duration.ofSeconds(1));
    }
    Duration wait = backOff.remaining(now);
    Optional<LeaseRefused> failure = backOff.failure();
    if (failure.isPresent() && !wait.isZero() && slots.stream().noneMatch(Slot::isLive)) {
      return refused(failure.get().code(), failure.get().getMessage(), wait);
    }
    return null;
  }

  private void giveUp(WaitQueue.Waiter waiter, Duration patience) {
    synchronized (this) {
      if (!waiters.remove(waiter)) {
        return;
      }
      loadChanged(home.nanoTime());
    }
    waiter.future().completeExceptionally(refused(LeaseRefused.Code.WAITED_TOO_LONG,
        "no instance of " + spec.name() + " was free within " + patience.toMillis() + " ms", Duration.ofSeconds(1)));
  }

  private void release(Slot slot, SlotLease.End end, long leasedSinceNanos) {
    List<Runnable> todo = new ArrayList<>();
    synchronized (this) {
      long now = home.nanoTime();
      slot.inFlight--;
      slot.served++;
      slot.lastUsedNanos = now;
      lastCallNanos = now;
      inFlight--;
      if (end == SlotLease.End.ANSWERED) {
        slot.timeouts = 0;
        waiters.served(now - leasedSinceNanos);
        if (now - slot.readyNanos > BackOff.GOOD_LIFE.toNanos()) {
          backOff.lived();
        }
      } else if (end == SlotLease.End.TIMED_OUT) {
        slot.timeouts++;
        replaceIfHung(slot, todo);
      } else if (!slot.suspect && !slot.dead && slot.state() == State.READY) {
        slot.suspect = true;
        todo.add(() -> home.lifecycle().examine(slot, this));
      }
      if (slot.state() == State.DRAINING && slot.inFlight == 0) {
        stop(slot, slot.why, todo);
      }
      serveWaiters(now, todo);
      loadChanged(now);
      plan(now, todo);
    }
    todo.forEach(Runnable::run);
  }

  private void replaceIfHung(Slot slot, List<Runnable> todo) {
    if (slot.state() == State.READY && slot.timeouts >= Math.min(HUNG, spec.scaling().concurrency())) {
      absence = ColdStart.Cause.CRASHED;
      todo.add(() -> home.lifecycle().tell(slot, "hung", Duration.ZERO,
          slot.timeouts + " requests in a row timed out; it is replaced"));
      drain(slot, "hung", todo);
    }
  }

  private void serveWaiters(long now, List<Runnable> todo) {
    while (!waiters.isEmpty()) {
      Slot free = leastLoaded();
      if (free == null) {
        return;
      }
      WaitQueue.Waiter waiter = waiters.next();
      Lease lease = lease(free, waiter.sinceNanos(), now);
      todo.add(() -> {
        if (!waiter.future().complete(lease)) {
          lease.release();
        }
      });
    }
  }

  /** The first of several equals, so that the others fall idle and can rest. */
  private @Nullable Slot leastLoaded() {
    Slot best = null;
    for (Slot slot : slots) {
      if (slot.canServe() && (best == null || slot.inFlight < best.inFlight)) {
        best = slot;
      }
    }
    return best;
  }

  /** A cold start is what somebody felt who came before the instance was ready; waiting for a busy one is not. */
  private Lease lease(Slot slot, long waitingSinceNanos, long now) {
    slot.inFlight++;
    inFlight++;
    loadChanged(now);
    long waited = slot.readyNanos - waitingSinceNanos;
    return new SlotLease(slot, waited <= 0 ? Optional.empty()
        : Optional.of(new ColdStart(slot.cause, slot.from, Duration.ofNanos(waited))), now, this::release);
  }

  private void loadChanged(long now) {
    autoscaler.record(now, inFlight + waiters.size());
  }

  // ---- upwards ----

  /** Sees to it that those who wait will be served; call with the lock held and run the answer without. */
  private void plan(long now, List<Runnable> todo) {
    if (!settled || removed || waiters.isEmpty()) {
      return;
    }
    int perInstance = spec.scaling().concurrency();
    int unserved = waiters.size() - (int) slots.stream().filter(Slot::isComing).count() * perInstance;
    for (Slot frozen : sorted(slot -> slot.state() == State.FROZEN && !slot.unwanted)) {
      if (unserved <= 0) {
        return;
      }
      thaw(frozen, demandCause(frozen), "demand", todo);
      unserved -= perInstance;
    }
    boolean first = slots.stream().noneMatch(slot -> slot.isComing() || slot.state() == State.FREEZING);
    boolean impatient = waiters.longest(now).compareTo(startTime()) >= 0;
    while (unserved > 0 && (first || impatient) && mayStart(now)) {
      ColdStart.Cause cause = demandCause(null);
      raise(bestStart(now), Rung.RUNNING, cause, "demand", todo);
      first = false;
      unserved -= perInstance;
    }
    if (unserved > 0 && !impatient && !checkScheduled) {
      checkScheduled = true;
      home.scheduler().schedule(this::checkQueue, startTime().toNanos(), TimeUnit.NANOSECONDS);
    }
  }

  /** Whoever still waits after a start's time is worth another start. */
  private void checkQueue() {
    List<Runnable> todo = new ArrayList<>();
    synchronized (this) {
      checkScheduled = false;
      plan(home.nanoTime(), todo);
    }
    todo.forEach(Runnable::run);
  }

  private Duration startTime() {
    return Duration.ofNanos((long) (costs.resumeSeconds(bestStartRung()) * 1e9));
  }

  private Rung bestStartRung() {
    return slots.stream().filter(this::isCurrent).filter(Slot::isPrepared).map(Slot::rung).max(Comparator.naturalOrder())
        .orElse(Rung.IMAGE);
  }

  private boolean mayStart(long now) {
    return backOff.remaining(now).isZero()
        && slots.stream().filter(slot -> slot.isLive() && isCurrent(slot)).count() < spec.scaling().max();
  }

  /** The warmest of those that are prepared, or a new one. */
  private Slot bestStart(long now) {
    return slots.stream().filter(this::isCurrent).filter(Slot::isPrepared).max(Comparator.comparing(Slot::rung))
        .orElseGet(() -> newSlot(Rung.RUNNING, "demand", now));
  }

  private Slot newSlot(Rung goal, String why, long now) {
    Slot slot = new Slot(home.lifecycle().newName(spec), spec, goal, why, now);
    slot.imageId = imageId;
    slots.add(slot);
    return slot;
  }

  /** Why there is nothing ready for a request that comes now. */
  private ColdStart.Cause demandCause(@Nullable Slot resting) {
    boolean running = slots.stream().anyMatch(slot -> slot != resting && (slot.isRunning() || slot.isComing()));
    return running ? ColdStart.Cause.BURST : absence;
  }

  private void raise(Slot slot, Rung goal, ColdStart.Cause cause, String why, List<Runnable> todo) {
    slot.from = slot.rung();
    slot.goal = goal;
    slot.cause = cause;
    slot.why = why;
    long more = Math.max(0, (goal == Rung.ARMED ? costs.memoryBytes(Rung.ARMED) : goal == Rung.CREATED ? 0
        : costs.expectedBytes()) - slot.charge);
    boolean demand = goal == Rung.RUNNING;
    todo.add(() -> {
      if (demand ? home.admission().admit(more, spec.scaling().priority()) : home.budget().charge(more)) {
        charged(slot, more);
        home.lifecycle().climb(slot, this, demand);
      } else {
        noRoom(slot, more);
      }
    });
  }

  private synchronized void charged(Slot slot, long bytes) {
    if (slots.contains(slot) && !slot.unwanted) {
      slot.charge += bytes;
    } else {
      home.budget().correct(-bytes);
    }
  }

  private void noRoom(Slot slot, long bytes) {
    List<Runnable> todo = new ArrayList<>();
    List<WaitQueue.Waiter> told = List.of();
    synchronized (this) {
      long now = home.nanoTime();
      prepareAfterNanos = now + PREPARE_AGAIN.toNanos();
      if (slot.state() == State.CREATING && !slot.climbing) {
        slots.remove(slot);
        home.lifecycle().disown(slot);
      } else {
        slot.goal = slot.rung();   // stays where it is
      }
      if (slots.stream().noneMatch(Slot::isLive)) {
        told = waiters.takeAll();
        loadChanged(now);
      }
      pin.fail(noMemory(bytes), todo);
    }
    todo.forEach(Runnable::run);
    WaitQueue.tell(told, noMemory(bytes));
  }

  private LeaseRefused noMemory(long bytes) {
    return refused(LeaseRefused.Code.OUT_OF_MEMORY, "an instance of " + spec.name() + " needs about " + (bytes >> 20)
        + " MiB, and the memory budget of " + (home.budget().total() >> 20) + " MiB is held by instances that work or have"
        + " a higher priority; raise memory.budget.mib of " + OnDemandPool.PID + " or lower memory of functions",
        Duration.ofSeconds(1));
  }

  private void thaw(Slot slot, ColdStart.Cause cause, String why, List<Runnable> todo) {
    slot.from = Rung.FROZEN;
    slot.goal = Rung.RUNNING;
    slot.cause = cause;
    slot.why = why;
    slot.enter(State.THAWING);
    todo.add(() -> home.lifecycle().thaw(slot, this));
  }

  // ---- what Lifecycle reports ----

  /** A thread takes the slot up; empty if another one does, or there is nothing to do. */
  synchronized Optional<State> begin(Slot slot) {
    if (slot.climbing || !slots.contains(slot)) {
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
        slot.readyNanos = now;
        slot.lastUsedNanos = now;
        backOff.started();
        if (!slot.unwanted) {
          retireOutdated(todo);
          serveWaiters(now, todo);
        }
      }
      next = next(slot);
      plan(now, todo);
      checkPin(todo);
    }
    todo.forEach(Runnable::run);
    return next;
  }

  private Optional<State> next(Slot slot) {
    State state = slot.state();
    if (slot.unwanted) {
      slots.remove(slot);
      slot.enter(State.STOPPING);
    } else if (state == State.CREATED && slot.goal == Rung.ARMED) {
      slot.enter(State.ARMING);
    } else if ((state == State.CREATED || state == State.ARMED) && slot.goal.compareTo(Rung.ARMED) > 0) {
      slot.enter(State.STARTING);
    } else if (state == State.READY && slot.goal == Rung.FROZEN && slot.inFlight == 0) {
      slot.enter(State.FREEZING);
    } else {
      slot.climbing = false;
      return Optional.empty();
    }
    return Optional.of(slot.state());
  }

  /** The CPU is taken away. Whoever came meanwhile gets it back at once. */
  void frozen(Slot slot, boolean succeeded) {
    List<Runnable> todo = new ArrayList<>();
    synchronized (this) {
      long now = home.nanoTime();
      slot.climbing = false;
      if (slot.state() != State.FREEZING) {
        return;
      }
      slot.enter(succeeded ? State.FROZEN : State.READY);
      slot.goal = slot.rung();
      slot.readyNanos = now;
      if (slot.unwanted) {
        stop(slot, slot.why, todo);
      } else if (!succeeded) {
        slot.lastUsedNanos = now;   // not again at once
        serveWaiters(now, todo);
      }
      plan(now, todo);
      checkPin(todo);
    }
    todo.forEach(Runnable::run);
  }

  /** The CPU is back. */
  void thawed(Slot slot) {
    List<Runnable> todo = new ArrayList<>();
    synchronized (this) {
      long now = home.nanoTime();
      if (slot.state() != State.THAWING) {
        return;
      }
      slot.enter(State.READY);
      slot.readyNanos = now;
      slot.lastUsedNanos = now;
      if (slot.unwanted) {
        stop(slot, slot.why, todo);
      }
      retireOutdated(todo);
      serveWaiters(now, todo);
      plan(now, todo);
      checkPin(todo);
    }
    todo.forEach(Runnable::run);
  }

  /** The start failed; whoever waits is told why, unless there is an instance that can serve them. */
  void startFailed(Slot slot, LeaseRefused failure) {
    List<Runnable> todo = new ArrayList<>();
    List<WaitQueue.Waiter> told = List.of();
    LeaseRefused answer;
    synchronized (this) {
      long now = home.nanoTime();
      forget(slot);
      prepareAfterNanos = now + PREPARE_AGAIN.toNanos();
      boolean wanted = slot.goal.compareTo(Rung.ARMED) > 0 && !slot.unwanted;
      if (wanted) {
        backOff.failed(failure, now);
      }
      answer = refused(failure.code(), failure.getMessage(), backOff.remaining(now));
      if (wanted && slots.stream().noneMatch(Slot::isLive)) {
        told = waiters.takeAll();
        loadChanged(now);
      } else {
        plan(now, todo);
      }
      pin.fail(answer, todo);
    }
    todo.forEach(Runnable::run);
    WaitQueue.tell(told, answer);
  }

  /** The container is gone; starts another one if somebody waits. False if that was known already. */
  boolean died(Slot slot, LeaseRefused death) {
    List<Runnable> todo = new ArrayList<>();
    synchronized (this) {
      if (!forget(slot)) {
        return false;
      }
      slot.dead = true;
      long now = home.nanoTime();
      if (slot.rung().compareTo(Rung.FROZEN) >= 0) {
        backOff.died(Duration.ofNanos(now - slot.readyNanos), death, now);
        absence = ColdStart.Cause.CRASHED;
      } else {
        prepareAfterNanos = now + PREPARE_AGAIN.toNanos();
      }
      plan(now, todo);
      checkPin(todo);
    }
    todo.forEach(Runnable::run);
    return true;
  }

  /** A suspect was looked at and lives. */
  void cleared(Slot slot) {
    List<Runnable> todo = new ArrayList<>();
    synchronized (this) {
      slot.suspect = false;
      serveWaiters(home.nanoTime(), todo);
    }
    todo.forEach(Runnable::run);
  }

  private boolean forget(Slot slot) {
    if (!slots.remove(slot)) {
      return false;
    }
    giveBack(slot);
    return true;
  }

  private void giveBack(Slot slot) {
    home.budget().correct(-slot.charge);
    slot.charge = 0;
  }

  // ---- what must run, what may rest ----

  /** Looks after everything that nobody asks for: {@code min}, scale, replacement, rest. */
  void tend() {
    List<Runnable> todo = new ArrayList<>();
    synchronized (this) {
      if (!settled || removed) {
        return;
      }
      long now = home.nanoTime();
      plan(now, todo);
      keepRunning(now, todo);
      autoscale(now, todo);
      endOverdueDrains(now, todo);
      settleDown(now, todo);
      checkPin(todo);
    }
    todo.forEach(Runnable::run);
  }

  /** {@code min} instances, and one of the new revision beside the old. */
  private void keepRunning(long now, List<Runnable> todo) {
    long current = slots.stream().filter(slot -> isCurrent(slot) && slot.isLive()).count();
    boolean coming = slots.stream().anyMatch(Slot::isComing);
    boolean replacing = current == 0 && slots.stream().anyMatch(Slot::isLive);
    int min = pin.wanted().isPresent() ? 0 : spec.scaling().min();
    if (!coming && (current < min || replacing) && mayStart(now)) {
      raise(bestStart(now), Rung.RUNNING, replacing ? ColdStart.Cause.NEW_REVISION : absence,
          replacing ? "new-revision" : "min", todo);
    }
    long awake = slots.stream().filter(slot -> isCurrent(slot) && slot.isLive() && slot.state() != State.FROZEN).count();
    for (Slot frozen : sorted(slot -> slot.state() == State.FROZEN && isCurrent(slot))) {
      if (awake++ < min || pin.is(Rung.RUNNING)) {
        thaw(frozen, absence, "min", todo);
      }
    }
  }

  private void autoscale(long now, List<Runnable> todo) {
    if (now - autoscaledNanos < AUTOSCALE.toNanos()) {
      return;
    }
    autoscaledNanos = now;
    List<Slot> awake = sorted(slot -> isCurrent(slot) && (slot.isRunning() || slot.isComing()));
    int desired = Math.min(spec.scaling().max(), autoscaler.desired(now, spec.scaling().concurrency(), awake.size()));
    if (awake.size() >= desired) {
      boolean busy = awake.stream().allMatch(slot -> slot.inFlight > 0);
      if (busy && awake.size() > Math.max(desired, Math.max(1, spec.scaling().min()))) {
        awake.stream().min(Comparator.comparingInt(slot -> slot.inFlight)).ifPresent(slot -> drain(slot, "scale-in", todo));
      }
      return;
    }
    for (int missing = desired - awake.size(); missing > 0; missing--) {
      Optional<Slot> frozen = sorted(slot -> slot.state() == State.FROZEN && isCurrent(slot)).stream().findFirst();
      if (frozen.isPresent()) {
        thaw(frozen.get(), ColdStart.Cause.BURST, "scale-out", todo);
      } else if (mayStart(now)) {
        raise(bestStart(now), Rung.RUNNING, ColdStart.Cause.BURST, "scale-out", todo);
      }
    }
  }

  private void endOverdueDrains(long now, List<Runnable> todo) {
    Duration longest = spec.timeout().plus(DRAIN_SLACK);
    for (Slot slot : sorted(slot -> slot.state() == State.DRAINING)) {
      if (Duration.between(slot.since, java.time.Instant.now()).compareTo(longest) > 0) {
        stop(slot, slot.why, todo);
      }
    }
  }

  private void settleDown(long now, List<Runnable> todo) {
    if (!waiters.isEmpty()) {
      return;
    }
    Duration idle = Duration.ofNanos(now - lastCallNanos);
    boolean up = slots.stream().anyMatch(slot -> isCurrent(slot) && slot.isLive());
    Rung target = pin.wanted().orElseGet(() -> home.policy().rest(spec, costs, idle, up));
    long spare = slots.stream().filter(slot -> isCurrent(slot) && slot.isLive()).count()
        - (pin.wanted().isPresent() ? 0 : spec.scaling().min());
    boolean pressed = home.budget().pressed() || home.budget().exceeded();
    boolean alwaysRuns = pin.is(Rung.RUNNING) || spec.scaling().rest().equals(Optional.of(Rung.RUNNING)) && pin.wanted().isEmpty();
    for (Slot slot : sorted(slot -> slot.isIdle() && isCurrent(slot) && !slot.unwanted)) {
      if (spare <= 0 || target == Rung.RUNNING && spare == 1) {
        break;
      }
      boolean last = spare == 1;
      Duration unused = Duration.ofNanos(now - slot.lastUsedNanos);
      if (!last && unused.compareTo(SURPLUS) > 0) {
        stop(slot, "scale-in", todo);
      } else if (target.compareTo(Rung.FROZEN) < 0 && (last || pin.wanted().isPresent())) {
        absence = ColdStart.Cause.SCALED_TO_ZERO;
        stop(slot, pin.wanted().isPresent() ? "operator" : "idle", todo);
      } else if (slot.state() == State.READY && !alwaysRuns
          && (pressed || pin.is(Rung.FROZEN) || unused.compareTo(home.settings().freezeAfter()) > 0)) {
        freeze(slot, pin.is(Rung.FROZEN) ? "operator" : "idle", todo);
      }
      spare--;
    }
    prepare(target, now, todo);
  }

  private void freeze(Slot slot, String why, List<Runnable> todo) {
    absence = ColdStart.Cause.SCALED_TO_ZERO;
    slot.goal = Rung.FROZEN;
    slot.why = why;
    slot.climbing = true;
    slot.enter(State.FREEZING);
    todo.add(() -> home.lifecycle().freeze(slot, this));
  }

  /** Without an instance that is up, one is prepared as far as the policy wants. */
  private void prepare(Rung target, long now, List<Runnable> todo) {
    if (slots.stream().anyMatch(Slot::isLive) || spec.scaling().min() > 0 && pin.wanted().isEmpty()) {
      return;
    }
    Optional<Slot> prepared = slots.stream().filter(Slot::isPrepared).findFirst();
    if (prepared.isPresent()) {
      Slot slot = prepared.get();
      boolean resting = !slot.climbing && slot.rung() == slot.goal;
      if (!isCurrent(slot) || resting && target.compareTo(slot.rung()) < 0) {
        stop(slot, isCurrent(slot) ? "idle" : "new-revision", todo);
      } else if (resting && target.compareTo(slot.rung()) > 0 && mayPrepare(now)) {
        raise(slot, target, absence, pin.wanted().isPresent() ? "operator" : "prepared", todo);
      }
    } else if (target != Rung.IMAGE && mayPrepare(now) && (target.compareTo(Rung.ARMED) <= 0 || pin.wanted().isPresent())) {
      String why = pin.wanted().isPresent() ? "operator" : "prepared";
      raise(newSlot(target, why, now), target, absence, why, todo);
    }
  }

  private boolean mayPrepare(long now) {
    return (now >= prepareAfterNanos || pin.wanted().isPresent()) && backOff.remaining(now).isZero();
  }

  // ---- downwards ----

  private void drain(Slot slot, String why, List<Runnable> todo) {
    if (slot.state() == State.READY && slot.inFlight > 0) {
      slot.why = why;
      slot.enter(State.DRAINING);
    } else {
      stop(slot, why, todo);
    }
  }

  /** Takes a slot off the list; its memory counts as free from now on, although giving it back takes a moment. */
  private void stop(Slot slot, String why, List<Runnable> todo) {
    slot.why = why;
    giveBack(slot);
    if (slot.climbing || slot.state() == State.THAWING) {
      slot.unwanted = true;   // whoever is at it stops it
      return;
    }
    slots.remove(slot);
    if (slot.state() == State.CREATING) {
      home.lifecycle().disown(slot);
      return;
    }
    slot.enter(State.STOPPING);
    todo.add(() -> home.lifecycle().stop(slot));
  }

  private void retireOutdated(List<Runnable> todo) {
    if (slots.stream().anyMatch(slot -> slot.state() == State.READY && isCurrent(slot))) {
      for (Slot slot : sorted(slot -> !isCurrent(slot) && !slot.unwanted && slot.state() != State.DRAINING)) {
        drain(slot, "new-revision", todo);
      }
    }
  }

  /** What would be given up first if memory is needed; empty if nothing may be. */
  synchronized Optional<Slot> cheapest() {
    long awake = slots.stream().filter(Slot::isLive).count();
    return sorted(slot -> slot.charge > 0 && !slot.climbing && !slot.unwanted && (slot.isIdle() || slot.isPrepared()))
        .stream().filter(slot -> slot.isPrepared() || awake > spec.scaling().min()).findFirst();
  }

  /** Gives up a slot for the sake of others; answers the bytes that makes free, 0 if it has work meanwhile. */
  long evict(Slot slot) {
    List<Runnable> todo = new ArrayList<>();
    long free;
    synchronized (this) {
      if (!slots.contains(slot) || slot.climbing || slot.unwanted || !slot.isIdle() && !slot.isPrepared()) {
        return 0;
      }
      free = slot.charge;
      absence = ColdStart.Cause.EVICTED;
      prepareAfterNanos = home.nanoTime() + PREPARE_AGAIN.toNanos();
      stop(slot, "evicted", todo);
    }
    todo.forEach(Runnable::run);
    return free;
  }

  // ---- the function itself ----

  /** No earlier instance will be adopted any more. */
  void settle() {
    List<Runnable> todo = new ArrayList<>();
    synchronized (this) {
      settled = true;
      plan(home.nanoTime(), todo);
    }
    todo.forEach(Runnable::run);
  }

  /** Adopts an instance that an earlier life of the gateway started; false if it does not fit any more. */
  boolean adopt(Slot slot) {
    List<Runnable> todo = new ArrayList<>();
    synchronized (this) {
      boolean fits = !removed && slot.spec.revision().equals(spec.revision())
          && slots.stream().filter(Slot::isLive).count() < spec.scaling().max();
      if (!fits) {
        return false;
      }
      slot.charge = costs.memoryBytes(Rung.RUNNING);
      home.budget().correct(slot.charge);
      slots.add(slot);
      serveWaiters(home.nanoTime(), todo);
    }
    todo.forEach(Runnable::run);
    return true;
  }

  void change(FunctionSpec next) {
    List<Runnable> todo = new ArrayList<>();
    synchronized (this) {
      boolean other = !spec.revision().equals(next.revision());
      spec = next;
      if (other) {
        imageId = "";
        costs = home.ledger().costs(next);
        outdated(todo);
      }
      plan(home.nanoTime(), todo);
    }
    todo.forEach(Runnable::run);
  }

  /** The function's image is this one now; what was made from another one is replaced. */
  void image(String id) {
    List<Runnable> todo = new ArrayList<>();
    synchronized (this) {
      boolean other = !imageId.isEmpty() && !imageId.equals(id);
      imageId = id;
      prepareAfterNanos = home.nanoTime();
      if (other) {
        outdated(todo);
      }
    }
    todo.forEach(Runnable::run);
  }

  private void outdated(List<Runnable> todo) {
    backOff.forget();
    prepareAfterNanos = home.nanoTime();
    if (absence != ColdStart.Cause.NEVER_STARTED) {
      absence = ColdStart.Cause.NEW_REVISION;
    }
    for (Slot slot : sorted(slot -> !isCurrent(slot) && slot.isPrepared())) {
      stop(slot, "new-revision", todo);
    }
  }

  private boolean isCurrent(Slot slot) {
    return slot.spec.revision().equals(spec.revision())
        && (slot.imageId.isEmpty() || imageId.isEmpty() || slot.imageId.equals(imageId));
  }

  /** The function is no more: nobody gets a lease, requests in flight end, then its instances stop. */
  void remove() {
    List<Runnable> todo = new ArrayList<>();
    List<WaitQueue.Waiter> told;
    synchronized (this) {
      removed = true;
      told = waiters.takeAll();
      for (Slot slot : List.copyOf(slots)) {
        drain(slot, "removed", todo);
      }
      pin.fail(gone(), todo);
    }
    WaitQueue.tell(told, gone());
    todo.forEach(Runnable::run);
  }

  /** The gateway goes down: everybody who waits is told, every instance is handed over to be stopped. */
  List<Slot> abandon() {
    List<WaitQueue.Waiter> told;
    List<Slot> left = new ArrayList<>();
    List<Runnable> todo = new ArrayList<>();
    LeaseRefused stopping = refused(LeaseRefused.Code.STOPPING, "the gateway is going down", Duration.ofSeconds(10));
    synchronized (this) {
      removed = true;
      told = waiters.takeAll();
      for (Slot slot : List.copyOf(slots)) {
        slot.dead = true;
        slot.why = "shutdown";
        giveBack(slot);
        if (slot.climbing || slot.state() == State.THAWING) {
          slot.unwanted = true;
        } else {
          slots.remove(slot);
          if (slot.state() != State.CREATING) {
            slot.enter(State.STOPPING);
            left.add(slot);
          }
        }
      }
      pin.fail(stopping, todo);
    }
    WaitQueue.tell(told, stopping);
    todo.forEach(Runnable::run);
    return left;
  }

  // ---- what operators want ----

  /** Brings the function to a rung, where it stays until the next call. */
  CompletionStage<Void> rest(Rung rung) {
    List<Runnable> todo = new ArrayList<>();
    CompletableFuture<Void> done;
    synchronized (this) {
      if (rung != Rung.RUNNING && !RestPolicy.rungs(spec).contains(rung)) {
        return CompletableFuture.failedFuture(new IllegalArgumentException(spec.name() + " cannot rest at " + rung.label()
            + ": a handler's runner is frozen or not there; use frozen or image"));
      }
      done = pin.set(rung, todo);
      plan(home.nanoTime(), todo);
      settleDown(home.nanoTime(), todo);
      checkPin(todo);
    }
    todo.forEach(Runnable::run);
    return done;
  }

  private void checkPin(List<Runnable> todo) {
    pin.check(slots, todo);
  }

  synchronized FunctionSpec spec() {
    return spec;
  }

  synchronized String imageId() {
    return imageId;
  }

  synchronized Costs costs() {
    return costs;
  }

  /** Whether somebody waits, or an instance is on its way. */
  synchronized boolean isBusy() {
    return !waiters.isEmpty() || inFlight > 0 || slots.stream().anyMatch(slot -> slot.climbing);
  }

  synchronized Optional<Breakdown> breakdown() {
    return backOff.breakdown(home.nanoTime());
  }

  synchronized Optional<Slot> byId(String id) {
    return slots.stream().filter(slot -> slot.id.equals(id)).findFirst();
  }

  synchronized List<Slot> slots() {
    return List.copyOf(slots);
  }

  /** Slots that can be metered now. */
  synchronized List<Slot> metered() {
    return slots.stream().filter(slot -> !slot.climbing && !slot.unwanted && slot.rung().compareTo(Rung.ARMED) >= 0)
        .toList();
  }

  /** A slot was metered. */
  synchronized void measured(Slot slot, long bytes) {
    if (!slots.contains(slot) || slot.unwanted) {
      return;
    }
    costs.held(slot.rung(), bytes);
    home.budget().correct(bytes - slot.charge);
    slot.charge = bytes;
  }

  synchronized List<Instance> views() {
    return slots.stream().map(Slot::view).toList();
  }

  /** Longest unused first. */
  private List<Slot> sorted(Predicate<Slot> which) {
    Stream<Slot> chosen = slots.stream().filter(which);
    return chosen.sorted(Comparator.comparingLong(slot -> slot.lastUsedNanos)).toList();
  }

  private LeaseRefused gone() {
    return refused(LeaseRefused.Code.UNKNOWN_FUNCTION, "function " + spec.name() + " was removed", Duration.ZERO);
  }

  private static LeaseRefused refused(LeaseRefused.Code code, String message, Duration retryAfter) {
    return new LeaseRefused(code, message, retryAfter, null);
  }
}
