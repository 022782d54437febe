package io.weir.gateway.mqtt.internal;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.eclipse.paho.mqttv5.common.MqttException;
import org.eclipse.paho.mqttv5.common.packet.MqttConnAck;
import org.eclipse.paho.mqttv5.common.packet.MqttConnect;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;
import org.eclipse.paho.mqttv5.common.packet.MqttWireMessage;

/**
 * What the broker's CONNACK agreed to.
 *
 * @param sessionPresent whether the broker still had the session
 * @param receiveMaximum how many of our messages it takes before it has acknowledged the first
 * @param maximumPacketSize the largest packet it takes
 * @param maximumQos the highest QoS it takes; more would end the connection
 * @param keepAlive how long we may be silent
 */
record Handshake(boolean sessionPresent, int receiveMaximum, long maximumPacketSize, int maximumQos,
    Duration keepAlive) {

  static MqttConnect connect(MqttConnection.Options options) {
    MqttProperties properties = new MqttProperties();
    properties.setSessionExpiryInterval(options.sessionExpirySeconds());
    properties.setReceiveMaximum(options.receiveMaximum());
    MqttConnect packet = new MqttConnect(options.clientId(), 5, options.cleanStart(),
        (int) options.keepAlive().toSeconds(), properties, new MqttProperties());
    options.credentials().ifPresent(credentials -> {
      packet.setUserName(credentials.username());
      packet.setPassword(credentials.password().getBytes(StandardCharsets.UTF_8));
    });
    return packet;
  }

  /** Reads the broker's answer to {@link #connect}. */
  static Handshake of(byte[] packet, MqttConnection.Options options) throws IOException {
    MqttWireMessage answer;
    try {
      answer = MqttWireMessage.createWireMessage(packet);
    } catch (MqttException | RuntimeException e) {
      throw new IOException("the broker's answer to CONNECT is no MQTT 5", e);
    }
    if (!(answer instanceof MqttConnAck connAck)) {
      throw new IOException("the broker answered CONNECT with " + answer);
    }
    if (connAck.getReturnCode() >= Reasons.REFUSED) {
      throw new IOException("the broker refused the connection: " + Reasons.text(connAck.getReturnCode()));
    }
    MqttProperties terms = connAck.getProperties();
    // Paho reads two bytes with a sign.
    int receiveMaximum = terms.getReceiveMaximum() == null ? PacketIds.MAX : terms.getReceiveMaximum() & 0xFFFF;
    long maximumPacketSize = terms.getMaximumPacketSize() == null ? Long.MAX_VALUE : terms.getMaximumPacketSize();
    int maximumQos = terms.getMaximumQoS() == null ? 2 : terms.getMaximumQoS();
    Duration keepAlive = terms.getServerKeepAlive() == null || (terms.getServerKeepAlive() & 0xFFFF) == 0
        ? options.keepAlive() : Duration.ofSeconds(terms.getServerKeepAlive() & 0xFFFF);
    return new Handshake(connAck.getSessionPresent(), receiveMaximum, maximumPacketSize, maximumQos, keepAlive);
  }
}
