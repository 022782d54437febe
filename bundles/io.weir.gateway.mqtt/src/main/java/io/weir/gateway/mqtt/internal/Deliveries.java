package io.weir.gateway.mqtt.internal;

import io.weir.event.GatewayEvent;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Trigger;
import io.weir.invocation.Outcome;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;
import org.eclipse.paho.mqttv5.common.packet.MqttPublish;
import org.eclipse.paho.mqttv5.common.packet.UserProperty;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The messages of one function, each from its arrival to its receipt.
 *
 * <p>A message is acknowledged when its outcome is known and the broker has its answer. What the connection loses in
 * between is kept: an answer is published on the next one, and a message the broker sends again meets the invocation
 * that is still running, or the receipt that was lost. Thread-safe; nothing is called while the lock is held.
 */
final class Deliveries implements MqttConnection.Handler {
  static final String DEAD_LETTERS = "weir/dead-letter/";

  private static final Logger LOG = LoggerFactory.getLogger(Deliveries.class);
  private static final Duration SHORTEST_RETRY = Duration.ofMillis(20);
  private static final Duration LONGEST_RETRY = Duration.ofSeconds(30);
  private static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(60);
  private static final int REMEMBERED = 2048;
  private static final int PUBLISH_ATTEMPTS = 20;
  private static final Duration PUBLISH_RETRY = Duration.ofMillis(500);

  private final Context context;
  private final FunctionName name;

  // Guarded by this:
  private final Map<Integer, Delivery> running = new HashMap<>();
  private final Map<Integer, Delivery> done = new LinkedHashMap<>() {
    private static final long serialVersionUID = 1L;

    @Override
    protected boolean removeEldestEntry(Map.Entry<Integer, Delivery> eldest) {
      return size() > REMEMBERED;
    }
  };
  /** Not invoked yet, or refused; oldest first. */
  private final TreeMap<Long, Delivery> held = new TreeMap<>();
  private final Set<Delivery> active = new HashSet<>();
  private final Set<Answer> unpublished = new LinkedHashSet<>();
  private @Nullable FunctionSpec function;
  private @Nullable MqttConnection connection;
  private long sequence;
  private int withoutReceipt;
  /** Whether the invoker refused and nothing is tried until it may be worth it. */
  private boolean waiting;
  private boolean pumping;
  private Duration retryAfter = SHORTEST_RETRY;
  private long dropped;
  private long toldDropped;
  private long toldRefused;

  Deliveries(Context context, FunctionName name) {
    this.context = context;
    this.name = name;
    this.toldDropped = System.nanoTime() - QUIET_NANOS;
    this.toldRefused = System.nanoTime() - QUIET_NANOS;
  }

  /** What messages that arrive from now on are for; null if they are for nobody. */
  synchronized void serve(@Nullable FunctionSpec spec) {
    function = spec;
    if (spec == null) {
      running.clear();
      done.clear();
      held.clear();
      active.clear();
      unpublished.clear();
      withoutReceipt = 0;
    }
  }

  // --- connections ---------------------------------------------------------------------------------------------------

  /** A new connection; what the last one left undone goes on with this one. */
  void attached(MqttConnection to) {
    List<Answer> again;
    synchronized (this) {
      connection = to;
      running.values().forEach(delivery -> delivery.expected = false);
      if (!to.sessionPresent()) {
        // The broker counts its packets from the beginning: old numbers mean nothing any more.
        running.clear();
        done.clear();
      }
      again = List.copyOf(unpublished);
    }
    again.forEach(answer -> publish(to, answer));
  }

  synchronized void detached() {
    connection = null;
  }

  // --- arrival -------------------------------------------------------------------------------------------------------

  @Override
  public void arrived(MqttPublish message, boolean duplicate) {
    if (admit(message, duplicate)) {
      acknowledge(message.getMessageId(), message.getQoS());
    }
    pump();
  }

  /** Takes a message in, or says that it needs nothing but its receipt. */
  private synchronized boolean admit(MqttPublish message, boolean duplicate) {
    int qos = message.getQoS();
    FunctionSpec spec = function;
    if (spec == null) {
      return false;
    }
    if (qos > 0 && duplicate) {
      Delivery same = running.get(message.getMessageId());
      if (same != null && same.isSameAs(message)) {
        same.expected = true;
        return false;
      }
      Delivery past = done.get(message.getMessageId());
      if (past != null && past.isSameAs(message)) {
        return true;
      }
    }
    done.remove(message.getMessageId());
    Optional<Trigger.Mqtt> trigger =
        spec.mqttTriggers().filter(each -> each.filter().match(message.getTopicName()).isPresent()).findFirst();
    if (trigger.isEmpty()) {
      LOG.debug("{}: {} matches no trigger any more", name, message.getTopicName());
      return qos > 0;
    }
    if (qos == 0 && withoutReceipt >= context.settings().window(spec.scaling())) {
      drop();
      return false;
    }
    List<String> captured = trigger.get().filter().match(message.getTopicName()).orElseThrow();
    Delivery delivery = new Delivery(sequence++, message, spec, trigger.get(), captured,
        Messages.invocation(name, trigger.get(), message, Instant.now()));
    if (qos > 0) {
      running.put(message.getMessageId(), delivery);
    } else {
      withoutReceipt++;
    }
    held.put(delivery.sequence, delivery);
    return false;
  }

  private void drop() {
    dropped++;
    if (System.nanoTime() - toldDropped >= QUIET_NANOS) {
      toldDropped = System.nanoTime();
      LOG.warn("{}: {} messages of QoS 0 dropped so far, because the function is too slow; use QoS 1 to have the broker "
          + "keep them", name, dropped);
    }
  }

  @Override
  public synchronized void released(int packetId) {
    done.remove(packetId);
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
    while (true) {
      Delivery next;
      synchronized (this) {
        FunctionSpec spec = function;
        if (spec == null || waiting || held.isEmpty() || active.size() >= context.settings().window(spec.scaling())) {
          pumping = false;
          return;
        }
        next = held.pollFirstEntry().getValue();
        active.add(next);
      }
      start(next);
    }
  }

  private void start(Delivery delivery) {
    CompletionStage<Outcome> invoked;
    try {
      invoked = context.invoker().invoke(delivery.invocation);
    } catch (RuntimeException e) {
      invoked = CompletableFuture.failedStage(e);
    }
    invoked.whenComplete((outcome, error) -> {
      try {
        if (error != null) {
          failed(delivery, "internal", "the invoker failed: " + error);
        } else {
          ended(delivery, outcome);
        }
      } catch (RuntimeException e) {
        LOG.error("{}: invocation {} of {} ended, but its answer could not be handled", name,
            delivery.invocation.id(), delivery.topic(), e);
        finish(delivery);
      }
    });
  }

  private void ended(Delivery delivery, Outcome outcome) {
    if (outcome instanceof Outcome.Refused refusal) {
      defer(delivery, refusal);
    } else if (outcome instanceof Outcome.Failed failure) {
      failed(delivery, failure.code(), failure.detail());
    } else if (outcome instanceof Outcome.Replied reply) {
      replied(delivery, reply);
    }
  }

  private void replied(Delivery delivery, Outcome.Replied reply) {
    byte[] payload;
    try (Outcome.Body body = reply.body()) {
      payload = body.stream().readNBytes(context.settings().maxAnswerBytes() + 1);
    } catch (IOException e) {
      failed(delivery, "connection-reset", "the answer ended early: " + e.getMessage());
      return;
    }
    int status = reply.status();
    if (status >= 400 && status < 500) {
      finish(delivery);  // rejected for good
    } else if (status < 200 || status >= 300) {
      failed(delivery, "status-" + status, "the function answered with status " + status);
    } else if (status == 204 || payload.length == 0) {
      finish(delivery);
    } else {
      answer(delivery, reply, payload);
    }
  }

  private void answer(Delivery delivery, Outcome.Replied reply, byte[] payload) {
    MqttProperties question = delivery.message.getProperties();
    Optional<String> response = Messages.responseTopic(question);
    Optional<String> topic = response.or(() -> delivery.function.output()
        .map(output -> output.expand(delivery.captured)).filter(Messages::isTopic));
    if (topic.isEmpty()) {
      LOG.debug("{}: the answer to {} has no topic to go to", name, delivery.topic());
      finish(delivery);
    } else if (payload.length > context.settings().maxAnswerBytes()) {
      LOG.error("{}: the answer to {} (invocation {}) is larger than {} bytes and is lost; raise max.answer.bytes in {} "
          + "and the broker's limit, or answer less", name, delivery.topic(), delivery.invocation.id(),
          context.settings().maxAnswerBytes(), MqttGateway.PID);
      finish(delivery);
    } else {
      MqttProperties properties = Messages.answer(reply.headers());
      if (response.isPresent() && question.getCorrelationData() != null) {
        properties.setCorrelationData(question.getCorrelationData());
      }
      publish(new Answer(delivery, topic.get(), payload, delivery.trigger.qos(), properties, false));
    }
  }

  /** Puts the message where operators find it, so that a function that fails loses nothing and blocks nobody. */
  private void failed(Delivery delivery, String code, String detail) {
    if (delivery.topic().startsWith(DEAD_LETTERS)) {
      LOG.error("{}: invocation {} of dead letter {} failed for good: {}: {}. The message is lost.", name,
          delivery.invocation.id(), delivery.topic(), code, detail);
      finish(delivery);
      return;
    }
    String topic = DEAD_LETTERS + name;
    LOG.error("{}: invocation {} of {} failed for good: {}: {}. The message was put to topic {}.", name,
        delivery.invocation.id(), delivery.topic(), code, detail, topic);
    MqttProperties properties = new MqttProperties();
    MqttProperties original = delivery.message.getProperties();
    properties.setContentType(original.getContentType());
    List<UserProperty> user = new ArrayList<>(original.getUserProperties());
    user.add(new UserProperty("weir-topic", delivery.topic()));
    user.add(new UserProperty("weir-invocation", delivery.invocation.id()));
    user.add(new UserProperty("weir-reason", Messages.text(code)));
    user.add(new UserProperty("weir-detail", Messages.text(detail)));
    properties.setUserProperties(user);
    publish(new Answer(delivery, topic, delivery.message.getPayload(), 1, properties, true));
  }

  // --- refusals: back-pressure to the broker -------------------------------------------------------------------------

  private void defer(Delivery delivery, Outcome.Refused refusal) {
    boolean tell;
    boolean schedule;
    synchronized (this) {
      if (!active.remove(delivery)) {
        return;  // of a function that is no more
      }
      held.put(delivery.sequence, delivery);
      retryAfter = refusal.retryAfter();
      schedule = !waiting;
      waiting = true;
      tell = System.nanoTime() - toldRefused >= QUIET_NANOS;
      toldRefused = tell ? System.nanoTime() : toldRefused;
    }
    if (tell) {
      LOG.info("{}: not invoked now, {}; the broker keeps what comes", name, refusal.detail());
    }
    if (schedule) {
      scheduleRetry();
    }
  }

  private void scheduleRetry() {
    Duration wait;
    synchronized (this) {
      wait = retryAfter.compareTo(SHORTEST_RETRY) < 0 ? SHORTEST_RETRY
          : retryAfter.compareTo(LONGEST_RETRY) > 0 ? LONGEST_RETRY : retryAfter;
    }
    try {
      context.timer().schedule(this::retry, wait.toMillis(), TimeUnit.MILLISECONDS);
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

  // --- answer and receipt --------------------------------------------------------------------------------------------

  private void publish(Answer answer) {
    MqttConnection to;
    synchronized (this) {
      if (function == null) {
        return;
      }
      to = connection;
      if (answer.qos() > 0) {
        unpublished.add(answer);  // also published by 'attached', if there is no connection now
      }
    }
    if (to != null) {
      publish(to, answer);
    } else if (answer.qos() == 0) {
      finish(answer.delivery());
    }
  }

  private void publish(MqttConnection to, Answer answer) {
    to.publish(answer.topic(), answer.payload(), answer.qos(), answer.properties()).whenComplete((ok, error) -> {
      Throwable cause = error instanceof CompletionException ? error.getCause() : error;
      if (cause == null) {
        published(answer);
      } else if (cause instanceof PublishRefused refusal && refusal.passing() && publishLater(answer)) {
        return;
      } else if (cause instanceof PublishRefused) {
        LOG.error("{}: the {} of {} (invocation {}) could not be published to {} and is lost: {}", name,
            answer.deadLetter() ? "dead letter" : "answer", answer.delivery().topic(),
            answer.delivery().invocation.id(), answer.topic(), cause.getMessage());
      } else if (answer.qos() > 0) {
        return;  // the next connection tries again
      }
      synchronized (this) {
        unpublished.remove(answer);
      }
      finish(answer.delivery());
    });
  }

  /** Tries once more in a while, unless that was tried often enough. */
  private boolean publishLater(Answer answer) {
    synchronized (this) {
      if (++answer.delivery().refusals > PUBLISH_ATTEMPTS) {
        return false;
      }
    }
    try {
      context.timer().schedule(() -> context.writer().execute(() -> {
        MqttConnection to;
        synchronized (this) {
          to = unpublished.contains(answer) ? connection : null;
        }
        if (to != null) {
          publish(to, answer);
        }
      }), PUBLISH_RETRY.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      // The gateway ends; the broker keeps the message.
    }
    return true;
  }

  private void published(Answer answer) {
    if (!answer.deadLetter()) {
      context.events().publish(new GatewayEvent.Published(Instant.now(), answer.delivery().invocation.id(), name,
          answer.topic(), answer.payload().length));
    }
  }

  private void finish(Delivery delivery) {
    if (settle(delivery)) {
      acknowledge(delivery.packetId(), delivery.qos());
    }
    pump();
  }

  /** Whether the broker waits for a receipt. */
  private synchronized boolean settle(Delivery delivery) {
    active.remove(delivery);
    if (delivery.qos() == 0) {
      withoutReceipt = Math.max(0, withoutReceipt - 1);
      return false;
    }
    if (!running.remove(delivery.packetId(), delivery)) {
      return false;  // of a session that is no more
    }
    done.put(delivery.packetId(), delivery);
    return delivery.expected;  // or else the broker sends it again, and gets its receipt then
  }

  private void acknowledge(int packetId, int qos) {
    MqttConnection to;
    synchronized (this) {
      to = connection;
    }
    if (to != null) {
      to.acknowledge(packetId, qos);
    }
  }

  /** Messages that a function has now; for tests and status. */
  synchronized int inWork() {
    return running.size() + withoutReceipt;
  }
}
