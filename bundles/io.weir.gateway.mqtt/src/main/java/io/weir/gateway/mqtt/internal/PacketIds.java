package io.weir.gateway.mqtt.internal;

import java.util.BitSet;
import org.eclipse.paho.mqttv5.common.packet.MqttPublish;
import org.eclipse.paho.mqttv5.common.packet.MqttWireMessage;

/**
 * The packet ids that a connection gives away. The first few are for messages of QoS 2 alone, so that the next
 * connection knows which ones the broker may still hold. The next few are not given away at all: who sends a message of
 * QoS 2 over several connections chooses one of them himself. Not thread-safe.
 */
final class PacketIds {
  static final int QOS2 = 64;
  static final int CHOSEN = 64;
  static final int MAX = 65_535;
  private static final int FIRST = QOS2 + CHOSEN + 1;

  private final BitSet used = new BitSet();
  private int last = FIRST - 1;

  /** The id for what has this number, whoever sends it and when. */
  static int chosen(long number) {
    return QOS2 + 1 + (int) (number % CHOSEN);
  }

  /** A free id, taken from now on; 0 if there is none. */
  int take(MqttWireMessage packet) {
    boolean qos2 = packet instanceof MqttPublish publish && publish.getQoS() == 2;
    int id = qos2 ? free(1, QOS2) : free(last + 1, MAX);
    if (id == 0 && !qos2) {
      id = free(FIRST, last);
    }
    if (id > 0) {
      used.set(id);
      last = qos2 ? last : id;
    }
    return id;
  }

  private int free(int from, int to) {
    int id = used.nextClearBit(from);
    return id <= to ? id : 0;
  }

  /** Takes all ids for QoS 2; each is free again when it is {@link #release released}. */
  void takeAllOfQos2() {
    used.set(1, QOS2 + 1);
  }

  void release(int id) {
    used.clear(id);
  }
}
