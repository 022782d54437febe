package io.weir.gateway.mqtt.internal;

import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Trigger;
import io.weir.invocation.Invocation;
import io.weir.invocation.Outcome;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.eclipse.paho.mqttv5.common.MqttMessage;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;
import org.eclipse.paho.mqttv5.common.packet.MqttPublish;
import org.eclipse.paho.mqttv5.common.packet.UserProperty;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What is published when an invocation has ended: an answer, a dead letter, or nothing. */
final class Outcomes {
  static final String DEAD_LETTERS = "weir/dead-letter/";

  private static final Logger LOG = LoggerFactory.getLogger(Outcomes.class);

  private final FunctionName name;
  private final int maxAnswerBytes;
  private final Listeners listeners;

  Outcomes(FunctionName name, int maxAnswerBytes, Listeners listeners) {
    this.name = name;
    this.maxAnswerBytes = maxAnswerBytes;
    this.listeners = listeners;
  }

  /** Reads and closes the function's answer. */
  Optional<Answer> replied(Delivery delivery, Outcome.Replied reply) {
    byte[] payload;
    try (Outcome.Body body = reply.body()) {
      boolean small = body.length() >= 0 && body.length() <= maxAnswerBytes;
      payload = small ? body.stream().readAllBytes() : body.stream().readNBytes(maxAnswerBytes + 1);
    } catch (IOException e) {
      return failed(delivery, "connection-reset", "the answer ended early: " + e.getMessage());
    }
    int status = reply.status();
    if (status >= 400 && status < 500) {
      return Optional.empty();  // rejected for good
    }
    if (status < 200 || status >= 300) {
      return failed(delivery, "status-" + status, "the function answered with status " + status);
    }
    if (status == 204 || payload.length == 0) {
      return Optional.empty();
    }
    if (payload.length <= maxAnswerBytes) {
      listeners.tell(delivery.invocation(), reply, payload);
    }
    return answer(delivery, reply, payload);
  }

  private Optional<Answer> answer(Delivery delivery, Outcome.Replied reply, byte[] payload) {
    MqttProperties question = delivery.message().getProperties();
    Optional<String> response = Messages.responseTopic(question);
    Optional<String> topic = response.or(() -> delivery.function().output()
        .map(output -> output.expand(delivery.captured())).filter(Messages::isTopic));
    if (topic.isEmpty()) {
      LOG.debug("{}: the answer to {} has no topic to go to", name, delivery.topic());
      return Optional.empty();
    }
    if (payload.length > maxAnswerBytes) {
      LOG.error("{}: the answer to {} (invocation {}) is larger than {} bytes and is lost; raise max.answer.bytes in {} "
          + "and the broker's limit, or answer less", name, delivery.topic(), delivery.invocation().id(), maxAnswerBytes,
          MqttGateway.PID);
      return Optional.empty();
    }
    MqttProperties properties = Messages.answer(reply.headers());
    if (response.isPresent() && question.getCorrelationData() != null) {
      properties.setCorrelationData(question.getCorrelationData());
    }
    return Optional.of(new Answer(delivery, topic.get(), payload, delivery.trigger().qos(), properties, false));
  }

  /** Tells of a message that the journal has as a dead letter, in the words of {@link #failed}. */
  Optional<Answer> notice(FunctionSpec function, Invocation invocation, String code, String detail) {
    Optional<Trigger.Mqtt> trigger = function.mqttTriggers().findFirst();
    if (trigger.isEmpty() || invocation.subject().startsWith(DEAD_LETTERS)) {
      return Optional.empty();
    }
    MqttProperties properties = Messages.answer(invocation.headers().stream()
        .filter(header -> !header.name().startsWith("ce-")).toList());
    byte[] payload;
    try (InputStream body = invocation.body().open()) {
      payload = body.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException("it is held in memory", e);
    }
    MqttPublish message = new MqttPublish(invocation.subject(), new MqttMessage(payload, 1, false, properties), properties);
    Delivery delivery = new Delivery(-1, message, function, trigger.get(), List.of(), invocation);
    return Optional.of(deadLetter(delivery, code, detail));
  }

  /** Puts the message where operators find it, so that a function that fails loses nothing and blocks nobody. */
  Optional<Answer> failed(Delivery delivery, String code, String detail) {
    if (delivery.topic().startsWith(DEAD_LETTERS)) {
      LOG.error("{}: invocation {} of dead letter {} failed for good: {}: {}. The message is lost.", name,
          delivery.invocation().id(), delivery.topic(), code, detail);
      return Optional.empty();
    }
    LOG.error("{}: invocation {} of {} failed for good: {}: {}. The message goes to topic {}.", name,
        delivery.invocation().id(), delivery.topic(), code, detail, DEAD_LETTERS + name);
    return Optional.of(deadLetter(delivery, code, detail));
  }

  private Answer deadLetter(Delivery delivery, String code, String detail) {
    MqttProperties original = delivery.message().getProperties();
    List<UserProperty> user = new ArrayList<>(original.getUserProperties());
    user.add(new UserProperty("weir-topic", delivery.topic()));
    user.add(new UserProperty("weir-invocation", delivery.invocation().id()));
    user.add(new UserProperty("weir-reason", Messages.text(code)));
    user.add(new UserProperty("weir-detail", Messages.text(detail)));
    MqttProperties properties = new MqttProperties();
    properties.setContentType(original.getContentType());
    properties.setUserProperties(user);
    return new Answer(delivery, DEAD_LETTERS + name, delivery.message().getPayload(), 1, properties, true);
  }
}
