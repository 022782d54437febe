package io.weir.gateway.mqtt.internal;

import io.weir.function.FunctionSpec;
import io.weir.function.Trigger;
import io.weir.invocation.Invocation;
import java.util.Arrays;
import java.util.List;
import org.eclipse.paho.mqttv5.common.packet.MqttPublish;

/** One message on its way through a function. */
final class Delivery {
  final long sequence;
  final MqttPublish message;
  final FunctionSpec function;
  final Trigger.Mqtt trigger;
  final List<String> captured;
  final Invocation invocation;
  /** Whether the broker has sent it on the connection of now, and so waits for a receipt there. */
  boolean expected = true;
  /** How often the broker refused its answer for a reason that may pass. */
  int refusals;

  Delivery(long sequence, MqttPublish message, FunctionSpec function, Trigger.Mqtt trigger, List<String> captured,
      Invocation invocation) {
    this.sequence = sequence;
    this.message = message;
    this.function = function;
    this.trigger = trigger;
    this.captured = captured;
    this.invocation = invocation;
  }

  int packetId() {
    return message.getMessageId();
  }

  int qos() {
    return message.getQoS();
  }

  String topic() {
    return message.getTopicName();
  }

  /** Packet ids are used again, so the number alone does not make it the same message. */
  boolean isSameAs(MqttPublish other) {
    return topic().equals(other.getTopicName()) && Arrays.equals(message.getPayload(), other.getPayload());
  }
}
