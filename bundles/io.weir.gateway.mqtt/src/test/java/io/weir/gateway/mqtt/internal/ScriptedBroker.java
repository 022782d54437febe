package io.weir.gateway.mqtt.internal;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.weir.broker.Broker;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import org.eclipse.paho.mqttv5.common.MqttMessage;
import org.eclipse.paho.mqttv5.common.packet.MqttConnAck;
import org.eclipse.paho.mqttv5.common.packet.MqttConnect;
import org.eclipse.paho.mqttv5.common.packet.MqttPingReq;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;
import org.eclipse.paho.mqttv5.common.packet.MqttPublish;
import org.eclipse.paho.mqttv5.common.packet.MqttSubAck;
import org.eclipse.paho.mqttv5.common.packet.MqttSubscribe;
import org.eclipse.paho.mqttv5.common.packet.MqttWireMessage;

/** The broker's side of one connection at a time, packet by packet as a test says: for what Mosquitto never does. */
final class ScriptedBroker implements Broker, AutoCloseable {
  private static final int PATIENCE_MILLIS = 10_000;

  private final ServerSocket listener = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
  private Socket socket;
  private PacketReader reader;

  ScriptedBroker() throws IOException {
    listener.setSoTimeout(PATIENCE_MILLIS);
  }

  /** Takes a connection on these terms. */
  MqttConnect accept(boolean sessionPresent, MqttProperties terms) throws Exception {
    return accept(sessionPresent, terms, () -> {});
  }

  /** @param meanwhile happens before the other side hears that it is connected */
  MqttConnect accept(boolean sessionPresent, MqttProperties terms, Runnable meanwhile) throws Exception {
    socket = listener.accept();
    socket.setSoTimeout(PATIENCE_MILLIS);
    reader = new PacketReader(socket.getInputStream(), new Liveness(Duration.ofMinutes(1)));
    MqttConnect connect = next(MqttConnect.class);
    meanwhile.run();
    send(new MqttConnAck(sessionPresent, 0, terms));
    return connect;
  }

  /** Takes a connection and its subscription, with these reasons. */
  void acceptAndSubscribe(int... reasons) throws Exception {
    accept(false, new MqttProperties());
    subscribe(reasons);
  }

  void subscribe(int... reasons) throws Exception {
    MqttSubscribe subscribe = next(MqttSubscribe.class);
    MqttSubAck answer = new MqttSubAck(reasons, new MqttProperties());
    answer.setMessageId(subscribe.getMessageId());
    send(answer);
  }

  void publish(int packetId, String topic, String payload, int qos, boolean duplicate) throws Exception {
    MqttProperties properties = new MqttProperties();
    MqttPublish publish =
        new MqttPublish(topic, new MqttMessage(payload.getBytes(UTF_8), qos, false, properties), properties);
    publish.setMessageId(packetId);
    publish.setDuplicate(duplicate);
    send(publish);
  }

  void send(MqttWireMessage packet) throws Exception {
    send(packet.serialize());
  }

  void send(byte[] packet) throws IOException {
    socket.getOutputStream().write(packet);
  }

  /** The next packet that is no ping; it must be one of these. */
  <T extends MqttWireMessage> T next(Class<T> type) throws Exception {
    while (true) {
      byte[] bytes = reader.read(() -> {
        throw new AssertionError("no " + type.getSimpleName() + " came");
      });
      MqttWireMessage packet = MqttWireMessage.createWireMessage(bytes);
      if (type.isInstance(packet)) {
        return type.cast(packet);
      }
      if (!(packet instanceof MqttPingReq)) {
        throw new AssertionError(packet + " came instead of " + type.getSimpleName() + ": " + Arrays.toString(bytes));
      }
    }
  }

  /** The next packet of this type; others may come before. */
  <T extends MqttWireMessage> T nextOf(Class<T> type) throws Exception {
    while (true) {
      MqttWireMessage packet = MqttWireMessage.createWireMessage(reader.read(() -> {
        throw new AssertionError("no " + type.getSimpleName() + " came");
      }));
      if (type.isInstance(packet)) {
        return type.cast(packet);
      }
    }
  }

  /** Ends the connection without a word. */
  void cut() throws IOException {
    socket.close();
  }

  @Override
  public void close() throws IOException {
    if (socket != null) {
      socket.close();
    }
    listener.close();
  }

  @Override
  public URI uri() {
    return URI.create("tcp://127.0.0.1:" + listener.getLocalPort());
  }

  @Override
  public Optional<Credentials> credentials() {
    return Optional.empty();
  }

  @Override
  public boolean bundled() {
    return false;
  }

  @Override
  public String state() {
    return "";
  }
}
