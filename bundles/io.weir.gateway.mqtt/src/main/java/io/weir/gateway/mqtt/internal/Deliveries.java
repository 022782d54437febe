package io.weir.gateway.mqtt.internal;

import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Promise.Level;
import io.weir.function.Trigger;
import io.weir.invocation.Courier;
import io.weir.invocation.InvocationJournal.Accepted;
import io.weir.invocation.Outcome;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.eclipse.paho.mqttv5.common.packet.MqttPublish;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The messages of one function, each from its arrival to its receipt, until the function is removed.
 *
 * <p>A message whose trigger promises something is acknowledged when the journal has it. Without a journal, and whatever
 * the trigger promises nothing about, when its outcome is known and the broker has its answer. What the connection loses
 * in between is kept: an answer is published on the next one, and a message the broker sends again meets the invocation
 * that is still running, or the receipt that was lost.
 *
 * <p>Messages arrive on the session's thread, outcomes on the invoker's, receipts of answers on either. The monitor
 * guards all fields, {@link Receipts} and {@link Backlog} included; nothing is called or written while it is held.
 */
final class Deliveries implements MqttConnection.Handler, MqttAnswers.Notifier {
  private static final Logger LOG = LoggerFactory.getLogger(Deliveries.class);
  private static final Duration SHORTEST_RETRY = Duration.ofMillis(20);
  private static final Duration LONGEST_RETRY = Duration.ofSeconds(30);
  private static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(60);

  private final Context context;
  private final FunctionName name;
  private final Runnable dropping;
  private final Runnable settled;
  private final Outcomes outcomes;
  private final Publisher publisher;
  private final Intake intake;

  private final Receipts receipts = new Receipts();
  private final Backlog backlog;
  private @Nullable FunctionSpec function;
  private @Nullable MqttConnection connection;
  private long sequence;
  /** What {@link #admit} took in to be kept. */
  private @Nullable Delivery admitted;
  /** Whether the invoker refused and nothing is tried until it may be worth it. */
  private boolean waiting;
  private boolean pumping;
  private long dropped;
  private long toldDropped = System.nanoTime() - QUIET_NANOS;
  private long toldRefused = System.nanoTime() - QUIET_NANOS;

  /**
   * @param inOrder whether messages of a topic are invoked one after the other
   * @param dropping called now and then while {@link #dropped} grows
   * @param settled called when a message needs no more work
   */
  Deliveries(Context context, FunctionName name, FunctionSpec function, boolean inOrder, Runnable dropping,
      Runnable settled) {
    this.context = context;
    this.name = name;
    this.function = function;
    this.backlog = new Backlog(inOrder);
    this.dropping = dropping;
    this.settled = settled;
    this.outcomes = new Outcomes(name, context.settings().maxAnswerBytes(), context.listeners());
    this.publisher = new Publisher(context, name, this::finish);
    this.intake = new Intake(name, context, new Intake.Next() {
      @Override
      public void kept(Delivery delivery) {
        receipt(delivery);
      }

      @Override
      public void unkept(Delivery delivery) {
        direct(delivery);
      }
    });
  }

  /** What messages that arrive from now on are for; those that are here end as they began. */
  synchronized void serve(FunctionSpec spec) {
    function = spec;
  }

  /** The function is removed: nothing more is begun, published or acknowledged. */
  void end() {
    synchronized (this) {
      function = null;
    }
    intake.end();
    detached();
  }

  /**
   * A new connection; what the last one left undone goes on with this one.
   *
   * @param session what the broker's session is known by
   */
  void attached(MqttConnection to, String session) {
    intake.session(session);
    synchronized (this) {
      if (function == null) {
        return;
      }
      connection = to;
      receipts.connected(to.sessionPresent());
    }
    publisher.attached(to);
    pump();
  }

  void detached() {
    synchronized (this) {
      connection = null;
    }
    publisher.detached();
  }

  // --- arrival -------------------------------------------------------------------------------------------------------

  @Override
  public void arrived(MqttPublish message, boolean duplicate) {
    MqttConnection receiptTo;
    Delivery promised;
    boolean tell = false;
    Optional<Courier> courier = context.durable().courier();
    synchronized (this) {
      long before = dropped;
      admitted = null;
      receiptTo = admit(message, duplicate, courier.isPresent()) ? connection : null;
      promised = admitted;
      if (dropped > before && System.nanoTime() - toldDropped >= QUIET_NANOS) {
        toldDropped = System.nanoTime();
        tell = true;
      }
    }
    if (receiptTo != null) {
      receiptTo.acknowledge(message.getMessageId(), message.getQoS());
    }
    if (tell) {
      LOG.warn("{}: {} messages of QoS 0 dropped so far, because the function is too slow; use QoS 1 to have the broker "
          + "keep them", name, dropped());
      dropping.run();
    }
    if (promised != null && courier.isPresent()) {
      intake.add(promised, courier.get(), duplicate);
    } else {
      pump();
    }
  }

  /** Takes a message in; whether it needs nothing but its receipt. One that is to be kept is {@link #admitted} then. */
  private boolean admit(MqttPublish message, boolean duplicate, boolean mayBeKept) {
    int qos = message.getQoS();
    FunctionSpec spec = function;
    if (spec == null) {
      return false;
    }
    Receipts.Arrival arrival = qos == 0 ? Receipts.Arrival.NEW : receipts.arrived(message, duplicate);
    if (arrival != Receipts.Arrival.NEW) {
      return arrival == Receipts.Arrival.DONE;
    }
    Trigger.Mqtt trigger = null;
    List<String> captured = List.of();
    for (Trigger each : spec.triggers()) {
      Optional<List<String>> match =
          each instanceof Trigger.Mqtt mqtt ? mqtt.filter().match(message.getTopicName()) : Optional.empty();
      if (match.isPresent()) {
        trigger = (Trigger.Mqtt) each;
        captured = match.get();
        break;
      }
    }
    if (trigger == null) {
      LOG.debug("{}: {} matches no trigger any more", name, message.getTopicName());
      return qos > 0;
    }
    if (qos > 0 && !mayBeKept && trigger.promise().level() == Level.EXACTLY_ONCE) {
      return false;  // the connection is being ended; the broker sends it again
    }
    if (qos == 0 && backlog.withoutReceipt() >= 2 * window(spec)) {
      dropped++;
      if (!backlog.dropOldestWithoutReceipt()) {
        return false;
      }
    }
    Delivery delivery = new Delivery(sequence++, message, spec, trigger, captured,
        Messages.invocation(name, trigger, message, Instant.now()));
    if (qos > 0) {
      receipts.taken(delivery);
    }
    if (qos > 0 && mayBeKept && !trigger.fast() && trigger.promise().level() != Level.AT_MOST_ONCE) {
      admitted = delivery;
    } else {
      backlog.add(delivery);
    }
    return false;
  }

  private int window(FunctionSpec spec) {
    return context.settings().window(spec.scaling());
  }

  /** The journal has it: nobody need send it again. */
  private void receipt(Delivery delivery) {
    MqttConnection receiptTo;
    synchronized (this) {
      // Together with the connection: on another one the same packet id could be another message.
      receiptTo = receipts.settled(delivery) ? connection : null;
    }
    if (receiptTo != null) {
      receiptTo.acknowledge(delivery.packetId(), delivery.qos());
    }
    settled.run();
  }

  /** It goes the way without a journal. */
  private void direct(Delivery delivery) {
    synchronized (this) {
      if (function == null) {
        return;
      }
      backlog.add(delivery);
    }
    pump();
  }

  @Override
  public void released(int packetId, Runnable complete) {
    boolean exactlyOnce;
    synchronized (this) {
      receipts.released(packetId);
      exactlyOnce = function != null && Intake.exactlyOnce(function);
    }
    intake.released(packetId, exactlyOnce, complete);
  }

  /** Tells whoever listens on the topic of dead letters; the journal has the letter itself. */
  @Override
  public void died(Accepted event, String reason, String detail) {
    FunctionSpec spec;
    synchronized (this) {
      spec = function;
    }
    if (spec != null) {
      outcomes.notice(spec, event.entry().invocation(), reason, detail).ifPresent(publisher::publish);
    }
  }

  @Override
  public void unreadable(int packetId, Exception cause) {
    LOG.error("{}: a message (packet {}) is no valid MQTT 5 and is lost", name, packetId, cause);
  }

  // --- invocation ----------------------------------------------------------------------------------------------------

  /**
   * Starts what may start, oldest first. The broker should not hand over more than the window, but Mosquitto 2.0.11
   * miscounts after it has queued, so the window is kept here as well.
   */
  private void pump() {
    synchronized (this) {
      if (pumping) {
        return;  // who pumps already looks again
      }
      pumping = true;
    }
    for (Delivery next = next(); next != null; next = next()) {
      start(next);
    }
  }

  private synchronized @Nullable Delivery next() {
    Delivery next = function == null || waiting ? null : backlog.next(window(function));
    pumping = next != null;
    return next;
  }

  private void start(Delivery delivery) {
    CompletionStage<Outcome> invoked;
    try {
      invoked = context.invoker().invoke(delivery.invocation());
    } catch (RuntimeException | Error e) {
      invoked = CompletableFuture.failedStage(e);
    }
    invoked.whenComplete((outcome, error) -> {
      try {
        ended(delivery, error == null ? outcome
            : new Outcome.Failed("internal", "the invoker failed: " + error, false));
      } catch (RuntimeException | Error e) {  // or it would hold its place in the window for ever
        LOG.error("{}: invocation {} of {} ended, but its answer could not be handled", name,
            delivery.invocation().id(), delivery.topic(), e);
        finish(delivery);
      }
    });
  }

  private void ended(Delivery delivery, Outcome outcome) {
    if (outcome instanceof Outcome.Refused refusal) {
      defer(delivery, refusal);
      return;
    }
    Optional<Answer> answer = outcome instanceof Outcome.Replied reply ? outcomes.replied(delivery, reply)
        : outcome instanceof Outcome.Failed failure ? outcomes.failed(delivery, failure.code(), failure.detail())
        : Optional.empty();
    answer.ifPresentOrElse(publisher::publish, () -> finish(delivery));
  }

  /** Passes back-pressure on to the broker: without receipts it sends no more than the window. */
  private void defer(Delivery delivery, Outcome.Refused refusal) {
    boolean tell;
    synchronized (this) {
      backlog.putBack(delivery);
      if (waiting) {
        return;
      }
      waiting = true;
      tell = System.nanoTime() - toldRefused >= QUIET_NANOS;
      toldRefused = tell ? System.nanoTime() : toldRefused;
    }
    if (tell) {
      LOG.info("{}: not invoked now, {}; the broker keeps what comes", name, refusal.detail());
    }
    Duration wait = refusal.retryAfter().compareTo(SHORTEST_RETRY) < 0 ? SHORTEST_RETRY
        : refusal.retryAfter().compareTo(LONGEST_RETRY) > 0 ? LONGEST_RETRY : refusal.retryAfter();
    try {
      context.timer().schedule(() -> context.write(this::retry), wait.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      // The gateway ends; the broker keeps the message.
    }
  }

  private void retry() {
    synchronized (this) {
      waiting = false;
    }
    pump();
  }

  /** The end of a message: its outcome is known, and the broker has its answer if there is one. */
  private void finish(Delivery delivery) {
    MqttConnection receiptTo;
    synchronized (this) {
      if (!backlog.finished(delivery)) {
        return;
      }
      // Together with the connection: on another one the same packet id could be another message.
      receiptTo = delivery.qos() > 0 && receipts.settled(delivery) ? connection : null;
    }
    if (receiptTo != null) {
      receiptTo.acknowledge(delivery.packetId(), delivery.qos());
    }
    settled.run();
    pump();
  }

  /** Whether no message that arrived needs any more work. */
  synchronized boolean idle() {
    return backlog.isEmpty();
  }

  /** Others settle messages of this session, too: what is sent again with a packet id may be another message. */
  synchronized void forgetSettled() {
    receipts.forgetDone();
  }

  /** How many messages of QoS 0 came faster than the function could work. */
  synchronized long dropped() {
    return dropped;
  }
}
