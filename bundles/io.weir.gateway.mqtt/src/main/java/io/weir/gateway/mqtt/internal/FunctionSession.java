package io.weir.gateway.mqtt.internal;

import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Trigger;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Predicate;
import org.eclipse.paho.mqttv5.common.MqttSubscription;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A function's session with the broker, kept over connections and restarts until the function is gone.
 *
 * <p>One thread connects, reads, and connects again; all other methods return at once.
 */
final class FunctionSession {
  private static final Logger LOG = LoggerFactory.getLogger(FunctionSession.class);
  private static final Duration FIRST_DELAY = Duration.ofMillis(100);
  private static final Duration LONGEST_DELAY = Duration.ofSeconds(10);
  /** A connection that lived this long was well; the next delay starts small again. */
  private static final Duration WELL = Duration.ofSeconds(5);
  /** Send what the broker retains only for a new subscription, not for each connection. */
  private static final int RETAINED_IF_NEW = 1;
  private static final int REFUSED = 0x80;

  private final FunctionName name;
  private final Context context;
  private final Runnable changed;
  private final Predicate<FunctionSession> ended;
  private final Deliveries deliveries;
  private final Thread thread;

  // Guarded by this:
  private @Nullable FunctionSpec wanted;
  private @Nullable MqttConnection connection;
  private boolean forgetFirst;
  private boolean hurry;
  private boolean closing;

  private volatile boolean ready;
  private volatile String state = "connecting";

  /**
   * Starts at once.
   *
   * @param changed called when {@link #ready} or {@link #state} change
   * @param ended asked when the function is gone and the broker has forgotten it; the thread ends if that is so for good
   */
  FunctionSession(FunctionName name, Context context, Runnable changed, Predicate<FunctionSession> ended) {
    this.name = name;
    this.context = context;
    this.changed = changed;
    this.ended = ended;
    this.deliveries = new Deliveries(context, name);
    this.thread = new Thread(this::work, "weir-mqtt-" + name);
    thread.setDaemon(true);
  }

  void begin() {
    thread.start();
  }

  FunctionName name() {
    return name;
  }

  boolean ready() {
    return ready;
  }

  String state() {
    return state;
  }

  // --- what is wanted ------------------------------------------------------------------------------------------------

  /** From now on the session is for this function, or if null for none: then the broker shall forget it. */
  synchronized void want(@Nullable FunctionSpec spec) {
    FunctionSpec before = wanted;
    wanted = spec;
    deliveries.serve(spec);
    hurry = true;
    MqttConnection current = connection;
    if (spec == null) {
      forgetFirst = true;
    }
    if (current != null) {
      boolean same = spec != null && before != null && context.settings().window(spec.scaling())
          == context.settings().window(before.scaling());
      write(() -> {
        if (same) {
          subscribe(current, spec);
        } else {
          current.close();  // the window is agreed when connecting
        }
      });
    }
    notifyAll();
  }

  private void write(Runnable task) {
    try {
      context.writer().execute(task);
    } catch (RejectedExecutionException e) {
      // The gateway ends.
    }
  }

  /** Ends the connection but not the session: the broker keeps what comes. */
  void close() {
    MqttConnection current;
    synchronized (this) {
      closing = true;
      current = connection;
      notifyAll();
    }
    if (current != null) {
      current.close();
    }
  }

  /** After {@link #close}: waits for the thread, and cuts the connection if it does not end by itself. */
  void awaitEnd(Duration patience) throws InterruptedException {
    thread.join(patience.toMillis());
    MqttConnection current;
    synchronized (this) {
      current = connection;
    }
    if (current != null) {
      current.abort();
    }
  }

  // --- the thread ----------------------------------------------------------------------------------------------------

  private void work() {
    Duration delay = FIRST_DELAY;
    while (true) {
      FunctionSpec spec;
      synchronized (this) {
        spec = wanted;
        hurry = false;
        if (closing) {
          return;
        }
      }
      if (forgotten() && ended.test(this)) {
        return;
      }
      try {
        if (spec == null) {
          forget();
          continue;
        }
        long since = System.nanoTime();
        serve(spec);
        if (System.nanoTime() - since > WELL.toNanos()) {
          delay = FIRST_DELAY;
        }
      } catch (IOException | RuntimeException e) {
        changed(false, "cannot connect to " + context.broker().uri() + ": " + e.getMessage());
        if (e instanceof RuntimeException) {
          LOG.error("{}: the session failed and is started again", name, e);
        }
      }
      delay = pause(delay);
    }
  }

  /** Whether there is nothing left to do. */
  synchronized boolean forgotten() {
    return wanted == null && !forgetFirst;
  }

  /** Waits before the next attempt, unless something new is wanted; a broker that starts is not met by all at once. */
  private synchronized Duration pause(Duration delay) {
    long jittered = (long) (delay.toNanos() * (0.5 + ThreadLocalRandom.current().nextDouble()));
    long until = System.nanoTime() + jittered;
    try {
      for (long left = jittered; left > 0 && !closing && !hurry; left = until - System.nanoTime()) {
        wait(left / 1_000_000 + 1);
      }
    } catch (InterruptedException e) {
      closing = true;
    }
    return delay.multipliedBy(2).compareTo(LONGEST_DELAY) > 0 ? LONGEST_DELAY : delay.multipliedBy(2);
  }

  /** Connects and stays until the connection ends. */
  private void serve(FunctionSpec spec) throws IOException {
    boolean clean;
    synchronized (this) {
      clean = forgetFirst;
    }
    MqttConnection opened = new MqttConnection(options(clean, context.settings().sessionExpirySeconds(),
        context.settings().window(spec.scaling())));
    try {
      synchronized (this) {
        if (closing || wanted == null || context.settings().window(wanted.scaling())
            != context.settings().window(spec.scaling())) {
          return;
        }
        connection = opened;
        forgetFirst = false;
        spec = wanted;
      }
      if (!opened.sessionPresent()) {
        context.files().save(name, Set.of());
      } else if (spec.mqttTriggers().anyMatch(trigger -> trigger.qos() == 2)) {
        opened.releaseLeftovers();
      }
      deliveries.attached(opened);
      subscribe(opened, spec);
      String reason = opened.run(deliveries);
      boolean expected;
      synchronized (this) {
        expected = closing || hurry;
      }
      changed(false, expected ? "connecting" : "lost " + context.broker().uri() + ": " + reason);
      if (!expected) {
        LOG.warn("{}: lost the broker {}: {}; connecting again", name, context.broker().uri(), reason);
      }
    } finally {
      synchronized (this) {
        connection = null;
      }
      deliveries.detached();
      opened.abort();
    }
  }

  private MqttConnection.Options options(boolean clean, long expirySeconds, int window) {
    return new MqttConnection.Options(context.broker().uri(), context.broker().credentials(),
        "weir-" + context.gatewayId() + "-" + name, clean, expirySeconds, window, context.settings().keepAlive());
  }

  /** Makes the broker forget the session and what it queued. */
  private void forget() throws IOException {
    MqttConnection last = new MqttConnection(options(true, 0, 1));
    last.closeAndForget();
    last.drain();
    context.files().delete(name);
    synchronized (this) {
      forgetFirst = false;
    }
  }

  /** Brings the broker's subscriptions to what is wanted. */
  private void subscribe(MqttConnection to, FunctionSpec spec) {
    Map<String, Integer> filters = new LinkedHashMap<>();
    spec.mqttTriggers().forEach(trigger -> filters.merge(trigger.filter().value(), trigger.qos(), Math::max));
    Set<String> obsolete = context.files().filters(name);
    obsolete.removeAll(filters.keySet());
    Set<String> both = new TreeSet<>(obsolete);
    both.addAll(filters.keySet());
    context.files().save(name, both);

    List<MqttSubscription> subscriptions = filters.entrySet().stream().map(FunctionSession::subscription).toList();
    CompletableFuture<int[]> removed = obsolete.isEmpty() ? CompletableFuture.completedFuture(new int[0])
        : to.unsubscribe(List.copyOf(obsolete));
    to.subscribe(subscriptions).thenCombine(removed, (granted, ignored) -> granted).whenComplete((granted, error) -> {
      if (error == null) {
        context.files().save(name, new TreeSet<>(filters.keySet()));
        subscribed(List.copyOf(filters.keySet()), granted);
      }
    });
  }

  private static MqttSubscription subscription(Map.Entry<String, Integer> filter) {
    MqttSubscription subscription = new MqttSubscription(filter.getKey(), filter.getValue());
    subscription.setRetainHandling(RETAINED_IF_NEW);
    subscription.setNoLocal(true);  // what a function answers does not call it again
    return subscription;
  }

  private void subscribed(List<String> filters, int[] granted) {
    for (int i = 0; i < filters.size(); i++) {
      if (granted[i] >= REFUSED) {
        String problem = "the broker refuses the subscription to " + filters.get(i) + ": " + Reasons.text(granted[i]);
        LOG.error("{}: {}; correct the trigger, or what the broker allows the gateway", name, problem);
        changed(false, problem);
        return;
      }
    }
    changed(true, "subscribed");
  }

  private void changed(boolean nowReady, String nowState) {
    if (ready != nowReady || !state.equals(nowState)) {
      ready = nowReady;
      state = nowState;
      changed.run();
    }
  }

  /** Whether this trigger comes from MQTT. */
  static boolean concerns(FunctionSpec spec) {
    return spec.triggers().stream().anyMatch(Trigger.Mqtt.class::isInstance);
  }

  /** Ends a connection that the broker has left silently although it is being written to. */
  void closeIfSilent() {
    MqttConnection current;
    synchronized (this) {
      current = connection;
    }
    if (current != null) {
      try {
        current.closeIfSilent();
      } catch (IOException e) {
        LOG.debug("{}: the connection was closed already", name, e);
      }
    }
  }

  int inWork() {
    return deliveries.inWork();
  }
}
