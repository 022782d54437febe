package io.weir.gateway.mqtt.internal;

import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Promise.Level;
import io.weir.invocation.Courier;
import io.weir.invocation.InvocationJournal;
import io.weir.invocation.JournalFull;
import java.time.Duration;
import java.util.BitSet;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Messages of one function on their way into the journal, in the order of their arrival.
 *
 * <p>While the journal is full they stay here, without receipts, so that the broker sends no more than the window; where
 * the journal fails altogether they go the way without it. Thread-safe; nobody is called while the monitor is held.
 */
final class Intake {
  private static final Logger LOG = LoggerFactory.getLogger(Intake.class);
  private static final Duration PAUSE = Duration.ofMillis(200);
  private static final Duration FORGET_AGAIN = Duration.ofSeconds(1);
  private static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(60);

  /** Where messages go from here. */
  interface Next {
    /** It is kept. */
    void kept(Delivery delivery);

    /** Nobody keeps it. */
    void unkept(Delivery delivery);
  }

  private record Arrival(Delivery delivery, Courier courier, Optional<String> key) {}

  private final FunctionName name;
  private final Context context;
  private final Next next;
  private final TreeMap<Long, Arrival> waiting = new TreeMap<>();
  /** Packet ids that may be keys in the journal, and those of which that is known. */
  private final BitSet keyed = new BitSet();
  private final BitSet looked = new BitSet();
  private String session = "";
  private boolean asking;
  private boolean full;
  private long toldFull;
  private long toldFailed;

  Intake(FunctionName name, Context context, Next next) {
    this.name = name;
    this.context = context;
    this.next = next;
    this.toldFull = System.nanoTime() - QUIET_NANOS;
    this.toldFailed = toldFull;
  }

  /** @param known what the broker's session is known by */
  synchronized void session(String known) {
    if (!known.equals(session)) {
      session = known;
      keyed.clear();
      looked.clear();
    }
  }

  /** The function is no more. */
  synchronized void end() {
    waiting.clear();
  }

  /**
   * Takes a message.
   *
   * @param again whether the broker says that it has sent it before
   */
  void add(Delivery delivery, Courier courier, boolean again) {
    boolean another = false;
    synchronized (this) {
      Optional<String> key = Notes.key(delivery, session);
      waiting.put(delivery.sequence(), new Arrival(delivery, courier, key));
      if (isPacket(delivery, key)) {
        int id = delivery.packetId();
        another = !again && (keyed.get(id) || !looked.get(id));
        keyed.set(id);
        looked.set(id);
      }
    }
    if (another) {
      forget(delivery.packetId());  // it meant another message until now
    }
    pump();
  }

  private static boolean isPacket(Delivery delivery, Optional<String> key) {
    return delivery.qos() == 2 && key.isPresent() && Messages.givenId(delivery.message().getProperties()).isEmpty();
  }

  private void pump() {
    synchronized (this) {
      if (asking) {
        return;  // who asks already looks again
      }
      asking = true;
    }
    for (Arrival arrival = poll(); arrival != null; arrival = poll()) {
      ask(arrival);
    }
  }

  private synchronized @Nullable Arrival poll() {
    Arrival arrival = full || waiting.isEmpty() ? null : waiting.pollFirstEntry().getValue();
    asking = arrival != null;
    return arrival;
  }

  private void ask(Arrival arrival) {
    Delivery delivery = arrival.delivery();
    CompletionStage<?> accepted;
    try {
      accepted = context.durable().courier().orElse(arrival.courier()).accept(Notes.entry(delivery, arrival.key()), delivery.trigger().promise());
    } catch (RuntimeException e) {
      accepted = CompletableFuture.failedStage(e);
    }
    accepted.whenComplete((acceptance, error) -> {
      Throwable cause = error instanceof CompletionException && error.getCause() != null ? error.getCause() : error;
      if (cause == null) {
        next.kept(delivery);
      } else if (mayBeKeptLater(cause, delivery)) {
        later(arrival, cause);
      } else {
        tellFailed(cause);
        next.unkept(delivery);
      }
    });
  }

  /** What must not be done twice waits for a journal that fails, too. */
  private static boolean mayBeKeptLater(Throwable cause, Delivery delivery) {
    return cause instanceof JournalFull full ? full.reason() != JournalFull.Reason.TOO_LARGE
        : delivery.trigger().promise().level() == Level.EXACTLY_ONCE;
  }

  private void later(Arrival arrival, Throwable reason) {
    boolean first;
    boolean tell;
    synchronized (this) {
      waiting.put(arrival.delivery().sequence(), arrival);
      first = !full;
      full = true;
      tell = first && System.nanoTime() - toldFull >= QUIET_NANOS;
      toldFull = tell ? System.nanoTime() : toldFull;
    }
    if (tell) {
      LOG.warn("{}: the journal takes no messages now, {}; the broker keeps what comes", name, reason.getMessage());
    }
    if (first) {
      after(PAUSE, () -> {
        synchronized (this) {
          full = false;
        }
        pump();
      });
    }
  }

  private void tellFailed(Throwable cause) {
    synchronized (this) {
      if (System.nanoTime() - toldFailed < QUIET_NANOS) {
        return;
      }
      toldFailed = System.nanoTime();
    }
    LOG.warn("{}: messages cannot be kept in the journal and are acknowledged when they are answered, so that some may be "
        + "handled twice: {}", name, cause.getMessage());
  }

  private void after(Duration delay, Runnable task) {
    try {
      context.timer().schedule(() -> context.write(task), delay.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      // The gateway ends; the broker keeps the messages.
    }
  }

  // --- packet ids ----------------------------------------------------------------------------------------------------

  /**
   * The broker will not send the message with this id again.
   *
   * @param exactlyOnce whether an id may be a key at all
   * @param complete to be run once the id may mean another message
   */
  void released(int packetId, boolean exactlyOnce, Runnable complete) {
    boolean mayBeKey;
    synchronized (this) {
      mayBeKey = keyed.get(packetId) || exactlyOnce && !looked.get(packetId);
      keyed.clear(packetId);
      looked.set(packetId);
    }
    if (mayBeKey) {
      complete(packetId, complete);
    } else {
      complete.run();
    }
  }

  private void complete(int packetId, Runnable complete) {
    forget(packetId).whenComplete((ok, error) -> {
      if (error == null) {
        complete.run();
      } else {
        after(FORGET_AGAIN, () -> complete(packetId, complete));
      }
    });
  }

  private CompletionStage<Void> forget(int packetId) {
    String key;
    synchronized (this) {
      key = Notes.packetKey(session, packetId);
    }
    Optional<InvocationJournal> journal = context.durable().journal();
    try {
      return journal.isEmpty() ? CompletableFuture.completedStage(null) : journal.get().forget(name, key);
    } catch (RuntimeException e) {
      return CompletableFuture.failedStage(e);
    }
  }

  /** Whether a function has messages whose packet ids may be keys. */
  static boolean exactlyOnce(FunctionSpec function) {
    return function.mqttTriggers().anyMatch(trigger -> trigger.promise().level() == Level.EXACTLY_ONCE);
  }
}
