/**
 * Turns MQTT messages into invocations and answers into messages.
 *
 * <p>The packets are Eclipse Paho's, the connection is our own: Paho's client 1.2.5 acknowledges QoS 2 messages before
 * anybody has seen them (its issues 994 and 1054), has no deadline for CONNECT (856), drops the connection when a
 * message is too large or refused, and keeps four threads for each client. Here a function's session has one thread and
 * an acknowledgement is sent when the gateway says so.
 */
@NullMarked
package io.weir.gateway.mqtt.internal;

import org.jspecify.annotations.NullMarked;
