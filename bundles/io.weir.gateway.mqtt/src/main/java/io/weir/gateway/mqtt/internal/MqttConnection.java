package io.weir.gateway.mqtt.internal;

import io.weir.broker.Broker.Credentials;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.Supplier;
import org.eclipse.paho.mqttv5.common.MqttException;
import org.eclipse.paho.mqttv5.common.MqttMessage;
import org.eclipse.paho.mqttv5.common.MqttSubscription;
import org.eclipse.paho.mqttv5.common.packet.MqttDisconnect;
import org.eclipse.paho.mqttv5.common.packet.MqttPingReq;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;
import org.eclipse.paho.mqttv5.common.packet.MqttPubAck;
import org.eclipse.paho.mqttv5.common.packet.MqttPubComp;
import org.eclipse.paho.mqttv5.common.packet.MqttPubRec;
import org.eclipse.paho.mqttv5.common.packet.MqttPubRel;
import org.eclipse.paho.mqttv5.common.packet.MqttPublish;
import org.eclipse.paho.mqttv5.common.packet.MqttSubAck;
import org.eclipse.paho.mqttv5.common.packet.MqttSubscribe;
import org.eclipse.paho.mqttv5.common.packet.MqttUnsubAck;
import org.eclipse.paho.mqttv5.common.packet.MqttUnsubscribe;
import org.eclipse.paho.mqttv5.common.packet.MqttWireMessage;

/**
 * One connection to the broker, from CONNECT to its end; a lost one is replaced, never mended.
 *
 * <p>One thread calls {@link #run} and so reads; every other method may be called by any thread and does not block. What
 * the broker does not take is kept until it does or the connection ends.
 */
final class MqttConnection implements AutoCloseable {
  private static final int CONNECT_MILLIS = 5_000;
  /** Room for the fixed header beside what {@link MqttWireMessage} counts. */
  private static final int FIXED_HEADER = 5;

  /** Hears what the broker sends, on the reading thread; must not block. */
  interface Handler {
    void arrived(MqttPublish message, boolean duplicate);

    /**
     * The sender of a QoS 2 message has heard our receipt and will not send it again.
     *
     * @param complete lets it use the id again; to be run once that does no harm, by whatever thread
     */
    void released(int packetId, Runnable complete);

    /** A message that is not MQTT as Paho knows it; acknowledged already, so that it does not come back for ever. */
    void unreadable(int packetId, Exception cause);

    /** All packets in this many bytes, counted from the connection's beginning, were handled. */
    default void read(long bytes) {}
  }

  /** What the connection is made with. */
  record Options(URI broker, Optional<Credentials> credentials, String clientId, boolean cleanStart,
      long sessionExpirySeconds, int receiveMaximum, Duration keepAlive) {}

  private final BrokerSocket socket;
  private final PacketReader reader;
  private final PacketWriter writer;
  private final Handshake handshake;
  private final Liveness liveness;
  private final Requests requests;
  private volatile Receipts receipts;

  /**
   * Connects; blocks for some seconds at most.
   *
   * @param blocking runs what must wait for the broker
   * @param opening told of its socket
   * @param afterwards runs what is to be done once for much that happens now, see {@link io.weir.invocation.Invoker}
   */
  MqttConnection(Options options, Executor blocking, BrokerSocket.Opening opening, Executor afterwards)
      throws IOException {
    liveness = new Liveness(options.keepAlive());
    socket = BrokerSocket.connect(options.broker(), CONNECT_MILLIS, blocking, opening, liveness::wrote);
    try {
      reader = new PacketReader(socket.in(), liveness);
      writer = new PacketWriter(socket, afterwards);
      receipts = writer::acknowledge;
      writer.write(Handshake.connect(options));
      handshake = Handshake.of(reader.read(() -> {
        throw new IOException("the broker did not answer CONNECT within " + CONNECT_MILLIS / 1000 + " s");
      }), options);
      liveness.agreed(handshake.keepAlive());
      requests = new Requests(writer, handshake.receiveMaximum());
      socket.readTimeout((int) Math.max(100, handshake.keepAlive().toMillis() / 2));
    } catch (IOException | RuntimeException e) {
      socket.cut();
      throw e;
    }
  }

  /** Whether the broker still had the session. */
  boolean sessionPresent() {
    return handshake.sessionPresent();
  }

  // --- reading -------------------------------------------------------------------------------------------------------

  /** Reads until the connection ends, and says why it did. */
  String run(Handler handler) {
    String reason;
    try {
      while (true) {
        handler.read(reader.taken());
        keepAlive();
        handle(reader.read(this::keepAlive), handler);
      }
    } catch (IOException | MqttException | RuntimeException e) {
      reason = liveness.silent() ? "the broker fell silent" : String.valueOf(e.getMessage());
    }
    abort();
    requests.close(new IOException(reason));
    return reason;
  }

  private void keepAlive() throws IOException {
    abortIfSilent();
    if (liveness.needsPing()) {
      writer.writeIfIdle(new MqttPingReq());
    }
  }

  private void handle(byte[] packet, Handler handler) throws IOException, MqttException {
    MqttPublish plain = PublishDecoder.decode(packet);
    if (plain != null) {
      handler.arrived(plain, (packet[0] & 0x08) != 0);
      return;
    }
    MqttWireMessage message;
    try {
      message = MqttWireMessage.createWireMessage(packet);
    } catch (MqttException | RuntimeException e) {
      skip(UnreadablePacket.of(packet), handler, e);
      return;
    }
    if (message instanceof MqttPublish publish) {
      handler.arrived(publish, (packet[0] & 0x08) != 0);
    } else if (message instanceof MqttPubRel release) {
      handler.released(release.getMessageId(), () -> complete(release.getMessageId()));
    } else if (message instanceof MqttPubRec received && received.getReasonCodes()[0] < Reasons.REFUSED) {
      received(received.getMessageId());
    } else if (message instanceof MqttPubAck || message instanceof MqttPubComp || message instanceof MqttPubRec
        || message instanceof MqttSubAck || message instanceof MqttUnsubAck) {
      requests.answered(message);
    } else if (message instanceof MqttDisconnect disconnect) {
      throw new IOException("the broker disconnected: " + Reasons.text(disconnect.getReturnCode()));
    }
  }

  private void received(int packetId) throws IOException, MqttException {
    Supplier<CompletionStage<?>> note = requests.received(packetId);
    if (note == null) {
      writer.write(new MqttPubRel(0, packetId, new MqttProperties()));
      return;
    }
    note.get().whenComplete((ok, error) -> {
      try {
        if (error == null) {
          writer.write(new MqttPubRel(0, packetId, new MqttProperties()));
        }
      } catch (IOException | MqttException e) {
        // It is released on the next connection.
      }
    });
  }

  private void complete(int packetId) {
    try {
      writer.write(new MqttPubComp(0, packetId, new MqttProperties()));
    } catch (IOException | MqttException e) {
      // The broker releases it again on the next connection.
    }
  }

  private void skip(UnreadablePacket packet, Handler handler, Exception cause) throws IOException {
    if (packet.isMessage()) {
      handler.unreadable(packet.packetId(), cause);
      if (packet.qos() > 0) {
        acknowledge(packet.packetId(), packet.qos());
      }
    } else if (packet.isRefusal() || packet.isComplete()) {
      requests.refused(packet.packetId(), packet.reason());
    } else {
      throw new IOException("the broker sent what is no MQTT 5 packet", cause);
    }
  }

  // --- writing -------------------------------------------------------------------------------------------------------

  /** Completes with the granted QoS or the refusal for each subscription, in their order. */
  CompletableFuture<int[]> subscribe(List<MqttSubscription> subscriptions) {
    return requests.send(new MqttSubscribe(subscriptions.toArray(MqttSubscription[]::new), new MqttProperties()))
        .thenApply(MqttWireMessage::getReasonCodes);
  }

  CompletableFuture<int[]> unsubscribe(List<String> filters) {
    return requests.send(new MqttUnsubscribe(filters.toArray(String[]::new), new MqttProperties()))
        .thenApply(MqttWireMessage::getReasonCodes);
  }

  /**
   * Completes once the broker has taken the message; fails with {@link PublishRefused} if it never will, with
   * {@link IOException} if the connection ended before.
   */
  CompletableFuture<Void> publish(String topic, byte[] payload, int wantedQos, MqttProperties properties) {
    int qos = Math.min(wantedQos, handshake.maximumQos());
    MqttPublish packet = new MqttPublish(topic, new MqttMessage(payload, qos, false, properties), properties);
    try {
      if (packet.getHeader().length + payload.length + FIXED_HEADER > handshake.maximumPacketSize()) {
        throw new PublishRefused("the message is larger than the broker accepts (" + payload.length + " bytes)", false);
      }
      if (qos == 0) {
        writer.write(packet);
        return writer.room();   // there is no answer that could slow us down
      }
    } catch (MqttException | IllegalArgumentException e) {
      return CompletableFuture.failedFuture(new PublishRefused("it cannot be encoded: " + e.getMessage(), false));
    } catch (IOException | PublishRefused e) {
      return CompletableFuture.failedFuture(e);
    }
    return requests.send(packet).thenCompose(MqttConnection::accepted);
  }

  /** Whether the broker takes messages that it must not have twice. */
  boolean takesQos2() {
    return handshake.maximumQos() == 2;
  }

  /**
   * The same for a message of QoS 2 that an earlier connection may have sent already.
   *
   * @param packetId the same every time, one of {@link PacketIds#chosen}
   * @param again whether it was sent before
   * @param received has it noted that the broker has the message, which is released then and must not be sent again
   */
  CompletableFuture<Void> publishOnce(int packetId, boolean again, String topic, byte[] payload, MqttProperties properties,
      Supplier<CompletionStage<?>> received) {
    MqttPublish packet = new MqttPublish(topic, new MqttMessage(payload, 2, false, properties), properties);
    packet.setDuplicate(again);
    try {
      if (packet.getHeader().length + payload.length + FIXED_HEADER > handshake.maximumPacketSize()) {
        throw new PublishRefused("the message is larger than the broker accepts (" + payload.length + " bytes)", false);
      }
    } catch (MqttException | IllegalArgumentException e) {
      return CompletableFuture.failedFuture(new PublishRefused("it cannot be encoded: " + e.getMessage(), false));
    } catch (PublishRefused e) {
      return CompletableFuture.failedFuture(e);
    }
    return requests.send(packet, packetId, received).thenCompose(MqttConnection::accepted);
  }

  /** Releases a message that the broker has; completes when it has done so, or did so before. */
  CompletableFuture<Void> release(int packetId) {
    try {
      return requests.send(new MqttPubRel(0, packetId, new MqttProperties()), packetId, null).thenApply(answer -> null);
    } catch (MqttException e) {
      return CompletableFuture.failedFuture(new IOException(e));
    }
  }

  private static CompletionStage<Void> accepted(MqttWireMessage answer) {
    int reason = answer.getReasonCodes()[0];
    return reason < Reasons.REFUSED ? CompletableFuture.completedFuture(null)
        : CompletableFuture.failedFuture(PublishRefused.because(reason));
  }

  /**
   * Tells the broker that a message need not be sent again, together with others that are told at the same time. A
   * connection that ended meanwhile is fine.
   */
  void acknowledge(int packetId, int qos) {
    receipts.acknowledge(packetId, qos);
  }

  /** Who is told from now on what {@link #acknowledge} was told; to be called before {@link #run}. */
  void acknowledgeBy(Function<Receipts, Receipts> others) {
    receipts = others.apply(writer::acknowledge);
  }

  /** What becomes of acknowledgements. */
  interface Receipts {
    void acknowledge(int packetId, int qos);
  }

  /** Ends what an earlier connection of the session began to send with QoS 2. */
  void releaseLeftovers() throws IOException {
    requests.releaseLeftovers();
  }

  // --- ending --------------------------------------------------------------------------------------------------------

  /** Leaves; the broker keeps the session. */
  @Override
  public void close() {
    disconnect(new MqttProperties());
  }

  /** For a connection that is not {@link #run}: leaves, and returns when the broker has forgotten the session. */
  void closeAndForget() {
    MqttProperties properties = new MqttProperties();
    properties.setSessionExpiryInterval(0L);
    disconnect(properties);
    try {
      while (true) {
        reader.read(() -> {
          throw new IOException("the broker did not close");
        });
      }
    } catch (IOException e) {
      abort();
    }
  }

  private void disconnect(MqttProperties properties) {
    try {
      writer.write(new MqttDisconnect(0, properties));
      socket.finishWriting();
      // What the broker still sends must be read, or a reset could overtake the DISCONNECT; 'run' does that.
    } catch (IOException | MqttException | UnsupportedOperationException e) {
      // gone already
    }
  }

  /** Cuts the connection as it is. */
  void abort() {
    socket.cut();
  }

  /** Cuts the connection if the broker has been silent for much longer than it may. */
  void abortIfSilent() {
    if (liveness.silent()) {
      abort();
    }
  }
}
