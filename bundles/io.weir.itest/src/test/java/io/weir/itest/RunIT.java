package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** {@code weir run}: what a newcomer types first. */
class RunIT {
  private static final Path FOLDER = Path.of(System.getProperty("weir.work"), "run");
  private static final Path RUN = Path.of("/run/weir-it-run-" + ProcessHandle.current().pid());
  private static final int SIGTERM = 143;

  private final Path data = FOLDER.resolve("data");
  private final int port = Gateway.freePort();
  private final int mqttPort = Gateway.freePort();
  private Leftovers leftovers;

  @BeforeEach
  void install() throws Exception {
    leftovers = new Leftovers(FOLDER, RUN);
    leftovers.unmount();
    Gateway.deleteTree(FOLDER);
    Gateway.installTo(FOLDER.resolve("dist"));
  }

  @AfterEach
  void nothingIsLeftBehind() throws Exception {
    try {
      leftovers.assertNone();
    } finally {
      leftovers.unmount();
      Gateway.deleteTree(RUN);
      Gateway.deleteTree(FOLDER);
    }
  }

  @Test
  void showsColdStartsAndAnswersAndEndsByItselfWith0() throws Exception {
    Gateway.Result run = Gateway.run(weir("--for", "20s"));

    assertThat(run.exitCode()).as(run.out() + run.err()).isZero();
    assertThat(run.out()).contains("cold start").containsPattern("message +thermo-alert +sensors/").containsPattern("no-content|replied");
    assertThat(run.out()).containsPattern("[1-9]\\d* readings sent, [1-9]\\d* outcomes: [1-9]\\d* answered by a container");
    assertThat(run.err()).contains("gateway at http://127.0.0.1:" + port, "broker at tcp://127.0.0.1:" + mqttPort);
  }

  @Test
  void startsJustTheGatewayAndEndsOnSigterm() throws Exception {
    Process run = weir("--no-demo").redirectErrorStream(true).redirectOutput(FOLDER.resolve("out.txt").toFile()).start();
    try {
      Awaitility.await("see " + FOLDER).atMost(Gateway.LONG).ignoreExceptions().until(() -> healthy() || !run.isAlive());
      assertThat(run.isAlive()).as(Files.readString(FOLDER.resolve("out.txt"))).isTrue();
    } finally {
      run.destroy();
      assertThat(run.waitFor(60, TimeUnit.SECONDS)).isTrue();
    }

    assertThat(run.exitValue()).isEqualTo(SIGTERM);
    assertThat(Files.readString(FOLDER.resolve("out.txt"))).contains("gateway at", "stopping the gateway")
        .doesNotContain("thermo-alert").doesNotContain("Exception");
  }

  @Test
  void refusesAnMqttPortThatIsTakenAndNamesItsOwner() throws Exception {
    try (ServerSocket taken = new ServerSocket(mqttPort, 1, InetAddress.getLoopbackAddress())) {
      Gateway.Result refused = Gateway.run(weir("--no-demo", "--for", "1s"));

      assertThat(refused.exitCode()).isEqualTo(1);
      assertThat(refused.err()).contains("port " + taken.getLocalPort() + " is taken by", "(pid " + ProcessHandle.current().pid() + ")",
          "--mqtt-port");
    }
  }

  @Test
  void refusesAnHttpPortThatIsTakenAndNamesItsOwner() throws Exception {
    try (ServerSocket taken = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      Gateway.Result refused = Gateway.run(weir("--no-demo", "--for", "1s"));

      assertThat(refused.exitCode()).isEqualTo(1);
      assertThat(refused.err()).contains("(pid " + ProcessHandle.current().pid() + ")", ":" + taken.getLocalPort(), "--port");
    }
  }

  private ProcessBuilder weir(String... more) {
    List<String> command = new ArrayList<>(List.of(FOLDER.resolve("dist/bin/weir").toString(), "run", "--data", data.toString(),
        "--port", Integer.toString(port), "--mqtt-port", Integer.toString(mqttPort)));
    command.addAll(List.of(more));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("WEIR_RUN", RUN.toString());
    builder.environment().remove("WEIR_URL");
    return builder;
  }

  private boolean healthy() throws Exception {
    return HttpClient.newHttpClient().send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/healthz"))
        .timeout(Duration.ofSeconds(5)).build(), HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
  }
}
