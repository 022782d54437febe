package io.weir.cli.gateway;

import io.weir.cli.ui.ExitCode;
import io.weir.cli.ui.Failure;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.eclipse.paho.mqttv5.client.IMqttToken;
import org.eclipse.paho.mqttv5.client.MqttActionListener;
import org.eclipse.paho.mqttv5.client.MqttAsyncClient;
import org.eclipse.paho.mqttv5.client.MqttCallback;
import org.eclipse.paho.mqttv5.client.MqttConnectionOptions;
import org.eclipse.paho.mqttv5.client.MqttDisconnectResponse;
import org.eclipse.paho.mqttv5.client.persist.MemoryPersistence;
import org.eclipse.paho.mqttv5.common.MqttException;
import org.eclipse.paho.mqttv5.common.MqttMessage;
import org.eclipse.paho.mqttv5.common.MqttSubscription;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;
import org.eclipse.paho.mqttv5.common.packet.UserProperty;
import org.jspecify.annotations.Nullable;

/** A connection to the gateway's broker, for messages that look like a sensor's. */
public final class Publisher implements AutoCloseable {
  private static final long PATIENCE_MILLIS = 10_000;
  /** Below the 20 that Mosquitto accepts unacknowledged by default; Paho refuses what goes beyond instead of waiting. */
  private static final int UNACKNOWLEDGED = 16;
  /** Reason codes of MQTT 5 (2.4): from here on they are refusals. */
  private static final int REFUSAL = 0x80;
  private static final int NOT_AUTHORIZED = 0x87;
  private static final String TOO_LARGE = "it is larger than the broker allows; max.message.bytes of io.weir.broker is the limit of "
      + "the bundled one";
  /** Held here, because the log manager holds loggers only weakly and the level would be lost with them. */
  private static final Logger PAHO = Logger.getLogger("org.eclipse.paho.mqttv5");

  private final MqttAsyncClient client;
  private final String broker;
  private final Semaphore slots = new Semaphore(UNACKNOWLEDGED);
  private volatile BiConsumer<String, byte[]> listener = (topic, payload) -> {};
  private volatile @Nullable String subscribed;
  private volatile long largestPacket = Long.MAX_VALUE;

  static {
    PAHO.setLevel(Level.OFF);
  }

  private Publisher(MqttAsyncClient client, String broker) {
    this.client = client;
    this.broker = broker;
  }

  /** Connects to the broker that the gateway names, or the given one. */
  public static Publisher connect(Gateway gateway, @Nullable String uri, @Nullable String user) {
    String broker = uri != null ? uri : Json.text(Json.map(gateway.get("/status").get("broker")), "uri");
    if (broker.isEmpty()) {
      throw new Failure(ExitCode.FAILED, "the gateway names no broker; is its broker up? See 'weir status', or give --broker");
    }
    return connect(broker, user);
  }

  public static Publisher connect(String broker, @Nullable String user) {
    String address = broker.replaceFirst("^mqtt://", "tcp://").replaceFirst("^mqtts://", "ssl://");
    try {
      var client = new MqttAsyncClient(address, "weir-cli-" + UUID.randomUUID().toString().substring(0, 8),
          new MemoryPersistence());
      var publisher = new Publisher(client, broker);
      client.setCallback(publisher.new Arrivals());
      IMqttToken connected = client.connect(options(user));
      connected.waitForCompletion(PATIENCE_MILLIS);
      Long largest = connected.getResponseProperties() == null ? null : connected.getResponseProperties().getMaximumPacketSize();
      publisher.largestPacket = largest == null ? Long.MAX_VALUE : largest;
      return publisher;
    } catch (MqttException e) {
      throw new Failure(ExitCode.UNREACHABLE, "the broker at " + broker + " cannot be reached: " + reason(e), e);
    } catch (IllegalArgumentException e) {
      throw new Failure(ExitCode.USAGE, "'" + broker + "' is no broker address; write for example tcp://127.0.0.1:1883", e);
    }
  }

  private static MqttConnectionOptions options(@Nullable String user) {
    var options = new MqttConnectionOptions();
    options.setCleanStart(true);
    options.setAutomaticReconnect(true);
    options.setAutomaticReconnectDelay(1, 4);
    options.setConnectionTimeout((int) (PATIENCE_MILLIS / 1000));
    options.setKeepAliveInterval(30);
    if (user != null) {
      options.setUserName(user);
      String password = System.getenv("WEIR_MQTT_PASSWORD");
      if (password != null) {
        options.setPassword(password.getBytes(java.nio.charset.StandardCharsets.UTF_8));
      }
    }
    return options;
  }

  /**
   * Hands the message over, once the broker has acknowledged enough of those before it; {@code done} hears null, or why
   * the broker did not take it, on a thread of the client or the caller's.
   */
  public void publish(String topic, byte[] payload, int qos, @Nullable String contentType, Map<String, String> properties,
      Consumer<@Nullable String> done) {
    // The broker would close the connection, and whether its reason arrives is a matter of luck.
    if (payload.length > largestPacket) {
      done.accept(TOO_LARGE);
      return;
    }
    var message = new MqttMessage(payload);
    message.setQos(qos);
    var mqtt = new MqttProperties();
    if (contentType != null) {
      mqtt.setContentType(contentType);
    }
    mqtt.setUserProperties(properties.entrySet().stream().map(p -> new UserProperty(p.getKey(), p.getValue())).toList());
    message.setProperties(mqtt);
    try {
      awaitConnection();
      if (!slots.tryAcquire(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)) {
        done.accept("the broker acknowledges nothing");
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      done.accept("interrupted");
      return;
    }
    try {
      client.publish(topic, message, null, new MqttActionListener() {
        @Override
        public void onSuccess(IMqttToken token) {
          slots.release();
          done.accept(refusal(token));
        }

        @Override
        public void onFailure(IMqttToken token, Throwable cause) {
          slots.release();
          // Mosquitto acknowledges with "packet too large", which MQTT foresees elsewhere only and Paho does not read.
          done.accept(cause instanceof MqttException e && e.getReasonCode() == MqttException.REASON_CODE_INVALID_RETURN_CODE
              ? TOO_LARGE : String.valueOf(cause.getMessage()));
        }
      });
    } catch (MqttException e) {
      slots.release();
      done.accept(reason(e));
    }
  }

  /** A broker that restarts is back soon, and no reason to drop messages. */
  private synchronized void awaitConnection() throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PATIENCE_MILLIS);
    for (long left = PATIENCE_MILLIS; left > 0 && !client.isConnected();
        left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime())) {
      wait(left);
    }
  }

  private synchronized void connected() {
    notifyAll();
  }

  /** Why the broker refused what it acknowledged, null if it did not. */
  private static @Nullable String refusal(IMqttToken token) {
    int[] codes = token.getReasonCodes();
    if (codes == null || codes.length == 0 || codes[0] < REFUSAL) {
      return null;
    }
    return codes[0] == NOT_AUTHORIZED ? "its access rules forbid that topic" : "it refused with reason code " + codes[0];
  }

  /** Publishes and waits until the broker has it. */
  public void publishAndWait(String topic, byte[] payload, int qos, @Nullable String contentType, Map<String, String> properties) {
    var answer = new CompletableFuture<String>();
    publish(topic, payload, qos, contentType, properties, error -> answer.complete(error == null ? "" : error));
    String error;
    try {
      error = answer.get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      error = "interrupted";
    } catch (ExecutionException | TimeoutException e) {
      error = "no acknowledgement within " + PATIENCE_MILLIS / 1000 + " s";
    }
    if (!error.isEmpty()) {
      throw new Failure(ExitCode.FAILED, "the broker at " + broker + " did not take the message to " + topic + ": " + error);
    }
  }

  /** Hears messages of the filter from now on, on a thread of the client; one listener at a time. */
  public void subscribe(String filter, BiConsumer<String, byte[]> heard) {
    listener = heard;
    subscribed = filter;
    try {
      client.subscribe(new MqttSubscription[] {new MqttSubscription(filter, 0)}).waitForCompletion(PATIENCE_MILLIS);
    } catch (MqttException e) {
      throw new Failure(ExitCode.FAILED, "cannot subscribe to " + filter + " at " + broker + ": " + reason(e), e);
    }
  }

  @Override
  public void close() {
    try {
      if (client.isConnected()) {
        client.disconnect(1000).waitForCompletion(2000);
      }
    } catch (MqttException e) {
      // The connection is gone; that is what was wanted.
    }
    try {
      client.close(true);
    } catch (MqttException e) {
      // Same.
    }
  }

  private static String reason(MqttException e) {
    Throwable cause = e.getCause();
    return cause != null && cause.getMessage() != null ? cause.getMessage() : String.valueOf(e.getMessage());
  }

  private final class Arrivals implements MqttCallback {
    @Override
    public void messageArrived(String topic, MqttMessage message) {
      listener.accept(topic, message.getPayload());
    }

    @Override
    public void disconnected(MqttDisconnectResponse response) {}

    @Override
    public void mqttErrorOccurred(MqttException exception) {}

    @Override
    public void deliveryComplete(IMqttToken token) {}

    @Override
    public void connectComplete(boolean reconnect, String uri) {
      connected();
      String filter = subscribed;
      if (!reconnect || filter == null) {
        return;
      }
      try {
        // The broker has forgotten us; waiting for its answer here would block the thread that reads it.
        client.subscribe(new MqttSubscription[] {new MqttSubscription(filter, 0)});
      } catch (MqttException e) {
        // The connection is gone again; the next one brings us back here.
      }
    }

    @Override
    public void authPacketArrived(int reason, MqttProperties properties) {}
  }
}
