package io.weir.gateway.mqtt.internal;

import org.eclipse.paho.mqttv5.common.packet.MqttProperties;

/**
 * What is published because of a message, before the message is acknowledged.
 *
 * @param deadLetter whether it is the message itself, put aside
 */
record Answer(Delivery delivery, String topic, byte[] payload, int qos, MqttProperties properties,
    boolean deadLetter) {}
