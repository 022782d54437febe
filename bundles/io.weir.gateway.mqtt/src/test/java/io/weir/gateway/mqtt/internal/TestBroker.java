package io.weir.gateway.mqtt.internal;

import io.weir.broker.Broker;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** The mosquitto that the broker bundle carries, on a port of its own, stopped and killed as a test wants. */
final class TestBroker implements Broker, AutoCloseable {
  private final Path directory;
  private final int port;
  private Process process;

  TestBroker(Path directory, String... configuration) throws IOException {
    this.directory = Files.createDirectories(directory);
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    Files.writeString(directory.resolve("mosquitto.conf"), String.join("\n", List.of("listener " + port + " 127.0.0.1",
        "allow_anonymous true", "persistence true", "persistence_location ./", "max_queued_messages 100000",
        "user root", "set_tcp_nodelay true", String.join("\n", configuration), "")));
    Path program = directory.resolve("mosquitto");
    try (InputStream in = TestBroker.class.getResourceAsStream("/native/" + arch() + "/mosquitto")) {
      if (in == null) {
        throw new IOException("io.weir.broker carries no mosquitto for " + arch() + "; see the log of its build");
      }
      Files.copy(in, program);
    }
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private static String arch() {
    String arch = System.getProperty("os.arch");
    return arch.equals("aarch64") ? "arm64" : arch.equals("arm") ? "armhf" : arch;
  }

  TestBroker start() throws IOException, InterruptedException {
    process = new ProcessBuilder("./mosquitto", "-c", "mosquitto.conf").directory(directory.toFile())
        .redirectErrorStream(true).redirectOutput(directory.resolve("log").toFile()).start();
    for (int i = 0; i < 500; i++) {
      try (Socket socket = new Socket()) {
        socket.connect(new InetSocketAddress("127.0.0.1", port), 1000);
        return this;
      } catch (IOException e) {
        if (process.waitFor(20, TimeUnit.MILLISECONDS)) {
          throw new IOException("mosquitto ended: " + Files.readString(directory.resolve("log")), e);
        }
      }
    }
    throw new IOException("mosquitto does not listen: " + Files.readString(directory.resolve("log")));
  }

  /** Ends it so that it saves what it has. */
  void stop() throws InterruptedException {
    process.destroy();
    if (!process.waitFor(10, TimeUnit.SECONDS)) {
      kill();
    }
  }

  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  /** Stops its clock, or lets it go on. */
  void signal(String signal) throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid())).start().waitFor();
  }

  @Override
  public void close() throws InterruptedException {
    if (process != null) {
      kill();
    }
  }

  @Override
  public URI uri() {
    return URI.create("tcp://127.0.0.1:" + port);
  }

  @Override
  public Optional<Credentials> credentials() {
    return Optional.empty();
  }

  @Override
  public boolean bundled() {
    return true;
  }

  @Override
  public String state() {
    return "";
  }
}
