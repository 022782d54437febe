package io.weir.delivery.internal;

import io.weir.event.GatewayEvent;
import io.weir.function.FunctionName;
import io.weir.function.Promise.Urgency;
import io.weir.function.Scaling;
import io.weir.invocation.Answers;
import io.weir.invocation.Header;
import io.weir.invocation.Invocation;
import io.weir.invocation.InvocationJournal.Accepted;
import io.weir.invocation.JournalFull;
import io.weir.invocation.Outcome;
import io.weir.invocation.StateAttempts;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes the events of one function through their attempts to their end.
 *
 * <p>Called by whatever thread knows something new: the journal's, the invoker's loop, the timer. None of them is blocked
 * here, and nothing is called while a monitor is held.
 */
final class FunctionCourier {
  private static final Logger LOG = LoggerFactory.getLogger(FunctionCourier.class);
  private static final Duration SHORTEST_PAUSE = Duration.ofMillis(20);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);
  private static final Duration UNKNOWN_PAUSE = Duration.ofMillis(250);
  /** By then every function that still exists has been declared. */
  private static final Duration GONE_AFTER = Duration.ofSeconds(60);
  private static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(60);
  private static final FunctionQueue.Window FOR_NOBODY = new FunctionQueue.Window(1, 1);

  private final FunctionName name;
  private final World world;
  private final Function<String, @Nullable Answers> answers;
  private final Consumer<Item> homeless;
  private final Consumer<Item> ended;
  private final FunctionQueue queue;
  private final Commits commits;

  private boolean pumping;
  private boolean waking;
  private long wakeAt;
  private volatile long toldRefused;
  private volatile long unknownSince;
  private volatile boolean unknown;

  /**
   * @param answers those of a trigger, or null
   * @param homeless gets events whose trigger has no answers
   * @param ended told of events that need nothing more
   */
  FunctionCourier(FunctionName name, World world, Function<String, @Nullable Answers> answers, Consumer<Item> homeless,
      Consumer<Item> ended) {
    this.name = name;
    this.world = world;
    this.answers = answers;
    this.homeless = homeless;
    this.ended = ended;
    this.queue = new FunctionQueue(new Breaker(world.settings().breakerFailures(), world.settings().longestPause(),
        world.random()));
    this.commits = new Commits(name, world.timer(), this::pump);
    this.toldRefused = world.nanos().getAsLong() - QUIET_NANOS;
  }

  FunctionName name() {
    return name;
  }

  FunctionQueue queue() {
    return queue;
  }

  /** What operators should know; empty if all is well. */
  String problem() {
    return commits.stuck() ? "the journal does not take how its events end; they are asked to be kept again and again"
        : queue.leftAlone() ? "it only fails and is called now and then until it answers; " + queue.size() + " events wait"
        : "";
  }

  // --- starting ------------------------------------------------------------------------------------------------------

  /** Starts what may start now. */
  void pump() {
    synchronized (this) {
      if (pumping) {
        return;  // who pumps already looks again
      }
      pumping = true;
    }
    for (Item next = next(); next != null; next = next()) {
      start(next);
    }
    wakeInTime();
  }

  private synchronized @Nullable Item next() {
    Item next = commits.stuck() ? null : queue.next(window(), world.nanos().getAsLong());
    pumping = next != null;
    return next;
  }

  private FunctionQueue.Window window() {
    return world.functions().find(name).map(spec -> {
      Scaling scaling = spec.scaling();
      int all = world.settings().window(scaling);
      boolean alarms = spec.mqttTriggers().anyMatch(trigger -> trigger.promise().urgency() == Urgency.ALARM);
      return new FunctionQueue.Window(all, alarms ? world.settings().othersBesideAlarms(scaling) : all);
    }).orElse(FOR_NOBODY);
  }

  private void wakeInTime() {
    if (commits.stuck()) {
      return;  // who unsticks them pumps
    }
    long now = world.nanos().getAsLong();
    OptionalLong wait = queue.wake(now);
    synchronized (this) {
      if (wait.isEmpty() || waking && wakeAt - now <= wait.getAsLong()) {
        return;
      }
      waking = true;
      wakeAt = now + wait.getAsLong();
    }
    world.timer().after(Duration.ofNanos(wait.getAsLong()), this::wake);
  }

  private void wake() {
    synchronized (this) {
      waking = false;
    }
    pump();
  }

  private void start(Item item) {
    Accepted held = item.held();
    if (held != null) {
      call(item, held);
    } else {
      world.reader().execute(() -> read(item));
    }
  }

  private void read(Item item) {
    Accepted event;
    try {
      List<Accepted> found = world.journal().pending(item.number - 1, 1);
      event = found.isEmpty() || found.get(0).number() != item.number ? null : found.get(0);
    } catch (RuntimeException e) {
      LOG.warn("{}: event {} cannot be read from the journal now", name, item.number, e);
      queue.refused(item, world.nanos().getAsLong() + LONGEST_PAUSE.toNanos());
      pump();
      return;
    }
    if (event == null) {
      LOG.warn("{}: event {} is not in the journal any more", name, item.number);
      queue.withdrawn(item);
      ended.accept(item);
      pump();
    } else {
      call(item, event);
    }
  }

  private void call(Item item, Accepted event) {
    Answers to = answers.apply(item.trigger);
    if (to == null) {
      queue.withdrawn(item);
      homeless.accept(item);
      return;
    }
    if (world.functions().find(name).isEmpty()) {  // at the start it may not be declared yet
      refused(item, event, to, new Outcome.Refused(Outcome.Reason.UNKNOWN_FUNCTION, "there is no function " + name,
          UNKNOWN_PAUSE));
      return;
    }
    CompletionStage<Outcome> attempt;
    try {
      attempt = world.invoker().attempt(told(item, event.entry().invocation()), item.attempts + 1,
          outcome -> judge(item, outcome));
    } catch (RuntimeException | Error e) {
      attempt = CompletableFuture.failedStage(e);
    }
    attempt.whenComplete((outcome, error) -> {
      Outcome known = error == null ? outcome : new Outcome.Failed("internal", "the invoker failed: " + error, true);
      try {
        ended(item, event, to, known);
      } catch (RuntimeException | Error e) {  // or it would hold its place for ever
        LOG.error("{}: event {} could not be brought to its end", name, event.entry().invocation().id(), e);
        dead(item, event, to, new Verdict.Dead("internal", "unexpected failure in the gateway: " + e));
      }
    });
  }

  /** What counts exactly once is told which attempt it is, so that what it changes of its state can count with it. */
  private Invocation told(Item item, Invocation invocation) {
    StateAttempts states = world.states().get();
    if (states == null || !item.exactlyOnce()) {
      item.state = null;
      return invocation;
    }
    StateAttempts.Attempt state = states.begin(name, invocation.id());
    item.state = state;
    List<Header> headers = new ArrayList<>(invocation.headers());
    headers.add(new Header(StateAttempts.HEADER, state.id()));
    return new Invocation(invocation.id(), name, invocation.trigger(), invocation.subject(), invocation.method(),
        invocation.target(), headers, invocation.body(), invocation.arrived(), invocation.guarantee(),
        invocation.streamed());
  }

  /** Decides before the outcome is told to others; whether another attempt follows. */
  private boolean judge(Item item, Outcome outcome) {
    Verdict verdict = verdict(item, outcome);
    item.verdict = verdict;
    return verdict instanceof Verdict.Again || verdict instanceof Verdict.Afresh;
  }

  private Verdict verdict(Item item, Outcome outcome) {
    Verdict verdict = Verdict.of(item, outcome, world.clock().instant());
    StateAttempts.Attempt state = item.state;
    return state == null ? verdict : Verdict.with(state, verdict);
  }

  // --- ending --------------------------------------------------------------------------------------------------------

  private void ended(Item item, Accepted event, Answers to, Outcome outcome) {
    Verdict verdict = item.verdict;
    item.verdict = null;
    if (verdict == null) {
      verdict = verdict(item, outcome);
    }
    if (verdict instanceof Verdict.Later later) {
      refused(item, event, to, later.refusal());
      return;
    }
    unknown = false;
    if (verdict instanceof Verdict.Ended end) {
      answered(item, event, to, end);
      return;
    }
    if (outcome instanceof Outcome.Replied reply) {
      close(reply);
    }
    if (verdict instanceof Verdict.Again again) {
      again(item, event, again);
    } else if (verdict instanceof Verdict.Afresh afresh) {
      afresh(item, event, afresh);
    } else {
      dead(item, event, to, (Verdict.Dead) verdict);
    }
  }

  private static void close(Outcome.Replied reply) {
    try {
      reply.body().close();
    } catch (IOException e) {
      // Nobody wants it.
    }
  }

  private void answered(Item item, Accepted event, Answers to, Verdict.Ended end) {
    Answers.Ending ending;
    try {
      ending = to.ending(event.entry(), end.reply());
    } catch (IOException e) {
      dead(item, event, to, new Verdict.Dead("connection-reset", "the answer ended early: " + e.getMessage()));
      return;
    }
    if (queue.answered(item)) {
      LOG.info("{} answers again", name);
    }
    if (!item.exactlyOnce() && !ending.outputs().isEmpty()) {
      to.ending(event, ending.outputs());
    }
    end(item, new Commits.End(
        () -> world.journal().commit(item.number, ending.outcome(), ending.outputs(), end.changes()), () -> {
          kept(item);
          to.kept(event, ending.outcome());
        },
        full -> letter(item, event, to, full.reason() == JournalFull.Reason.STATE
            ? new Verdict.Dead("state-full", String.valueOf(full.getMessage()))
            : new Verdict.Dead("answer-too-large", "the journal does not take so large an answer"))));
  }

  private void dead(Item item, Accepted event, Answers to, Verdict.Dead why) {
    if (queue.failed(item, world.nanos().getAsLong())) {
      tellLeftAlone();
    }
    end(item, letter(item, event, to, why));
  }

  private Commits.End letter(Item item, Accepted event, Answers to, Verdict.Dead why) {
    LOG.error("{}: event {} of {} failed for good: {}: {}. It is dead letter {}.", name,
        event.entry().invocation().id(), event.entry().invocation().subject(), why.reason(), why.detail(), item.number);
    return new Commits.End(
        () -> world.journal().deadLetter(item.number, why.reason(), why.detail(), item.attempts + 1), () -> {
          kept(item);
          to.died(event, why.reason(), why.detail());
        }, full -> {
          throw new IllegalStateException("a dead letter is too large for the journal that has its event");
        });
  }

  /**
   * Has the journal keep the end. What counts exactly once may have changed what the next one reads, so that waits until
   * the change is there to be read.
   */
  private void end(Item item, Commits.End end) {
    if (!item.exactlyOnce()) {
      queue.advance(item);
    }
    commits.add(item.number, end);
    pump();
  }

  private void kept(Item item) {
    StateAttempts.Attempt state = item.state;
    if (state != null) {
      state.settled();
    }
    if (item.exactlyOnce()) {
      queue.advance(item);
    }
    queue.leave();
    ended.accept(item);
    pump();
  }

  private void again(Item item, Accepted event, Verdict.Again why) {
    item.attempts++;
    world.journal().attempted(item.number, item.attempts);
    Duration delay = world.delayAfter(item.attempts);
    long now = world.nanos().getAsLong();
    boolean leftAlone = queue.again(item, now + delay.toNanos(), now);
    world.events().publish(new GatewayEvent.Retrying(world.clock().instant(), event.entry().invocation().id(), name,
        item.attempts, why.reason() + ": " + why.detail(), delay));
    if (leftAlone) {
      tellLeftAlone();
    }
    pump();
  }

  /** Others that changed what this one saw have got on with it, so there is no need to count how often. */
  private void afresh(Item item, Accepted event, Verdict.Afresh why) {
    LOG.debug("{}: event {} is handled afresh: {}", name, event.entry().invocation().id(), why.why());
    queue.afresh(item, world.nanos().getAsLong() + world.random().applyAsLong(SHORTEST_PAUSE.toNanos()));
    pump();
  }

  private void tellLeftAlone() {
    LOG.warn("{} has failed {} times in a row and is called only now and then until it answers; its events wait", name,
        world.settings().breakerFailures());
  }

  private void refused(Item item, Accepted event, Answers to, Outcome.Refused refusal) {
    long now = world.nanos().getAsLong();
    if (refusal.reason() == Outcome.Reason.UNKNOWN_FUNCTION) {
      unknownSince = unknown ? unknownSince : now;
      unknown = true;
      if (now - unknownSince > GONE_AFTER.toNanos()) {
        dead(item, event, to, new Verdict.Dead("unknown-function", "the function was removed"));
        return;
      }
      queue.refused(item, now + UNKNOWN_PAUSE.toNanos());
    } else {
      if (now - toldRefused >= QUIET_NANOS) {
        toldRefused = now;
        LOG.info("{}: not called now, {}; its events wait", name, refusal.detail());
      }
      Duration pause = refusal.retryAfter().compareTo(SHORTEST_PAUSE) < 0 ? SHORTEST_PAUSE
          : refusal.retryAfter().compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : refusal.retryAfter();
      queue.refused(item, now + pause.toNanos());
    }
    pump();
  }
}
