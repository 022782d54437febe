package io.weir.gateway.mqtt.internal;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Limits;
import io.weir.function.Scaling;
import io.weir.function.TopicFilter;
import io.weir.function.TopicTemplate;
import io.weir.function.Trigger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.eclipse.paho.mqttv5.client.MqttAsyncClient;
import org.eclipse.paho.mqttv5.client.MqttConnectionOptions;
import org.eclipse.paho.mqttv5.client.persist.MemoryPersistence;
import org.eclipse.paho.mqttv5.common.MqttMessage;
import org.osgi.util.converter.Converters;

/** Prints how many QoS 1 messages per second go through with an instant function; not a test. */
final class ThroughputMain {
  private ThroughputMain() {}

  public static void main(String[] arguments) throws Exception {
    Path data = Files.createTempDirectory("throughput");
    int count = Integer.parseInt(arguments[0]);
    boolean answers = arguments.length > 1;
    FakeInvoker invoker = new FakeInvoker();
    FakeEvents events = new FakeEvents();
    Settings settings = Settings.of(Converters.standardConverter().convert(Map.of()).to(MqttGatewayConfig.class));
    try (TestBroker broker = new TestBroker(data.resolve("broker"), "max_inflight_messages 200").start()) {
      MqttGateway gateway = new MqttGateway(settings, data, broker, invoker, events, Duration.ofHours(1));
      FunctionSpec echo = new FunctionSpec(new FunctionName("echo"), "localhost/test:1", 8080,
          List.of(new Trigger.Mqtt(new TopicFilter("in/+"), 1, "/")), Optional.of(new TopicTemplate("out/{1}")),
          new Limits(64 << 20, 1, 64), new Scaling(0, 2, 8, Duration.ofSeconds(60)), Duration.ofSeconds(10), Map.of());
      gateway.functionAdded(echo);
      events.await(gateway::ready);
      for (int round = 0; round < 4; round++) {
        CountDownLatch done = new CountDownLatch(count);
        invoker.calls.clear();
        invoker.behaviour = call -> {
          done.countDown();
          return answers ? invoker.reply(200, "ok") : invoker.reply(204, "");
        };
        MqttAsyncClient client = new MqttAsyncClient(broker.uri().toString(), "", new MemoryPersistence());
        client.connect(new MqttConnectionOptions()).waitForCompletion();
        long start = System.nanoTime();
        for (int i = 0; i < count; ) {
          try {
            client.publish("in/x", new MqttMessage("21.5".getBytes(UTF_8), 1, false, null));
            i++;
          } catch (org.eclipse.paho.mqttv5.common.MqttException e) {
            TimeUnit.MICROSECONDS.sleep(200);  // its window is full
          }
        }
        long sent = System.nanoTime();
        done.await();
        System.out.printf("%d messages, %s: %.0f/s (published at %.0f/s)%n", count, answers ? "answered" : "204",
            count / ((System.nanoTime() - start) / 1e9), count / ((sent - start) / 1e9));
        client.disconnect().waitForCompletion();
        client.close();
      }
      gateway.close();
    }
  }
}
