package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
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
  private static final int SIGINT = 130;
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
    assertThat(run.err()).contains("gateway at http://127.0.0.1:" + port, "broker at tcp://127.0.0.1:" + mqttPort,
        "console at http://127.0.0.1:" + port + "/console/");
  }

  @Test
  void startsJustTheGatewayAndEndsOnSigterm() throws Exception {
    Process run = weir("--no-demo").redirectErrorStream(true).redirectOutput(FOLDER.resolve("out.txt").toFile()).start();
    try {
      awaitRunning(run);
      assertThat(run.isAlive()).as(Files.readString(FOLDER.resolve("out.txt"))).isTrue();
    } finally {
      run.destroy();
      assertThat(run.waitFor(60, TimeUnit.SECONDS)).isTrue();
    }

    assertThat(run.exitValue()).isEqualTo(SIGTERM);
    assertThat(Files.readString(FOLDER.resolve("out.txt"))).contains("gateway at", "stopping the gateway")
        .doesNotContain("thermo-alert").doesNotContain("Exception");
  }

  /** A terminal sends the interrupt to the whole group, so the gateway hears it as well as the command. */
  @Test
  void endsOnCtrlCWithASummary() throws Exception {
    ProcessBuilder builder = weir().redirectErrorStream(true);
    // Whoever runs the tests in the background of a script has the interrupt ignored, and with him all that he starts.
    builder.command().addAll(0, List.of("env", "--default-signal=INT", "setsid"));
    Process run = builder.start();
    List<String> said = new ArrayList<>();
    try (BufferedReader out = run.inputReader()) {
      for (String line = out.readLine(); line != null; line = out.readLine()) {
        said.add(line);
        if (line.contains("cold start")) {
          break;
        }
      }
      Gateway.exec("kill", "-INT", "--", "-" + run.pid());
      out.lines().forEach(said::add);
    } finally {
      run.destroy();
      assertThat(run.waitFor(60, TimeUnit.SECONDS)).isTrue();
    }

    assertThat(run.exitValue()).as(String.join("\n", said)).isEqualTo(SIGINT);
    assertThat(said).anyMatch(line -> line.contains("readings sent")).noneMatch(line -> line.contains("Exception"));
  }

  @Test
  void failsWhenTheGatewayEndsByItself() throws Exception {
    Process run = weir("--no-demo").redirectErrorStream(true).redirectOutput(FOLDER.resolve("out.txt").toFile()).start();
    try {
      awaitRunning(run);
      run.children().findFirst().orElseThrow().destroyForcibly();
    } finally {
      if (!run.waitFor(60, TimeUnit.SECONDS)) {
        run.destroy();
      }
    }

    assertThat(run.exitValue()).isEqualTo(1);
    assertThat(Files.readString(FOLDER.resolve("out.txt"))).contains("the gateway ended by itself", "launcher.log");
    // It had no chance to clean up; the next one does it for it.
    run = weir("--no-demo").redirectErrorStream(true).redirectOutput(FOLDER.resolve("out.txt").toFile()).start();
    try {
      awaitRunning(run);
    } finally {
      run.destroy();
      assertThat(run.waitFor(60, TimeUnit.SECONDS)).isTrue();
    }
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

  private static void awaitRunning(Process run) {
    Awaitility.await("see " + FOLDER).atMost(Gateway.LONG)
        .until(() -> Files.readString(FOLDER.resolve("out.txt")).contains("Ctrl-C stops it") || !run.isAlive());
  }
}
