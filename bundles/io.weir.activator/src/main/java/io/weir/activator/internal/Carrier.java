package io.weir.activator.internal;

import io.weir.engine.Lease;
import io.weir.event.Events;
import io.weir.event.GatewayEvent;
import io.weir.function.FunctionName;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/** What all connections have in common. Thread-safe. */
final class Carrier {
  private static final int MAX_SUBJECT = 256;
  /** Thousands of clients with long heads must not use up a small heap. */
  private static final long MAX_RESERVED = 16 << 20;

  final Settings settings;
  final Crowd crowd;
  private final Wakes wakes;
  private final Events events;
  private final Clock clock;
  private final BooleanSupplier routed;
  private final Predicate<FunctionName> declared;
  private final String idPrefix = Long.toString(new SecureRandom().nextLong() & Long.MAX_VALUE, 36) + "-";
  private final AtomicLong ids = new AtomicLong();
  private final AtomicLong reserved = new AtomicLong();

  /**
   * @param routed whether the kernel leads connections to instances now, so that another one need not come here
   * @param declared whether a function has an address now
   */
  Carrier(Settings settings, Wakes wakes, Events events, Clock clock, BooleanSupplier routed,
      Predicate<FunctionName> declared) {
    this.settings = settings;
    this.crowd = new Crowd(settings.heldTotal());
    this.wakes = wakes;
    this.events = events;
    this.clock = clock;
    this.routed = routed;
    this.declared = declared;
  }

  /** Returns whether a connection may hold so many bytes more than each may anyway. */
  boolean reserve(int bytes) {
    if (reserved.addAndGet(bytes) <= MAX_RESERVED) {
      return true;
    }
    reserved.addAndGet(-bytes);
    return false;
  }

  void giveBack(int bytes) {
    reserved.addAndGet(-bytes);
  }

  boolean routed() {
    return routed.getAsBoolean();
  }

  boolean isDeclared(FunctionName function) {
    return declared.test(function);
  }

  /** Begins a start for a connection whose request is still to come. */
  void wake(FunctionName function) {
    wakes.wanted(function);
  }

  CompletionStage<Lease> lease(FunctionName function) {
    return wakes.lease(function);
  }

  /** One exchange, for those who watch. */
  final class Story {
    private final String id = idPrefix + Long.toString(ids.incrementAndGet(), 36);
    private final long sinceNanos = System.nanoTime();
    private final FunctionName function;
    private final String subject;
    private int attempts;
    private Optional<Lease> last = Optional.empty();

    Story(FunctionName function, String target) {
      this.function = function;
      this.subject = target.length() > MAX_SUBJECT ? target.substring(0, MAX_SUBJECT) : target;
      events.publish(new GatewayEvent.Accepted(clock.instant(), id, function, "service", subject, 0));
    }

    void attempt(Lease lease) {
      attempts++;
      last = Optional.of(lease);
    }

    /** @param status 0 if there was no answer that could be understood */
    void answered(int status, boolean empty) {
      end(status >= 500 ? "failed" : status >= 400 ? "rejected" : status == 204 || empty ? "no-content" : "replied",
          status, "");
    }

    void failed(Problems.Problem problem) {
      end(problem.isRefusal() ? "refused" : "failed", 0, problem.code() + ": " + problem.detail());
    }

    void brokenOff(String why) {
      end("failed", 0, why);
    }

    private void end(String result, int status, String detail) {
      var cold = last.flatMap(Lease::coldStart);
      events.publish(new GatewayEvent.Ended(clock.instant(), id, function, "service", subject, result, status, detail,
          Duration.ofNanos(System.nanoTime() - sinceNanos), cold.map(start -> start.waited()).orElse(Duration.ZERO),
          cold.map(start -> start.cause().label()).orElse(""), cold.map(start -> start.from().label()).orElse(""),
          attempts));
    }
  }
}
