package io.weir.engine.podman.internal;

import io.weir.engine.EngineException;
import io.weir.engine.EngineException.Code;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether the Podman service answers. A thread of its own asks: often while the service is away, seldom while it is
 * there. Calls wait here while it comes up. Thread-safe.
 *
 * @param <S> what is learnt about a service when it comes up
 */
final class Presence<S> implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Presence.class);
  /** A card that is being written may hold the service up for seconds; that is no absence. */
  private static final Duration PING_LIMIT = Duration.ofSeconds(15);
  private static final Duration BETWEEN_PINGS = Duration.ofSeconds(5);
  private static final Duration FIRST_RETRY = Duration.ofMillis(20);
  private static final Duration LONGEST_RETRY = Duration.ofSeconds(1);
  private static final String STARTING = "starting";

  private final Libpod libpod;
  private final Function<Libpod, S> greet;
  private final Function<S, String> describe;
  private final Consumer<String> changed;
  private final Duration startsWithin;
  private final Thread thread;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition news = lock.newCondition();
  private @Nullable S session;
  private String state = STARTING;
  private long since = System.nanoTime();
  private Optional<String> hopeless = Optional.empty();
  private boolean suspected;
  private boolean closed;

  /**
   * @param greet called once the service answers, before any other call gets through
   * @param describe the state while the service is there
   * @param changed hears every change of {@link #state}
   * @param startsWithin how long its absence is called starting
   */
  Presence(Libpod libpod, Function<Libpod, S> greet, Function<S, String> describe, Consumer<String> changed,
      Duration startsWithin) {
    this.libpod = libpod;
    this.greet = greet;
    this.describe = describe;
    this.changed = changed;
    this.startsWithin = startsWithin;
    this.thread = new Thread(this::watch, "weir-engine-presence");
    thread.setDaemon(true);
  }

  void start() {
    thread.start();
  }

  private void watch() {
    Duration retry = FIRST_RETRY;
    do {
      retry = look() ? FIRST_RETRY : longer(retry);
    } while (pause(ready() ? BETWEEN_PINGS : retry));
  }

  private static Duration longer(Duration retry) {
    Duration longer = retry.multipliedBy(3).dividedBy(2);
    return longer.compareTo(LONGEST_RETRY) > 0 ? LONGEST_RETRY : longer;
  }

  /** Whether the service is there. */
  private boolean look() {
    try {
      libpod.ping(PING_LIMIT);
    } catch (EngineException e) {
      left(e.getMessage(), true);
      return false;
    }
    try {
      arrived();
      return true;
    } catch (EngineException e) {
      left(e.getMessage(), false);
      return false;
    } catch (RuntimeException e) {
      LOG.error("the container engine answers what cannot be understood", e);
      left("its answer cannot be understood: " + e, false);
      return false;
    }
  }

  /** False once closed. */
  private boolean pause(Duration pause) {
    lock.lock();
    try {
      long left = pause.toNanos();
      while (!closed && !suspected && left > 0) {
        left = news.awaitNanos(left);
      }
      suspected = false;
      return !closed;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } finally {
      lock.unlock();
    }
  }

  private void arrived() {
    lock.lock();
    try {
      if (session != null) {
        return;
      }
    } finally {
      lock.unlock();
    }
    S greeted = greet.apply(libpod);
    lock.lock();
    try {
      hopeless = Optional.empty();
    } finally {
      lock.unlock();
    }
    become(greeted, describe.apply(greeted));
  }

  /** @param mayBeComing whether its absence may be that of a service that is being started */
  private void left(String why, boolean mayBeComing) {
    libpod.forget();
    lock.lock();
    String now;
    boolean worse;
    try {
      if (closed) {
        return;
      }
      boolean coming = mayBeComing && session == null && state.equals(STARTING)
          && System.nanoTime() - since < startsWithin.toNanos();
      now = hopeless.orElse(coming ? STARTING : "away: " + why);
      worse = !coming && hopeless.isEmpty() && !state.startsWith("away: ");
    } finally {
      lock.unlock();
    }
    if (worse) {
      LOG.warn("the container engine is away: {}", why);
    }
    become(null, now);
  }

  private void become(@Nullable S now, String text) {
    boolean different;
    lock.lock();
    try {
      different = (session == null) != (now == null) || !state.equals(text);
      session = now;
      state = text;
      news.signalAll();
    } finally {
      lock.unlock();
    }
    if (different) {
      changed.accept(text);
    }
  }

  /** Something that waiting will not mend: calls fail with it at once, until the service answers after all. */
  void hopeless(String why) {
    lock.lock();
    try {
      hopeless = Optional.of(why);
    } finally {
      lock.unlock();
    }
    become(null, why);
  }

  /** The service did not take a call: asks it again now, and holds calls back until it answers. */
  void suspect(S failed) {
    lock.lock();
    try {
      if (session != failed) {
        return;
      }
      since = System.nanoTime();
      suspected = true;
    } finally {
      lock.unlock();
    }
    become(null, STARTING);
  }

  /** What was learnt about the service; waits for it to come. */
  S await(String what, Duration patience) {
    lock.lock();
    try {
      long left = patience.toNanos();
      while (session == null && hopeless.isEmpty() && !closed && left > 0) {
        left = news.awaitNanos(left);
      }
      if (session != null && !closed) {
        return session;
      }
      throw new EngineException(Code.UNAVAILABLE,
          what + " failed: " + (closed ? "the gateway is stopping" : hopeless.orElse("the Podman service is " + state)));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new EngineException(Code.UNAVAILABLE, what + " was interrupted: the gateway is stopping", e);
    } finally {
      lock.unlock();
    }
  }

  boolean ready() {
    lock.lock();
    try {
      return session != null;
    } finally {
      lock.unlock();
    }
  }

  String state() {
    lock.lock();
    try {
      return state;
    } finally {
      lock.unlock();
    }
  }

  /** Lets waiting calls go. A ping on its way ends with its client. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      news.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
