package io.weir.gateway.mqtt.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Limits;
import io.weir.function.Scaling;
import io.weir.function.Source;
import io.weir.function.TopicFilter;
import io.weir.function.Trigger;
import io.weir.kernel.Adaptor.Flight;
import io.weir.kernel.Adaptor.Head;
import io.weir.kernel.Adaptor.Place;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.util.converter.Converters;

/** What the gateway does for a kernel that brings messages, with a real Mosquitto and a kernel that only takes notes. */
@Timeout(60)
class FastSessionTest {
  @TempDir Path data;

  private final FakeInvoker invoker = new FakeInvoker();
  private final FakeEvents events = new FakeEvents();
  private final FakeAdaptor kernel = new FakeAdaptor();
  private final Trigger.Mqtt trigger = new Trigger.Mqtt(new TopicFilter("in"), 1, "/event", true);
  private List<Trigger> triggers = List.of(trigger);
  private ServerSocket function;
  private TestBroker broker;
  private MqttGateway gateway;
  private TestClient client;

  @BeforeEach
  void start() throws Exception {
    function = new ServerSocket(0, 9, InetAddress.getLoopbackAddress());
    broker = new TestBroker(data.resolve("broker")).start();
    gateway = new MqttGateway(
        Settings.of(Converters.standardConverter().convert(Map.of()).to(MqttGatewayConfig.class)), data, "0123456789ab",
        broker, invoker, events, Duration.ofHours(1));
    invoker.behaviour = call -> invoker.reply(200, "");
    client = new TestClient(broker);
  }

  @AfterEach
  void stop() throws Exception {
    client.close();
    gateway.close();
    broker.close();
    function.close();
  }

  private void declare() throws InterruptedException {
    gateway.functionAdded(new FunctionSpec(new FunctionName("fast"), new Source.Image("localhost/test:1"), 8080,
        triggers, Optional.empty(), new Limits(64 << 20, 1, 64), new Scaling(0, 2, 8, Duration.ofSeconds(60)),
        Duration.ofSeconds(10), Map.of()));
    events.await(gateway::ready);
  }

  private void hears(String... words) throws InterruptedException {
    for (String word : words) {
      for (String next = ""; !next.equals(word); ) {
        next = kernel.told.poll(10, TimeUnit.SECONDS);
        assertThat(next).as("waiting for " + word).isNotNull();
      }
    }
  }

  /** Lanes are open, and the first message was the gateway's. */
  private Socket opened() throws Exception {
    gateway.setAdaptor(kernel);
    declare();
    hears("subscription", "expect");
    kernel.instance = Optional.of(new Place("ab".repeat(32), (InetSocketAddress) function.getLocalSocketAddress()));
    client.publish("in", "first", 1);
    assertThat(invoker.next().body()).isEqualTo("first");
    hears("lane", "lead in", "confirm");
    return function.accept();
  }

  @Test
  void withoutTheKernelTheGatewayBringsMessages() throws Exception {
    declare();

    client.publish("in", "alone", 1);

    assertThat(invoker.next().body()).isEqualTo("alone");
    assertThat(kernel.told).isEmpty();
  }

  @Test
  void opensTheWayOnceTheFunctionHasAnInstance() throws Exception {
    opened().close();
  }

  @Test
  void whatComesAllTheSameWaitsForWhatTheKernelBrought() throws Exception {
    try (Socket lane = opened()) {
      kernel.lanes.get(0).flight = new Flight(1, 0, 0, false, true, List.of());
      client.publish("in", "second", 1);
      assertThat(invoker.calls.poll(300, TimeUnit.MILLISECONDS)).as("overtakes").isNull();

      kernel.lanes.get(0).flight = new Flight(1, 1, 1, false, true, List.of());

      assertThat(invoker.next().body()).isEqualTo("second");
      hears("confirm");
      assertThat(lane.isClosed()).isFalse();
    }
  }

  @Test
  void aBurstIsBroughtInTheOrderOfEachTopic() throws Exception {
    triggers = List.of(trigger, new Trigger.Mqtt(new TopicFilter("other"), 1, "/event", true));
    try (Socket lane = opened()) {
      Map<String, Integer> inWork = new ConcurrentHashMap<>();
      Map<String, List<String>> brought = Map.of("in", new CopyOnWriteArrayList<>(), "other", new CopyOnWriteArrayList<>());
      CountDownLatch done = new CountDownLatch(1000);
      List<String> overtakers = new CopyOnWriteArrayList<>();
      ScheduledExecutorService later = Executors.newScheduledThreadPool(4);
      invoker.behaviour = call -> {
        String topic = call.header("ce-subject");
        if (inWork.merge(topic, 1, Integer::sum) > 1) {
          overtakers.add(call.body());
        }
        brought.get(topic).add(call.body());
        later.schedule(() -> {
          inWork.merge(topic, -1, Integer::sum);
          call.outcome().complete(invoker.reply(200, ""));
          done.countDown();
        }, ThreadLocalRandom.current().nextInt(300), TimeUnit.MICROSECONDS);
        return null;
      };
      kernel.lanes.get(0).flight = new Flight(1, 0, 0, false, true, List.of(60_001));   // the kernel still has one

      for (int i = 0; i < 1000; i++) {
        client.publish(i % 3 == 0 ? "other" : "in", String.format("%04d", i), 1);
      }
      kernel.lanes.get(0).flight = new Flight(1, 1, 1, false, true, List.of());

      done.await();   // for as long as the test may take
      assertThat(overtakers).isEmpty();
      assertThat(brought.get("in")).isSorted().doesNotHaveDuplicates().hasSize(666);
      assertThat(brought.get("other")).isSorted().doesNotHaveDuplicates().hasSize(334);
      later.shutdownNow();
    }
  }

  @Test
  void connectsAnewWhenAMessageHasNoReceipt() throws Exception {
    try (Socket lane = opened()) {
      kernel.lanes.get(0).flight = new Flight(1, 0, 1, true, true, List.of(60_001));
      lane.getOutputStream().write("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII));

      hears("pause", "disable", "lane closed", "close", "subscription", "expect");
    }
  }

  @Test
  void keepsTheConnectionWhenAllIsAnsweredWellAfterAHandOver() throws Exception {
    try (Socket lane = opened()) {
      kernel.lanes.get(0).flight = new Flight(2, 0, 2, true, true, List.of(60_001, 0));
      lane.getOutputStream().write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nHTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"
          .getBytes(java.nio.charset.StandardCharsets.US_ASCII));

      hears("pause", "disable", "lane closed");
      client.publish("in", "later", 1);
      assertThat(invoker.next().body()).isEqualTo("later");
      assertThat(kernel.told).doesNotContain("subscription", "close");
      assertThat(lane.getInputStream().read()).isEqualTo(-1);
    }
  }

  @Test
  void leavesAnInstanceThatGoesWithoutConnectingAnew() throws Exception {
    try (Socket lane = opened()) {
      kernel.instance = Optional.empty();
      kernel.lanes.get(0).gone.run();

      hears("pause", "disable", "lane closed");
      client.publish("in", "later", 1);
      assertThat(invoker.next().body()).isEqualTo("later");
      assertThat(kernel.told).doesNotContain("subscription");
      assertThat(lane.getInputStream().read()).isEqualTo(-1);
    }
  }

  @Test
  void connectsAnewWithoutTheKernelWhenItGoes() throws Exception {
    try (Socket lane = opened()) {
      gateway.unsetAdaptor(kernel);
      hears("close");

      client.publish("in", "after", 1);

      assertThat(invoker.next().body()).isEqualTo("after");
      assertThat(lane.getInputStream().read()).isEqualTo(-1);
    }
  }

  @Test
  void theHeadIsThatOfAMessageWithoutProperties() {
    Head head = HeadTemplate.of(trigger, new InetSocketAddress("127.0.0.1", 8080)).orElseThrow();

    assertThat(head.text()).startsWith("POST /event HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n").endsWith(" \r\n\r\n")
        .contains("\r\nce-specversion: 1.0\r\n", "\r\nce-subject: in\r\n").hasSize(head.text().length() / 64 * 64);
    assertThat(head.text().substring(head.lengthAt())).startsWith("00000\r\n");
    assertThat(head.text().substring(head.idAt())).startsWith("0000000000000000\r\n");
    assertThat(head.text().substring(head.timeAt())).startsWith("0000-00-00T00:00:00.000Z");
  }
}
