package io.weir.gateway.mqtt.internal;

import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.locks.ReentrantLock;
import org.eclipse.paho.mqttv5.common.MqttException;
import org.eclipse.paho.mqttv5.common.packet.MqttWireMessage;

/** Writes packets whole, whoever sends them. Blocks while the broker does not read. */
final class PacketWriter {
  private final OutputStream out;
  private final Liveness liveness;
  private final ReentrantLock writing = new ReentrantLock();

  PacketWriter(OutputStream out, Liveness liveness) {
    this.out = out;
    this.liveness = liveness;
  }

  void write(MqttWireMessage packet) throws IOException {
    byte[] bytes = encode(packet);
    writing.lock();
    try {
      out.write(bytes);
      liveness.wrote();
    } finally {
      writing.unlock();
    }
  }

  /** Writes unless somebody else is writing, which keeps a connection alive just as well. */
  void writeIfIdle(MqttWireMessage packet) throws IOException {
    if (writing.tryLock()) {
      try {
        write(packet);
      } finally {
        writing.unlock();
      }
    }
  }

  private static byte[] encode(MqttWireMessage packet) throws IOException {
    try {
      return packet.serialize();
    } catch (MqttException | IllegalArgumentException e) {
      throw new IOException("a packet cannot be encoded: " + packet, e);
    }
  }
}
