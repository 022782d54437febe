package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A broker that was there before the gateway and is somebody else's. */
class ExternalBrokerIT {
  private static final Duration SOON = Duration.ofSeconds(30);

  @TempDir
  private static Path folder;
  private static Process mosquitto;
  private static int port;
  private static Gateway gateway;

  @BeforeAll
  static void start() throws Exception {
    port = Gateway.freePort();
    Path program = extractMosquitto();
    // As root it would else look for an account of its own, which an extracted program has none of.
    Path conf = Files.writeString(folder.resolve("mosquitto.conf"),
        "listener " + port + " 127.0.0.1\nallow_anonymous true\nuser root\n");
    mosquitto = new ProcessBuilder(program.toString(), "-c", conf.toString()).redirectErrorStream(true)
        .redirectOutput(folder.resolve("mosquitto.log").toFile()).start();
    Awaitility.await("mosquitto listens").atMost(SOON).ignoreExceptions().until(() -> {
      new Mqtt(port).close();
      return true;
    });
    gateway = Gateway.start("xbroker", Map.of("io.weir.broker/url", "tcp://127.0.0.1:" + port));
    gateway.importProbe();
  }

  @AfterAll
  static void stop() throws Exception {
    try {
      if (gateway != null) {
        gateway.close();
        assertThat(mosquitto.isAlive()).as("the broker is not ours to stop").isTrue();
      }
    } finally {
      mosquitto.destroy();
      assertThat(mosquitto.waitFor(30, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void itsMessagesAreAnsweredAndNoBrokerIsStarted() throws Exception {
    gateway.deploy("""
        functions:
          guest:
            image: localhost/probe:1
            triggers: [{mqtt: guest/+/in}]
            output: guest/{1}/out
        """);
    try (Mqtt mqtt = new Mqtt(port, "guest/+/out")) {
      mqtt.publish("guest/a/in", "first");
      assertThat(mqtt.next(SOON).text()).isEqualTo("first");
      assertThat(gateway.weir("publish", "--topic", "guest/b/in", "-m", "second").exitCode()).isZero();
      assertThat(mqtt.next(SOON).topic()).isEqualTo("guest/b/out");
    }

    assertThat(gateway.json("/api/v1/status").get("broker")).asInstanceOf(
        org.assertj.core.api.InstanceOfAssertFactories.MAP).containsEntry("bundled", false)
        .containsEntry("uri", "tcp://127.0.0.1:" + port);
    assertThat(gateway.processes()).noneMatch(line -> line.contains("mosquitto"));
    assertThat(ProcessHandle.of(gateway.pid()).orElseThrow().descendants().map(p -> p.info().command().orElse("")))
        .noneMatch(command -> command.contains("mosquitto"));
  }

  /** The executable that the broker's bundle carries for this machine. */
  private static Path extractMosquitto() throws Exception {
    Path bundles = Path.of(System.getProperty("weir.dist"), "bundle/weir");
    String arch = Map.of("amd64", "amd64", "x86_64", "amd64", "aarch64", "arm64", "arm", "armhf")
        .get(System.getProperty("os.arch"));
    List<Path> jars;
    try (Stream<Path> files = Files.list(bundles)) {
      jars = files.filter(file -> file.getFileName().toString().startsWith("io.weir.broker-")).toList();
    }
    assertThat(jars).hasSize(1);
    Path program = folder.resolve("mosquitto");
    try (JarFile jar = new JarFile(jars.get(0).toFile());
        InputStream in = jar.getInputStream(jar.getEntry("native/" + arch + "/mosquitto"))) {
      Files.copy(in, program);
    }
    assertThat(program.toFile().setExecutable(true)).isTrue();
    return program;
  }
}
