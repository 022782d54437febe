package io.weir.bench;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.Semaphore;
import org.eclipse.paho.mqttv5.client.MqttAsyncClient;
import org.eclipse.paho.mqttv5.client.persist.MemoryPersistence;
import org.eclipse.paho.mqttv5.common.MqttException;
import org.eclipse.paho.mqttv5.common.MqttMessage;
import org.eclipse.paho.mqttv5.common.MqttSubscription;

/** What somebody would write in an afternoon: Paho in, HttpClient to the container, Paho out; no promise kept. */
final class PlainBridge implements AutoCloseable {
  private final HttpClient http = HttpClient.newHttpClient();
  private final MqttAsyncClient mqtt;
  /** Paho refuses to publish more than the broker takes unacknowledged, which is 20. */
  private final Semaphore free = new Semaphore(16);
  private final String output;
  private final URI function;

  PlainBridge(int mqttPort, String filter, String output, String function) throws MqttException {
    this.output = output;
    this.function = URI.create(function);
    this.mqtt = new MqttAsyncClient("tcp://127.0.0.1:" + mqttPort, "plain-bridge", new MemoryPersistence());
    mqtt.setCallback(new Callback(this::arrived));
    mqtt.connect(NoDelay.options()).waitForCompletion();
    MqttSubscription[] subscription = {new MqttSubscription(filter, 1)};
    mqtt.subscribe(subscription).waitForCompletion();
  }

  private void arrived(String topic, MqttMessage message) {
    HttpRequest request = HttpRequest.newBuilder(function).header("ce-subject", topic)
        .POST(HttpRequest.BodyPublishers.ofByteArray(message.getPayload())).build();
    http.sendAsync(request, HttpResponse.BodyHandlers.ofByteArray()).thenAccept(response -> {
      free.acquireUninterruptibly();
      try {
        mqtt.publish(output + topic.substring(topic.lastIndexOf('/') + 1), response.body(), 1, false)
            .waitForCompletion();
      } catch (MqttException e) {
        throw new IllegalStateException(e);
      } finally {
        free.release();
      }
    });
  }

  @Override
  public void close() throws MqttException {
    mqtt.disconnect().waitForCompletion();
    mqtt.close();
  }
}
