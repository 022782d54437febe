package io.weir.gateway.mqtt.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.weir.event.GatewayEvent;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Limits;
import io.weir.function.Scaling;
import io.weir.function.Source;
import io.weir.function.TopicFilter;
import io.weir.function.TopicTemplate;
import io.weir.function.Trigger;
import io.weir.invocation.Guarantee;
import io.weir.invocation.Header;
import io.weir.invocation.Outcome;
import io.weir.invocation.Outcome.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;
import org.eclipse.paho.mqttv5.common.packet.UserProperty;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.osgi.util.converter.Converters;

/** Against a real Mosquitto, with an invoker that does as the test says. */
@Timeout(60)
class MqttGatewayTest {
  @TempDir
  Path data;

  private final FakeInvoker invoker = new FakeInvoker();
  private final FakeEvents events = new FakeEvents();
  private TestBroker broker;
  private MqttGateway gateway;

  @BeforeEach
  void start() throws Exception {
    broker = new TestBroker(data.resolve("broker")).start();
    gateway = gateway(Map.of());
  }

  @AfterEach
  void stop() throws Exception {
    gateway.close();
    broker.close();
  }

  @Test
  void answersToTheResponseTopicWithItsCorrelationData() throws Exception {
    invoker.behaviour = call -> invoker.reply(200, "pong", new Header("Content-Type", "text/plain"),
        new Header("X-Unit", "C"), new Header("Content-Length", "4"), new Header("Date", "now"));
    add(function("echo", "alerts", trigger("ask/+", 1)));

    try (TestClient client = new TestClient(broker).subscribe("answers/#")) {
      MqttProperties properties = new MqttProperties();
      properties.setResponseTopic("answers/me");
      properties.setCorrelationData("42".getBytes(UTF_8));
      client.publish("ask/x", "ping", 1, properties);

      TestClient.Received answer = client.next();
      assertThat(answer.text()).isEqualTo("answers/me pong");
      assertThat(answer.message().getProperties().getCorrelationData()).isEqualTo("42".getBytes(UTF_8));
      assertThat(answer.message().getProperties().getContentType()).isEqualTo("text/plain");
      assertThat(answer.message().getProperties().getUserProperties()).containsExactly(new UserProperty("X-Unit", "C"));
      assertThat(answer.message().getQos()).isEqualTo(1);
    }
    events.await(() -> events.recent().stream().anyMatch(event -> event instanceof GatewayEvent.Published published
        && published.topic().equals("answers/me") && published.bytes() == 4));
    assertThat(invoker.openBodies).hasValue(0);
  }

  @Test
  void answersToTheOutputTopicOfTheFunction() throws Exception {
    invoker.behaviour = call -> invoker.reply(200, "hot");
    add(function("thermo", "alerts/{1}/{2}", trigger("sensors/+/#", 1)));

    try (TestClient client = new TestClient(broker).subscribe("alerts/#")) {
      client.publish("sensors/office/temperature/1", "99", 1);

      assertThat(client.next().text()).isEqualTo("alerts/office/temperature/1 hot");
    }
  }

  @Test
  void saysNothingWhereTheFunctionSaysNothing() throws Exception {
    invoker.behaviour = call -> switch (call.body()) {
      case "none" -> invoker.reply(204, "");
      case "empty" -> invoker.reply(200, "");
      case "rejected" -> invoker.reply(422, "no such sensor");
      default -> invoker.reply(200, "end");
    };
    add(function("quiet", "out", trigger("in", 1)));

    try (TestClient client = new TestClient(broker).subscribe("#")) {
      for (String body : List.of("none", "empty", "rejected", "last")) {
        client.publish("in", body, 1);
        assertThat(client.next().text()).isEqualTo("in " + body);
      }
      assertThat(client.next().text()).isEqualTo("out end");
      assertThat(client.hasNothing()).isTrue();
    }
    assertThat(invoker.openBodies).hasValue(0);
  }

  @Test
  void carriesPropertiesAsHeaders() throws Exception {
    add(function("echo", null, trigger("sensors/+", 1)));
    MqttProperties properties = new MqttProperties();
    properties.setContentType("application/json");
    properties.setUserProperties(List.of(new UserProperty("traceparent", "00-1-2-01"), new UserProperty("Host", "evil"),
        new UserProperty("ce-id", "forged"), new UserProperty("no token", "x"), new UserProperty("Ort", "Köln")));

    try (TestClient client = new TestClient(broker)) {
      client.publish("sensors/büro", "{}", 1, properties);
    }

    FakeInvoker.Call call = invoker.next();
    assertThat(call.body()).isEqualTo("{}");
    assertThat(call.invocation().target()).isEqualTo("/event");
    assertThat(call.invocation().method()).isEqualTo("POST");
    assertThat(call.invocation().subject()).isEqualTo("sensors/büro");
    assertThat(call.invocation().guarantee()).isEqualTo(Guarantee.AT_LEAST_ONCE);
    assertThat(call.header("ce-specversion")).isEqualTo("1.0");
    assertThat(call.header("ce-id")).isEqualTo(call.invocation().id());
    assertThat(call.header("ce-source")).isEqualTo("/weir/mqtt");
    assertThat(call.header("ce-type")).isEqualTo("io.weir.mqtt.message");
    assertThat(call.header("ce-subject")).isEqualTo("sensors/b%C3%BCro");
    assertThat(call.header("ce-time")).isNotNull();
    assertThat(call.header("Content-Type")).isEqualTo("application/json");
    assertThat(call.header("traceparent")).isEqualTo("00-1-2-01");
    assertThat(call.header("Ort")).isEqualTo("K%C3%B6ln");
    assertThat(call.header("Host")).isNull();
    assertThat(call.invocation().headers()).hasSize(9);
  }

  @Test
  void keepsTheAttributesOfACloudEvent() throws Exception {
    add(function("echo", null, trigger("e", 1)));
    MqttProperties properties = new MqttProperties();
    properties.setUserProperties(List.of(new UserProperty("specversion", "1.0"), new UserProperty("id", "A-1"),
        new UserProperty("source", "/plant"), new UserProperty("type", "org.example.hot"),
        new UserProperty("tenant", "t1")));

    try (TestClient client = new TestClient(broker)) {
      client.publish("e", "x", 1, properties);
    }

    FakeInvoker.Call call = invoker.next();
    assertThat(call.invocation().id()).isEqualTo("A-1");
    assertThat(call.header("ce-source")).isEqualTo("/plant");
    assertThat(call.header("ce-type")).isEqualTo("org.example.hot");
    assertThat(call.header("ce-subject")).isEqualTo("e");
    assertThat(call.header("tenant")).isEqualTo("t1");
    assertThat(call.header("id")).isNull();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void carriesEveryQualityOfService(int qos) throws Exception {
    invoker.behaviour = call -> invoker.reply(200, call.body());
    add(function("echo", "out", trigger("in", qos)));

    try (TestClient client = new TestClient(broker).subscribe("out")) {
      for (int i = 0; i < 50; i++) {
        client.publish("in", "m" + i, qos);
        TestClient.Received answer = client.next();
        assertThat(answer.text()).isEqualTo("out m" + i);
        assertThat(answer.message().getQos()).isEqualTo(qos);
      }
    }
    assertThat(invoker.calls).hasSize(50);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void takesNoMoreThanItsWindow(int qos) throws Exception {
    gateway.close();
    gateway = gateway(Map.of("max.in.flight", 3));
    add(function("slow", null, trigger("in", qos)));

    try (TestClient client = new TestClient(broker)) {
      for (int i = 0; i < 10; i++) {
        client.publish("in", "m" + i, qos);
      }
      List<FakeInvoker.Call> held = List.of(invoker.next(), invoker.next(), invoker.next());
      client.publish("in", "m10", qos);  // the broker has had every chance to send more
      assertThat(invoker.calls).isEmpty();

      held.get(1).outcome().complete(invoker.reply(204, ""));
      assertThat(invoker.next().body()).isEqualTo("m3");
      assertThat(invoker.calls).isEmpty();
    }
  }

  @Test
  void acknowledgesOnlyWhenTheOutcomeIsKnown() throws Exception {
    add(function("slow", null, trigger("in", 1)));
    try (TestClient client = new TestClient(broker)) {
      client.publish("in", "first", 1);
      invoker.next();
    }

    gateway.close();
    gateway = gateway(Map.of());
    add(function("slow", null, trigger("in", 1)));

    FakeInvoker.Call again = invoker.next();
    assertThat(again.body()).isEqualTo("first");
    again.outcome().complete(invoker.reply(204, ""));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void invokesOnceWhatComesAgainWhileItRuns(int qos) throws Exception {
    invoker.behaviour = call -> call.body().equals("slow") ? null : invoker.reply(200, call.body());
    add(function("echo", "out", trigger("in", qos)));
    FakeInvoker.Call slow;
    try (TestClient client = new TestClient(broker)) {
      client.publish("in", "slow", qos);
      slow = invoker.next();
    }

    broker.stop();
    broker.start();
    events.await(() -> gateway.ready());

    try (TestClient client = new TestClient(broker).subscribe("out")) {
      slow.outcome().complete(invoker.reply(200, "done"));
      assertThat(client.next().text()).isEqualTo("out done");
      client.publish("in", "next", qos);
      assertThat(client.next().text()).isEqualTo("out next");
    }
    assertThat(invoker.next().body()).isEqualTo("next");
    assertThat(invoker.calls).isEmpty();
  }

  @Test
  void publishesAnAnswerThatWasReadyWhileTheBrokerWasAway() throws Exception {
    add(function("echo", "out", trigger("in", 1)));
    try (TestClient client = new TestClient(broker)) {
      client.publish("in", "x", 1);
    }
    FakeInvoker.Call call = invoker.next();

    broker.stop();
    events.await(() -> !gateway.ready());
    call.outcome().complete(invoker.reply(200, "late"));
    broker.start();

    events.await(() -> events.recent().stream().anyMatch(GatewayEvent.Published.class::isInstance));
    assertThat(invoker.calls).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void losesNothingWhenTheBrokerRestartsMidStream(int qos) throws Exception {
    int count = 1000;
    Set<String> seen = ConcurrentHashMap.newKeySet();
    CountDownLatch some = new CountDownLatch(200);
    invoker.behaviour = call -> {
      seen.add(call.body());
      some.countDown();
      return invoker.reply(200, call.body());
    };
    add(function("echo", "out", trigger("in", qos)));

    List<String> sent = new ArrayList<>();
    Thread restart = new Thread(() -> {
      try {
        some.await(20, TimeUnit.SECONDS);
        broker.stop();
        broker.start();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    });
    restart.start();
    for (int i = 0; i < count; ) {
      try (TestClient client = new TestClient(broker)) {
        for (; i < count; i++) {
          client.publish("in", "m" + i, qos);
          sent.add("m" + i);
        }
      } catch (org.eclipse.paho.mqttv5.common.MqttException e) {
        TimeUnit.MILLISECONDS.sleep(20);  // a sensor that tries again; the broker is away
      }
    }
    restart.join();

    events.await(() -> seen.containsAll(sent));
    assertThat(seen).hasSize(count);
    events.await(() -> events.recent().stream().filter(GatewayEvent.Published.class::isInstance).count() >= count);
  }

  @Test
  void goesOnAfterTheBrokerWasKilledMidStream() throws Exception {
    invoker.behaviour = call -> invoker.reply(200, call.body());
    add(function("echo", "out", trigger("in", 1)));
    try (TestClient client = new TestClient(broker)) {
      for (int i = 0; i < 100; i++) {
        client.publish("in", "m" + i, 1);
      }
    }

    broker.kill();
    events.await(() -> !gateway.ready());
    broker.start();
    events.await(() -> gateway.ready());

    try (TestClient client = new TestClient(broker).subscribe("out")) {
      client.publish("in", "after", 1);
      while (!client.next().text().equals("out after")) {
        // answers of before
      }
    }
  }

  @Test
  void replacesAConnectionThatFellSilent() throws Exception {
    gateway.close();
    gateway = gateway(Map.of("keep.alive.seconds", 1));
    invoker.behaviour = call -> invoker.reply(200, call.body());
    add(function("echo", "out", trigger("in", 1)));

    broker.signal("STOP");
    try {
      events.await(() -> !gateway.ready());
    } finally {
      broker.signal("CONT");
    }
    events.await(() -> gateway.ready());

    try (TestClient client = new TestClient(broker).subscribe("out")) {
      client.publish("in", "x", 1);
      assertThat(client.next().text()).isEqualTo("out x");
    }
  }

  @Test
  void waitsForABrokerThatIsNotThereYet() throws Exception {
    gateway.close();
    broker.kill();
    gateway = gateway(Map.of());
    FunctionSpec echo = function("echo", "out", trigger("in", 1));
    gateway.functionAdded(echo);
    events.await(() -> gateway.state().contains("cannot connect"));
    assertThat(gateway.ready()).isFalse();

    broker.start();

    events.await(() -> gateway.ready());
    assertThat(gateway.state()).startsWith("1 session at " + broker.uri());
  }

  @Test
  void triesARefusedMessageAgainInOrder() throws Exception {
    AtomicInteger refusals = new AtomicInteger(3);
    List<String> taken = new ArrayList<>();
    invoker.behaviour = call -> {
      if (refusals.getAndDecrement() > 0) {
        return new Outcome.Refused(Reason.QUEUE_FULL, "queue full", Duration.ofMillis(30));
      }
      taken.add(call.body());
      return invoker.reply(200, call.body());
    };
    add(function("busy", "out", trigger("in", 1)));

    try (TestClient client = new TestClient(broker).subscribe("out")) {
      for (int i = 0; i < 20; i++) {
        client.publish("in", "m" + i, 1);
      }
      for (int i = 0; i < 20; i++) {
        assertThat(client.next().text()).isEqualTo("out m" + i);
      }
    }
    assertThat(taken).hasSize(20);
  }

  @Test
  void putsAsideWhatFailsForGood() throws Exception {
    invoker.behaviour = call -> switch (call.body()) {
      case "late" -> new Outcome.Failed("timeout", "no answer within 10s", true);
      case "broken" -> invoker.reply(500, "trace");
      default -> invoker.reply(200, "fine");
    };
    add(function("shaky", "out", trigger("in", 1)));

    try (TestClient client = new TestClient(broker).subscribe("weir/#").subscribe("out")) {
      MqttProperties properties = new MqttProperties();
      properties.setContentType("text/plain");
      client.publish("in", "late", 1, properties);
      TestClient.Received letter = client.next();
      assertThat(letter.text()).isEqualTo("weir/dead-letter/shaky late");
      assertThat(letter.message().getProperties().getContentType()).isEqualTo("text/plain");
      assertThat(letter.message().getProperties().getUserProperties()).contains(new UserProperty("weir-topic", "in"),
          new UserProperty("weir-reason", "timeout"), new UserProperty("weir-detail", "no answer within 10s"));

      client.publish("in", "broken", 1);
      assertThat(client.next().message().getProperties().getUserProperties())
          .contains(new UserProperty("weir-reason", "status-500"));
      client.publish("in", "good", 1);
      assertThat(client.next().text()).isEqualTo("out fine");
    }
    assertThat(invoker.openBodies).hasValue(0);
  }

  @Test
  void aFunctionThatHangsDoesNotDelayItsNeighbour() throws Exception {
    invoker.behaviour = call -> call.invocation().function().value().equals("stuck") ? null
        : invoker.reply(200, call.body());
    add(function("stuck", null, trigger("in", 1)));
    add(function("echo", "out", trigger("in", 1)));

    try (TestClient client = new TestClient(broker).subscribe("out")) {
      for (int i = 0; i < 200; i++) {
        client.publish("in", "m" + i, 1);
      }
      for (int i = 0; i < 200; i++) {
        assertThat(client.next().text()).isEqualTo("out m" + i);
      }
    }
  }

  @Test
  void losesAnAnswerAboveTheLimitAndGoesOn() throws Exception {
    gateway.close();
    gateway = gateway(Map.of("max.answer.bytes", 1024));
    invoker.behaviour = call -> invoker.reply(200, call.body().repeat(Integer.parseInt(call.body())));
    add(function("big", "out", trigger("in", 1)));

    try (TestClient client = new TestClient(broker).subscribe("out")) {
      client.publish("in", "1000", 1);
      client.publish("in", "2", 1);
      assertThat(client.next().text()).isEqualTo("out 2" + "2");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void goesOnAfterAnAnswerThatTheBrokerRefuses(int qos) throws Exception {
    gateway.close();
    broker.close();
    broker = new TestBroker(data.resolve("strict"), "message_size_limit 100").start();
    gateway = gateway(Map.of());
    invoker.behaviour = call -> invoker.reply(200, call.body().repeat(50));
    add(function("big", "out", trigger("in", qos)));

    try (TestClient client = new TestClient(broker).subscribe("out")) {
      client.publish("in", "long", qos);
      client.publish("in", "s", qos);
      assertThat(client.next().text()).isEqualTo("out " + "s".repeat(50));
    }
    assertThat(invoker.calls).hasSize(2);
  }

  @Test
  void dropsTheOldestWithoutReceiptBeyondTwiceItsWindow() throws Exception {
    gateway.close();
    gateway = gateway(Map.of("max.in.flight", 3));
    add(function("slow", null, trigger("in", 0)));

    try (TestClient client = new TestClient(broker).subscribe("in")) {
      for (int i = 0; i < 10; i++) {
        client.publish("in", "m" + i, 0);
        client.next();
      }
      List<FakeInvoker.Call> held = List.of(invoker.next(), invoker.next(), invoker.next());
      assertThat(invoker.calls).isEmpty();
      events.await(() -> gateway.state().endsWith("; 4 messages of QoS 0 dropped"));
      assertThat(lastState()).contains("messages of QoS 0 dropped");

      held.forEach(call -> call.outcome().complete(invoker.reply(204, "")));
      assertThat(List.of(invoker.next().body(), invoker.next().body(), invoker.next().body()))
          .as("the oldest that waited were dropped").containsExactly("m7", "m8", "m9");
    }
  }

  @Test
  void forgetsTheSessionOfARemovedFunction() throws Exception {
    FunctionSpec gone = function("gone", null, trigger("in", 1));
    add(gone);
    gateway.functionRemoved(gone);
    events.await(() -> !Files.exists(data.resolve("mqtt/gone")));
    try (TestClient client = new TestClient(broker)) {
      client.publish("in", "for nobody", 1);
    }

    add(gone);
    try (TestClient client = new TestClient(broker)) {
      client.publish("in", "new", 1);
    }

    assertThat(invoker.next().body()).isEqualTo("new");
  }

  @Test
  void tellsThatARemovedFunctionIsMissedNoMore() throws Exception {
    FunctionSpec gone = function("gone", null, trigger("in", 1));
    add(gone);

    gateway.functionRemoved(gone);

    events.await(() -> lastState().equals("0 sessions at " + broker.uri()));
    assertThat(gateway.ready()).isTrue();
  }

  @Test
  void publishesNothingForAFunctionThatIsGone() throws Exception {
    FunctionSpec gone = function("echo", "out", trigger("in", 1));
    add(gone);
    try (TestClient client = new TestClient(broker).subscribe("out")) {
      client.publish("in", "before", 1);
      FakeInvoker.Call before = invoker.next();
      gateway.functionRemoved(gone);
      gateway.functionAdded(gone);
      before.outcome().complete(invoker.reply(200, "of before"));
      events.await(gateway::ready);

      client.publish("in", "after", 1);
      FakeInvoker.Call after = invoker.next();
      assertThat(after.body()).isEqualTo("after");
      after.outcome().complete(invoker.reply(200, "of after"));
      assertThat(client.next().text()).isEqualTo("out of after");
    }
  }

  @Test
  void leavesWhatIsNoSessionFileAlone() throws Exception {
    Files.createDirectories(data.resolve("mqtt"));
    Files.writeString(data.resolve("mqtt/A note~"), "");
    add(function("gone", null, trigger("in", 1)));
    gateway.close();

    gateway = new MqttGateway(settings(Map.of()), data, "0123456789ab", broker, invoker, events, Duration.ZERO);

    events.await(() -> !Files.exists(data.resolve("mqtt/gone")));
    assertThat(data.resolve("mqtt/A note~")).exists();
  }

  @Test
  void forgetsFunctionsThatWereRemovedWhileItWasAway() throws Exception {
    add(function("gone", null, trigger("in", 1)));
    gateway.close();
    assertThat(data.resolve("mqtt/gone")).hasContent("in");

    gateway = new MqttGateway(settings(Map.of()), data, "0123456789ab", broker, invoker, events, Duration.ZERO);

    events.await(() -> !Files.exists(data.resolve("mqtt/gone")));
  }

  @Test
  void followsAFunctionThatChanges() throws Exception {
    invoker.behaviour = call -> invoker.reply(200, call.body());
    FunctionSpec before = function("echo", "out/a", trigger("a", 1));
    add(before);
    FunctionSpec after = function("echo", "out/b", trigger("b", 1));

    gateway.functionChanged(before, after);

    events.await(() -> filters("echo").equals("b\n"));
    try (TestClient client = new TestClient(broker).subscribe("out/#")) {
      client.publish("a", "old", 1);
      client.publish("b", "new", 1);
      assertThat(client.next().text()).isEqualTo("out/b new");
    }
    assertThat(invoker.calls).hasSize(1);
  }

  @Test
  void endsWithTheLastOfManyQuickChanges() throws Exception {
    invoker.behaviour = call -> invoker.reply(200, call.body());
    FunctionSpec before = function("echo", "out", trigger("t/0", 1));
    add(before);
    for (int i = 1; i <= 100; i++) {
      FunctionSpec after = function("echo", "out", trigger("t/" + i, 1));
      gateway.functionChanged(before, after);
      before = after;
    }
    events.await(() -> filters("echo").equals("t/100\n"));

    try (TestClient client = new TestClient(broker).subscribe("out")) {
      for (int i = 0; i <= 100; i++) {
        client.publish("t/" + i, "m" + i, 1);
      }
      assertThat(client.next().text()).isEqualTo("out m100");
    }
    assertThat(invoker.calls).hasSize(1);
  }

  @Test
  void invokesOnceWhereFiltersOverlap() throws Exception {
    invoker.behaviour = call -> invoker.reply(200, call.invocation().target());
    add(function("echo", "out/{1}", new Trigger.Mqtt(new TopicFilter("in/+"), 1, "/first"),
        new Trigger.Mqtt(new TopicFilter("in/#"), 1, "/second")));

    try (TestClient client = new TestClient(broker).subscribe("out/#")) {
      client.publish("in/x", "m", 1);
      client.publish("in/x/y", "m", 1);
      assertThat(client.next().text()).isEqualTo("out/x /first");
      assertThat(client.next().text()).isEqualTo("out/x/y /second");
      client.publish("in/x", "m", 1);
      assertThat(client.next().text()).isEqualTo("out/x /first");
    }
    assertThat(invoker.calls).hasSize(3);
  }

  @Test
  @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)  // what hangs here hears no interrupt
  void endsThoughTheBrokerDoesNotRead() throws Exception {
    gateway.close();
    gateway = gateway(Map.of("keep.alive.seconds", 3600, "max.answer.bytes", 8 << 20));
    add(function("big", "out", trigger("in", 1)));
    List<FakeInvoker.Call> calls = new ArrayList<>();
    try (TestClient client = new TestClient(broker)) {
      for (int i = 0; i < 4; i++) {
        client.publish("in", "m", 1);
        calls.add(invoker.next());
      }
    }

    broker.signal("STOP");
    try {
      String answer = "x".repeat(8 << 20);  // more than the sockets' buffers hold
      List<Thread> writers = calls.stream()
          .map(call -> new Thread(() -> call.outcome().complete(invoker.reply(200, answer)))).toList();
      writers.forEach(Thread::start);
      while (writers.stream().noneMatch(MqttGatewayTest::isWriting)) {
        Thread.onSpinWait();
      }

      gateway.close();

      for (Thread writer : writers) {
        writer.join();
      }
    } finally {
      broker.signal("CONT");
    }
  }

  private static boolean isWriting(Thread thread) {
    return List.of(thread.getStackTrace()).toString().contains("PacketWriter.write");
  }

  @Test
  void publishesWithNoMoreThanTheBrokersQos() throws Exception {
    gateway.close();
    broker.close();
    broker = new TestBroker(data.resolve("weak"), "max_qos 1").start();
    gateway = gateway(Map.of());
    invoker.behaviour = call -> invoker.reply(200, call.body());
    add(function("echo", "out", trigger("in", 2)));

    try (TestClient client = new TestClient(broker).subscribe("out")) {
      client.publish("in", "x", 1);
      assertThat(client.next().text()).isEqualTo("out x");
    }
  }

  @Test
  void doesNotLetASensorSpeakForTheGateway() throws Exception {
    invoker.behaviour = call -> invoker.reply(200, "x");
    add(function("echo", "out", trigger("in", 1)));

    try (TestClient client = new TestClient(broker).subscribe("weir/#").subscribe("out")) {
      MqttProperties properties = new MqttProperties();
      properties.setResponseTopic("weir/dead-letter/other");
      client.publish("in", "x", 1, properties);
      assertThat(client.next().text()).isEqualTo("out x");
    }
  }

  // --- what the tests are made of ------------------------------------------------------------------------------------

  private MqttGateway gateway(Map<String, ?> configuration) {
    return new MqttGateway(settings(configuration), data, "0123456789ab", broker, invoker, events, Duration.ofHours(1));
  }

  private String lastState() {
    return events.recent().stream().filter(GatewayEvent.PartChanged.class::isInstance)
        .map(event -> ((GatewayEvent.PartChanged) event).state()).reduce("", (earlier, later) -> later);
  }

  private String filters(String function) {
    try {
      return Files.readString(data.resolve("mqtt").resolve(function));
    } catch (IOException e) {
      return "";
    }
  }

  private static Settings settings(Map<String, ?> configuration) {
    return Settings.of(Converters.standardConverter().convert(configuration).to(MqttGatewayConfig.class));
  }

  private void add(FunctionSpec function) throws InterruptedException {
    gateway.functionAdded(function);
    events.await(gateway::ready);
  }

  private static Trigger.Mqtt trigger(String filter, int qos) {
    return new Trigger.Mqtt(new TopicFilter(filter), qos, "/event");
  }

  private static FunctionSpec function(String name, String output, Trigger... triggers) {
    return new FunctionSpec(new FunctionName(name), new Source.Image("localhost/test:1"), 8080, List.of(triggers),
        Optional.ofNullable(output).map(TopicTemplate::new), new Limits(64 << 20, 1, 64),
        new Scaling(0, 2, 8, Duration.ofSeconds(60)), Duration.ofSeconds(10), Map.of());
  }
}
