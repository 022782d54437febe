package io.weir.itest;

import static io.weir.itest.Lab.SOON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a device in the LAN and the gateway's own machine see of functions whose connections the kernel leads. */
class KernelIT {
  /** Less than the second after which a SYN is sent again. */
  private static final Duration BRIEFLY = Duration.ofMillis(300);
  private static Device device;
  private static Lab lab;

  @BeforeAll
  static void start() throws Exception {
    device = new Device();
    lab = new Lab("kernel", Map.of(), device);
  }

  @AfterAll
  static void stop() throws Exception {
    lab.close();
  }

  /** From everywhere a function is reached from. */
  private static Map<String, Lab.Call> everywhere(int port) {
    return Map.of("device IPv4", () -> device.call(port), "device IPv6", () -> device.call(device.gateway6(), port),
        "loopback IPv4", () -> new Caller("127.0.0.1", port), "loopback IPv6", () -> new Caller("::1", port));
  }

  @ParameterizedTest
  @ValueSource(strings = {"image", "created", "armed", "frozen"})
  void aSleepingFunctionAnswersWhoeverCallsAndThenStraightFromItsInstance(String rung) throws Exception {
    String name = "from-" + rung;
    int port = lab.deploy(name);
    try (Caller first = device.call(port)) {
      assertThat(first.post("/", "first").body()).isEqualTo("first");
    }
    for (var from : everywhere(port).entrySet()) {
      lab.gateway.rest(name, rung);

      try (Caller caller = from.getValue().open()) {
        assertThat(caller.post("/", "awake").body()).as(from.getKey()).isEqualTo("awake");
      }

      try (Caller caller = lab.direct(from.getValue(), name)) {
        int carried = lab.invocations(name);
        for (int i = 0; i < 20; i++) {
          assertThat(caller.post("/", "n" + i).body()).as(from.getKey()).isEqualTo("n" + i);
        }
        assertThat(lab.invocations(name)).as("requests through the gateway, " + from.getKey()).isEqualTo(carried);
      }
    }
  }

  @Test
  void whoComesDuringAStartIsHeldAndComesBackOnTheDirectWay() throws Exception {
    int port = lab.deploy("crowd", "concurrency: 32");
    ExecutorService clients = Executors.newFixedThreadPool(20);
    try {
      long routed = lab.note("routed");
      List<Future<String>> all = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        String text = "n" + i;
        all.add(clients.submit(() -> keepCalling(port, text)));
      }
      for (int i = 0; i < 20; i++) {
        assertThat(all.get(i).get()).isEqualTo("n" + i);
      }

      assertThat(lab.gateway.instancesOf("crowd")).as("instances").hasSize(1);
      assertThat(lab.note("routed")).as("connections led by the kernel").isGreaterThan(routed);
      int carried = lab.invocations("crowd");
      long led = lab.note("routed");
      for (int i = 0; i < 20; i++) {
        assertThat(keepCalling(port, "again")).isEqualTo("again");
      }
      assertThat(lab.invocations("crowd")).as("requests through the gateway").isEqualTo(carried);
      assertThat(lab.note("routed")).as("connections led by the kernel").isGreaterThanOrEqualTo(led + 20);
    } finally {
      clients.shutdown();
    }
  }

  /** As any client with a pool of connections: ten requests, and a new connection when it was told that one closes. */
  private static String keepCalling(int port, String text) throws Exception {
    Set<String> answers = new HashSet<>();
    Caller caller = device.call(port);
    for (int i = 0; i < 10; i++) {
      Caller.Answer answer = caller.post("/", text);
      answers.add(answer.body());
      if (answer.closes()) {
        assertThat(caller.end()).isEqualTo("closed");
        caller.close();
        caller = device.call(port);
      }
    }
    caller.close();
    return String.join(" ", answers);
  }

  @Test
  void aNewConnectionGoesToTheInstanceWithTheLeastToDo() throws Exception {
    int port = lab.deploy("busy", "rest: running", "instances: {min: 3, max: 3}", "concurrency: 20");
    await().atMost(SOON).until(() -> lab.gateway.instancesOf("busy").stream()
        .filter(each -> "ready".equals(each.get("state"))).count() == 3);
    lab.direct(() -> device.call(port), "busy").close();
    List<Caller> callers = new ArrayList<>();
    try {
      for (int i = 0; i < 9; i++) {
        Caller caller = device.call(port);
        callers.add(caller);
        caller.begin("/", 4);
        lab.awaitInFlight("busy", i + 1);
      }
      List<String> hosts = new ArrayList<>();
      for (Caller caller : callers) {
        caller.send("done".getBytes());
        hosts.add(caller.answer().host());
      }
      for (int i = 0; i < 9; i += 3) {
        assertThat(hosts.subList(i, i + 3)).as("who served each three in turn").doesNotHaveDuplicates();
      }
    } finally {
      for (Caller caller : callers) {
        caller.close();
      }
    }
  }

  @Test
  void aConnectionWithWorkSurvivesThatItsInstanceDrains() throws Exception {
    int port = lab.deploy("drained", "env: {NAME: old}");
    try (Caller caller = lab.direct(() -> device.call(port), "drained")) {
      caller.begin("/", 4);
      lab.awaitInFlight("drained", 1);

      lab.declare("drained", "env: {NAME: new}");
      await().atMost(SOON).until(() -> {
        try (Caller other = device.call(port)) {
          return "new".equals(other.get("/").headers().get("x-name"));
        }
      });

      caller.send("done".getBytes());
      Caller.Answer answer = caller.answer();
      assertThat(answer.headers()).containsEntry("x-name", "old");
      assertThat(answer.body()).isEqualTo("done");
      assertThat(caller.end()).as("the connection, once the old instance has no work").isIn("closed", "Connection reset");
    }
  }

  @Test
  void aClientIsToldWhenItsInstanceDiesAndTheNextRequestIsAnswered() throws Exception {
    int port = lab.deploy("mortal");
    for (var from : everywhere(port).entrySet()) {
      try (Caller caller = lab.direct(from.getValue(), "mortal")) {
        String instance = lab.idOf(caller.get("/").host());
        caller.begin("/", 4);
        lab.awaitInFlight("mortal", 1);

        for (long pid : lab.gateway.containers().processes(instance)) {
          ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
        }

        assertThat(caller.end()).as(from.getKey()).isIn("closed", "Connection reset");
        // Held from the moment nobody listens there any more; what is led there in that very moment ends with the rest.
        await().atMost(SOON).ignoreException(IOException.class).untilAsserted(() -> {
          try (Caller next = from.getValue().open()) {
            assertThat(next.post("/", "alive").body()).as(from.getKey()).isEqualTo("alive");
          }
        });
      }
    }
  }

  @Test
  void connectionsOfAnInstanceThatIsRemovedEnd() throws Exception {
    int port = lab.deploy("removed");
    for (var from : everywhere(port).entrySet()) {
      try (Caller caller = lab.direct(from.getValue(), "removed")) {
        lab.gateway.rest("removed", "image");

        assertThat(caller.end()).as(from.getKey()).isIn("closed", "Connection reset");
      }
    }
  }

  @Test
  void onlyThoseMayConnectWhoAreAllowedTo() throws Exception {
    int allowed = lab.deploy("allowed", "service: {from: [" + device.own() + "]}");
    int denied = lab.deploy("denied", "service: {from: [192.0.2.0/24]}");
    assertNotedOnce("denied-source", () -> assertUnheard(denied));
    assertThat(lab.gateway.instancesOf("denied")).as("who was woken by a device that may not").isEmpty();

    try (Caller caller = lab.direct(() -> device.call(allowed), "allowed")) {
      assertThat(caller.post("/", "in").body()).isEqualTo("in");
    }
    assertThat(lab.gateway.post("/function/denied/", "x").statusCode()).isEqualTo(200);
    assertNotedOnce("denied-source", () -> assertUnheard(denied));
    assertThat(lab.metered("denied", "requests")).as("what reached it: the one by the front door").isEqualTo(1);
  }

  /** As at a firewall that drops: nothing comes back. */
  private static void assertUnheard(int port) {
    assertThatThrownBy(() -> device.call(device.gateway(), port, BRIEFLY)).hasMessageContaining("timed out");
  }

  /** Each of its packets counts, and on a busy machine there may be a second one before the client gives up. */
  private static void assertNotedOnce(String note, ThrowingRunnable what) throws Exception {
    long before = lab.note(note);
    long again = device.synsSentAgain();
    what.run();
    assertThat(lab.note(note) - before).as(note).isEqualTo(1 + device.synsSentAgain() - again);
  }

  /** Anything. */
  private interface ThrowingRunnable {
    void run() throws Exception;
  }

  @Test
  void aClientGetsNoMoreConnectionsThanItsRate() throws Exception {
    int port = lab.deploy("limited", "service: {rate: 1, burst: 5}", "rest: running");
    assertThat(lab.gateway.post("/function/limited/", "x").statusCode()).isEqualTo(200);
    long denied = lab.note("denied-rate");
    int answered = 0;

    for (int i = 0; i < 100 && lab.note("denied-rate") == denied; i++) {
      try (Caller caller = device.call(device.gateway(), port, BRIEFLY)) {
        assertThat(caller.get("/").status()).isEqualTo(200);
        answered++;
      } catch (IOException e) {
        assertThat(e).hasMessageContaining("timed out");
      }
    }

    assertThat(lab.note("denied-rate")).isGreaterThan(denied);
    assertThat(answered).isGreaterThanOrEqualTo(5);
    try (Caller own = new Caller("127.0.0.1", port)) {
      assertThat(own.get("/").status()).as("the machine itself is not limited").isEqualTo(200);
    }
  }

  /** A process is faster than whoever hears that it was started. */
  @Test
  void whatAFunctionMayReachHoldsFromItsFirstInstructionOn() throws Exception {
    try (ServerSocket server = device.listen()) {
      String there = "env: {DIAL: " + device.own() + "/" + server.getLocalPort() + "}";
      String allowed = "egress: [\"" + device.own() + ":" + server.getLocalPort() + "\"]";
      int hasty = lab.deploy("hasty", there);
      int entitled = lab.deploy("entitled", there, allowed);
      for (String rung : List.of("image", "created", "armed")) {
        lab.gateway.rest("hasty", rung);
        lab.gateway.rest("entitled", rung);

        try (Caller caller = device.call(hasty)) {
          assertThat(caller.get("/dialled").body()).as(rung).isEqualTo("Operation not permitted");
        }
        try (Caller caller = device.call(entitled)) {
          assertThat(caller.get("/dialled").body()).as(rung).isEqualTo("connected");
        }
      }
    }
  }

  @Test
  void aFunctionReachesOnlyWhatItsEgressNames() throws Exception {
    try (ServerSocket server = device.listen(); ServerSocket other = device.listen()) {
      String there = "/dial/" + device.own() + "/" + server.getLocalPort();
      int silent = lab.deploy("silent");
      int talker = lab.deploy("talker", "egress: [\"" + device.own() + ":" + server.getLocalPort() + "\"]");

      try (Caller caller = device.call(silent)) {
        assertThat(caller.get(there).body()).isEqualTo("Operation not permitted");
      }
      assertThat(lab.note("denied-egress")).isPositive();
      try (Caller caller = device.call(talker)) {
        assertThat(caller.get(there).body()).isEqualTo("connected");
      }
      try (Caller caller = device.call(talker)) {
        assertThat(caller.get("/dial/" + device.own() + "/" + other.getLocalPort()).body())
            .isEqualTo("Operation not permitted");
      }
    }
  }
}
