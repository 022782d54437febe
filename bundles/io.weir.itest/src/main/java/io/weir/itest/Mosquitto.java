package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/** A broker that is not the gateway's: it stays when that is killed. */
public final class Mosquitto implements AutoCloseable {
  public final int port = Gateway.freePort();
  private final ProcessBuilder command;
  private Process process;

  /** Starts the executable that the broker's bundle carries for this machine, and returns when it listens. */
  public Mosquitto(Path folder) throws Exception {
    this(folder, "");
  }

  /** @param more lines of its configuration */
  public Mosquitto(Path folder, String more) throws Exception {
    Path program = extract(folder);
    // As root it would else look for an account of its own, which an extracted program has none of.
    Path conf = Files.writeString(folder.resolve("mosquitto.conf"),
        "listener " + port + " 127.0.0.1\nallow_anonymous true\nuser root\nmax_queued_messages 0\n" + more);
    command = new ProcessBuilder(program.toString(), "-c", conf.toString()).redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(folder.resolve("mosquitto.log").toFile()));
    start();
  }

  private void start() throws Exception {
    process = command.start();
    Awaitility.await("mosquitto listens").atMost(Gateway.LONG).ignoreExceptions().until(() -> {
      new Mqtt(port).close();
      return true;
    });
  }

  private static Path extract(Path folder) throws Exception {
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

  /** As a power cut would: what it has not saved is gone. Returns when it listens again, at the same port. */
  public void killAndRestart() throws Exception {
    process.destroyForcibly().waitFor();
    start();
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  @Override
  public void close() throws InterruptedException {
    process.destroy();
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
  }
}
