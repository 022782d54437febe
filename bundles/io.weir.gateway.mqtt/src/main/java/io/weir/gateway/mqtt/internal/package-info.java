/**
 * Turns MQTT messages into invocations and answers into messages.
 *
 * <p>The packets are Eclipse Paho's, the connection is our own: docs/adr/0006 says why. {@code MqttGateway} keeps a
 * {@code FunctionSession} for each function; that makes one {@code MqttConnection} after the other and hands what arrives
 * to its {@code Deliveries}, which know of invocations and nothing of packets.
 */
@NullMarked
package io.weir.gateway.mqtt.internal;

import org.jspecify.annotations.NullMarked;
