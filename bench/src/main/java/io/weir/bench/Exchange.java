package io.weir.bench;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.eclipse.paho.mqttv5.client.MqttAsyncClient;
import org.eclipse.paho.mqttv5.client.MqttConnectionOptions;
import org.eclipse.paho.mqttv5.client.persist.MemoryPersistence;
import org.eclipse.paho.mqttv5.common.MqttException;
import org.eclipse.paho.mqttv5.common.MqttSubscription;

/** Publishes readings below {@code PREFIX/in} and takes their answers from {@code PREFIX/out}, with one QoS both ways. */
final class Exchange implements AutoCloseable {
  static final byte[] READING = "{\"value\":21.5}".getBytes(StandardCharsets.UTF_8);
  /** Unanswered readings at a time; Paho refuses to publish more than 20, which is what the broker takes. */
  private static final int IN_FLIGHT = 16;

  private final MqttAsyncClient mqtt;
  private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();
  private final Semaphore free = new Semaphore(IN_FLIGHT);

  private final int qos;

  Exchange(int mqttPort) throws MqttException {
    this(mqttPort, 1, "+");
  }

  /** @param name of the prefix whose answers it takes: {@code bench/NAME}, or any of them: + */
  Exchange(int mqttPort, int qos, String name) throws MqttException {
    this.qos = qos;
    mqtt = new MqttAsyncClient("tcp://127.0.0.1:" + mqttPort, "bench-" + (name.equals("+") ? "all" : name), new MemoryPersistence());
    mqtt.setCallback(new Callback((topic, message) -> {
      answers.add(topic);
      free.release();
    }));
    MqttConnectionOptions options = NoDelay.options();
    options.setReceiveMaximum(1000);
    mqtt.connect(options).waitForCompletion();
    MqttSubscription[] subscription = {new MqttSubscription("bench/" + name + "/out/+", qos)};
    mqtt.subscribe(subscription).waitForCompletion();
  }

  /** Median of readings sent one after the other, each when the one before is answered. */
  double roundTripMicros(String prefix, int n) throws Exception {
    return Report.median(micros(prefix + "/in/", n, 0));
  }

  /** The same without a function: what is published is the answer. */
  double passMicros(String prefix, int n, int pauseMillis) throws Exception {
    return Report.median(micros(prefix + "/out/", n, pauseMillis));
  }

  /** All of them, with a pause after each. */
  double[] roundTripsMicros(String prefix, int n, int pauseMillis) throws Exception {
    return micros(prefix + "/in/", n, pauseMillis);
  }

  private double[] micros(String topics, int n, int pauseMillis) throws Exception {
    double[] micros = new double[n];
    for (int i = 0; i < n; i++) {
      long began = System.nanoTime();
      free.acquire();
      mqtt.publish(topics + i, READING, qos, false);
      await();
      micros[i] = (System.nanoTime() - began) / 1e3;
      Thread.sleep(pauseMillis);
    }
    return micros;
  }

  /** Answers per second when readings are published as fast as they are answered. */
  double rate(String prefix, int n) throws Exception {
    long began = System.nanoTime();
    for (int i = 0; i < n; i++) {
      if (!free.tryAcquire(30, TimeUnit.SECONDS)) {
        throw new IllegalStateException("no answer for 30 s after " + i + " readings below " + prefix);
      }
      mqtt.publish(prefix + "/in/" + i, READING, qos, false);
    }
    for (int i = 0; i < n; i++) {
      await();
    }
    return n / ((System.nanoTime() - began) / 1e9);
  }

  private void await() throws InterruptedException {
    if (answers.poll(30, TimeUnit.SECONDS) == null) {
      throw new IllegalStateException("an answer did not come within 30 s; " + free.availablePermits() + " permits");
    }
  }

  @Override
  public void close() throws MqttException {
    mqtt.disconnect().waitForCompletion();
    mqtt.close();
  }
}
