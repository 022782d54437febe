package io.weir.itest;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.eclipse.paho.mqttv5.client.IMqttToken;
import org.eclipse.paho.mqttv5.client.MqttCallback;
import org.eclipse.paho.mqttv5.client.MqttAsyncClient;
import org.eclipse.paho.mqttv5.client.MqttConnectionOptions;
import org.eclipse.paho.mqttv5.client.MqttDisconnectResponse;
import org.eclipse.paho.mqttv5.client.persist.MemoryPersistence;
import org.eclipse.paho.mqttv5.common.MqttException;
import org.eclipse.paho.mqttv5.common.MqttMessage;
import org.eclipse.paho.mqttv5.common.MqttSubscription;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;
import org.eclipse.paho.mqttv5.common.packet.UserProperty;

/** A sensor and a listener in one, as anybody would write it with Paho. */
public final class Mqtt implements AutoCloseable, MqttCallback {
  /** Paho would wait for ever for a receipt that went down with a connection. */
  private static final Duration RECEIPT = Duration.ofSeconds(20);
  private static final Duration FAREWELL = Duration.ofSeconds(2);
  private final MqttAsyncClient client;
  private final int qos;
  private final List<String> filters;
  private final BlockingQueue<Received> received = new LinkedBlockingQueue<>();

  public record Received(String topic, MqttMessage message) {
    String text() {
      return new String(message.getPayload(), StandardCharsets.UTF_8);
    }
  }

  public Mqtt(Gateway gateway, String... filters) throws MqttException {
    this(gateway.mqttPort, 1, filters);
  }

  /** Listens with this QoS. */
  public Mqtt(Gateway gateway, int qos, String... filters) throws MqttException {
    this(gateway.mqttPort, qos, filters);
  }

  /** Talks to any broker of this machine. */
  public Mqtt(int port, String... filters) throws MqttException {
    this(port, 1, filters);
  }

  /** Talks to any broker of this machine, and listens with this QoS. */
  public Mqtt(int port, int qos, String... filters) throws MqttException {
    this.qos = qos;
    client = new MqttAsyncClient("tcp://127.0.0.1:" + port, "itest-" + System.nanoTime(), new MemoryPersistence());
    this.filters = List.of(filters);
    client.setCallback(this);
    connect();
  }

  private void connect() throws MqttException {
    MqttConnectionOptions options = new MqttConnectionOptions();
    options.setCleanStart(false);
    options.setSessionExpiryInterval(3600L);
    options.setConnectionTimeout(5);
    client.connect(options).waitForCompletion(RECEIPT.toMillis());
    for (String filter : filters) {
      client.subscribe(new MqttSubscription(filter, qos)).waitForCompletion(RECEIPT.toMillis());
    }
  }

  /** Publishes with QoS 1 and returns when the broker has it; connects again as often as needed. */
  public void publish(String topic, String text, UserProperty... properties) throws Exception {
    MqttMessage message = new MqttMessage(text.getBytes(StandardCharsets.UTF_8));
    message.setQos(1);
    MqttProperties all = new MqttProperties();
    all.setUserProperties(List.of(properties));
    message.setProperties(all);
    publish(topic, message);
  }

  public void publish(String topic, MqttMessage message) throws Exception {
    long deadline = System.nanoTime() + Gateway.LONG.toNanos();
    while (true) {
      try {
        if (!client.isConnected()) {
          connect();
        }
        client.publish(topic, message).waitForCompletion(RECEIPT.toMillis());
        return;
      } catch (MqttException e) {
        if (System.nanoTime() > deadline) {
          throw e;
        }
        TimeUnit.MILLISECONDS.sleep(50);   // the broker is being restarted
      }
    }
  }

  /** Publishes, and gives up where {@link #publish} would try again; then this client is good for nothing any more. */
  public void publishOrFail(String topic, MqttMessage message) throws MqttException {
    client.publish(topic, message).waitForCompletion(RECEIPT.toMillis() / 2);
  }

  public void reconnect() throws Exception {
    long deadline = System.nanoTime() + Gateway.LONG.toNanos();
    while (!client.isConnected()) {
      try {
        connect();
      } catch (MqttException e) {
        if (System.nanoTime() > deadline) {
          throw e;
        }
        TimeUnit.MILLISECONDS.sleep(50);
      }
    }
  }

  public Received next(Duration patience) throws InterruptedException {
    Received message = received.poll(patience.toMillis(), TimeUnit.MILLISECONDS);
    if (message == null) {
      throw new AssertionError("no message within " + patience);
    }
    return message;
  }

  /** The next message, or empty if none comes so soon. */
  public Optional<Received> poll(Duration patience) throws InterruptedException {
    return Optional.ofNullable(received.poll(patience.toMillis(), TimeUnit.MILLISECONDS));
  }

  public boolean isSilent() {
    return received.isEmpty();
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
  public void authPacketArrived(int reasonCode, MqttProperties properties) {}

  @Override
  public void close() {
    try {
      client.disconnect(0).waitForCompletion(FAREWELL.toMillis());
      client.close(true);
    } catch (MqttException e) {
      // It is not connected, or still waits for a receipt; either way nobody uses it any more.
    }
  }
}
