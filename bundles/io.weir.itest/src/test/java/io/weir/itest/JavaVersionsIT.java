package io.weir.itest;

import static io.weir.itest.Lab.SOON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The distribution, compiled once, on every Java from 17 on that this machine has; the one that builds is among them. */
class JavaVersionsIT {

  static List<Path> homes() throws IOException {
    Path building = Path.of(System.getProperty("java.home")).toRealPath();
    try (Stream<Path> installed = Files.isDirectory(Path.of("/usr/lib/jvm")) ? Files.list(Path.of("/usr/lib/jvm"))
        : Stream.of()) {
      return Stream.concat(Stream.of(building), installed.filter(home -> version(home) >= 17).map(JavaVersionsIT::real))
          .distinct().toList();
    }
  }

  private static Path real(Path home) {
    try {
      return home.toRealPath();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** By the file that every JDK since 9 carries; 0 if it is none, or has no program to run. */
  private static int version(Path home) {
    try (Stream<String> lines = Files.lines(home.resolve("release"))) {
      return !Files.isExecutable(home.resolve("bin/java")) ? 0 : lines.filter(line -> line.startsWith("JAVA_VERSION="))
          .map(line -> line.replaceAll("[^0-9.]", "").split("\\.")[0]).mapToInt(Integer::parseInt).findFirst().orElse(0);
    } catch (IOException e) {
      return 0;   // no release file: not a Java home
    }
  }

  @ParameterizedTest
  @MethodSource("homes")
  void aMessageARequestAndAConnectionAreAnswered(Path home) throws Exception {
    try (Gateway gateway = Gateway.start("java-" + version(home), Map.of("io.weir.pool/calibrate", "false"),
            Map.of("JAVA_HOME", home.toString()))) {
      assertThat(ProcessHandle.of(gateway.pid()).orElseThrow().info().command()).hasValue(home + "/bin/java");
      gateway.importProbe();
      gateway.deploy("""
          functions:
            old-and-new:
              image: localhost/probe:1
              memory: 32MiB
              triggers: [{mqtt: in}]
              output: out
          """);
      try (Mqtt mqtt = new Mqtt(gateway, "out")) {
        mqtt.publish("in", "message");
        assertThat(mqtt.next(SOON).text()).isEqualTo("message");
      }
      assertThat(gateway.post("/function/old-and-new/", "request").body()).isEqualTo("request");
      await("it has an address").atMost(SOON).until(() -> service(gateway) != null && service(gateway).get("port") != null);
      try (Caller caller = new Caller("127.0.0.1", ((Number) service(gateway).get("port")).intValue())) {
        assertThat(caller.post("/", "connection").body()).isEqualTo("connection");
      }
      assertThat(gateway.list("/api/v1/kernel", "features")).as("native code is loaded and works")
          .anyMatch(feature -> Boolean.TRUE.equals(feature.get("active")));
    }
  }

  private static Map<?, ?> service(Gateway gateway) {
    return (Map<?, ?>) gateway.json("/api/v1/functions/old-and-new").get("service");
  }
}
