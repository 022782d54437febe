package io.weir.invoker.internal;

import io.weir.engine.ColdStart;
import io.weir.engine.InstancePool;
import io.weir.engine.Lease;
import io.weir.engine.LeaseRefused;
import io.weir.event.Events;
import io.weir.event.GatewayEvent;
import io.weir.function.FunctionRegistry;
import io.weir.function.FunctionSpec;
import io.weir.invocation.Guarantee;
import io.weir.invocation.Invocation;
import io.weir.invocation.Invoker;
import io.weir.invocation.Outcome;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;

/**
 * Leases an instance, calls it, and repeats what may be repeated.
 *
 * <p>Waiting for an instance or for the next attempt holds no thread. An answer that is held in memory is waited for by
 * one loop for all; one that is streamed holds a thread for as long as it has its lease. So the number of threads is
 * bounded by the instances and their concurrency, and a function that hangs uses up its own leases but nobody else's
 * threads.
 */
@Component(name = RetryingInvoker.PID, configurationPolicy = ConfigurationPolicy.REQUIRE, immediate = true,
    service = Invoker.class)
@Designate(ocd = InvokerConfig.class)
public final class RetryingInvoker implements Invoker {
  static final String PID = "io.weir.invoker";
  static final Set<String> IDEMPOTENT = Set.of("GET", "HEAD", "OPTIONS");
  private static final Duration SOON = Duration.ofSeconds(1);
  private static final Duration LEAST_PATIENCE = Duration.ofMillis(1);
  /** Bounds the delay that doubles with every question to a pool that has not heard of a function. */
  private static final int MOST_UNHEARD = 4;

  private final FunctionRegistry functions;
  private final InstancePool pool;
  private final Events events;
  private final Settings settings;
  private final FunctionClient client;
  private final HeldCalls held;
  private final ExecutorService workers;
  private final ScheduledThreadPoolExecutor timer;
  /** What waits for its next attempt, so that it can be told when the gateway goes down. */
  private final Set<Run> waiting = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  @Activate
  public RetryingInvoker(@Reference FunctionRegistry functions, @Reference InstancePool pool,
      @Reference Events events, InvokerConfig config) {
    this(functions, pool, events, Settings.of(config));
  }

  RetryingInvoker(FunctionRegistry functions, InstancePool pool, Events events, Settings settings) {
    this.functions = functions;
    this.pool = pool;
    this.events = events;
    this.settings = settings;
    this.client = new FunctionClient(settings.maxReplyBytes());
    this.held = new HeldCalls(settings.maxReplyBytes());
    this.workers = new ThreadPoolExecutor(0, Integer.MAX_VALUE, 30, TimeUnit.SECONDS, new SynchronousQueue<>(),
        threads("weir-invoker-"));
    this.timer = new ScheduledThreadPoolExecutor(1, threads("weir-invoker-timer-"));
    timer.setRemoveOnCancelPolicy(true);
  }

  private static ThreadFactory threads(String prefix) {
    AtomicInteger count = new AtomicInteger();
    return task -> {
      Thread thread = new Thread(task, prefix + count.incrementAndGet());
      thread.setDaemon(true);
      return thread;
    };
  }

  @Override
  public CompletionStage<Outcome> invoke(Invocation invocation) {
    return start(new Run(invocation, 1, false, outcome -> false));
  }

  @Override
  public CompletionStage<Outcome> attempt(Invocation invocation, int number, Predicate<Outcome> again) {
    return start(new Run(invocation, number, true, again));
  }

  private CompletionStage<Outcome> start(Run run) {
    Invocation invocation = run.invocation;
    if (run.attempt == 0) {
      events.publish(new GatewayEvent.Accepted(invocation.arrived(), invocation.id(), invocation.function(),
          invocation.trigger(), invocation.subject(), invocation.body().length()));
    }
    run.attempt();
    return run.result;
  }

  @Override
  public void afterwards(Runnable task) {
    held.afterwards(task);
  }

  private static Outcome.Refused stopping() {
    return new Outcome.Refused(Outcome.Reason.STOPPING, "the gateway is going down", SOON.multipliedBy(10));
  }

  /** One invocation on its way. Attempts follow one another, so nothing here is touched by two threads at a time. */
  private final class Run {
    private final Invocation invocation;
    /** Whether the caller sees to other attempts. */
    private final boolean alone;
    /** Whether he will do so after an outcome. */
    private final Predicate<Outcome> again;
    private final CompletableFuture<Outcome> result = new CompletableFuture<>();
    private final long arrivedNanos = System.nanoTime();
    private int attempt;
    /** How often in a row the pool did not know the function, up to a bound. */
    private int unheard;
    private Duration coldStart = Duration.ZERO;
    private Optional<ColdStart> lastColdStart = Optional.empty();

    Run(Invocation invocation, int number, boolean alone, Predicate<Outcome> again) {
      this.invocation = invocation;
      this.attempt = number - 1;
      this.alone = alone;
      this.again = again;
    }

    void attempt() {
      Optional<FunctionSpec> function = functions.find(invocation.function());
      if (closed) {
        end(stopping());
      } else if (function.isEmpty()) {
        end(new Outcome.Refused(Outcome.Reason.UNKNOWN_FUNCTION,
            "there is no function " + invocation.function(), Duration.ZERO));
      } else {
        attempt++;
        pool.acquire(invocation.function(), patience()).whenComplete((lease, error) -> {
          if (error != null) {
            onWorker(() -> refused(error));
          } else {
            begin(function.get(), lease);
          }
        });
      }
    }

    /** A client waits for all attempts together, an event for each. */
    private Duration patience() {
      if (alone || invocation.guarantee() == Guarantee.AT_LEAST_ONCE) {
        return settings.patience();
      }
      Duration left = settings.patience().minusNanos(System.nanoTime() - arrivedNanos);
      return left.compareTo(LEAST_PATIENCE) < 0 ? LEAST_PATIENCE : left;
    }

    private void onWorker(Runnable step) {
      try {
        workers.execute(() -> guarded(step));
      } catch (RejectedExecutionException e) {
        end(stopping());
      }
    }

    private void guarded(Runnable step) {
      try {
        step.run();
      } catch (RuntimeException e) {
        end(new Outcome.Failed("internal-error", "unexpected failure in the gateway: " + e, true));
      }
    }

    /** On whatever thread has the lease, so it must not block. */
    private void begin(FunctionSpec function, Lease lease) {
      if (lease.coldStart().isPresent()) {
        lastColdStart = lease.coldStart();
        coldStart = coldStart.plus(lastColdStart.get().waited());
      }
      if (!HeldCalls.suits(invocation)) {
        onWorker(() -> call(function, lease));
        return;
      }
      try {
        held.call(invocation, function, lease, coldStart, arrivedNanos, new HeldCall.Listener() {
          @Override
          public void replied(Outcome.Replied reply) {
            guarded(() -> Run.this.replied(lease, reply));
          }

          @Override
          public void failed(CallFailed failure) {
            guarded(() -> Run.this.failed(lease, failure));
          }
        });
      } catch (CallFailed e) {
        onWorker(() -> failed(lease, e));
      } catch (RejectedExecutionException e) {
        lease.release();
        onWorker(() -> end(stopping()));
      } catch (RuntimeException e) {
        lease.release();
        onWorker(() -> {
          throw e;
        });
      }
    }

    private void call(FunctionSpec function, Lease lease) {
      try {
        Outcome.Replied reply = client.call(invocation, function, lease, lease::release, coldStart, arrivedNanos);
        if (invocation.streamed()) {
          end(reply);
        } else {
          replied(lease, reply);
        }
      } catch (CallFailed e) {
        failed(lease, e);
      } catch (RuntimeException e) {
        lease.release();
        throw e;
      }
    }

    /** The whole answer is here. */
    private void replied(Lease lease, Outcome.Replied reply) {
      lease.release();
      if (reply.status() >= 500 && mayRepeat(true)) {
        repeat("status " + reply.status(), Duration.ZERO);
      } else {
        end(reply);
      }
    }

    private void failed(Lease lease, CallFailed e) {
      if (e.connection()) {
        lease.releaseSuspect();
      } else if (e.code().equals("timeout")) {
        lease.releaseTimedOut();
      } else {
        lease.release();
      }
      boolean sourceBroke = e.code().equals("invalid-request") || e.code().equals("reply-too-large");
      if (!sourceBroke && mayRepeat(e.seen())) {
        repeat(e.code() + ": " + e.getMessage(), Duration.ZERO);
      } else {
        end(new Outcome.Failed(e.code(), e.getMessage(), !sourceBroke));
      }
    }

    private void refused(Throwable error) {
      if (!(error instanceof LeaseRefused refusal)) {
        end(new Outcome.Failed("internal-error", "unexpected failure in the pool: " + error, true));
        return;
      }
      switch (refusal.code()) {
        case UNKNOWN_FUNCTION -> {
          if (functions.find(invocation.function()).isEmpty()) {
            end(new Outcome.Refused(Outcome.Reason.UNKNOWN_FUNCTION, refusal.getMessage(), Duration.ZERO));
          } else if (!alone && System.nanoTime() - arrivedNanos < settings.patience().toNanos()) {
            waitForPool(refusal);
          } else {
            end(new Outcome.Refused(Outcome.Reason.STARTING, "function " + invocation.function()
                + " is declared, but has not reached the pool of instances yet; try again", SOON));
          }
        }
        case QUEUE_FULL -> end(new Outcome.Refused(Outcome.Reason.QUEUE_FULL,
            refusal.getMessage(), refusal.retryAfter()));
        case OUT_OF_MEMORY -> end(new Outcome.Refused(Outcome.Reason.OUT_OF_MEMORY,
            refusal.getMessage(), refusal.retryAfter()));
        case STOPPING -> end(new Outcome.Refused(Outcome.Reason.STOPPING,
            refusal.getMessage(), refusal.retryAfter()));
        default -> {
          String code = refusal.code().label();
          if (alone && saysNothingOfTheFunction(refusal)) {
            end(new Outcome.Refused(Outcome.Reason.UNAVAILABLE, code + ": " + refusal.getMessage(), refusal.retryAfter()));
          } else if (!alone && invocation.guarantee() == Guarantee.AT_LEAST_ONCE && attempt < settings.attempts()) {
            repeat(code + ": " + refusal.getMessage(), refusal.retryAfter());
          } else {
            end(new Outcome.Failed(code, refusal.getMessage(), true));
          }
        }
      }
    }

    /** An attempt of whoever counts his attempts is one that was made. */
    private static boolean saysNothingOfTheFunction(LeaseRefused refusal) {
      return !refusal.tried() || refusal.code() == LeaseRefused.Code.ENGINE_UNAVAILABLE
          || refusal.code() == LeaseRefused.Code.WAITED_TOO_LONG;
    }

    /** At most once means: not again if the function may have seen it, unless HTTP calls that harmless. */
    private boolean mayRepeat(boolean seen) {
      if (alone || attempt >= settings.attempts() || closed) {
        return false;
      }
      if (invocation.guarantee() == Guarantee.AT_LEAST_ONCE) {
        return true;
      }
      if (patience().equals(LEAST_PATIENCE)) {
        return false;
      }
      boolean harmless = !seen || IDEMPOTENT.contains(invocation.method()) && attempt == 1;
      return harmless && (invocation.body().repeatable() || invocation.body().length() == 0);
    }

    /**
     * The pool hears of a new function a moment after the registry knows it, which on a busy machine that starts is seconds;
     * until then nobody was called, so it does not count as an attempt.
     */
    private void waitForPool(LeaseRefused refusal) {
      unheard = Math.min(unheard + 1, MOST_UNHEARD);
      int thisOne = attempt--;
      again(thisOne, refusal.getMessage(), settings.delayAfter(unheard, Duration.ZERO));
    }

    private void repeat(String cause, Duration asked) {
      again(attempt, cause, settings.delayAfter(attempt, asked));
    }

    private void again(int failed, String cause, Duration delay) {
      events.publish(new GatewayEvent.Retrying(Instant.now(), invocation.id(), invocation.function(), failed, cause,
          delay));
      waiting.add(this);
      try {
        timer.schedule(() -> {
          if (waiting.remove(this)) {
            attempt();
          }
        }, delay.toNanos(), TimeUnit.NANOSECONDS);
      } catch (RejectedExecutionException e) {
        stop();
      }
    }

    void stop() {
      if (waiting.remove(this)) {
        end(stopping());
      }
    }

    private void end(Outcome outcome) {
      if (!again.test(outcome)) {
        events.publish(ended(outcome));
      }
      result.complete(outcome);
    }

    private GatewayEvent.Ended ended(Outcome outcome) {
      int status = 0;
      String detail = "";
      String verdict;
      if (outcome instanceof Outcome.Replied replied) {
        status = replied.status();
        verdict = status >= 500 ? "failed"
            : status >= 400 ? "rejected"
            : status == 204 || replied.body().length() == 0 ? "no-content" : "replied";
      } else if (outcome instanceof Outcome.Failed failed) {
        verdict = "failed";
        detail = failed.code() + ": " + failed.detail();
      } else {
        Outcome.Refused refused = (Outcome.Refused) outcome;
        verdict = "refused";
        detail = refused.reason() + ": " + refused.detail();
      }
      return new GatewayEvent.Ended(Instant.now(), invocation.id(), invocation.function(), invocation.trigger(),
          invocation.subject(), verdict, status, detail, Duration.ofNanos(System.nanoTime() - arrivedNanos), coldStart,
          lastColdStart.map(cold -> cold.cause().label()).orElse(""),
          lastColdStart.map(cold -> cold.from().label()).orElse(""), attempt);
    }
  }

  @Deactivate
  void close() {
    closed = true;
    timer.shutdownNow();
    waiting.forEach(Run::stop);
    workers.shutdown();
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(2);
    try {
      held.await(until);
      if (!workers.awaitTermination(until - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        client.close();
        workers.awaitTermination(2, TimeUnit.SECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    held.close();
    client.close();
  }
}
