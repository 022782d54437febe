package io.weir.gateway.mqtt.internal;

import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Promise.Level;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A function's session with the broker, kept over connections and restarts until the function is gone.
 *
 * <p>One thread connects, reads, and connects again; all other methods return at once. The monitor guards the fields
 * and is never held while something is written, or while others are told.
 */
final class FunctionSession {
  private static final Logger LOG = LoggerFactory.getLogger(FunctionSession.class);
  private static final Duration FIRST_DELAY = Duration.ofMillis(200);
  private static final Duration LONGEST_DELAY = Duration.ofSeconds(10);
  private static final Duration LOOK_FOR_JOURNAL = Duration.ofMillis(100);
  /** A connection that lived this long was well; the next delay starts small again. */
  private static final Duration WELL = Duration.ofSeconds(5);

  private final FunctionName name;
  private final Context context;
  private final Line line;
  private final Runnable changed;
  private final Predicate<FunctionSession> ended;
  private final Subscriptions subscriptions;
  private final Thread thread;
  private final Backoff backoff = new Backoff(FIRST_DELAY, LONGEST_DELAY);  // of the thread

  private @Nullable FunctionSpec wanted;
  /** Null while nothing is wanted. A function that comes again begins with new ones. */
  private @Nullable Deliveries deliveries;
  private @Nullable MqttConnection connection;
  /** Whether the broker must forget what it keeps for an earlier function of this name. */
  private boolean forgetFirst;
  /** Whether the next connection shall be made at once. */
  private boolean hurry;
  /** Whether the connection is being replaced, which is nothing to tell. */
  private boolean renewing;
  /** How often another connection than the one before was asked for. */
  private int renewals;
  private boolean closing;
  private boolean ready;
  private String state = "connecting";

  /**
   * Does nothing until {@link #begin}.
   *
   * @param changed called when {@link #ready}, {@link #state} or {@link #dropped} change
   * @param ended asked when the function is gone and the broker has forgotten it; the thread ends if that is so for good
   */
  FunctionSession(FunctionName name, Context context, Line line, Runnable changed, Predicate<FunctionSession> ended) {
    this.name = name;
    this.context = context;
    this.line = line;
    this.changed = changed;
    this.ended = ended;
    this.subscriptions = new Subscriptions(context, name, line::serves, this::subscribed);
    this.thread = new Thread(this::work, line.clientId("weir-mqtt-" + name));
    thread.setDaemon(true);
  }

  void begin() {
    line.begin(this::renew);
    thread.start();
  }

  FunctionName name() {
    return name;
  }

  /** Whether there is a function, and not only leftovers of one. */
  synchronized boolean serving() {
    return wanted != null;
  }

  synchronized boolean ready() {
    return ready;
  }

  synchronized String state() {
    return state;
  }

  synchronized long dropped() {
    return deliveries == null ? 0 : deliveries.dropped();
  }

  // --- what is wanted ------------------------------------------------------------------------------------------------

  /** From now on the session is for this function, or if null for none: then the broker shall forget it. */
  synchronized void want(@Nullable FunctionSpec spec) {
    boolean sameWindow = spec != null && wanted != null && window(spec) == window(wanted);
    wanted = spec;
    if (spec == null) {
      forgetFirst = true;
      if (deliveries != null) {
        deliveries.end();
        line.post(name).ifPresent(Postbox::end);
      }
      deliveries = null;
    } else if (deliveries == null) {
      line.post(name).ifPresent(Postbox::serve);
      deliveries = new Deliveries(context, name, spec, line.inOrder(), changed, line::settled);
    } else {
      deliveries.serve(spec);
    }
    line.serve(spec);
    MqttConnection current = connection;
    if (current != null && sameWindow) {
      context.write(() -> subscriptions.reconcile(this::target));
      return;
    }
    hurry = true;
    if (current != null) {
      ready = false;
      state = "connecting";
      leave(current);  // the window is agreed when connecting
    }
    notifyAll();
  }

  private void leave(MqttConnection current) {
    context.write(() -> {
      line.quiesce();
      current.close();
    });
  }

  /**
   * Connects anew, so that the broker sends again what was not acknowledged; a connection that is being made is given up
   * for another.
   */
  synchronized void renew() {
    MqttConnection current = connection;
    renewals++;
    hurry = true;
    if (current != null && !closing) {
      renewing = true;
      context.write(current::close);
    }
    notifyAll();
  }

  /** What the journal takes is not held up by what the function could work on. */
  private int window(FunctionSpec spec) {
    return promises(spec) ? context.settings().maxInFlight() : context.settings().window(spec.scaling());
  }

  private boolean promises(FunctionSpec spec) {
    return anyLevel(spec, level -> level != Level.AT_MOST_ONCE);
  }

  private boolean anyLevel(FunctionSpec spec, Predicate<Level> is) {
    return spec.mqttTriggers().anyMatch(trigger -> line.serves(trigger) && !trigger.fast()
        && is.test(trigger.promise().level()));
  }

  /** Whether its messages are better off with the broker, because the journal is not there. */
  synchronized boolean lacksJournal() {
    return wanted != null && anyLevel(wanted, context.durable()::isMissing);
  }

  private synchronized Subscriptions.@Nullable Target target() {
    return connection == null || wanted == null ? null : new Subscriptions.Target(connection, wanted);
  }

  /** Who hears of its dead letters; empty if there is no function. */
  synchronized Optional<MqttAnswers.Notifier> notifier() {
    return Optional.ofNullable(deliveries);
  }

  /** Whether it has triggers that promise something. */
  synchronized boolean promises() {
    return wanted != null && promises(wanted);
  }

  /** Ends the connection but not the session: the broker keeps what comes. */
  synchronized void close() {
    closing = true;
    if (connection != null) {
      leave(connection);
    }
    notifyAll();
  }

  /** After {@link #close}: waits for the thread, and cuts the connection if it does not end by itself. */
  void awaitEnd(Duration patience) throws InterruptedException {
    thread.join(Math.max(1, patience.toMillis()));
    abort();
  }

  synchronized void abort() {
    if (connection != null) {
      connection.abort();
    }
  }

  /** To be called now and then: ends a connection that fell silent, and asks again for what the broker refused. */
  synchronized void look() {
    if (connection != null) {
      connection.abortIfSilent();
      if (!ready) {
        context.write(() -> subscriptions.reconcile(this::target));
      }
    }
  }

  // --- the thread ----------------------------------------------------------------------------------------------------

  private void work() {
    try {
      stay();
    } finally {
      line.close();
    }
  }

  private void stay() {
    boolean told = false;
    while (!closing()) {
      if (forgotten() && ended.test(this)) {
        return;
      }
      try {
        if (lacksJournal()) {
          changed(false, "waits for the journal");
          pause(LOOK_FOR_JOURNAL);
          continue;
        } else if (serving()) {
          long since = System.nanoTime();
          serve();
          told = false;
          if (System.nanoTime() - since > WELL.toNanos()) {
            backoff.reset();
          }
        } else {
          forget();
          continue;
        }
      } catch (IOException e) {
        String problem = "cannot connect to " + context.broker().uri() + ": " + e.getMessage();
        changed(false, problem);
        if (backoff.exhausted() && !told) {
          LOG.warn("{}: {}; tried again until it works", name, problem);
          told = true;
        }
      } catch (RuntimeException | Error e) {
        changed(false, "failed: " + e);
        LOG.error("{}: the session failed and is started again", name, e);
      }
      pause(backoff.next());
    }
  }

  private synchronized boolean closing() {
    return closing;
  }

  /** Whether there is nothing left to do. */
  synchronized boolean forgotten() {
    return wanted == null && !forgetFirst;
  }

  /** Waits before the next attempt, unless something new is wanted. */
  private synchronized void pause(Duration delay) {
    long until = System.nanoTime() + delay.toNanos();
    try {
      for (long left = delay.toNanos(); left > 0 && !closing && !hurry; left = until - System.nanoTime()) {
        wait(left / 1_000_000 + 1);
      }
    } catch (InterruptedException e) {
      closing = true;
    }
    hurry = false;
  }

  /** Connects and stays until the connection ends. */
  private void serve() throws IOException {
    int window;
    int renewed;
    boolean clean;
    synchronized (this) {
      if (wanted == null) {
        return;
      }
      window = window(wanted);
      renewed = renewals;
      clean = forgetFirst;
    }
    MqttConnection opened = line.connect(options(clean, context.settings().sessionExpirySeconds(), window));
    Deliveries served = null;
    boolean qos2;
    try {
      synchronized (this) {
        if (closing || wanted == null || deliveries == null || window(wanted) != window || renewals != renewed
            || clean != forgetFirst) {
          return;  // something else is wanted by now
        }
        connection = opened;
        if (lacksJournal()) {
          return;  // from now on whoever takes it away sees the connection
        }
        served = deliveries;
        forgetFirst = false;
        hurry = false;
        qos2 = wanted.mqttTriggers().anyMatch(trigger -> trigger.qos() == 2);
      }
      if (!opened.sessionPresent()) {
        subscriptions.forgotten();
      } else if (qos2) {
        opened.releaseLeftovers();
      }
      served.attached(opened, context.files().session(name, opened.sessionPresent()));
      line.post(name).ifPresent(box -> box.attached(opened));
      MqttConnection.Handler handler = line.attached(opened, served);
      subscriptions.reconcile(this::target);
      lost(opened.run(handler));
    } finally {
      synchronized (this) {
        connection = null;
      }
      if (served != null) {
        served.detached();
        line.post(name).ifPresent(Postbox::detached);
      }
      opened.abort();
      line.detached();
    }
  }

  private void lost(String reason) {
    boolean intended;
    synchronized (this) {
      intended = closing || hurry;
      if (renewing) {
        renewing = false;
        return;
      }
    }
    changed(false, intended ? "connecting" : "lost " + context.broker().uri() + ": " + reason);
    if (!intended) {
      LOG.warn("{}: lost the broker {}: {}; connecting again", name, context.broker().uri(), reason);
    }
  }

  private MqttConnection.Options options(boolean clean, long expirySeconds, int window) {
    return new MqttConnection.Options(context.broker().uri(), context.broker().credentials(),
        line.clientId("weir-" + context.gatewayId() + "-" + name), clean, expirySeconds, window, context.settings().keepAlive());
  }

  /** Makes the broker forget the session and what it queued. */
  private void forget() throws IOException {
    context.connect(options(true, 0, 1), BrokerSocket.Opening.ANYWHERE).closeAndForget();
    context.files().delete(name);
    synchronized (this) {
      forgetFirst = false;
    }
  }

  private void subscribed(MqttConnection on, String problem) {
    synchronized (this) {
      if (connection != on) {
        return;  // of a connection that is no more
      }
    }
    if (problem.isEmpty()) {
      changed(true, "subscribed");
    } else if (changed(false, problem)) {
      LOG.error("{}: {}; correct the trigger, or what the broker allows the gateway", name, problem);
    }
  }

  private boolean changed(boolean nowReady, String nowState) {
    synchronized (this) {
      if (ready == nowReady && state.equals(nowState)) {
        return false;
      }
      ready = nowReady;
      state = nowState;
    }
    changed.run();
    return true;
  }
}
