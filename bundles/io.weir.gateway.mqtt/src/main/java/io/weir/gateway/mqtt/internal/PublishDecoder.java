package io.weir.gateway.mqtt.internal;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.Arrays;
import org.eclipse.paho.mqttv5.common.MqttMessage;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;
import org.eclipse.paho.mqttv5.common.packet.MqttPublish;
import org.eclipse.paho.mqttv5.common.packet.MqttWireMessage;
import org.jspecify.annotations.Nullable;

/** The short way to a message as most sensors send it: a topic in ASCII, no properties. */
final class PublishDecoder {
  private PublishDecoder() {}

  /** The same as Paho makes of the packet; null if it is not of that kind, or not MQTT. */
  static @Nullable MqttPublish decode(byte[] packet) {
    int qos = packet[0] >> 1 & 3;
    if ((packet[0] & 0xFF) >> 4 != MqttWireMessage.MESSAGE_TYPE_PUBLISH || qos == 3) {
      return null;
    }
    int at = 1;
    while ((packet[at++] & 0x80) != 0) {
      // skips the length
    }
    int topicEnd = at + 2 <= packet.length ? at + 2 + number(packet, at) : packet.length;
    int payload = topicEnd + (qos == 0 ? 1 : 3);
    if (payload > packet.length || packet[payload - 1] != 0 || topicEnd == at + 2) {
      return null;
    }
    for (int i = at + 2; i < topicEnd; i++) {
      if (packet[i] < 0x20 || packet[i] == 0x7F) {
        return null;
      }
    }
    String topic = new String(packet, at + 2, topicEnd - at - 2, ISO_8859_1);
    MqttPublish message = new MqttPublish(topic, new MqttMessage(Arrays.copyOfRange(packet, payload, packet.length), qos,
        (packet[0] & 1) != 0, null), new MqttProperties());
    if (qos > 0) {
      message.setMessageId(number(packet, topicEnd));
    }
    return message;
  }

  private static int number(byte[] packet, int at) {
    return (packet[at] & 0xFF) << 8 | packet[at + 1] & 0xFF;
  }
}
