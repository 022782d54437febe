package io.weir.pool.internal;

import io.weir.function.FunctionName;
import io.weir.kernel.KernelSignal;
import io.weir.kernel.Traffic;
import io.weir.kernel.Traffic.Load;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings {@link Traffic} and the functions together, whenever it comes and goes: makes the instances known to it, passes its
 * signals on, and looks at the loads: often while some instance is awake, seldom while all rest, never while it knows none.
 */
final class TrafficLink {
  private static final Logger LOG = LoggerFactory.getLogger(TrafficLink.class);
  private static final Duration OFTEN = Duration.ofMillis(250);
  /** One that rests is signalled; this finds those whose signal was lost. */
  private static final Duration SELDOM = Duration.ofSeconds(2);

  private final KernelSide kernel;
  private final Map<FunctionName, FunctionInstances> functions;
  private final Supplier<Stream<FunctionInstances>> all;
  private final ScheduledExecutorService scheduler;
  private final LongSupplier clock;
  /** The kernel's own thread must not wait for a function's lock; and nobody looks while somebody goes. */
  private final ExecutorService signals = Executors.newSingleThreadExecutor(Lifecycle.threads("weir-pool-signals"));
  private @Nullable AutoCloseable subscription;
  private @Nullable Future<?> next;
  private boolean soon;

  /**
   * @param functions the pool's own map, read at every look
   * @param all these, and such as were removed but still have instances
   */
  TrafficLink(KernelSide kernel, Map<FunctionName, FunctionInstances> functions, Supplier<Stream<FunctionInstances>> all,
      ScheduledExecutorService scheduler, LongSupplier clock) {
    this.kernel = kernel;
    this.functions = functions;
    this.all = all;
    this.scheduler = scheduler;
    this.clock = clock;
    kernel.whenAwake(this::lookSoon);
  }

  void appeared(Traffic traffic) {
    kernel.use(traffic);
    subscribe(traffic);
    // Asking where containers live reads files, which is nothing for the framework's thread.
    submit(() -> all.get().forEach(function -> function.direct().joinAll()));
  }

  void disappeared(Traffic traffic) {
    if (kernel.uses(traffic)) {
      kernel.use(null);
      subscribe(null);
      submit(() -> tell(Map.of(), clock.getAsLong()));
    }
  }

  private synchronized void subscribe(@Nullable Traffic traffic) {
    try {
      if (subscription != null) {
        subscription.close();
      }
    } catch (Exception e) {
      LOG.debug("it is gone already", e);
    }
    subscription = traffic == null ? null : traffic.subscribe(signal -> submit(() -> heard(signal)));
  }

  private void heard(KernelSignal signal) {
    if (signal instanceof KernelSignal.Wanted wanted) {
      FunctionInstances function = functions.get(wanted.function());
      if (function != null) {
        function.direct().wanted(wanted.atNanos());
      }
    } else if (signal instanceof KernelSignal.Touched touched) {
      all.get().filter(function -> function.byId(touched.container()).isPresent()).findFirst()
          .ifPresent(function -> function.direct().touched(touched.container(), touched.atNanos()));
    }
  }

  private void submit(Runnable task) {
    try {
      signals.execute(() -> {
        try {
          task.run();
        } catch (RuntimeException e) {
          LOG.error("unexpected failure in the pool: {}", e.getMessage(), e);
        }
      });
    } catch (RejectedExecutionException e) {
      LOG.trace("the pool is closed", e);
    }
  }

  // ---- loads ----

  private synchronized void lookSoon() {
    if (next == null || !soon) {
      lookAfter(OFTEN);
    }
  }

  private synchronized void lookAfter(Duration delay) {
    forgetNext();
    soon = delay.equals(OFTEN);
    try {
      next = scheduler.schedule(this::look, delay.toNanos(), TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      LOG.trace("the pool is closed", e);
    }
  }

  private void look() {
    submit(() -> {
      try {
        // Before they are read: on a busy machine much may happen until a function hears of them.
        long asOf = clock.getAsLong();
        tell(kernel.loads(), asOf);
      } finally {
        lookAgain();
      }
    });
  }

  private synchronized void lookAgain() {
    if (kernel.knowsAny()) {
      lookAfter(kernel.anyAwake() ? OFTEN : SELDOM);
    } else {
      forgetNext();
    }
  }

  /** Never two at a time. */
  private synchronized void forgetNext() {
    if (next != null) {
      next.cancel(false);
      next = null;
    }
  }

  private void tell(Map<String, Load> loads, long asOf) {
    all.get().forEach(function -> function.direct().counted(loads, asOf));
  }

  void close() {
    subscribe(null);
    signals.shutdownNow();
  }
}
