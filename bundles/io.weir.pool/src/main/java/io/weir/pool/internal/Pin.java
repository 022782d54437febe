package io.weir.pool.internal;

import io.weir.engine.Instance.State;
import io.weir.engine.LeaseRefused;
import io.weir.function.Rung;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The rung on which an operator wants a function until its next call. Guarded by its owner's lock. */
final class Pin {
  private @Nullable Rung rung;
  private long sinceNanos;
  private final List<CompletableFuture<Void>> waiting = new ArrayList<>();

  Optional<Rung> wanted() {
    return Optional.ofNullable(rung);
  }

  boolean is(Rung other) {
    return rung == other;
  }

  /** Whether it was set before something happened. */
  boolean before(long nanos) {
    return sinceNanos - nanos < 0;
  }

  CompletableFuture<Void> set(Rung wanted, long now, List<Runnable> todo) {
    fail(called("another rung was asked for"), todo);
    rung = wanted;
    sinceNanos = now;
    CompletableFuture<Void> done = new CompletableFuture<>();
    waiting.add(done);
    return done;
  }

  /** A request came: the usual rules apply again. */
  void release(List<Runnable> todo) {
    if (rung != null) {
      fail(called("it was called meanwhile"), todo);
    }
  }

  void fail(LeaseRefused why, List<Runnable> todo) {
    List<CompletableFuture<Void>> told = List.copyOf(waiting);
    waiting.clear();
    rung = null;
    if (!told.isEmpty()) {
      todo.add(() -> told.forEach(done -> done.completeExceptionally(why)));
    }
  }

  /** Tells whoever waits if the function is where it is wanted. */
  void check(List<Slot> slots, List<Runnable> todo) {
    if (rung == null || waiting.isEmpty()) {
      return;
    }
    boolean there = switch (rung) {
      case IMAGE -> slots.isEmpty();
      case CREATED -> slots.stream().anyMatch(slot -> slot.state() == State.CREATED && !slot.climbing)
          && slots.stream().noneMatch(Slot::isLive);
      case ARMED -> slots.stream().anyMatch(slot -> slot.state() == State.ARMED && !slot.climbing)
          && slots.stream().noneMatch(Slot::isLive);
      case FROZEN -> slots.stream().anyMatch(slot -> slot.state() == State.FROZEN)
          && slots.stream().filter(Slot::isLive).allMatch(slot -> slot.state() == State.FROZEN);
      case RUNNING -> slots.stream().anyMatch(slot -> slot.state() == State.READY);
    };
    if (there) {
      List<CompletableFuture<Void>> told = List.copyOf(waiting);
      waiting.clear();
      todo.add(() -> told.forEach(done -> done.complete(null)));
    }
  }

  private static LeaseRefused called(String why) {
    return new LeaseRefused(LeaseRefused.Code.WAITED_TOO_LONG, why, Duration.ZERO, null);
  }
}
