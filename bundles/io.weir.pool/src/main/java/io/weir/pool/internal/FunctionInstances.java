package io.weir.pool.internal;

import io.weir.engine.ColdStart;
import io.weir.engine.Instance;
import io.weir.engine.Lease;
import io.weir.engine.LeaseRefused;
import io.weir.function.FunctionSpec;
import io.weir.function.Rung;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The instances of one function and who waits for them: decides, while {@link Lifecycle} does.
 *
 * <p>Every method takes the lock only to decide; containers are touched and futures completed outside it. One start is
 * in flight at a time, so that a burst on a sleeping function starts one container; the next starts when the first is
 * ready and there is still somebody waiting. After a change of revision the old instances serve until a new one is ready.
 */
final class FunctionInstances {
  private final Lifecycle lifecycle;
  private final ScheduledExecutorService scheduler;
  private final int queueLength;
  private final List<Slot> slots = new ArrayList<>();
  private final Deque<Waiter> waiters = new ArrayDeque<>();
  private final BackOff backOff = new BackOff();
  private FunctionSpec spec;
  /** Whether instances of an earlier life were looked for; nothing is started before, lest it be doubled. */
  private boolean settled;
  private boolean removed;
  private @Nullable LeaseRefused lastFailure;

  private record Waiter(CompletableFuture<Lease> future, long sinceNanos) {}

  FunctionInstances(FunctionSpec spec, Lifecycle lifecycle, ScheduledExecutorService scheduler, int queueLength) {
    this.spec = spec;
    this.lifecycle = lifecycle;
    this.scheduler = scheduler;
    this.queueLength = queueLength;
  }

  CompletionStage<Lease> acquire(Duration patience) {
    CompletableFuture<Lease> future = new CompletableFuture<>();
    Runnable todo;
    synchronized (this) {
      if (removed) {
        return CompletableFuture.failedFuture(
            refused(LeaseRefused.Code.UNKNOWN_FUNCTION, "function " + spec.name() + " was removed", Duration.ZERO));
      }
      Slot free = waiters.isEmpty() ? leastLoaded() : null;
      if (free != null) {
        return CompletableFuture.completedFuture(lease(free, System.nanoTime()));
      }
      if (waiters.size() >= queueLength) {
        return CompletableFuture.failedFuture(refused(LeaseRefused.Code.QUEUE_FULL,
            queueLength + " requests wait for " + spec.name() + " already; raise instances.max or concurrency",
            Duration.ofSeconds(1)));
      }
      Duration wait = backOff.remaining();
      if (lastFailure != null && !wait.isZero() && slots.stream().noneMatch(Slot::isLive)) {
        return CompletableFuture.failedFuture(
            refused(lastFailure.code(), lastFailure.getMessage(), wait));
      }
      Waiter waiter = new Waiter(future, System.nanoTime());
      waiters.add(waiter);
      var timeout = scheduler.schedule(() -> giveUp(waiter, patience), patience.toNanos(), TimeUnit.NANOSECONDS);
      future.whenComplete((lease, error) -> timeout.cancel(false));
      todo = startIfNeeded();
    }
    todo.run();
    return future;
  }

  private void giveUp(Waiter waiter, Duration patience) {
    synchronized (this) {
      if (!waiters.remove(waiter)) {
        return;
      }
    }
    waiter.future.completeExceptionally(refused(LeaseRefused.Code.WAITED_TOO_LONG,
        "no instance of " + spec.name() + " was free within " + patience.toMillis() + " ms",
        Duration.ofSeconds(1)));
  }

  /** Starts what must run without being asked: {@code min} instances, and one of the new revision beside the old. */
  void tend() {
    List<Runnable> todo = new ArrayList<>();
    synchronized (this) {
      todo.add(startIfNeeded());
      long now = System.nanoTime();
      List<Slot> idle = slots.stream()
          .filter(slot -> slot.state == Instance.State.READY && slot.inFlight == 0 && !slot.suspect)
          .filter(slot -> now - slot.lastUsedNanos > slot.spec.scaling().idle().toNanos())
          .sorted(Comparator.comparingLong(slot -> slot.lastUsedNanos))
          .toList();
      long spare = slots.stream().filter(Slot::isLive).count() - spec.scaling().min();
      for (Slot slot : idle) {
        if (spare-- > 0) {
          todo.add(stop(slot, "idle for " + slot.spec.scaling().idle().toSeconds() + " s"));
        }
      }
    }
    todo.forEach(Runnable::run);
  }

  /** Decides on at most one start; call with the lock held and run the answer without. */
  private Runnable startIfNeeded() {
    boolean starting = slots.stream().anyMatch(slot -> slot.state == Instance.State.STARTING);
    if (!settled || removed || starting || !backOff.remaining().isZero()) {
      return () -> {};
    }
    String revision = spec.revision();
    long current = slots.stream().filter(s -> s.isLive() && s.spec.revision().equals(revision)).count();
    boolean replacing = current == 0 && slots.stream().anyMatch(Slot::isLive);
    boolean wanted = current < spec.scaling().min() || replacing || !waiters.isEmpty() && leastLoaded() == null;
    if (!wanted || current >= spec.scaling().max()) {
      return () -> {};
    }
    Slot slot = new Slot(lifecycle.newName(spec), spec);
    slots.add(slot);
    return () -> lifecycle.start(slot, this);
  }

  /** The container exists; from now on its death can be recognised. */
  synchronized void created(Slot slot, String id) {
    slot.id = id;
  }

  /** The instance listens; false if nobody wants it any more, and the caller shall stop it. */
  boolean ready(Slot slot, InetSocketAddress address) {
    List<Runnable> todo = new ArrayList<>();
    synchronized (this) {
      backOff.succeeded();
      if (slot.state != Instance.State.STARTING) {
        slots.remove(slot);
        return false;
      }
      slot.address = address;
      slot.readyNanos = System.nanoTime();
      slot.lastUsedNanos = slot.readyNanos;
      slot.enter(Instance.State.READY);
      retireOutdated(todo);
      serveWaiters(todo);
      todo.add(startIfNeeded());
    }
    todo.forEach(Runnable::run);
    return true;
  }

  private void retireOutdated(List<Runnable> todo) {
    String revision = spec.revision();
    boolean replaced = slots.stream()
        .anyMatch(s -> s.state == Instance.State.READY && s.spec.revision().equals(revision));
    if (replaced) {
      for (Slot slot : List.copyOf(slots)) {
        if (slot.isLive() && !slot.spec.revision().equals(revision)) {
          todo.add(drain(slot, "replaced by revision " + revision));
        }
      }
    }
  }

  /** No earlier instance will be adopted any more. */
  void settle() {
    Runnable todo;
    synchronized (this) {
      settled = true;
      todo = startIfNeeded();
    }
    todo.run();
  }

  /** Adopts an instance that an earlier life of the gateway started; false if it does not fit any more. */
  boolean adopt(Slot slot, InetSocketAddress address) {
    List<Runnable> todo = new ArrayList<>();
    synchronized (this) {
      boolean fits = !removed && slot.spec.revision().equals(spec.revision())
          && slots.stream().filter(Slot::isLive).count() < spec.scaling().max();
      if (!fits) {
        return false;
      }
      slot.address = address;
      slot.enter(Instance.State.READY);
      slots.add(slot);
      serveWaiters(todo);
    }
    todo.forEach(Runnable::run);
    return true;
  }

  /** The start failed; whoever waits is told why, unless an instance of the old revision can serve them. */
  void startFailed(Slot slot, LeaseRefused failure) {
    List<Waiter> told = new ArrayList<>();
    LeaseRefused answer;
    synchronized (this) {
      slots.remove(slot);
      backOff.failed();
      answer = refused(failure.code(), failure.getMessage(), backOff.remaining());
      lastFailure = answer;
      if (slots.stream().noneMatch(Slot::isLive)) {
        told.addAll(waiters);
        waiters.clear();
      }
    }
    told.forEach(waiter -> waiter.future.completeExceptionally(answer));
  }

  /** The container is gone; starts another one if somebody waits. False if that was known already. */
  boolean died(Slot slot) {
    Runnable todo;
    synchronized (this) {
      if (!slots.remove(slot)) {
        return false;
      }
      slot.dead = true;
      todo = startIfNeeded();
    }
    todo.run();
    return true;
  }

  /** A suspect was looked at and lives. */
  void cleared(Slot slot) {
    List<Runnable> todo = new ArrayList<>();
    synchronized (this) {
      slot.suspect = false;
      serveWaiters(todo);
    }
    todo.forEach(Runnable::run);
  }

  private void release(Slot slot, boolean connectionFailed) {
    List<Runnable> todo = new ArrayList<>();
    synchronized (this) {
      slot.inFlight--;
      slot.served++;
      slot.lastUsedNanos = System.nanoTime();
      if (connectionFailed && !slot.suspect && !slot.dead && slot.isLive()) {
        slot.suspect = true;
        todo.add(() -> lifecycle.examine(slot, this));
      }
      if (slot.state == Instance.State.DRAINING && slot.inFlight == 0) {
        todo.add(stop(slot, "drained"));
      }
      serveWaiters(todo);
    }
    todo.forEach(Runnable::run);
  }

  private void serveWaiters(List<Runnable> todo) {
    while (!waiters.isEmpty()) {
      Slot free = leastLoaded();
      if (free == null) {
        return;
      }
      Waiter waiter = waiters.remove();
      Lease lease = lease(free, waiter.sinceNanos);
      todo.add(() -> {
        if (!waiter.future.complete(lease)) {
          lease.release();
        }
      });
    }
  }

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
  private Lease lease(Slot slot, long waitingSinceNanos) {
    slot.inFlight++;
    long waited = slot.readyNanos - waitingSinceNanos;
    return new SlotLease(slot, waited <= 0 ? Optional.empty() : Optional.of(new ColdStart(
        ColdStart.Cause.NEVER_STARTED, Rung.IMAGE, Duration.ofNanos(waited))), this::release);
  }

  private Runnable drain(Slot slot, String why) {
    if (slot.state == Instance.State.STARTING || slot.inFlight > 0) {
      slot.enter(Instance.State.DRAINING);
      return () -> {};
    }
    return stop(slot, why);
  }

  private Runnable stop(Slot slot, String why) {
    slot.enter(Instance.State.STOPPING);
    slots.remove(slot);
    return () -> lifecycle.stop(slot, why);
  }

  void change(FunctionSpec next) {
    Runnable todo;
    synchronized (this) {
      if (!spec.revision().equals(next.revision())) {
        backOff.succeeded();
      }
      spec = next;
      todo = startIfNeeded();
    }
    todo.run();
  }

  /** The function is no more: nobody gets a lease, requests in flight end, then its instances stop. */
  void remove() {
    List<Runnable> todo = new ArrayList<>();
    List<Waiter> told;
    synchronized (this) {
      removed = true;
      told = List.copyOf(waiters);
      waiters.clear();
      for (Slot slot : List.copyOf(slots)) {
        todo.add(drain(slot, "function removed"));
      }
    }
    told.forEach(waiter -> waiter.future.completeExceptionally(
        refused(LeaseRefused.Code.UNKNOWN_FUNCTION, "function " + spec.name() + " was removed", Duration.ZERO)));
    todo.forEach(Runnable::run);
  }

  /** The gateway goes down: everybody who waits is told, every instance is handed over to be stopped. */
  List<Slot> abandon() {
    List<Waiter> told;
    List<Slot> left;
    synchronized (this) {
      removed = true;
      told = List.copyOf(waiters);
      waiters.clear();
      left = List.copyOf(slots);
      slots.clear();
      left.forEach(slot -> {
        slot.dead = true;
        slot.enter(Instance.State.STOPPING);
      });
    }
    told.forEach(waiter -> waiter.future.completeExceptionally(
        refused(LeaseRefused.Code.STOPPING, "the gateway is going down", Duration.ofSeconds(10))));
    return left;
  }

  synchronized FunctionSpec spec() {
    return spec;
  }

  synchronized Optional<Slot> byId(String id) {
    return slots.stream().filter(slot -> slot.id.equals(id)).findFirst();
  }

  synchronized List<Slot> slots() {
    return List.copyOf(slots);
  }

  synchronized List<Instance> views() {
    return slots.stream().map(Slot::view).toList();
  }

  private static LeaseRefused refused(LeaseRefused.Code code, String message, Duration retryAfter) {
    return new LeaseRefused(code, message, retryAfter, null);
  }
}
