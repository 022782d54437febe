package io.weir.gateway.mqtt.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Limits;
import io.weir.function.Scaling;
import io.weir.function.Source;
import io.weir.function.TopicFilter;
import io.weir.function.Trigger;
import io.weir.gateway.mqtt.internal.Receipts.Arrival;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.eclipse.paho.mqttv5.common.MqttMessage;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;
import org.eclipse.paho.mqttv5.common.packet.MqttPublish;
import org.junit.jupiter.api.Test;

class ReceiptsTest {
  private static final Trigger.Mqtt TRIGGER = new Trigger.Mqtt(new TopicFilter("in"), 1, "/");
  private static final FunctionSpec FUNCTION = new FunctionSpec(new FunctionName("echo"), new Source.Image("localhost/test:1"), 8080,
      List.of(TRIGGER), Optional.empty(), new Limits(64 << 20, 1, 64), new Scaling(0, 1, 1, Duration.ofSeconds(60)),
      Duration.ofSeconds(10), Map.of());

  private final Receipts receipts = new Receipts();

  @Test
  void owesTheReceiptUntilTheMessageComesAgain() {
    Delivery delivery = taken(message(1, "a", 1));
    receipts.connected(true);

    assertThat(receipts.settled(delivery)).isFalse();
    assertThat(receipts.arrived(message(1, "a", 1), true)).isEqualTo(Arrival.DONE);
  }

  @Test
  void meetsTheWorkThatStillRuns() {
    Delivery delivery = taken(message(1, "a", 1));
    receipts.connected(true);

    assertThat(receipts.arrived(message(1, "a", 1), true)).isEqualTo(Arrival.IN_WORK);
    assertThat(receipts.settled(delivery)).isTrue();
    assertThat(receipts.settled(delivery)).isFalse();
  }

  @Test
  void knowsAnotherMessageWithTheSameId() {
    receipts.settled(taken(message(1, "a", 1)));

    assertThat(receipts.arrived(message(1, "b", 1), true)).isEqualTo(Arrival.NEW);
  }

  @Test
  void forgetsWithTheSession() {
    Delivery delivery = taken(message(1, "a", 1));
    receipts.settled(taken(message(2, "b", 1)));
    receipts.connected(false);

    assertThat(receipts.settled(delivery)).isFalse();
    assertThat(receipts.arrived(message(2, "b", 1), true)).isEqualTo(Arrival.NEW);
  }

  @Test
  void forgetsAReceiptOfQosTwoWhenItIsReleased() {
    receipts.settled(taken(message(1, "a", 2)));
    assertThat(receipts.arrived(message(1, "a", 2), true)).isEqualTo(Arrival.DONE);

    receipts.released(1);

    assertThat(receipts.arrived(message(1, "a", 2), true)).isEqualTo(Arrival.NEW);
  }

  @Test
  void trustsNoIdThatComesBackSoon() {
    receipts.settled(taken(message(1, "a", 1)));
    assertThat(receipts.arrived(message(1, "a", 1), false)).isEqualTo(Arrival.NEW);
    receipts.settled(taken(message(1, "a", 1)));
    receipts.connected(true);

    assertThat(receipts.arrived(message(1, "a", 1), true)).isEqualTo(Arrival.NEW);
  }

  private Delivery taken(MqttPublish message) {
    Delivery delivery = new Delivery(0, message, FUNCTION, TRIGGER, List.of(),
        Messages.invocation(FUNCTION.name(), TRIGGER, message, Instant.EPOCH));
    receipts.taken(delivery);
    return delivery;
  }

  private static MqttPublish message(int packetId, String payload, int qos) {
    MqttProperties properties = new MqttProperties();
    MqttPublish message =
        new MqttPublish("in", new MqttMessage(payload.getBytes(UTF_8), qos, false, properties), properties);
    message.setMessageId(packetId);
    return message;
  }
}
