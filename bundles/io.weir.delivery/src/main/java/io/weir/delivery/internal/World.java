package io.weir.delivery.internal;

import io.weir.event.Events;
import io.weir.function.FunctionRegistry;
import io.weir.invocation.InvocationJournal;
import io.weir.invocation.Invoker;
import io.weir.invocation.StateAttempts;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import java.util.function.LongUnaryOperator;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What all functions' events share.
 *
 * @param states tells what attempts change of the functions' state; null while nobody does
 * @param nanos the clock of delays
 * @param random a number from 0 up to, but excluding, the one given
 * @param timer must not be blocked
 * @param reader may be blocked, by reading from the disk
 */
record World(InvocationJournal journal, Invoker invoker, FunctionRegistry functions, Events events, Settings settings,
    Supplier<@Nullable StateAttempts> states, Clock clock, LongSupplier nanos, LongUnaryOperator random, Timer timer, Executor reader) {

  /** Runs tasks later; not at all if the gateway ends. */
  interface Timer {
    void after(Duration delay, Runnable task);
  }

  /**
   * Exponential back-off with full jitter, as in M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog,
   * 2015.
   */
  Duration delayAfter(int attempts) {
    long ceiling = Math.min(settings.longestDelay().toNanos(), settings.firstDelay().toNanos() << Math.min(attempts - 1, 20));
    return Duration.ofNanos(random.applyAsLong(ceiling + 1));
  }
}
