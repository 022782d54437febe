package io.weir.gateway.mqtt.internal;

import io.weir.event.GatewayEvent;
import io.weir.function.FunctionName;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes a function's answers, and keeps each until the broker has it: on this connection or on a later one.
 *
 * <p>Thread-safe; its monitor guards its fields, and nothing is written or called while it is held. There are never
 * more answers than messages in work, so what is kept is bounded by the function's window.
 */
final class Publisher {
  private static final Logger LOG = LoggerFactory.getLogger(Publisher.class);
  private static final int ATTEMPTS = 20;
  private static final Duration RETRY = Duration.ofMillis(500);

  private final Context context;
  private final FunctionName name;
  private final Consumer<Delivery> settled;

  /** Answers of QoS 1 and 2, with how often the broker refused each for a reason that may pass. */
  private final Map<Answer, Integer> unpublished = new LinkedHashMap<>();
  private @Nullable MqttConnection connection;

  /** @param settled told once the broker has an answer, or never will: then its message may be acknowledged */
  Publisher(Context context, FunctionName name, Consumer<Delivery> settled) {
    this.context = context;
    this.name = name;
    this.settled = settled;
  }

  void attached(MqttConnection to) {
    List<Answer> again;
    synchronized (this) {
      connection = to;
      again = List.copyOf(unpublished.keySet());
    }
    again.forEach(answer -> publish(to, answer));
  }

  synchronized void detached() {
    connection = null;
  }

  void publish(Answer answer) {
    MqttConnection to;
    synchronized (this) {
      to = connection;
      if (answer.qos() > 0) {
        unpublished.put(answer, 0);  // also published by 'attached', if there is no connection now
      }
    }
    if (to != null) {
      publish(to, answer);
    } else if (answer.qos() == 0) {
      settled.accept(answer.delivery());
    }
  }

  private void publish(MqttConnection to, Answer answer) {
    to.publish(answer.topic(), answer.payload(), answer.qos(), answer.properties()).whenComplete((ok, error) -> {
      Throwable cause = error instanceof CompletionException ? error.getCause() : error;
      if (cause == null) {
        published(answer);
      } else if (cause instanceof PublishRefused refusal) {
        if (refusal.passing() && publishLater(to, answer)) {
          return;
        }
        LOG.error("{}: the {} of {} (invocation {}) could not be published to {} and is lost: {}", name,
            answer.deadLetter() ? "dead letter" : "answer", answer.delivery().topic(),
            answer.delivery().invocation().id(), answer.topic(), cause.getMessage());
      } else if (answer.qos() > 0) {
        return;  // the next connection tries again
      }
      synchronized (this) {
        unpublished.remove(answer);
      }
      settled.accept(answer.delivery());
    });
  }

  private void published(Answer answer) {
    if (!answer.deadLetter()) {
      context.events().publish(new GatewayEvent.Published(Instant.now(), answer.delivery().invocation().id(), name,
          answer.topic(), answer.payload().length));
    }
  }

  /** Tries once more in a while, unless that was tried often enough; on the same connection, as a new one does anyway. */
  private boolean publishLater(MqttConnection to, Answer answer) {
    synchronized (this) {
      if (unpublished.merge(answer, 1, Integer::sum) > ATTEMPTS) {
        return false;
      }
    }
    try {
      context.timer().schedule(() -> context.write(() -> {
        boolean still;
        synchronized (this) {
          still = connection == to && unpublished.containsKey(answer);
        }
        if (still) {
          publish(to, answer);
        }
      }), RETRY.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      // The gateway ends; the broker keeps the message.
    }
    return true;
  }
}
