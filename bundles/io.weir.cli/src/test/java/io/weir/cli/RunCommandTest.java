package io.weir.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.cli.gateway.FakeGateway;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunCommandTest {
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @TempDir
  private Path folder;

  @BeforeEach
  void chooseDistribution() {
    System.setProperty("weir.dist", folder.resolve("dist").toString());
  }

  @AfterEach
  void forgetDistribution() {
    System.clearProperty("weir.dist");
  }

  private int run(int port, String... more) throws IOException {
    var out = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
    String[] line = new String[more.length + 5];
    System.arraycopy(new String[] {"run", "--port", Integer.toString(port), "--data", folder.resolve("data").toString()}, 0, line, 0, 5);
    System.arraycopy(more, 0, line, 5, more.length);
    return Main.run(out, new PrintStream(err, true, StandardCharsets.UTF_8), Map.of("WEIR_RUN", folder.toString()), line);
  }

  private String said() {
    return err.toString(StandardCharsets.UTF_8);
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  private void launcher(String script) throws IOException {
    Path launcher = folder.resolve("dist/bin/weir-gateway");
    Files.createDirectories(launcher.getParent());
    Files.writeString(launcher, "#!/bin/sh\n" + script);
    Files.setPosixFilePermissions(launcher, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  @Test
  void refusesToStartBesideAGatewayThatAnswers() throws IOException {
    try (FakeGateway running = new FakeGateway()) {
      assertThat(run(URI.create(running.url()).getPort())).isEqualTo(1);
    }

    assertThat(said()).contains("(pid " + ProcessHandle.current().pid() + ") answers at", "already", "--port");
  }

  @Test
  void saysHowToGetADistribution() throws IOException {
    assertThat(run(freePort())).isEqualTo(5);
    assertThat(said()).contains("there is no gateway at", "mvn package");
  }

  @Test
  void tellsTheLastWordsOfAGatewayThatDoesNotComeUp() throws IOException {
    launcher("echo \"port $WEIR_HTTP_PORT: out of luck\"; exit 7\n");
    int port = freePort();

    assertThat(run(port, "--no-demo", "--for", "1s")).isEqualTo(1);
    assertThat(said()).contains("ended with 7", "port " + port + ": out of luck");
  }
}
