package io.weir.bench;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.eclipse.paho.mqttv5.client.MqttAsyncClient;
import org.eclipse.paho.mqttv5.client.persist.MemoryPersistence;
import org.eclipse.paho.mqttv5.common.MqttException;
import org.eclipse.paho.mqttv5.common.MqttMessage;
import org.eclipse.paho.mqttv5.common.MqttSubscription;

/**
 * What somebody would write in an afternoon: Paho in, HttpClient to the container, Paho out, one message after the other
 * and no promise kept. One at a time, because Paho 1.2.5 loses its connection when several publications are under way.
 */
final class PlainBridge implements AutoCloseable {
  private final HttpClient http = HttpClient.newHttpClient();
  private final ExecutorService worker = Executors.newSingleThreadExecutor();
  private final MqttAsyncClient mqtt;
  private final int qos;
  private final String output;
  private final URI function;

  PlainBridge(int mqttPort, String filter, String output, String function) throws MqttException {
    this(mqttPort, filter, output, function, 1);
  }

  PlainBridge(int mqttPort, String filter, String output, String function, int qos) throws MqttException {
    this.qos = qos;
    this.output = output;
    this.function = URI.create(function);
    this.mqtt = new MqttAsyncClient("tcp://127.0.0.1:" + mqttPort, "plain-bridge", new MemoryPersistence());
    mqtt.setCallback(new Callback((topic, message) -> worker.execute(() -> handle(topic, message))));
    mqtt.connect(NoDelay.options()).waitForCompletion();
    MqttSubscription[] subscription = {new MqttSubscription(filter, qos)};
    mqtt.subscribe(subscription).waitForCompletion();
  }

  /** Bridges until its standard input ends: the broker's port, what to subscribe to, where answers go, function, QoS. */
  public static void main(String[] arguments) throws Exception {
    try (PlainBridge bridge = new PlainBridge(Integer.parseInt(arguments[0]), arguments[1], arguments[2], arguments[3],
        Integer.parseInt(arguments[4]))) {
      System.out.println("READY");
      System.in.readAllBytes();
    }
  }

  private void handle(String topic, MqttMessage message) {
    HttpRequest request = HttpRequest.newBuilder(function).header("ce-subject", topic)
        .POST(HttpRequest.BodyPublishers.ofByteArray(message.getPayload())).build();
    try {
      byte[] answer = http.send(request, HttpResponse.BodyHandlers.ofByteArray()).body();
      mqtt.publish(output + topic.substring(topic.lastIndexOf('/') + 1), answer, qos, false).waitForCompletion();
    } catch (IOException | MqttException e) {
      System.err.println("the plain bridge lost a message: " + e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() throws MqttException {
    worker.shutdownNow();
    mqtt.disconnect().waitForCompletion();
    mqtt.close();
  }
}
