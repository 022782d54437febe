package io.weir.gateway.mqtt.internal;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.eclipse.paho.mqttv5.common.MqttException;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;
import org.eclipse.paho.mqttv5.common.packet.MqttPubRel;
import org.eclipse.paho.mqttv5.common.packet.MqttPublish;
import org.eclipse.paho.mqttv5.common.packet.MqttWireMessage;
import org.jspecify.annotations.Nullable;

/**
 * Packets that the broker answers, sent in order as its receive maximum allows, each with the future of its answer.
 *
 * <p>Thread-safe: the monitor guards everything, and is held while writing because ids must be sent in the order they
 * are given. Futures are completed outside, by the thread that brings the answer.
 */
final class Requests {
  /**
   * A packet that is answered.
   *
   * @param chosenId its id, or 0 if any will do
   * @param received has it noted that the broker has the message, before that is released; null: nobody cares
   */
  private record Request(MqttWireMessage packet, int chosenId, @Nullable Supplier<CompletionStage<?>> received,
      CompletableFuture<MqttWireMessage> answer) {}

  private final PacketWriter writer;
  private final PacketIds ids = new PacketIds();
  private final Map<Integer, Request> unanswered = new HashMap<>();
  private final Deque<Request> unsent = new ArrayDeque<>();
  private int quota;
  private boolean closed;

  Requests(PacketWriter writer, int receiveMaximum) {
    this.writer = writer;
    this.quota = receiveMaximum;
  }

  /** Fails with {@link IOException} if the connection ends before the answer. */
  CompletableFuture<MqttWireMessage> send(MqttWireMessage packet) {
    return send(packet, 0, null);
  }

  /** The same with an id that nothing else has now, which is one of those that are not given away. */
  CompletableFuture<MqttWireMessage> send(MqttWireMessage packet, int chosenId,
      @Nullable Supplier<CompletionStage<?>> received) {
    Request request = new Request(packet, chosenId, received, new CompletableFuture<>());
    try {
      synchronized (this) {
        if (closed) {
          throw new IOException("the connection is lost");
        }
        unsent.add(request);
        sendWhatMayBeSent();
      }
    } catch (IOException e) {
      request.answer().completeExceptionally(e);
    }
    return request.answer();
  }

  private void sendWhatMayBeSent() throws IOException {
    while (!unsent.isEmpty()) {
      MqttWireMessage packet = unsent.element().packet();
      boolean publication = packet instanceof MqttPublish;
      int chosen = unsent.element().chosenId();
      int id = publication && quota == 0 ? 0 : chosen > 0 ? chosen : ids.take(packet);
      if (id == 0) {
        return;
      }
      quota -= publication ? 1 : 0;
      packet.setMessageId(id);
      unanswered.put(id, unsent.remove());
      writer.write(packet);
    }
  }

  /** The broker has a message of QoS 2; who must note that before it is released, or null. */
  synchronized @Nullable Supplier<CompletionStage<?>> received(int packetId) {
    Request request = unanswered.get(packetId);
    return request == null ? null : request.received();
  }

  /** The answer came. */
  void answered(MqttWireMessage answer) throws IOException {
    settle(answer.getMessageId()).complete(answer);
  }

  /** The broker does not take the message. */
  void refused(int packetId, int reason) throws IOException {
    settle(packetId).completeExceptionally(PublishRefused.because(reason));
  }

  /** The future that waits for the answer to this id; nobody hears it if there was no such request. */
  private synchronized CompletableFuture<MqttWireMessage> settle(int packetId) throws IOException {
    Request done = unanswered.remove(packetId);
    ids.release(packetId);
    if (done != null && done.packet() instanceof MqttPublish) {
      quota++;
    }
    sendWhatMayBeSent();
    return done == null ? new CompletableFuture<>() : done.answer();
  }

  /**
   * Ends what an earlier connection began to send with QoS 2. The broker counts it against what it takes from us until
   * it is released, and we do not remember it: its message is sent again under another id.
   */
  synchronized void releaseLeftovers() throws IOException {
    ids.takeAllOfQos2();
    try {
      for (int id = 1; id <= PacketIds.QOS2; id++) {
        writer.write(new MqttPubRel(0, id, new MqttProperties()));
      }
    } catch (MqttException e) {
      throw new IOException(e);
    }
  }

  /** No more answers will come. */
  void close(IOException cause) {
    List<Request> orphans;
    synchronized (this) {
      closed = true;
      orphans = new ArrayList<>(unanswered.values());
      orphans.addAll(unsent);
      unanswered.clear();
      unsent.clear();
    }
    orphans.forEach(orphan -> orphan.answer().completeExceptionally(cause));
  }
}
