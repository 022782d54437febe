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

/** Publishes readings below {@code PREFIX/in} and takes their answers from {@code PREFIX/out}, QoS 1 both ways. */
final class Exchange implements AutoCloseable {
  private static final byte[] READING = "{\"value\":21.5}".getBytes(StandardCharsets.UTF_8);
  /** Unanswered readings at a time; Paho refuses to publish more than 20, which is what the broker takes. */
  private static final int IN_FLIGHT = 16;

  private final MqttAsyncClient mqtt;
  private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();
  private final Semaphore free = new Semaphore(IN_FLIGHT);

  Exchange(int mqttPort) throws MqttException {
    mqtt = new MqttAsyncClient("tcp://127.0.0.1:" + mqttPort, "bench", new MemoryPersistence());
    mqtt.setCallback(new Callback((topic, message) -> {
      answers.add(topic);
      free.release();
    }));
    MqttConnectionOptions options = NoDelay.options();
    options.setReceiveMaximum(1000);
    mqtt.connect(options).waitForCompletion();
    MqttSubscription[] subscription = {new MqttSubscription("bench/+/out/+", 1)};
    mqtt.subscribe(subscription).waitForCompletion();
  }

  /** Median of readings sent one after the other, each when the one before is answered. */
  double roundTripMicros(String prefix, int n) throws Exception {
    double[] micros = new double[n];
    for (int i = 0; i < n; i++) {
      long began = System.nanoTime();
      free.acquire();
      mqtt.publish(prefix + "/in/" + i, READING, 1, false);
      await();
      micros[i] = (System.nanoTime() - began) / 1e3;
    }
    return Report.median(micros);
  }

  /** Answers per second when readings are published as fast as they are answered. */
  double rate(String prefix, int n) throws Exception {
    long began = System.nanoTime();
    for (int i = 0; i < n; i++) {
      if (!free.tryAcquire(30, TimeUnit.SECONDS)) {
        throw new IllegalStateException("no answer for 30 s after " + i + " readings below " + prefix);
      }
      mqtt.publish(prefix + "/in/" + i, READING, 1, false);
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
