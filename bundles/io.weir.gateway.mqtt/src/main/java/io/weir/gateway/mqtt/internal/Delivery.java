package io.weir.gateway.mqtt.internal;

import io.weir.function.FunctionSpec;
import io.weir.function.Trigger;
import io.weir.invocation.Invocation;
import java.util.List;
import org.eclipse.paho.mqttv5.common.packet.MqttPublish;

/** One message on its way through a function, as the function was when it came. */
record Delivery(long sequence, MqttPublish message, FunctionSpec function, Trigger.Mqtt trigger, List<String> captured,
    Invocation invocation) {

  int packetId() {
    return message.getMessageId();
  }

  int qos() {
    return message.getQoS();
  }

  String topic() {
    return message.getTopicName();
  }

  /** It is itself, whatever it holds. */
  @Override
  public boolean equals(Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }
}
