package io.weir.gateway.mqtt.internal;

import io.weir.function.Promise;
import io.weir.function.Promise.Order;
import io.weir.invocation.Header;
import io.weir.invocation.InvocationJournal.Entry;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;
import org.eclipse.paho.mqttv5.common.packet.UserProperty;

/**
 * A message as an entry of the journal, and what is noted there so that its answer finds the way without the message.
 *
 * @param topic where the answer goes; empty: nowhere
 * @param qos quality of service of the answer
 * @param correlation what the sender wants to have back with it
 */
record Notes(Optional<String> topic, int qos, Optional<byte[]> correlation) {
  private static final String TOPIC = "topic";
  private static final String QOS = "qos";
  private static final String CORRELATION = "correlation";
  private static final int USUAL_QOS = 1;

  /** @param key by which the message is known when it comes again */
  static Entry entry(Delivery delivery, Optional<String> key) {
    MqttProperties properties = delivery.message().getProperties();
    Optional<String> response = Messages.responseTopic(properties);
    List<Header> notes = new ArrayList<>(3);
    response.or(() -> delivery.function().output().map(output -> output.expand(delivery.captured()))
        .filter(Messages::isTopic)).ifPresent(topic -> notes.add(new Header(TOPIC, topic)));
    if (delivery.trigger().qos() != USUAL_QOS) {
      notes.add(new Header(QOS, Integer.toString(delivery.trigger().qos())));
    }
    if (response.isPresent() && properties.getCorrelationData() != null) {
      notes.add(new Header(CORRELATION, Base64.getEncoder().encodeToString(properties.getCorrelationData())));
    }
    return new Entry(delivery.invocation(), key, order(delivery), notes);
  }

  /** What messages that wait for each other have in common. One without the property waits for those of its topic. */
  private static String order(Delivery delivery) {
    Order order = delivery.trigger().promise().order();
    if (order.by() == Order.By.NONE) {
      return delivery.invocation().id() + " " + delivery.sequence();
    }
    return order.by() == Order.By.TOPIC ? delivery.topic()
        : delivery.message().getProperties().getUserProperties().stream()
            .filter(property -> property.getKey().equals(order.property())).map(UserProperty::getValue).findFirst()
            .map(value -> order.property() + "=" + value).orElseGet(delivery::topic);
  }

  static Notes of(Entry entry) {
    return new Notes(find(entry.notes(), TOPIC), find(entry.notes(), QOS).map(Integer::valueOf).orElse(USUAL_QOS),
        find(entry.notes(), CORRELATION).map(Base64.getDecoder()::decode));
  }

  private static Optional<String> find(List<Header> notes, String name) {
    return notes.stream().filter(note -> note.name().equals(name)).map(Header::value).findFirst();
  }

  /**
   * By which a message is known when it comes again, whoever sends it again: what its sender calls it, or else what the
   * broker does until it has heard that we have it.
   *
   * @param session what the broker's session with us is known by
   */
  static Optional<String> key(Delivery delivery, String session) {
    if (delivery.trigger().promise().level() != Promise.Level.EXACTLY_ONCE) {
      return Optional.empty();
    }
    return Messages.givenId(delivery.message().getProperties()).map(id -> "id " + id)
        .or(() -> delivery.qos() == 2 ? Optional.of(packetKey(session, delivery.packetId())) : Optional.empty());
  }

  static String packetKey(String session, int packetId) {
    return "packet " + session + " " + packetId;
  }
}
