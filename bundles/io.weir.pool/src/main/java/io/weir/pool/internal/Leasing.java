package io.weir.pool.internal;

import io.weir.engine.ColdStart;
import io.weir.engine.Lease;
import io.weir.engine.LeaseRefused;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Gives instances to requests, first come first served, and keeps the books. Called with the lock of its
 * {@link FunctionInstances} held; what is added to {@code todo} is run after the lock is released.
 */
final class Leasing {
  private final Roster roster;
  private final SlotLease.Return back;

  Leasing(Roster roster, SlotLease.Return back) {
    this.roster = roster;
    this.back = back;
  }

  /** Why one more request is not worth queueing; null if it is. */
  @Nullable LeaseRefused refusal(Duration patience, long now) {
    WaitQueue waiters = roster.waiters;
    String wait = waiters.size() + " requests wait for " + roster.spec.name();
    if (waiters.size() >= roster.home.settings().queueLength()) {
      return Roster.refused(LeaseRefused.Code.QUEUE_FULL, wait + " already; raise instances.max or concurrency",
          Duration.ofSeconds(1));
    }
    Duration expected = waiters.expectedWait(roster.spec.scaling().max() * roster.spec.scaling().concurrency());
    if (expected.compareTo(patience) > 0) {
      return Roster.refused(LeaseRefused.Code.QUEUE_FULL, wait + ", which takes about " + expected.toMillis()
          + " ms; raise instances.max or concurrency", Duration.ofSeconds(1));
    }
    Duration pause = roster.backOff.remaining(now);
    Optional<LeaseRefused> failure = roster.backOff.failure();
    if (failure.isPresent() && !pause.isZero() && roster.none(Slot::isLive)) {
      return failure.get().untried(pause);
    }
    return null;
  }

  /** A cold start is what somebody felt who came before the instance was ready; waiting for a busy one is not. */
  Lease lease(Slot slot, long waitingSinceNanos, long now) {
    slot.leased();
    roster.inFlight++;
    roster.loadChanged(now);
    long waited = slot.readyNanos - waitingSinceNanos;
    return new SlotLease(slot, waited <= 0 ? Optional.empty()
        : Optional.of(new ColdStart(slot.cause, slot.from, Duration.ofNanos(waited))), now, back);
  }

  void serveWaiters(long now, List<Runnable> todo) {
    while (!roster.waiters.isEmpty()) {
      Slot free = roster.leastLoaded();
      if (free == null) {
        return;
      }
      WaitQueue.Waiter waiter = roster.waiters.next();
      Lease lease = lease(free, waiter.sinceNanos(), now);
      todo.add(() -> {
        if (!waiter.future().complete(lease)) {
          lease.release();
        }
      });
    }
  }

  /** A lease came back. */
  void returned(Slot slot, SlotLease.End end, long leasedSinceNanos, long now) {
    slot.inFlight--;
    slot.served++;
    slot.lastUsedNanos = now;
    roster.lastCallNanos = now;
    roster.inFlight--;
    if (end == SlotLease.End.TIMED_OUT) {
      slot.timeouts++;
    } else if (end == SlotLease.End.ANSWERED) {
      slot.timeouts = 0;
      roster.waiters.served(now - leasedSinceNanos);
      if (now - slot.readyNanos > BackOff.GOOD_LIFE.toNanos()) {
        roster.backOff.lived();
      }
    }
  }

  /** Tells whoever waits, unless there is an instance that can serve them. */
  void refuseUnlessLive(LeaseRefused why, long now, List<Runnable> todo) {
    if (roster.none(Slot::isLive)) {
      refuseAll(why, now, todo);
    }
  }

  void refuseAll(LeaseRefused why, long now, List<Runnable> todo) {
    List<WaitQueue.Waiter> told = roster.waiters.takeAll();
    roster.loadChanged(now);
    todo.add(() -> WaitQueue.tell(told, why));
  }
}
