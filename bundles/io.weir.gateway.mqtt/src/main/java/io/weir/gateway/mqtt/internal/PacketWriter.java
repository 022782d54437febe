package io.weir.gateway.mqtt.internal;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.eclipse.paho.mqttv5.common.MqttException;
import org.eclipse.paho.mqttv5.common.packet.MqttWireMessage;

/** Writes packets whole, whoever sends them. Never blocks; thread-safe. */
final class PacketWriter {
  private static final int PUBACK = 0x40;
  private static final int PUBREC = 0x50;

  private final BrokerSocket socket;
  private final Executor afterwards;
  private final AtomicBoolean flushing = new AtomicBoolean();

  /** @param afterwards runs what is to be done once for much that happens now */
  PacketWriter(BrokerSocket socket, Executor afterwards) {
    this.socket = socket;
    this.afterwards = afterwards;
  }

  void write(MqttWireMessage packet) throws IOException {
    socket.add(encode(packet));
    socket.flush();
  }

  /** Writes unless something waits already, which keeps a connection alive just as well. */
  void writeIfIdle(MqttWireMessage packet) throws IOException {
    if (socket.clear()) {
      write(packet);
    }
  }

  /** PUBACK or PUBREC, of success; together with others that are given at the same time. */
  void acknowledge(int packetId, int qos) {
    socket.add(new byte[] {(byte) (qos == 1 ? PUBACK : PUBREC), 2, (byte) (packetId >> 8), (byte) packetId});
    if (flushing.compareAndSet(false, true)) {
      afterwards.execute(this::flush);
    }
  }

  private void flush() {
    flushing.set(false);
    try {
      socket.flush();
    } catch (IOException e) {
      // The reading thread finds out as well; the broker sends the messages again on the next connection.
    }
  }

  /** Completes when more may be written without filling the memory. */
  CompletableFuture<Void> room() {
    return socket.room();
  }

  private static byte[] encode(MqttWireMessage packet) throws IOException {
    try {
      return packet.serialize();
    } catch (MqttException | IllegalArgumentException e) {
      throw new IOException("a packet cannot be encoded: " + packet, e);
    }
  }
}
