package io.weir.gateway.mqtt.internal;

import java.util.zip.CRC32C;
import org.eclipse.paho.mqttv5.common.packet.MqttPublish;

/** Enough of a message to know it again: packet ids are used again, so the number alone does not make it the same. */
record Fingerprint(String topic, int length, long checksum) {

  static Fingerprint of(MqttPublish message) {
    byte[] payload = message.getPayload();
    CRC32C checksum = new CRC32C();
    checksum.update(payload);
    return new Fingerprint(message.getTopicName(), payload.length, checksum.getValue());
  }
}
