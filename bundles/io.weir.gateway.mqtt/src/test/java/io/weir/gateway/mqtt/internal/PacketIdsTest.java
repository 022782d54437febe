package io.weir.gateway.mqtt.internal;

import static org.assertj.core.api.Assertions.assertThat;

import org.eclipse.paho.mqttv5.common.MqttMessage;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;
import org.eclipse.paho.mqttv5.common.packet.MqttPublish;
import org.junit.jupiter.api.Test;

class PacketIdsTest {
  private static final int FIRST = PacketIds.QOS2 + PacketIds.CHOSEN + 1;

  private final PacketIds ids = new PacketIds();

  @Test
  void givesEveryIdOnceAndThenNone() {
    for (int i = FIRST; i <= PacketIds.MAX; i++) {
      assertThat(ids.take(message(1))).isEqualTo(i);
    }
    assertThat(ids.take(message(1))).isZero();

    ids.release(170);
    ids.release(300);
    assertThat(ids.take(message(1))).isEqualTo(170);
    assertThat(ids.take(message(1))).isEqualTo(300);
    assertThat(ids.take(message(1))).isZero();
  }

  @Test
  void keepsTheFirstIdsForQosTwo() {
    for (int i = 1; i <= PacketIds.QOS2; i++) {
      assertThat(ids.take(message(2))).isEqualTo(i);
    }
    assertThat(ids.take(message(2))).isZero();
    assertThat(ids.take(message(1))).isEqualTo(FIRST);
  }

  @Test
  void doesNotGiveAwayWhatOthersChoose() {
    for (long number = 0; number < 1000; number++) {
      assertThat(PacketIds.chosen(number)).isBetween(PacketIds.QOS2 + 1, FIRST - 1);
    }
  }

  @Test
  void givesAnIdOfBeforeOnlyWhenTheBrokerHasReleasedIt() {
    ids.takeAllOfQos2();
    assertThat(ids.take(message(2))).isZero();

    ids.release(9);

    assertThat(ids.take(message(2))).isEqualTo(9);
  }

  private static MqttPublish message(int qos) {
    MqttProperties properties = new MqttProperties();
    return new MqttPublish("t", new MqttMessage(new byte[0], qos, false, properties), properties);
  }
}
