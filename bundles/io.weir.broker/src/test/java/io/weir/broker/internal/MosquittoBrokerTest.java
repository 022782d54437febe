package io.weir.broker.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.broker.Broker.Credentials;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.eclipse.paho.mqttv5.client.MqttClient;
import org.eclipse.paho.mqttv5.client.MqttConnectionOptions;
import org.eclipse.paho.mqttv5.client.persist.MemoryPersistence;
import org.eclipse.paho.mqttv5.common.MqttException;
import org.eclipse.paho.mqttv5.common.MqttMessage;
import org.eclipse.paho.mqttv5.common.MqttSubscription;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Against the mosquitto that the build put into the bundle. */
@Timeout(60)
class MosquittoBrokerTest {
  @TempDir
  Path data;

  private final FakeEvents events = new FakeEvents();
  private int port;
  private MosquittoBroker broker;

  @BeforeEach
  void freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
  }

  @AfterEach
  void closeBroker() {
    if (broker != null) {
      broker.close();
    }
  }

  @Test
  void carriesMessagesOnceItIsReady() throws Exception {
    start(Map.of());
    events.awaitState("running, mosquitto ");

    assertThat(broker.ready()).isTrue();
    assertThat(broker.uri()).hasToString("tcp://127.0.0.1:" + port);
    try (Client client = anonymous()) {
      client.subscribe("a/+");
      client.publish("a/b", "hello".getBytes(UTF_8));
      assertThat(client.next()).isEqualTo("a/b hello");
    }
  }

  @Test
  void letsTheGatewayInWithItsPasswordOnly() throws Exception {
    start(Map.of("anonymous", "false", ".users", "ada:secret\nbob:" + PasswordHash.of("hashed")));
    events.awaitState("running");

    connect(broker.credentials().orElseThrow()).close();
    connect(new Credentials("ada", "secret")).close();
    connect(new Credentials("bob", "hashed")).close();
    assertThatThrownBy(() -> connect(new Credentials("ada", "guess"))).isInstanceOf(MqttException.class);
    assertThatThrownBy(() -> connect(new Credentials("weir", "guess"))).isInstanceOf(MqttException.class);
    assertThatThrownBy(this::anonymous).isInstanceOf(MqttException.class);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(data.resolve("broker.password"))))
        .isEqualTo("rw-------");
  }

  @Test
  void keepsOthersOutOfTheGatewaysTopics() throws Exception {
    start(Map.of());
    events.awaitState("running");

    try (Client gateway = connect(broker.credentials().orElseThrow()); Client other = anonymous()) {
      gateway.subscribe("#");
      other.publish("weir/forged", new byte[0]);
      other.publish("fine", new byte[0]);
      assertThat(gateway.next()).isEqualTo("fine ");
      gateway.publish("weir/own", new byte[0]);
      assertThat(gateway.next()).isEqualTo("weir/own ");
    }
  }

  @Test
  void refusesMessagesAboveTheLimit() throws Exception {
    start(Map.of("max.message.bytes", 2048));
    events.awaitState("running");

    try (Client client = anonymous()) {
      client.subscribe("#");
      assertThatThrownBy(() -> client.publish("big", new byte[3000])).isInstanceOf(MqttException.class);
    }
    try (Client client = anonymous()) {
      client.subscribe("#");
      client.publish("small", new byte[0]);
      assertThat(client.next()).isEqualTo("small ");
    }
  }

  @Test
  void namesWhoHasThePortAndTakesItOnceItIsFree() throws Exception {
    ServerSocket other = new ServerSocket(port, 1, InetAddress.getLoopbackAddress());
    start(Map.of());

    String problem = events.awaitState("taken");

    assertThat(problem).startsWith("port " + port + " is taken by java (pid " + ProcessHandle.current().pid() + "), which is "
        + "this very process").contains("set another 'port'", "set 'url' there to tcp://127.0.0.1:" + port);
    assertThat(broker.ready()).isFalse();
    other.close();
    events.awaitState("running");
  }

  @Test
  void startsAgainWhatWasKilled() throws Exception {
    start(Map.of());
    events.awaitState("running");
    long first = child();

    ProcessHandle.of(first).orElseThrow().destroyForcibly();

    events.awaitState("starting again");
    assertThat(events.awaitState("restarted")).endsWith("pid " + child());
    assertThat(child()).isNotEqualTo(first);
    anonymous().close();
  }

  @Test
  void leavesNothingBehindWhenClosed() throws Exception {
    start(Map.of());
    events.awaitState("running");
    long pid = child();

    broker.close();

    assertThat(ProcessHandle.of(pid)).isEmpty();
    assertThat(data.resolve("broker.pid")).doesNotExist();
  }

  @Test
  void keepsQueuedMessagesOverARestart() throws Exception {
    start(Map.of());
    events.awaitState("running");
    try (Client sleeper = connect("sleeper", null)) {
      sleeper.subscribe("a/#");
    }
    try (Client client = anonymous()) {
      client.publish("a/b", "kept".getBytes(UTF_8));
    }

    broker.close();
    start(Map.of());
    events.awaitState("running");

    try (Client sleeper = connect("sleeper", null)) {
      assertThat(sleeper.next()).isEqualTo("a/b kept");
    }
  }

  @Test
  void startsAfreshIfWhatItSavedIsDamaged() throws Exception {
    Files.createDirectories(data.resolve("broker"));
    Files.writeString(data.resolve("broker/mosquitto.db"), "torn by a power cut");

    start(Map.of());

    events.awaitState("restarted");
    assertThat(data.resolve("broker/mosquitto.db.damaged")).hasContent("torn by a power cut");
  }

  @Test
  void diesWithAGatewayThatIsKilled() throws Exception {
    Process other = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
        System.getProperty("java.class.path"), GatewayMain.class.getName(), data.toString(), Integer.toString(port))
        .redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String line = other.inputReader().readLine();
    ProcessHandle mosquitto = ProcessHandle.of(Long.parseLong(line)).orElseThrow();

    other.destroyForcibly().waitFor();

    mosquitto.onExit().get(10, TimeUnit.SECONDS);
    assertThat(mosquitto.isAlive()).isFalse();
  }

  /** Runs a broker, prints its pid, and waits to be killed. */
  static final class GatewayMain {
    private GatewayMain() {}

    public static void main(String[] arguments) throws Exception {
      FakeEvents events = new FakeEvents();
      Path data = Path.of(arguments[0]);
      new MosquittoBroker(SettingsTest.settings(Map.of("port", Integer.parseInt(arguments[1]))), data,
          MosquittoBrokerTest::bundle, "", events);
      events.awaitState("running");
      System.out.println(Files.readString(data.resolve("broker.pid")).strip());
      System.out.flush();
      Thread.sleep(Long.MAX_VALUE);
    }
  }

  @Test
  void endsWhatAKilledGatewayLeftBehind() throws Exception {
    start(Map.of());
    events.awaitState("running");
    Path directory = data.resolve("broker");
    broker.close();
    Process stale = new ProcessBuilder("./mosquitto", "-c", "mosquitto.conf").directory(directory.toFile())
        .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
    Files.writeString(data.resolve("broker.pid"), stale.pid() + "\n");

    start(Map.of());

    events.awaitState("running");
    assertThat(stale.waitFor(20, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void sparesAStrangerWhoHasTheOldPid() throws Exception {
    Process stranger = new ProcessBuilder("sleep", "600").start();
    try {
      Files.writeString(data.resolve("broker.pid"), stranger.pid() + "\n");

      start(Map.of());
      events.awaitState("running");

      assertThat(stranger.isAlive()).isTrue();
    } finally {
      stranger.destroyForcibly().waitFor();
    }
  }

  @Test
  void runsTheSystemsProgramIfTheBundleHasNone() throws Exception {
    Path system = Files.createDirectories(data.resolve("system"));
    Files.copy(Path.of(bundle("native/" + Executable.arch() + "/mosquitto").orElseThrow().toURI()),
        system.resolve("mosquitto"));
    Files.setPosixFilePermissions(system.resolve("mosquitto"), PosixFilePermissions.fromString("rwxr-xr-x"));

    Executable found = Executable.find(Optional.empty(),
        new Executable.Sources(name -> Optional.empty(), data, system.toString()));

    assertThat(found.program()).isEqualTo(system.resolve("mosquitto"));
    assertThat(found.bundled()).isFalse();
  }

  @Test
  void saysWhatIsMissingIfNoProgramRuns() {
    assertThatThrownBy(() -> Executable.find(Optional.of(data.resolve("none")),
        new Executable.Sources(MosquittoBrokerTest::bundle, data, "")))
        .isInstanceOf(IOException.class).hasMessageContaining("correct 'executable' in io.weir.broker");
  }

  @Test
  void runsNothingForAnExternalBroker() {
    start(Map.of("url", "tcp://192.0.2.7", "username", "ada", ".password", "secret"));

    assertThat(broker.bundled()).isFalse();
    assertThat(broker.uri()).isEqualTo(URI.create("tcp://192.0.2.7:1883"));
    assertThat(broker.credentials()).contains(new Credentials("ada", "secret"));
    assertThat(data).isEmptyDirectory();
  }

  private void start(Map<String, ?> configuration) {
    Map<String, Object> all = new HashMap<>(Map.of("port", port));
    all.putAll(configuration);
    broker = new MosquittoBroker(SettingsTest.settings(all), data, MosquittoBrokerTest::bundle, "", events);
  }

  private static Optional<URL> bundle(String name) {
    return Optional.ofNullable(MosquittoBrokerTest.class.getResource("/" + name));
  }

  private long child() throws IOException {
    return Long.parseLong(Files.readString(data.resolve("broker.pid")).strip());
  }

  private Client anonymous() throws MqttException {
    return connect("", null);
  }

  private Client connect(Credentials credentials) throws MqttException {
    return connect("", credentials);
  }

  private Client connect(String id, Credentials credentials) throws MqttException {
    return new Client(broker.uri().toString(), id, credentials);
  }

  private static final class Client implements AutoCloseable {
    private final MqttClient paho;
    private final BlockingQueue<String> received = new LinkedBlockingQueue<>();

    Client(String uri, String id, Credentials credentials) throws MqttException {
      paho = new MqttClient(uri, id, new MemoryPersistence());
      paho.setTimeToWait(5000);
      paho.setCallback(new Callback(received));
      MqttConnectionOptions options = new MqttConnectionOptions();
      options.setCleanStart(id.isEmpty());
      options.setSessionExpiryInterval(id.isEmpty() ? 0L : 3600L);
      if (credentials != null) {
        options.setUserName(credentials.username());
        options.setPassword(credentials.password().getBytes(UTF_8));
      }
      try {
        paho.connect(options);
      } catch (MqttException e) {
        paho.close();
        throw e;
      }
    }

    void subscribe(String filter) throws MqttException {
      paho.subscribe(new MqttSubscription[] {new MqttSubscription(filter, 1)});
    }

    void publish(String topic, byte[] payload) throws MqttException {
      paho.publish(topic, new MqttMessage(payload, 1, false, null));
    }

    String next() throws InterruptedException {
      return received.poll(10, TimeUnit.SECONDS);
    }

    @Override
    public void close() throws MqttException {
      if (paho.isConnected()) {
        paho.disconnect();
      }
      paho.close();
    }
  }
}
