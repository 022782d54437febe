package io.weir.gateway.mqtt.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** With a broker that speaks TLS and reads when the test does. */
@Timeout(60)
class SecureSocketTest {
  private static final String PASSWORD = "changeit";
  private static final byte[] LARGE = new byte[500_000];

  @TempDir
  static Path folder;

  private static SSLContext server;

  private final ExecutorService blocking = Executors.newCachedThreadPool();
  private final CompletableFuture<Void> wrote = new CompletableFuture<>();
  private SSLServerSocket listener;
  private SSLSocket broker;
  private BrokerSocket socket;

  /** The JVM trusts this certificate from now on, which nobody else here does anything with. */
  @BeforeAll
  static void certify() throws Exception {
    Path store = folder.resolve("broker.p12");
    Process keytool = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin/keytool").toString(), "-genkeypair",
        "-alias", "broker", "-keyalg", "EC", "-dname", "CN=localhost", "-ext", "san=dns:localhost", "-storetype", "PKCS12",
        "-keystore", store.toString(), "-storepass", PASSWORD).redirectErrorStream(true).start();
    String said = new String(keytool.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
    assertThat(keytool.waitFor()).as(said).isZero();
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, PASSWORD.toCharArray());
    }
    KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    managers.init(keys, PASSWORD.toCharArray());
    server = SSLContext.getInstance("TLS");
    server.init(managers.getKeyManagers(), null, null);
    System.setProperty("javax.net.ssl.trustStore", store.toString());
    System.setProperty("javax.net.ssl.trustStorePassword", PASSWORD);
  }

  @AfterAll
  static void forget() {
    System.clearProperty("javax.net.ssl.trustStore");
    System.clearProperty("javax.net.ssl.trustStorePassword");
  }

  @BeforeEach
  void connect() throws Exception {
    listener = (SSLServerSocket) server.getServerSocketFactory().createServerSocket(0, 1, InetAddress.getLoopbackAddress());
    CompletableFuture<SSLSocket> accepted = CompletableFuture.supplyAsync(() -> {
      try {
        SSLSocket taken = (SSLSocket) listener.accept();
        taken.startHandshake();
        return taken;
      } catch (IOException e) {
        throw new java.io.UncheckedIOException(e);
      }
    }, blocking);
    socket = BrokerSocket.connect(URI.create("ssl://localhost:" + listener.getLocalPort()), 10_000, blocking,
        BrokerSocket.Opening.ANYWHERE, () -> wrote.complete(null));
    broker = accepted.get(10, TimeUnit.SECONDS);
  }

  @AfterEach
  void close() throws Exception {
    socket.cut();
    broker.close();
    listener.close();
    blocking.shutdown();
    assertThat(blocking.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void speaksBothWays() throws Exception {
    socket.add(new byte[] {1, 2});
    socket.add(new byte[] {3});
    socket.flush();
    assertThat(broker.getInputStream().readNBytes(3)).containsExactly(1, 2, 3);
    wrote.get(10, TimeUnit.SECONDS);

    broker.getOutputStream().write(4);
    assertThat(socket.in().read()).isEqualTo(4);
  }

  @Test
  void nobodyWaitsForABrokerThatDoesNotReadAndNothingIsLost() throws Exception {
    fill(20);
    CompletableFuture<Void> room = socket.room();
    assertThat(room).isNotDone();

    for (int i = 0; i < 20; i++) {
      byte[] expected = LARGE.clone();
      Arrays.fill(expected, (byte) i);
      assertThat(broker.getInputStream().readNBytes(LARGE.length)).isEqualTo(expected);
    }
    room.get(10, TimeUnit.SECONDS);
  }

  @Test
  void whatWasWrittenGoesOutBeforeTheEnd() throws Exception {
    fill(20);

    socket.finishWriting();

    assertThat(broker.getInputStream().readAllBytes()).hasSize(20 * LARGE.length);
  }

  @Test
  void cuttingFreesAWriterThatIsStuck() throws Exception {
    fill(20);
    CompletableFuture<Void> room = socket.room();

    socket.cut();

    assertThat(room).isCompletedExceptionally();
  }

  private void fill(int packets) throws IOException {
    for (int i = 0; i < packets; i++) {
      byte[] packet = LARGE.clone();
      Arrays.fill(packet, (byte) i);
      socket.add(packet);
      socket.flush();
    }
  }
}
