package io.weir.pool.internal;

import io.weir.forecast.Advice;
import io.weir.forecast.Outlook;
import io.weir.forecast.Prewarms;
import io.weir.function.Rung;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What the forecaster advises for one function, and what came of following it. An instance that was started
 * because a call is likely is a guess until a call comes. Guarded by the lock of its
 * {@link FunctionInstances}, like the {@link Roster}.
 */
final class Prospect {
  /**
   * The wall clock was set if it strays from the other one by more than that; then advice is asked for anew.
   */
  private static final Duration STRAYED = Duration.ofSeconds(1);
  private static final Duration SHORTEST = Duration.ofMillis(20);
  /** After so many starts that failed in a row nothing is started before somebody calls. */
  private static final int MOST_FAILURES = 3;

  private final Roster roster;
  private final FunctionInstances owner;
  private final Forecasting forecasting;
  private @Nullable Advice advice;
  private Instant asked = Instant.EPOCH;
  private long askedNanos;
  private long untilNanos;
  private @Nullable Future<?> alarm;
  private @Nullable Slot guess;
  private boolean wasUp;
  /**
   * Whether what was up went down although the advice is to be warm; nothing is started again for the same
   * reason.
   */
  private boolean spent;
  /** Whether it was counted that the budget has no room for this guess. */
  private boolean refusalTold;
  private int failures;
  private long made;
  private long hits;
  private long late;
  private long wrong;
  private long refused;

  Prospect(Roster roster, FunctionInstances owner) {
    this.roster = roster;
    this.owner = owner;
    this.forecasting = roster.home.forecasting();
  }

  /** A call came, whichever way. */
  void arrived(List<Runnable> todo) {
    review();
    Slot made = guess;
    if (made != null) {
      guess = null;
      if (made.isUp()) {
        hits++;
      } else {
        late++;
        // A chore until now; if it has begun, this does nothing.
        todo.add(() -> roster.home.lifecycle().climb(made, owner, true));
      }
    }
    failures = 0;
    changed();
  }

  /** What is advised may be another thing now. */
  void changed() {
    advice = null;
    spent = false;
    refusalTold = false;
  }

  /** Where to rest by the forecaster's advice; empty if there is none. */
  Optional<Rung> rung(long now) {
    review();
    if (advice == null || now >= untilNanos || strayed(now)) {
      ask(now);
    }
    return Optional.ofNullable(advice).map(Advice::rung);
  }

  private boolean strayed(long now) {
    Duration wall = Duration.between(asked, forecasting.now());
    return wall.minusNanos(now - askedNanos).abs().compareTo(STRAYED) > 0;
  }

  private void ask(long now) {
    forgetAlarm();
    Optional<Advice> next = forecasting.advise(roster.spec, roster.costs);
    advice = next.orElse(null);
    if (next.isEmpty()) {
      return;
    }
    asked = forecasting.now();
    askedNanos = now;
    Duration left = Duration.between(asked, next.get().until());
    left = left.compareTo(SHORTEST) < 0 ? SHORTEST : left;
    untilNanos = now + left.toNanos();
    if (!isWarm(next.get().rung())) {
      spent = false;
      refusalTold = false;
      alarm(left);   // so that the head of a window is met; its tail may be met half a second late
    }
  }

  private void alarm(Duration left) {
    try {
      alarm = roster.home.scheduler().schedule(owner::tend, left.toNanos(), TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      alarm = null;   // the pool is closed
    }
  }

  private void forgetAlarm() {
    if (alarm != null) {
      alarm.cancel(false);
      alarm = null;
    }
  }

  private static boolean isWarm(Rung rung) {
    return rung.compareTo(Rung.FROZEN) >= 0;
  }

  /** Looks what has become of what was up. */
  private void review() {
    boolean gone = guess != null && (guess.unwanted || !roster.slots.contains(guess));
    if (gone) {
      guess = null;
      wrong++;
    }
    boolean up = roster.live() > 0;
    if (gone || wasUp && !up) {
      spent |= advice != null && isWarm(advice.rung());
    }
    wasUp = up;
  }

  /** Whether an instance may be started for a call that is only likely. */
  boolean mayPrewarm(long now) {
    return !spent && failures < MOST_FAILURES && roster.backOff.failure().isEmpty()
        && now >= roster.prepareAfterNanos && !roster.home.budget().pressed();
  }

  /** It is started because a call is likely. */
  void guessed(Slot slot) {
    guess = slot;
    wasUp = true;
    made++;
  }

  /** The guess did not start. That is no reason to refuse anybody who calls; it is tried again in a while. */
  void failed() {
    guess = null;
    wasUp = false;
    wrong++;
    failures++;
  }

  void refused() {
    if (!refusalTold) {
      refusalTold = true;
      refused++;
    }
  }

  boolean isGuess(Slot slot) {
    return slot == guess;
  }

  /** What the time counts from that the function may hold memory without work. */
  long heldSince(long lastCallNanos, long now) {
    return guess == null ? lastCallNanos : guess.isUp() ? Math.max(lastCallNanos, guess.readyNanos) : now;
  }

  Prewarms prewarms() {
    review();
    return new Prewarms(made, hits, late, wrong, refused);
  }

  Outlook outlook(Rung rests) {
    Optional<String> unused = forecasting.absence()
        .or(() -> roster.spec.scaling().rest().map(rung -> "it declares rest: " + rung.label()))
        .or(() -> roster.spec.scaling().min() > 0
            ? Optional.of("it declares instances.min: " + roster.spec.scaling().min()) : Optional.empty());
    return new Outlook(roster.spec.name(), unused, rests, prewarms(), Optional.empty());
  }

  /** The function is no more. */
  void close() {
    forgetAlarm();
  }
}
