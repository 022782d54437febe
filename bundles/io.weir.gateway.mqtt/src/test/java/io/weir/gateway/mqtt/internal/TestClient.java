package io.weir.gateway.mqtt.internal;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.eclipse.paho.mqttv5.client.IMqttToken;
import org.eclipse.paho.mqttv5.client.MqttCallback;
import org.eclipse.paho.mqttv5.client.MqttClient;
import org.eclipse.paho.mqttv5.client.MqttClientException;
import org.eclipse.paho.mqttv5.client.MqttConnectionOptions;
import org.eclipse.paho.mqttv5.client.MqttDisconnectResponse;
import org.eclipse.paho.mqttv5.client.persist.MemoryPersistence;
import org.eclipse.paho.mqttv5.common.MqttException;
import org.eclipse.paho.mqttv5.common.MqttMessage;
import org.eclipse.paho.mqttv5.common.MqttSubscription;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;

/** A sensor, or somebody who waits for answers: Paho's own client. */
final class TestClient implements AutoCloseable, MqttCallback {
  /** A message that came. */
  record Received(String topic, MqttMessage message) {
    String text() {
      return topic + " " + new String(message.getPayload(), UTF_8);
    }
  }

  private static final Logger PAHO_LOG = Logger.getLogger("org.eclipse.paho");  // held, or its level is forgotten

  static {
    PAHO_LOG.setLevel(Level.WARNING);
  }

  private final MqttClient paho;
  private final BlockingQueue<Received> received = new LinkedBlockingQueue<>();

  TestClient(TestBroker broker) throws MqttException {
    paho = new MqttClient(broker.uri().toString(), "", new MemoryPersistence());
    paho.setTimeToWait(10_000);
    paho.setCallback(this);
    paho.connect(new MqttConnectionOptions());
  }

  TestClient subscribe(String filter) throws MqttException {
    paho.subscribe(new MqttSubscription[] {new MqttSubscription(filter, 2)});
    return this;
  }

  void publish(String topic, String payload, int qos) throws MqttException {
    publish(topic, payload, qos, new MqttProperties());
  }

  void publish(String topic, String payload, int qos, MqttProperties properties) throws MqttException {
    while (true) {
      try {
        paho.publish(topic, new MqttMessage(payload.getBytes(UTF_8), qos, false, properties));
        return;
      } catch (MqttException e) {
        if (e.getReasonCode() != MqttClientException.REASON_CODE_MAX_INFLIGHT) {
          throw e;
        }
        // Paho wakes who waits for a receipt before it has counted it.
        Thread.onSpinWait();
      }
    }
  }

  Received next() throws InterruptedException {
    Received next = received.poll(10, TimeUnit.SECONDS);
    if (next == null) {
      throw new AssertionError("no message came");
    }
    return next;
  }

  boolean hasNothing() {
    return received.isEmpty();
  }

  @Override
  public void close() throws MqttException {
    if (paho.isConnected()) {
      paho.disconnect();
    }
    paho.close();
  }

  @Override
  public void messageArrived(String topic, MqttMessage message) {
    received.add(new Received(topic, message));
  }

  @Override
  public void disconnected(MqttDisconnectResponse response) {}

  @Override
  public void mqttErrorOccurred(MqttException exception) {}

  @Override
  public void deliveryComplete(IMqttToken token) {}

  @Override
  public void connectComplete(boolean reconnect, String uri) {}

  @Override
  public void authPacketArrived(int code, MqttProperties properties) {}
}
