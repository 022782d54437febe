package io.weir.gateway.mqtt.internal;

import java.io.IOException;
import org.eclipse.paho.mqttv5.common.packet.MqttWireMessage;

/**
 * What can be told of a packet that Paho cannot decode.
 *
 * @param type as in {@link MqttWireMessage}
 * @param qos of a PUBLISH
 * @param packetId 0 if it has none
 * @param reason of a PUBACK or PUBREC; 0 if it has none
 */
record UnreadablePacket(int type, int qos, int packetId, int reason) {

  /** @throws IOException if not even that much of it is MQTT */
  static UnreadablePacket of(byte[] packet) throws IOException {
    try {
      int at = 1;
      while ((packet[at++] & 0x80) != 0) {
        // skips the length
      }
      int type = (packet[0] & 0xFF) >> 4;
      if (type == MqttWireMessage.MESSAGE_TYPE_PUBLISH) {
        int qos = packet[0] >> 1 & 3;
        at += 2 + number(packet, at);
        return new UnreadablePacket(type, qos, qos == 0 ? 0 : number(packet, at), 0);
      }
      return new UnreadablePacket(type, 0, number(packet, at), packet.length > at + 2 ? packet[at + 2] & 0xFF : 0);
    } catch (ArrayIndexOutOfBoundsException e) {
      throw new IOException("the broker sent a packet that ends early", e);
    }
  }

  private static int number(byte[] packet, int at) {
    return (packet[at] & 0xFF) << 8 | packet[at + 1] & 0xFF;
  }

  /** Whether it is a message that can be acknowledged, or needs no acknowledgement. */
  boolean isMessage() {
    return type == MqttWireMessage.MESSAGE_TYPE_PUBLISH && qos < 3;
  }

  /** Whether it refuses a message of ours, for a reason that the standard does not foresee there. */
  boolean isRefusal() {
    return (type == MqttWireMessage.MESSAGE_TYPE_PUBACK || type == MqttWireMessage.MESSAGE_TYPE_PUBREC)
        && reason >= Reasons.REFUSED;
  }

  /** Whether it ends what we released; with what reason is all the same. */
  boolean isComplete() {
    return type == MqttWireMessage.MESSAGE_TYPE_PUBCOMP;
  }
}
