package io.weir.itest;

import static io.weir.itest.Lab.SOON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Whatever comes over a service address, nothing hangs, and the function hears what it would hear without the gateway. */
class BadInputIT {
  private static final String GOOD = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\ngood";
  private static Device device;
  private static Lab lab;

  @BeforeAll
  static void start() throws Exception {
    device = new Device();
    lab = new Lab("bad-input", Map.of(), device);
  }

  @AfterAll
  static void stop() throws Exception {
    lab.close();   // which looks for warnings of the kernel
  }

  private static Map<String, byte[]> inputs() {
    Map<String, byte[]> inputs = new LinkedHashMap<>();
    inputs.put("one word", bytes("GET\r\n\r\n"));
    inputs.put("no version", bytes("GET /\r\n\r\n"));
    inputs.put("lying length", bytes("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\nx"));
    inputs.put("negative length", bytes("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\nx"));
    inputs.put("body cut short", bytes("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nx"));
    inputs.put("nothing", new byte[0]);
    inputs.put("zeros", new byte[5000]);
    inputs.put("an answer", bytes("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    inputs.put("line feeds", bytes("\n\n\n\n"));
    inputs.put("TLS", HexFormat.of().parseHex("16030100" + "5a" + "0100005603035f".concat("00".repeat(80))));
    inputs.put("HTTP/2", bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    inputs.put("64 KiB of header", bytes("POST / HTTP/1.1\r\nX: " + "y".repeat(64 << 10) + "\r\nContent-Length: 4\r\n\r\ngood"));
    inputs.put("garbage after a request", bytes(GOOD + "\u0000\u0001garbage\r\n\r\n"));
    return inputs;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  @Test
  void theDirectWayAnswersAsTheFunctionItselfDoes() throws Exception {
    int port = lab.deploy("hard");
    lab.direct(() -> device.call(port), "hard").close();
    URI itself = URI.create("http://" + lab.gateway.instancesOf("hard").get(0).get("address"));
    for (var input : inputs().entrySet()) {
      String expected = said(new Caller(itself.getHost(), itself.getPort()), input.getValue());

      assertThat(said(device.call(port), input.getValue())).as(input.getKey()).isEqualTo(expected);
      assertThat(said(device.call(device.gateway6(), port), input.getValue())).as(input.getKey()).isEqualTo(expected);
    }
    assertThat(said(device.call(port), bytes(GOOD))).startsWith("HTTP/1.1 200").endsWith("good");
  }

  @Test
  void theGatewayAnswersOrClosesWhileTheFunctionSleeps() throws Exception {
    int port = lab.deploy("asleep");
    for (var input : inputs().entrySet()) {
      lab.gateway.rest("asleep", "image");

      String answer = said(device.call(port), input.getValue());

      if (input.getKey().contains("64 KiB") || input.getKey().contains("after a request")) {
        assertThat(answer).as(input.getKey()).startsWith("HTTP/1.1 200").contains("good");
      } else {
        assertThat(answer).as(input.getKey()).matches("(?s)|Connection reset|HTTP/1.1 [245].*");
      }
    }
    assertThat(said(device.call(port), bytes(GOOD))).startsWith("HTTP/1.1 200").endsWith("good");
  }

  /** Sends it, ends the sending side, and returns all that comes back. */
  private static String said(Caller caller, byte[] input) throws IOException {
    try (caller) {
      caller.send(input);
      return caller.rest();
    } catch (IOException e) {
      assertThat(e).hasMessageMatching("Connection reset.*|Broken pipe");
      return "Connection reset";
    }
  }

  @Test
  void aRequestThatComesByteByByteIsOne() throws Exception {
    int port = lab.deploy("split");
    for (boolean direct : new boolean[] {false, true}) {
      try (Caller caller = direct ? lab.direct(() -> device.call(port), "split") : device.call(port)) {
        long metered = lab.metered("split", "requests");
        for (byte each : bytes(GOOD)) {
          caller.send(new byte[] {each});
        }
        assertThat(caller.answer().body()).isEqualTo("good");
        assertThat(lab.metered("split", "requests")).isEqualTo(metered + 1);
      }
    }
  }

  @Test
  void aPortThatSomebodyElseHasIsOneFunctionsProblemUntilItIsFree() throws Exception {
    int other = lab.deploy("unconcerned");
    int port;
    try (ServerSocket somebody = new ServerSocket(0, 5, InetAddress.getByName(device.gateway()))) {
      port = somebody.getLocalPort();
      lab.declare("unlucky", "service: " + port);
      await().atMost(SOON).until(() -> lab.service("unlucky").get("problem") != null);

      assertThat(lab.service("unlucky").get("problem")).asString()
          .startsWith("port " + port + " on " + device.gateway() + " is in use by java");
      try (Caller caller = device.call(other)) {
        assertThat(caller.post("/", "fine").body()).isEqualTo("fine");
      }
    }
    assertThat(lab.port("unlucky")).isEqualTo(port);
    try (Caller caller = device.call(port)) {
      assertThat(caller.post("/", "mine").body()).isEqualTo("mine");
    }
  }

  @Test
  void moreInstancesThanAnAddressLeadsToAreAllUsed() throws Exception {
    int port = lab.deploy("many", "rest: running", "instances: {min: 18, max: 18}", "concurrency: 1");
    List<Caller> callers = new ArrayList<>();
    try {
      for (int i = 0; i < 18; i++) {
        Caller caller = device.call(port);
        callers.add(caller);
        caller.begin("/", 4);
      }
      for (Caller caller : callers) {
        caller.send(bytes("done"));
        assertThat(caller.answer().body()).isEqualTo("done");
      }
    } finally {
      for (Caller caller : callers) {
        caller.close();
      }
    }
  }
}
