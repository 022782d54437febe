package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Each function's own address: there while it sleeps, and the same whatever happens to the gateway. */
class ServiceAddressIT {
  private static final Duration SOON = Duration.ofSeconds(30);
  private static Gateway gateway;
  private static HttpClient client;

  @BeforeAll
  static void start() throws Exception {
    // A range that gateways of other tests do not use, for the time in which this one is dead.
    int first = 12_000 + (int) (ProcessHandle.current().pid() % 150) * 50;
    gateway = Gateway.start("service", Map.of("io.weir.pool/calibrate", "false", "io.weir.activator/ports",
        first + "-" + (first + 49)));
    gateway.importProbe();
    client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  }

  @AfterAll
  static void stop() throws Exception {
    gateway.close();
  }

  private static void deploy(String name, String more) {
    gateway.deploy("functions:\n  " + name + ": {image: \"localhost/probe:1\", memory: 32MiB, rest: image, idle: 10m" + more
        + "}\n");
  }

  private static Map<?, ?> service(String name) {
    return (Map<?, ?>) gateway.json("/api/v1/functions/" + name).get("service");
  }

  /** Its port, once it is reached there. */
  private static int port(String name) {
    await().atMost(SOON).until(() -> {
      Map<?, ?> service = service(name);   // empty until the address was looked at
      return service != null && service.get("problem") == null && service.get("addresses") instanceof List<?> all && !all.isEmpty();
    });
    return ((Number) service(name).get("port")).intValue();
  }

  private static HttpResponse<String> call(int port, String path, String body) throws Exception {
    return client.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).timeout(SOON)
        .POST(HttpRequest.BodyPublishers.ofString(body)).build(), HttpResponse.BodyHandlers.ofString());
  }

  @Test
  void answersFromAsleepAndFromRunning() throws Exception {
    deploy("sleeper", "");
    int port = port("sleeper");
    assertThat(gateway.instancesOf("sleeper").stream().map(i -> i.get("state"))).doesNotContain("ready");

    assertThat(call(port, "/", "first").body()).isEqualTo("first");
    assertThat(call(port, "/", "second").body()).isEqualTo("second");

    assertThat(gateway.instancesOf("sleeper")).hasSize(1);
    gateway.rest("sleeper", "image");
    assertThat(call(port, "/", "again").body()).isEqualTo("again");
    assertThat(call(port, "/status/418", "").statusCode()).isEqualTo(418);
    gateway.rest("sleeper", "frozen");
    assertThat(call(port, "/", "thawed").body()).isEqualTo("thawed");
    assertThat(gateway.lastInvocation("sleeper")).containsEntry("trigger", "service");
    assertThat(gateway.weir("list").out()).contains("127.0.0.1:" + port);
  }

  @Test
  void holdsManyClientsDuringOneStart() throws Exception {
    deploy("crowd", "");
    int port = port("crowd");
    List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      answers.add(client.sendAsync(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/sleep/20"))
          .POST(HttpRequest.BodyPublishers.ofString("n" + i)).timeout(SOON).build(), HttpResponse.BodyHandlers.ofString()));
    }
    for (CompletableFuture<HttpResponse<String>> answer : answers) {
      assertThat(answer.get().statusCode()).isEqualTo(200);
    }
    assertThat(gateway.instancesOf("crowd")).hasSize(1);
  }

  @Test
  void keepsItsPortWhenTheGatewayIsRestartedOrKilled() throws Exception {
    deploy("stable", "");
    int fixed = Gateway.freePort();
    deploy("fixed", ", service: " + fixed);
    int port = port("stable");
    assertThat(port("fixed")).isEqualTo(fixed);
    assertThat(call(port, "/", "before").body()).isEqualTo("before");
    Object before = gateway.instancesOf("stable").get(0).get("name");

    gateway.killAndRestart();

    assertThat(port("stable")).isEqualTo(port);
    assertThat(call(port, "/", "after").body()).isEqualTo("after");
    // Whom the kernel led there did not have to wait until the gateway had looked at what an earlier one left.
    await().atMost(SOON).untilAsserted(() -> assertThat(gateway.instancesOf("stable")).singleElement()
        .satisfies(i -> assertThat(i.get("name")).isEqualTo(before)));
    assertThat(call(fixed, "/", "after").body()).isEqualTo("after");

    gateway.stop();
    gateway.startAgain();

    assertThat(port("stable")).isEqualTo(port);
    assertThat(call(port, "/", "again").body()).isEqualTo("again");
    assertThat(call(fixed, "/", "again").body()).isEqualTo("again");
  }

  @Test
  void aPortThatSomebodyElseHasIsTakenOnceItIsFree() throws Exception {
    int port;
    try (ServerSocket other = new ServerSocket(0, 5, InetAddress.getByName("127.0.0.1"))) {
      port = other.getLocalPort();
      deploy("refused", ", service: " + port);
      await().atMost(SOON).until(() -> service("refused") != null && service("refused").get("problem") != null);

      assertThat(service("refused").get("problem")).asString().startsWith("port " + port + " on 127.0.0.1 is in use by java");
      assertThat(gateway.get("/healthz").statusCode()).isEqualTo(200);
      assertThat(gateway.weir("list").out()).contains("problem refused: port " + port);
    }
    assertThat(port("refused")).isEqualTo(port);
    assertThat(call(port, "/", "mine").body()).isEqualTo("mine");
  }

  @Test
  void aClientThatClosesItsSideFirstHasItsAnswer() throws Exception {
    deploy("half", "");
    try (Socket socket = new Socket("127.0.0.1", port("half"))) {
      OutputStream out = socket.getOutputStream();
      out.write("POST / HTTP/1.1\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello".getBytes(StandardCharsets.US_ASCII));
      socket.shutdownOutput();
      ByteArrayOutputStream answer = new ByteArrayOutputStream();
      InputStream in = socket.getInputStream();
      in.transferTo(answer);
      assertThat(answer.toString(StandardCharsets.US_ASCII)).startsWith("HTTP/1.1 200").endsWith("hello");
    }
  }
}
