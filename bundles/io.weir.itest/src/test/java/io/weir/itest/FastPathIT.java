package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.eclipse.paho.mqttv5.common.packet.UserProperty;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Messages that the kernel brings to a function: the same as without it, but for who does the work. */
@Timeout(180)
class FastPathIT {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static Gateway gateway;
  private static DatagramSocket sink;
  /** What any instance got, as "TOPIC BODY", in order. */
  private static final List<String> GOT = Collections.synchronizedList(new ArrayList<>());

  @BeforeAll
  static void start() throws Exception {
    sink = new DatagramSocket();
    sink.setReceiveBufferSize(4 << 20);
    Thread listener = new Thread(FastPathIT::listen, "sink");
    listener.setDaemon(true);
    listener.start();
    gateway = Gateway.start("fast", Map.of("io.weir.pool/calibrate", "false"));
    gateway.importProbe();
    gateway.deploy("""
        functions:
          fast:
            image: localhost/probe:1
            memory: 32MiB
            rest: running
            egress: [any]
            env: {SINK: "%d"}
            triggers: [{mqtt: fast/a, fast: kernel}, {mqtt: fast/b, fast: kernel}]
        """.formatted(sink.getLocalPort()));
    await().atMost(SOON).until(() -> gateway.list("/api/v1/kernel", "features").stream()
        .anyMatch(each -> each.get("name").equals("adapt") && each.get("active").equals(true)));
  }

  private static void listen() {
    byte[] room = new byte[2048];
    try {
      while (true) {
        DatagramPacket packet = new DatagramPacket(room, room.length);
        sink.receive(packet);
        GOT.add(new String(room, 0, packet.getLength(), StandardCharsets.UTF_8));
      }
    } catch (SocketException e) {
      // closed
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @AfterAll
  static void stop() throws Exception {
    sink.close();
    gateway.close();
  }

  private static List<String> got(String prefix) {
    synchronized (GOT) {
      return GOT.stream().filter(each -> each.startsWith(prefix)).toList();
    }
  }

  private static void awaitAll(Set<String> wanted) {
    await().atMost(SOON).untilAsserted(() -> {
      Set<String> missing = new HashSet<>(wanted);
      synchronized (GOT) {
        GOT.forEach(missing::remove);
      }
      assertThat(missing).isEmpty();
    });
  }

  /** Until the gateway has no part in it: it opens the way when it has seen that there is an instance. */
  private static void awaitFast(Mqtt mqtt) throws Exception {
    await().atMost(SOON.multipliedBy(2)).pollInterval(Duration.ofMillis(200)).until(() -> {
      long before = gateway.counter("invocations.accepted");
      String probe = "ready" + System.nanoTime();
      mqtt.publish("fast/a", probe);
      await().atMost(SOON).until(() -> !got("fast/a " + probe).isEmpty());
      return gateway.counter("invocations.accepted") == before;
    });
  }

  private static long requests() {
    return gateway.list("/api/v1/traffic", "functions").stream().filter(each -> each.get("function").equals("fast"))
        .mapToLong(each -> ((Number) each.get("requests")).longValue()).findFirst().orElse(0);
  }

  @Test
  void theGatewayHasNoPartInMessagesThatTheKernelBrings() throws Exception {
    try (Mqtt mqtt = new Mqtt(gateway)) {
      awaitFast(mqtt);
      long accepted = gateway.counter("invocations.accepted");
      long requests = requests();

      Set<String> sent = new HashSet<>();
      for (int i = 0; i < 2000; i++) {
        String topic = i % 2 == 0 ? "fast/a" : "fast/b";
        String body = String.format("once %04d", i);
        mqtt.publish(topic, body);
        sent.add(topic + " " + body);
        if (i % 32 == 31) {
          int so = i + 1;
          await().atMost(SOON).pollInterval(Duration.ofMillis(1))
              .until(() -> got("fast/a once").size() + got("fast/b once").size() >= so);
        }
      }

      awaitAll(sent);
      for (String topic : List.of("fast/a once", "fast/b once")) {
        assertThat(got(topic)).hasSize(1000).isSorted();
      }
      assertThat(requests() - requests).as("the kernel's count").isEqualTo(2000);
      assertThat(gateway.counter("invocations.accepted") - accepted).as("by the gateway").isLessThan(100);
    }
  }

  @Test
  void aBurstKeepsTheOrderOfItsTopicWhoeverBringsIt() throws Exception {
    try (Mqtt mqtt = new Mqtt(gateway)) {
      awaitFast(mqtt);
      long accepted = gateway.counter("invocations.accepted");
      for (int i = 0; i < 1000; i++) {
        String large = i % 250 == 100 ? "x".repeat(20_000) : "";   // not for the kernel
        mqtt.publish("fast/a", String.format("burst %04d", i) + large);
      }

      await().atMost(SOON).until(() -> got("fast/a burst").size() >= 1000);

      assertThat(got("fast/a burst")).isSorted().doesNotHaveDuplicates().hasSize(1000);
      System.out.println("burst: the gateway brought " + (gateway.counter("invocations.accepted") - accepted) + " of 1000");
      awaitFast(mqtt);
    }
  }

  @Test
  void answersWithoutContentAreTheKernels() throws Exception {
    try (Mqtt mqtt = new Mqtt(gateway)) {
      awaitFast(mqtt);
      long accepted = gateway.counter("invocations.accepted");
      for (int i = 0; i < 300; i++) {
        mqtt.publish("fast/b", "!204 nothing " + i);
        int so = i + 1;
        await().atMost(SOON).pollInterval(Duration.ofMillis(1)).until(() -> got("fast/b !204 nothing").size() >= so);
      }

      assertThat(got("fast/b !204 nothing")).doesNotHaveDuplicates().hasSize(300);
      assertThat(gateway.counter("invocations.accepted") - accepted).as("by the gateway").isLessThan(30);
    }
  }

  @Test
  void whatIsBehindAnAnswerThatTheKernelDoesNotTakeRunsOnce() throws Exception {
    try (Mqtt mqtt = new Mqtt(gateway)) {
      awaitFast(mqtt);
      long failed = gateway.counter("invocations.failed");
      for (int i = 0; i < 100; i++) {
        mqtt.publish("fast/a", (i == 20 ? "~" : "") + "pieces " + i);
      }

      await().atMost(SOON).until(() -> !got("fast/a ~pieces").isEmpty() && got("fast/a pieces").size() >= 99);
      awaitFast(mqtt);
      assertThat(got("fast/a pieces")).doesNotHaveDuplicates().hasSize(99);
      assertThat(got("fast/a ~pieces")).hasSize(1);
      assertThat(gateway.counter("invocations.failed")).isEqualTo(failed);
    }
  }

  @Test
  void whatFailsIsRetriedAndPutAsideAsEver() throws Exception {
    try (Mqtt mqtt = new Mqtt(gateway)) {
      awaitFast(mqtt);
      long failed = gateway.counter("invocations.failed");
      Set<String> sent = new HashSet<>();
      for (int i = 0; i < 60; i++) {
        String body = i == 20 ? "!500 bad" : "good " + i;
        mqtt.publish("fast/a", body);
        sent.add("fast/a " + body);
      }

      awaitAll(sent);
      await().atMost(SOON).until(() -> gateway.counter("invocations.failed") == failed + 1);
      assertThat(got("fast/a !500 bad").size()).as("attempts").isGreaterThan(1);
      assertThat(got("fast/a good")).as("what was answered well").doesNotHaveDuplicates();
      awaitFast(mqtt);
    }
  }

  @Test
  void whatDoesNotFitIsBroughtByTheGateway() throws Exception {
    try (Mqtt mqtt = new Mqtt(gateway)) {
      awaitFast(mqtt);
      long accepted = gateway.counter("invocations.accepted");
      String large = "large " + "x".repeat(20_000);

      mqtt.publish("fast/a", large);
      mqtt.publish("fast/b", "with a property", new UserProperty("unit", "C"));

      await().atMost(SOON).until(() -> !got("fast/a large").isEmpty() && !got("fast/b with a property").isEmpty());
      await().atMost(SOON).until(() -> gateway.counter("invocations.accepted") - accepted >= 2);
      awaitFast(mqtt);
    }
  }

  @Test
  void nothingIsLostWhenTheInstanceDies() throws Exception {
    try (Mqtt mqtt = new Mqtt(gateway)) {
      awaitFast(mqtt);
      String id = (String) gateway.instancesOf("fast").get(0).get("id");
      Set<String> sent = new HashSet<>();
      for (int i = 0; i < 600; i++) {
        mqtt.publish("fast/a", "die " + i);
        sent.add("fast/a die " + i);
        if (i == 300) {
          for (long pid : gateway.containers().processes(id)) {
            ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
          }
        }
      }

      awaitAll(sent);
      System.out.println("instance killed: " + (got("fast/a die").size() - sent.size()) + " of 600 came twice");
      awaitFast(mqtt);
    }
  }

  @Test
  void nothingIsLostWhenTheGatewayIsKilled() throws Exception {
    try (Mqtt mqtt = new Mqtt(gateway)) {
      awaitFast(mqtt);
      Set<String> sent = new HashSet<>();
      for (int i : IntStream.range(0, 300).toArray()) {
        mqtt.publish("fast/b", "kill " + i);
        sent.add("fast/b kill " + i);
      }
      gateway.killAndRestart();
      mqtt.reconnect();
      for (int i : IntStream.range(300, 600).toArray()) {
        mqtt.publish("fast/b", "kill " + i);
        sent.add("fast/b kill " + i);
      }

      awaitAll(sent);
      System.out.println("gateway killed: " + (got("fast/b kill").size() - sent.size()) + " of 600 came twice");
      awaitFast(mqtt);
    }
  }

  @Test
  void nothingIsLostWhenTheBrokerIsRestarted() throws Exception {
    try (Mqtt mqtt = new Mqtt(gateway)) {
      awaitFast(mqtt);
      Set<String> sent = new HashSet<>();
      for (int i = 0; i < 400; i++) {
        if (i == 200) {
          ProcessHandle broker = ProcessHandle.of(gateway.pid()).orElseThrow().descendants()
              .filter(each -> each.info().command().orElse("").endsWith("/mosquitto")).findFirst().orElseThrow();
          broker.destroy();
          broker.onExit().join();
          gateway.awaitReady();
          mqtt.reconnect();
        }
        mqtt.publish("fast/a", "broker " + i);
        sent.add("fast/a broker " + i);
      }

      mqtt.reconnect();
      awaitAll(sent);
      awaitFast(mqtt);
    }
  }

  @Test
  void aFunctionThatSleepsIsWokenByTheGateway() throws Exception {
    try (Mqtt mqtt = new Mqtt(gateway)) {
      awaitFast(mqtt);
      for (String rung : List.of("frozen", "image")) {
        gateway.rest("fast", rung);

        mqtt.publish("fast/a", "wake from " + rung);

        await().atMost(SOON).until(() -> !got("fast/a wake from " + rung).isEmpty());
      }
      awaitFast(mqtt);
    }
  }
}
