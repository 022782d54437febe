package io.weir.bench;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.eclipse.paho.mqttv5.client.MqttClient;
import org.eclipse.paho.mqttv5.client.MqttConnectionOptions;
import org.eclipse.paho.mqttv5.client.persist.MemoryPersistence;
import org.eclipse.paho.mqttv5.common.MqttException;
import org.eclipse.paho.mqttv5.common.MqttMessage;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;
import org.eclipse.paho.mqttv5.common.packet.UserProperty;

/**
 * A device that publishes numbered messages of one level, one after the other, each until the broker has it.
 *
 * <p>It knows that its broker may forget what it took a moment ago, and sends that again when it is told to: the only
 * way in which anybody can keep a promise over such a broker's death. If its events have ids, that makes no second one.
 */
final class Lane implements AutoCloseable {
  private static final int KEYS = 8;

  private final String name;
  private final int qos;
  private final boolean ids;
  private final int poison;
  private final int pauseMillis;
  private final MqttClient client;
  private final Random random;
  private final Thread thread;
  private final List<Sent> all = new ArrayList<>();
  /** Numbers to be sent once more. */
  private final Queue<Integer> again = new ConcurrentLinkedQueue<>();
  /** What was sent a second time and has no id by which that could be known. */
  private final Set<Integer> doubtful = ConcurrentHashMap.newKeySet();
  private volatile int padding;
  private volatile int round;
  private volatile boolean paused;
  private volatile boolean resting;
  private volatile boolean over;

  /** @param round in which it was accepted */
  private record Sent(int round, long nanos) {}

  /**
   * @param name of the function, which has the topics below crash/NAME
   * @param ids whether events have ids of their own
   * @param poison every so many-th message fails for good; 0: none
   * @param pauseMillis between two messages, on average
   */
  Lane(int port, String name, int qos, boolean ids, int poison, int pauseMillis, long seed) throws MqttException {
    this.name = name;
    this.qos = qos;
    this.ids = ids;
    this.poison = poison;
    this.pauseMillis = pauseMillis;
    this.random = new Random(seed);
    this.client = new MqttClient("tcp://127.0.0.1:" + port, "device-" + name, new MemoryPersistence());
    client.setTimeToWait(5000);
    this.thread = new Thread(this::run, "device-" + name);
    thread.setDaemon(true);
  }

  void begin() {
    thread.start();
  }

  String name() {
    return name;
  }

  /** What comes from now on belongs to this round. */
  void round(int number) {
    round = number;
  }

  /** Adds so many bytes to each message. */
  void pad(int bytes) {
    padding = bytes;
  }

  /** Returns when nothing is under way any more. */
  void pause() throws InterruptedException {
    paused = true;
    while (!resting) {
      TimeUnit.MILLISECONDS.sleep(5);
    }
  }

  void goOn() {
    paused = false;
  }

  /** Sends again what it has sent since. */
  void repeatSince(long nanos) {
    synchronized (all) {
      for (int i = all.size() - 1; i >= 0 && all.get(i).nanos - nanos > 0; i--) {
        again.add(i);
      }
    }
  }

  /** How many it sent, and the broker took. */
  int accepted() {
    synchronized (all) {
      return all.size();
    }
  }

  int roundOf(int number) {
    synchronized (all) {
      return all.get(number).round;
    }
  }

  /** Whether its function fails with it. */
  boolean isPoison(int number) {
    return poison > 0 && number % poison == 0;
  }

  boolean isDoubtful(int number) {
    return doubtful.contains(number);
  }

  int doubtful() {
    return doubtful.size();
  }

  private void run() {
    try {
      while (!over) {
        if (paused) {
          resting = true;
          TimeUnit.MILLISECONDS.sleep(5);
          continue;
        }
        resting = false;
        Integer repeated = again.poll();
        if (repeated != null) {
          send(repeated, true);
        } else {
          next();
          TimeUnit.MILLISECONDS.sleep(1 + random.nextInt(2 * pauseMillis));
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    resting = true;
  }

  private void next() throws InterruptedException {
    int number = accepted();
    if (send(number, false)) {
      synchronized (all) {
        all.add(new Sent(round, System.nanoTime()));
      }
    }
  }

  /** False if nobody took it; with QoS 0 only. */
  private boolean send(int number, boolean repeated) throws InterruptedException {
    boolean second = repeated;
    while (true) {
      try {
        if (!client.isConnected()) {
          MqttConnectionOptions options = NoDelay.options();
          options.setConnectionTimeout(5);
          client.connect(options);
        }
        if (second && !ids) {
          doubtful.add(number);
        }
        client.publish("crash/" + name + "/in/" + number % KEYS, message(number));
        return true;
      } catch (MqttException e) {
        if (qos == 0 || over) {
          return false;
        }
        second = true;
        TimeUnit.MILLISECONDS.sleep(20);
      }
    }
  }

  private MqttMessage message(int number) {
    String text = (isPoison(number) ? "!500 n" : "n") + number + (padding == 0 ? "" : " " + "x".repeat(padding));
    MqttMessage message = new MqttMessage(text.getBytes(StandardCharsets.UTF_8));
    message.setQos(qos);
    MqttProperties properties = new MqttProperties();
    if (ids) {
      properties.setUserProperties(List.of(new UserProperty("specversion", "1.0"), new UserProperty("type", "reading"),
          new UserProperty("source", "/device/" + name), new UserProperty("id", Integer.toString(number))));
    }
    message.setProperties(properties);
    return message;
  }

  @Override
  public void close() throws Exception {
    over = true;
    thread.join();
    if (client.isConnected()) {
      client.disconnect();
    }
    client.close(true);
  }
}
