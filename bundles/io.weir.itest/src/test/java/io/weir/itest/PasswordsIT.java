package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.eclipse.paho.mqttv5.client.MqttClient;
import org.eclipse.paho.mqttv5.client.MqttConnectionOptions;
import org.eclipse.paho.mqttv5.client.persist.MemoryPersistence;
import org.eclipse.paho.mqttv5.common.MqttException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A password in a file that an operator wrote in clear. */
class PasswordsIT {
  private static final String PASSWORD = "s3cret-of-the-shed";
  private static Gateway gateway;

  @BeforeAll
  static void start() throws Exception {
    gateway = Gateway.start("passwords", Map.of("io.weir.broker/.users", "sensor:" + PASSWORD));
  }

  @AfterAll
  static void stop() throws Exception {
    if (gateway != null) {
      gateway.close();
    }
  }

  private static void login(String password) throws MqttException {
    MqttConnectionOptions options = new MqttConnectionOptions();
    options.setUserName("sensor");
    options.setPassword(password.getBytes(StandardCharsets.UTF_8));
    options.setConnectionTimeout(5);
    MqttClient client = new MqttClient("tcp://127.0.0.1:" + gateway.mqttPort, "sensor", new MemoryPersistence());
    try {
      client.connect(options);
      client.disconnect();
    } finally {
      client.close();
    }
  }

  /** What the gateway has written, without Podman's storage. Files come and go meanwhile. */
  private static List<Path> files() throws IOException {
    List<Path> found = new ArrayList<>();
    Files.walkFileTree(gateway.data(), new SimpleFileVisitor<>() {
      @Override
      public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
        return folder.endsWith("storage") ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
      }

      @Override
      public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
        found.add(file);
        return FileVisitResult.CONTINUE;
      }

      @Override
      public FileVisitResult visitFileFailed(Path file, IOException gone) {
        return FileVisitResult.CONTINUE;
      }
    });
    return found;
  }

  private static String text(Path file) {
    try {
      return Files.readString(file, StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return "";   // Gone meanwhile.
    }
  }

  @Test
  void opensTheBrokerAndIsKeptNowhereInClear() throws Exception {
    Path stored = gateway.data().resolve("config/io/weir/broker.config");
    Awaitility.await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> assertThat(text(stored)).contains("weir}"));
    // The broker starts anew once its configuration says the same in other words.
    Awaitility.await().atMost(Duration.ofSeconds(60)).ignoreExceptions().untilAsserted(() -> login(PASSWORD));

    assertThatThrownBy(() -> login("wrong")).isInstanceOf(MqttException.class);
    List<Path> inClear = files().stream().filter(file -> text(file).contains(PASSWORD)).toList();
    assertThat(inClear).isEmpty();
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(gateway.data().resolve("secret.key"))))
        .isEqualTo("rw-------");
    assertThat(gateway.get("/api/v1/status").body()).doesNotContain(PASSWORD);
  }
}
