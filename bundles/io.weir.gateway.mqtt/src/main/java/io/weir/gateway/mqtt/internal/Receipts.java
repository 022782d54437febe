package io.weir.gateway.mqtt.internal;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.eclipse.paho.mqttv5.common.packet.MqttPublish;

/**
 * Which messages of QoS 1 and 2 the broker wants a receipt for, and which ones have theirs: what is sent again after a
 * lost connection is recognised. Not thread-safe.
 */
final class Receipts {
  private static final int REMEMBERED = 2048;

  /** What a message is to us. */
  enum Arrival { NEW, IN_WORK, DONE }

  private static final class Pending {
    final Delivery delivery;
    final Fingerprint fingerprint;
    /** Whether the broker has sent it on the connection of now, and so waits for the receipt there. */
    boolean expected = true;

    Pending(Delivery delivery) {
      this.delivery = delivery;
      this.fingerprint = Fingerprint.of(delivery.message());
    }
  }

  private final Map<Integer, Pending> inWork = new HashMap<>();
  private final Map<Integer, Fingerprint> done = new LinkedHashMap<>() {
    private static final long serialVersionUID = 1L;

    @Override
    protected boolean removeEldestEntry(Map.Entry<Integer, Fingerprint> eldest) {
      return size() > REMEMBERED;
    }
  };
  /**
   * Whether the broker uses an id again soon after its receipt. Then a message sent again may just as well be the next
   * one with this id, whose first copy was lost: a receipt of QoS 1 that was sent is not remembered, since a message
   * that runs twice is better than one that never does.
   */
  private boolean idsComeBack;

  /** A new connection; without the session of before the broker counts its ids from the beginning. */
  void connected(boolean sessionPresent) {
    inWork.values().forEach(pending -> pending.expected = false);
    if (!sessionPresent) {
      inWork.clear();
      done.clear();
    }
  }

  /** What a message of QoS 1 or 2 is; one that is in work gets its receipt when that ends. */
  Arrival arrived(MqttPublish message, boolean duplicate) {
    int id = message.getMessageId();
    if (duplicate) {
      Fingerprint fingerprint = Fingerprint.of(message);
      Pending same = inWork.get(id);
      if (same != null && same.fingerprint.equals(fingerprint)) {
        same.expected = true;
        return Arrival.IN_WORK;
      }
      if (fingerprint.equals(done.get(id))) {
        forgetIfAmbiguous(id, message.getQoS());
        return Arrival.DONE;
      }
    }
    if (done.remove(id) != null && message.getQoS() == 1 && !duplicate) {
      idsComeBack = true;
    }
    return Arrival.NEW;
  }

  void forgetDone() {
    done.clear();
  }

  private void forgetIfAmbiguous(int id, int qos) {
    if (idsComeBack && qos == 1) {
      done.remove(id);
    }
  }

  void taken(Delivery delivery) {
    inWork.put(delivery.packetId(), new Pending(delivery));
  }

  /** The message needs no more work. Whether its receipt is to be sent now; if not, it will come again and is known. */
  boolean settled(Delivery delivery) {
    Pending pending = inWork.get(delivery.packetId());
    if (pending == null || pending.delivery != delivery) {
      return false;  // of a session that is no more
    }
    inWork.remove(delivery.packetId());
    done.put(delivery.packetId(), pending.fingerprint);
    if (pending.expected) {
      forgetIfAmbiguous(delivery.packetId(), delivery.qos());
    }
    return pending.expected;
  }

  /** The broker has the receipt of a QoS 2 message and may use its id again. */
  void released(int packetId) {
    done.remove(packetId);
  }
}
