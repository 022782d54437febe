package io.weir.gateway.mqtt.internal;

import io.weir.broker.Broker.Credentials;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.IntStream;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.eclipse.paho.mqttv5.common.MqttException;
import org.eclipse.paho.mqttv5.common.MqttMessage;
import org.eclipse.paho.mqttv5.common.MqttSubscription;
import org.eclipse.paho.mqttv5.common.packet.MqttConnAck;
import org.eclipse.paho.mqttv5.common.packet.MqttConnect;
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
import org.jspecify.annotations.Nullable;

/**
 * One connection to the broker, from CONNECT to its end; a lost one is replaced, never mended.
 *
 * <p>One thread calls {@link #run} and so reads; every other method may be called by any thread. Writing blocks only
 * while the broker does not read, and not for longer than its silence is tolerated.
 */
final class MqttConnection implements AutoCloseable {
  private static final int CONNECT_MILLIS = 5_000;
  private static final int MAX_PACKET_IDS = 65_535;
  /** Packet ids 1 to this are for messages of QoS 2 that we send, the others for everything else. */
  private static final int QOS2_PACKET_IDS = 64;
  /** Reason codes from here on are refusals. */
  private static final int REFUSED = 0x80;
  /** Room for the fixed header beside what {@link MqttWireMessage} counts. */
  private static final int FIXED_HEADER = 5;

  /** Hears what the broker sends, on the reading thread; must not block. */
  interface Handler {
    void arrived(MqttPublish message, boolean duplicate);

    /** The sender of a QoS 2 message has heard our receipt and will not send it again. */
    void released(int packetId);

    /** A message that is not MQTT as Paho knows it; acknowledged already, so that it does not come back for ever. */
    void unreadable(int packetId, Exception cause);
  }

  /** What the connection is made with. */
  record Options(URI broker, Optional<Credentials> credentials, String clientId, boolean cleanStart,
      long sessionExpirySeconds, int receiveMaximum, Duration keepAlive) {}

  private record Waiting(MqttWireMessage packet, CompletableFuture<MqttWireMessage> answer) {}

  private final Options options;
  private final Socket socket;
  private final DataInputStream in;
  private final OutputStream out;
  private final ReentrantLock writing = new ReentrantLock();
  private final MqttConnAck accepted;

  // Guarded by 'writing':
  private final Map<Integer, Waiting> unanswered = new HashMap<>();
  private final Deque<Waiting> beyondQuota = new ArrayDeque<>();
  private int quota;
  private int lastPacketId = QOS2_PACKET_IDS;
  private final Set<Integer> leftovers = new HashSet<>();
  private boolean lost;

  private volatile long heardAt = System.nanoTime();
  private volatile long wroteAt = System.nanoTime();

  /** Connects; blocks for some seconds at most. */
  MqttConnection(Options options) throws IOException {
    this.options = options;
    this.socket = connect(options.broker());
    try {
      this.in = new DataInputStream(new BufferedInputStream(socket.getInputStream(), 16 << 10));
      this.out = socket.getOutputStream();
      write(connectPacket());
      this.accepted = readConnAck();
      this.quota = receiveMaximum(accepted);
      socket.setSoTimeout((int) Math.max(100, options.keepAlive().toMillis() / 2));
    } catch (IOException | RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  private static Socket connect(URI broker) throws IOException {
    boolean tls = broker.getScheme().equals("ssl");
    Socket socket = tls ? SSLSocketFactory.getDefault().createSocket() : new Socket();
    try {
      socket.setTcpNoDelay(true);
      socket.connect(new InetSocketAddress(broker.getHost().replaceAll("[\\[\\]]", ""), broker.getPort()),
          CONNECT_MILLIS);
      socket.setSoTimeout(CONNECT_MILLIS);
      if (socket instanceof SSLSocket secure) {
        SSLParameters parameters = secure.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        secure.setSSLParameters(parameters);
        secure.startHandshake();
      }
      return socket;
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  private MqttConnect connectPacket() {
    MqttProperties properties = new MqttProperties();
    properties.setSessionExpiryInterval(options.sessionExpirySeconds());
    properties.setReceiveMaximum(options.receiveMaximum());
    MqttConnect packet = new MqttConnect(options.clientId(), 5, options.cleanStart(),
        (int) options.keepAlive().toSeconds(), properties, new MqttProperties());
    options.credentials().ifPresent(credentials -> {
      packet.setUserName(credentials.username());
      packet.setPassword(credentials.password().getBytes(StandardCharsets.UTF_8));
    });
    return packet;
  }

  private MqttConnAck readConnAck() throws IOException {
    MqttWireMessage answer;
    try {
      answer = MqttWireMessage.createWireMessage(readPacket(in.readUnsignedByte()));
    } catch (MqttException | IllegalArgumentException e) {
      throw new IOException("the broker's answer to CONNECT is no MQTT 5", e);
    }
    if (!(answer instanceof MqttConnAck connAck)) {
      throw new IOException("the broker answered CONNECT with " + answer);
    }
    if (connAck.getReturnCode() >= REFUSED) {
      throw new IOException("the broker refused the connection: " + Reasons.text(connAck.getReturnCode()));
    }
    return connAck;
  }

  /** Paho reads the two bytes with a sign. */
  private static int receiveMaximum(MqttConnAck connAck) {
    Integer maximum = connAck.getProperties().getReceiveMaximum();
    return maximum == null ? MAX_PACKET_IDS : maximum & 0xFFFF;
  }

  /** Whether the broker still had the session. */
  boolean sessionPresent() {
    return accepted.getSessionPresent();
  }

  // --- reading -------------------------------------------------------------------------------------------------------

  /** Reads until the connection ends, and says why it did. */
  String run(Handler handler) {
    String reason;
    try {
      while (true) {
        int first = awaitPacket();
        byte[] packet = readPacket(first);
        heardAt = System.nanoTime();
        handle(first, packet, handler);
      }
    } catch (EOFException e) {
      reason = "the broker closed the connection";
    } catch (IOException | MqttException | RuntimeException e) {
      reason = String.valueOf(e.getMessage());
    }
    end(reason);
    return reason;
  }

  /** The first byte of the next packet; keeps the connection alive meanwhile. */
  private int awaitPacket() throws IOException {
    while (true) {
      pingIfQuiet();
      try {
        return in.readUnsignedByte();
      } catch (SocketTimeoutException e) {
        closeIfSilent();
      }
    }
  }

  private void pingIfQuiet() throws IOException {
    long quiet = System.nanoTime() - Math.min(wroteAt, heardAt);
    // Somebody who holds the lock is writing, which keeps alive just as well.
    if (quiet > options.keepAlive().toNanos() / 3 && writing.tryLock()) {
      try {
        write(new MqttPingReq());
      } finally {
        writing.unlock();
      }
    }
  }

  /** Ends the connection if the broker has not been heard for much longer than it may be silent. */
  void closeIfSilent() throws IOException {
    if (System.nanoTime() - heardAt > options.keepAlive().toNanos() * 3 / 2) {
      socket.close();
    }
  }

  /** A whole packet, its fixed header included. */
  private byte[] readPacket(int first) throws IOException {
    int length = 0;
    int shift = 0;
    int digit;
    do {
      digit = readByte();
      length |= (digit & 0x7F) << shift;
      shift += 7;
    } while ((digit & 0x80) != 0 && shift < 28);
    byte[] encoded = MqttWireMessage.encodeVariableByteInteger(length);
    byte[] packet = new byte[1 + encoded.length + length];
    packet[0] = (byte) first;
    System.arraycopy(encoded, 0, packet, 1, encoded.length);
    for (int at = 1 + encoded.length; at < packet.length; ) {
      try {
        int read = in.read(packet, at, packet.length - at);
        if (read < 0) {
          throw new EOFException();
        }
        heardAt = System.nanoTime();
        at += read;
      } catch (SocketTimeoutException e) {
        closeIfSilent();
      }
    }
    return packet;
  }

  private int readByte() throws IOException {
    while (true) {
      try {
        return in.readUnsignedByte();
      } catch (SocketTimeoutException e) {
        closeIfSilent();
      }
    }
  }

  private void handle(int first, byte[] packet, Handler handler) throws IOException, MqttException {
    MqttWireMessage message;
    try {
      message = MqttWireMessage.createWireMessage(packet);
    } catch (MqttException | RuntimeException e) {
      skip(first, packet, handler, e);
      return;
    }
    if (message instanceof MqttPublish publish) {
      handler.arrived(publish, (first & 0x08) != 0);
    } else if (message instanceof MqttPubRel release) {
      handler.released(release.getMessageId());
      send(new MqttPubComp(0, release.getMessageId(), new MqttProperties()));
    } else if (message instanceof MqttPubRec received && received.getReasonCodes()[0] < REFUSED) {
      send(new MqttPubRel(0, received.getMessageId(), new MqttProperties()));
    } else if (message instanceof MqttPubAck || message instanceof MqttPubComp || message instanceof MqttPubRec) {
      answered(message, true);
    } else if (message instanceof MqttSubAck || message instanceof MqttUnsubAck) {
      answered(message, false);
    } else if (message instanceof MqttDisconnect disconnect) {
      throw new IOException("the broker disconnected: " + Reasons.text(disconnect.getReturnCode()));
    }
  }

  /**
   * What Paho cannot decode. A publication is acknowledged all the same, or it would come back for ever; a receipt with
   * a reason that the standard does not foresee there (Mosquitto: packet too large) is a refusal; anything else ends
   * the connection.
   */
  private void skip(int first, byte[] packet, Handler handler, Exception cause) throws IOException, MqttException {
    int at = 1;
    while ((packet[at++] & 0x80) != 0) {
      // skips the length
    }
    int type = first >> 4;
    int qos = first >> 1 & 3;
    if (type == MqttWireMessage.MESSAGE_TYPE_PUBLISH && qos < 3) {
      at += 2 + number(packet, at);
      int packetId = qos == 0 ? 0 : number(packet, at);
      handler.unreadable(packetId, cause);
      if (qos > 0) {
        acknowledge(packetId, qos);
      }
    } else if ((type == MqttWireMessage.MESSAGE_TYPE_PUBACK || type == MqttWireMessage.MESSAGE_TYPE_PUBREC)
        && packet.length > at + 2 && (packet[at + 2] & 0xFF) >= REFUSED) {
      Waiting refused = settle(number(packet, at), true);
      if (refused != null) {
        refused.answer().completeExceptionally(PublishRefused.because(packet[at + 2] & 0xFF));
      }
    } else if (type == MqttWireMessage.MESSAGE_TYPE_PUBCOMP) {
      settle(number(packet, at), true);
    } else {
      throw new IOException("the broker sent what is no MQTT 5 packet", cause);
    }
  }

  private static int number(byte[] packet, int at) {
    return (packet[at] & 0xFF) << 8 | packet[at + 1] & 0xFF;
  }

  private void answered(MqttWireMessage answer, boolean publication) throws IOException {
    Waiting done = settle(answer.getMessageId(), publication);
    if (done != null) {
      done.answer().complete(answer);
    }
  }

  private @Nullable Waiting settle(int packetId, boolean publication) throws IOException {
    writing.lock();
    try {
      if (publication && leftovers.remove(packetId)) {
        sendWaiting();
        return null;
      }
      Waiting done = unanswered.remove(packetId);
      if (publication && done != null) {
        quota++;
        sendWaiting();
      }
      return done;
    } finally {
      writing.unlock();
    }
  }

  // --- writing -------------------------------------------------------------------------------------------------------

  /** Completes with the granted QoS or the refusal for each subscription, in their order. */
  CompletableFuture<int[]> subscribe(List<MqttSubscription> subscriptions) {
    return request(new MqttSubscribe(subscriptions.toArray(MqttSubscription[]::new), new MqttProperties()))
        .thenApply(MqttWireMessage::getReasonCodes);
  }

  CompletableFuture<int[]> unsubscribe(List<String> filters) {
    return request(new MqttUnsubscribe(filters.toArray(String[]::new), new MqttProperties()))
        .thenApply(MqttWireMessage::getReasonCodes);
  }

  /**
   * Completes once the broker has taken the message; fails with {@link PublishRefused} if it never will, with
   * {@link IOException} if the connection ended before.
   */
  CompletableFuture<Void> publish(String topic, byte[] payload, int qos, MqttProperties properties) {
    MqttPublish packet = new MqttPublish(topic, new MqttMessage(payload, qos, false, properties), properties);
    if (tooLarge(packet)) {
      return CompletableFuture.failedFuture(
          new PublishRefused("the message is larger than the broker accepts (" + payload.length + " bytes)", false));
    }
    if (qos == 0) {
      try {
        send(packet);
        return CompletableFuture.completedFuture(null);
      } catch (IOException e) {
        return CompletableFuture.failedFuture(e);
      }
    }
    return request(packet).thenCompose(answer -> {
      int reason = answer.getReasonCodes()[0];
      return reason < REFUSED ? CompletableFuture.completedFuture(null)
          : CompletableFuture.failedFuture(PublishRefused.because(reason));
    });
  }

  private boolean tooLarge(MqttPublish packet) {
    Long maximum = accepted.getProperties().getMaximumPacketSize();
    try {
      return maximum != null && packet.getHeader().length + packet.getPayload().length + FIXED_HEADER > maximum;
    } catch (MqttException e) {
      return true;
    }
  }

  /** Tells the broker that a message need not be sent again. A connection that ended meanwhile is fine. */
  void acknowledge(int packetId, int qos) {
    try {
      send(qos == 1 ? new MqttPubAck(0, packetId, new MqttProperties())
          : new MqttPubRec(0, packetId, new MqttProperties()));
    } catch (IOException | MqttException e) {
      // The reading thread finds out as well; the broker sends the message again on the next connection.
    }
  }

  private CompletableFuture<MqttWireMessage> request(MqttWireMessage packet) {
    Waiting waiting = new Waiting(packet, new CompletableFuture<>());
    writing.lock();
    try {
      if (lost) {
        throw new IOException("the connection is lost");
      }
      beyondQuota.add(waiting);
      sendWaiting();
    } catch (IOException e) {
      waiting.answer().completeExceptionally(e);
    } finally {
      writing.unlock();
    }
    return waiting.answer();
  }

  /** Sends in order what the broker's receive maximum allows. */
  private void sendWaiting() throws IOException {
    while (!beyondQuota.isEmpty() && unanswered.size() < MAX_PACKET_IDS) {
      boolean publication = beyondQuota.peek().packet() instanceof MqttPublish;
      if (publication && quota == 0 || freePacketId(beyondQuota.peek().packet()) == 0) {
        return;
      }
      Waiting next = beyondQuota.remove();
      quota -= publication ? 1 : 0;
      int packetId = freePacketId(next.packet());
      next.packet().setMessageId(packetId);
      unanswered.put(packetId, next);
      write(next.packet());
    }
  }

  /** 0 if there is none now. */
  private int freePacketId(MqttWireMessage packet) {
    if (packet instanceof MqttPublish publish && publish.getQoS() == 2) {
      return IntStream.rangeClosed(1, QOS2_PACKET_IDS)
          .filter(id -> !unanswered.containsKey(id) && !leftovers.contains(id)).findFirst().orElse(0);
    }
    do {
      lastPacketId = lastPacketId == MAX_PACKET_IDS ? QOS2_PACKET_IDS + 1 : lastPacketId + 1;
    } while (unanswered.containsKey(lastPacketId));
    return lastPacketId;
  }

  /**
   * Ends what an earlier connection began to send with QoS 2. The broker counts it against what it takes from us until
   * it is released, and we do not remember it: its message is sent again under another number.
   */
  void releaseLeftovers() throws IOException {
    writing.lock();
    try {
      for (int packetId = 1; packetId <= QOS2_PACKET_IDS; packetId++) {
        leftovers.add(packetId);
        write(new MqttPubRel(0, packetId, new MqttProperties()));
      }
    } catch (MqttException e) {
      throw new IOException(e);
    } finally {
      writing.unlock();
    }
  }

  private void send(MqttWireMessage packet) throws IOException {
    writing.lock();
    try {
      write(packet);
    } finally {
      writing.unlock();
    }
  }

  private void write(MqttWireMessage packet) throws IOException {
    try {
      out.write(packet.serialize());
      wroteAt = System.nanoTime();
    } catch (MqttException e) {
      throw new IOException("a packet cannot be encoded: " + packet, e);
    }
  }

  // --- ending --------------------------------------------------------------------------------------------------------

  /** Leaves; the broker keeps the session. */
  @Override
  public void close() {
    disconnect(new MqttProperties());
  }

  /** Leaves, and the broker forgets the session. */
  void closeAndForget() {
    MqttProperties properties = new MqttProperties();
    properties.setSessionExpiryInterval(0L);
    disconnect(properties);
  }

  private void disconnect(MqttProperties properties) {
    try {
      send(new MqttDisconnect(0, properties));
      socket.shutdownOutput();
      // What the broker still sends must be read, or a reset could overtake the DISCONNECT; 'run' does that.
    } catch (IOException | MqttException | UnsupportedOperationException e) {
      // gone already
    }
  }

  /** Cuts the connection as it is. */
  void abort() {
    try {
      socket.close();
    } catch (IOException e) {
      // gone already
    }
  }

  private void end(String reason) {
    List<Waiting> orphans;
    abort();
    writing.lock();
    try {
      lost = true;
      orphans = new ArrayList<>(unanswered.values());
      orphans.addAll(beyondQuota);
      unanswered.clear();
      beyondQuota.clear();
    } finally {
      writing.unlock();
    }
    orphans.forEach(orphan -> orphan.answer().completeExceptionally(new IOException(reason)));
  }

  /** For a connection that is not {@link #run}: reads what still comes until the broker has closed it too. */
  void drain() {
    try {
      socket.setSoTimeout(CONNECT_MILLIS);
      InputStream rest = socket.getInputStream();
      byte[] buffer = new byte[4096];
      while (rest.read(buffer) >= 0) {
        // nothing of interest
      }
    } catch (IOException e) {
      // good enough
    }
    abort();
  }
}
