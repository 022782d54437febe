package io.weir.itest.kura;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.weir.event.Part;
import io.weir.function.FunctionListener;
import io.weir.function.FunctionName;
import io.weir.function.FunctionRegistry;
import io.weir.function.FunctionSpec;
import io.weir.secret.Secrets;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowingConsumer;
import org.awaitility.core.ThrowingRunnable;
import org.eclipse.kura.configuration.ComponentConfiguration;
import org.eclipse.kura.configuration.Password;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.InvalidSyntaxException;

/** Weir in the hands of Kura's configuration service, inside a real Felix. */
class KuraSettingsIT {
  private static final String FUNCTION = "io.weir.function";
  private static final List<String> SERVICES = List.of("io.weir.activator", "io.weir.broker", "io.weir.delivery",
      "io.weir.deploy", "io.weir.engine.podman", "io.weir.gateway.http", "io.weir.gateway.mqtt", "io.weir.invoker",
      "io.weir.journal", "io.weir.kernel", "io.weir.kura", "io.weir.pool", "io.weir.registry", "io.weir.runner",
      "io.weir.telemetry");

  @TempDir
  private Path folder;

  private final FakeKura.Disk disk = new FakeKura.Disk();
  private final List<String> heard = new CopyOnWriteArrayList<>();
  private KuraHost host;

  private final FunctionListener listener = new FunctionListener() {
    @Override
    public void functionAdded(FunctionSpec function) {
      heard.add("added " + function.name());
    }

    @Override
    public void functionChanged(FunctionSpec before, FunctionSpec after) {
      heard.add("changed " + after.name());
    }

    @Override
    public void functionRemoved(FunctionSpec function) {
      heard.add("removed " + function.name());
    }
  };

  @BeforeEach
  void start() throws Exception {
    // Nothing outside of this test: no Podman, no broker, no kernel.
    disk.snapshots().put(0L, List.of(
        config("io.weir.engine.podman", Map.of("socket", folder.resolve("no-podman.sock").toString(),
            "service.wait.seconds", 0)),
        config("io.weir.broker", Map.of("url", "tcp://127.0.0.1:1")),
        config("io.weir.kernel", Map.of("enabled", false))));
    boot();
  }

  private static ComponentConfiguration config(String pid, Map<String, Object> properties) {
    return new FakeKura.Component(pid, null, properties);
  }

  private void boot() throws Exception {
    host = new KuraHost(folder, disk, context -> context.registerService(FunctionListener.class, listener, null));
    soon(() -> assertThat(host.kura().getConfigurableComponentPids()).containsAll(SERVICES));
  }

  @AfterEach
  void stop() throws Exception {
    if (host != null) {
      host.close();
    }
  }

  private static void soon(ThrowingRunnable outcome) {
    // What is configured anew is gone for a moment, and with it what a test asks.
    await().atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofMillis(20)).ignoreExceptions().untilAsserted(outcome);
  }

  /** Gone for a moment whenever what it stands on is configured anew, as at a rollback. */
  private FunctionRegistry registry() {
    FunctionRegistry registry = host.service(FunctionRegistry.class);
    assertThat(registry).isNotNull();
    return registry;
  }

  private Map<String, Object> settings(String pid) {
    ComponentConfiguration found = host.kura().getComponentConfiguration(pid);
    return found == null ? Map.of() : found.getConfigurationProperties();
  }

  private void create(String pid, Map<String, Object> properties) throws Exception {
    host.kura().createFactoryConfiguration(FUNCTION, pid, new HashMap<>(properties), true);
    soon(() -> assertThat(host.property(pid, "service.factoryPid")).isEqualTo(FUNCTION));
  }

  private String memory(String function) {
    return registry().find(new FunctionName(function)).map(spec -> spec.limits().memoryBytes() / (1 << 20) + "").orElse("");
  }

  private List<String> names() {
    return registry().functions().stream().map(spec -> spec.name().value()).toList();
  }

  @Test
  void listsEveryServiceWithTheValuesOfItsMetatype() {
    assertThat(host.kura().getFactoryComponentPids()).contains(FUNCTION, "io.weir.kura.CloudLink",
        "io.weir.kura.wire.Function");
    assertThat(settings("io.weir.pool")).containsEntry("queue.length", 1000).containsEntry("kura.service.pid",
        "io.weir.pool");
    assertThat(settings("io.weir.engine.podman")).containsEntry("podman", "podman");
    for (String pid : SERVICES) {
      assertThat(host.property(pid, "service.pid")).as(pid).isEqualTo(pid);
    }
  }

  @Test
  void goesOnWithoutPodmanAndSaysWhatIsMissing() {
    Part engine = part("engine");

    assertThat(engine.ready()).isFalse();
    assertThat(engine.state()).contains("no-podman.sock");
    soon(() -> assertThat(host.property("io.weir.engine.podman", "weir.status")).asString().contains("not ready: ",
        "no-podman.sock"));
    assertThat(part("http").ready()).isTrue();
    assertThat(part("http").state()).contains("no front door on this host");
    takesDeclarations();
  }

  @Test
  void goesOnWithoutTheProgramPodmanAndSaysHowToGetIt() throws Exception {
    host.kura().updateConfiguration("io.weir.engine.podman", Map.of("socket", "", "podman", "no-such-podman"));

    soon(() -> assertThat(host.property("io.weir.engine.podman", "weir.status")).asString().contains("not ready: ",
        "podman not found: apt-get install podman"));
    takesDeclarations();
  }

  @Test
  void goesOnWithTheCapabilitiesThatKuraHasAndSaysHowToAddThoseThatItLacks() {
    soon(() -> assertThat(host.property("io.weir.kernel", "weir.status")).asString().contains(
        "Kura's process has not cap_bpf, cap_perfmon, so", "the gateway does it itself",
        "AmbientCapabilities=cap_bpf cap_perfmon,", "systemctl restart kura"));
    soon(() -> assertThat(part("kura").state()).contains("Kura's process has not cap_bpf, cap_perfmon"));
    takesDeclarations();
  }

  @Test
  void servesTheAdminApiToThisMachineIfToldTo() throws Exception {
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    host.kura().updateConfiguration("io.weir.gateway.http", Map.of("local.port", port));

    soon(() -> assertThat(part("http").state()).isEqualTo("serving http://127.0.0.1:" + port + "/api/v1"));
    HttpResponse<String> status = HttpClient.newHttpClient().send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port
        + "/api/v1/status")).build(), HttpResponse.BodyHandlers.ofString());
    assertThat(status.body()).contains("\"name\":\"kura\"");

    host.kura().updateConfiguration("io.weir.gateway.http", Map.of("local.port", 0));
    soon(() -> assertThat(part("http").state()).contains("no front door on this host"));
  }

  private void takesDeclarations() {
    declare("echo");
    soon(() -> assertThat(names()).contains("echo"));
  }

  /** Through the admin API. */
  private void declare(String... functions) {
    String yaml = Stream.of(functions).map(name -> "  " + name + ":\n    image: localhost/" + name + ":1\n")
        .collect(Collectors.joining("", "functions:\n", ""));
    soon(() -> registry().declare(yaml, "weir.yaml", Map.of()));
  }

  private Part part(String name) {
    Part[] found = new Part[1];
    soon(() -> {
      for (var reference : host.context().getServiceReferences(Part.class, null)) {
        Part part = host.context().getService(reference);
        found[0] = part != null && part.name().equals(name) ? part : found[0];
      }
      assertThat(found[0]).as(name).isNotNull();
    });
    return found[0];
  }

  @Test
  void saysWhoHasThePortOfItsBroker() throws Exception {
    try (ServerSocket artemis = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      host.kura().updateConfiguration("io.weir.broker", Map.of("url", "", "port", artemis.getLocalPort()));

      soon(() -> assertThat(host.property("io.weir.broker", "weir.status")).asString().contains(
          "port " + artemis.getLocalPort() + " is taken by java", "this very process", "Artemis",
          "set 'url' there to tcp://127.0.0.1:" + artemis.getLocalPort()));
      assertThat(part("http").ready()).isTrue();
      host.kura().updateConfiguration("io.weir.broker", Map.of("url", "tcp://127.0.0.1:1"));
      soon(() -> assertThat(host.property("io.weir.broker", "weir.status")).isEqualTo("ok"));
    }
  }

  @Test
  void takesAFunctionThatIsCreatedEditedAndDeletedWithoutTouchingOthers() throws Exception {
    create("thermo", Map.of("image", "localhost/thermo:1"));
    create("other", Map.of("image", "localhost/other:1"));
    soon(() -> assertThat(heard).containsExactlyInAnyOrder("added thermo", "added other"));
    soon(() -> assertThat(memory("thermo")).isEqualTo("128"));

    host.kura().updateConfiguration("thermo", Map.of("memory", "64MiB"));
    soon(() -> assertThat(memory("thermo")).isEqualTo("64"));

    host.kura().deleteFactoryConfiguration("thermo", true);
    soon(() -> assertThat(names()).containsExactly("other"));
    soon(() -> assertThat(host.property("thermo", "service.pid")).isNull());
    assertThat(heard.stream().filter(it -> it.endsWith("other"))).containsExactly("added other");
    assertThat(heard.stream().filter(it -> it.endsWith("thermo"))).containsExactly("added thermo", "changed thermo",
        "removed thermo");
    assertThat(host.kura().getConfigurableComponentPids()).contains("other").doesNotContain("thermo");
  }

  @Test
  void rollsBackServicesAndFunctionsToASnapshot() throws Exception {
    create("thermo", Map.of("image", "localhost/thermo:1"));
    long before = host.kura().snapshot();
    host.kura().updateConfiguration("thermo", Map.of("image", "localhost/thermo:2"));
    host.kura().updateConfiguration("io.weir.pool", Map.of("queue.length", 5));
    create("later", Map.of("image", "localhost/later:1"));
    soon(() -> assertThat(names()).containsExactly("later", "thermo"));

    host.kura().rollback(before);

    soon(() -> assertThat(names()).containsExactly("thermo"));
    soon(() -> assertThat(registry().find(new FunctionName("thermo")).orElseThrow().source()).hasToString(
        "localhost/thermo:1"));
    soon(() -> assertThat(host.kura().getConfigurableComponentPids()).contains("thermo").doesNotContain("later"));
    soon(() -> assertThat(settings("io.weir.pool")).containsEntry("queue.length", 1000));
    host.kura().updateConfiguration("thermo", Map.of("memory", "32MiB"));
    soon(() -> assertThat(memory("thermo")).isEqualTo("32"));
  }

  @Test
  void takesUpTheLatestSnapshotAfterARestart() throws Exception {
    create("thermo", Map.of("image", "localhost/thermo:1", "memory", "48MiB"));
    host.kura().updateConfiguration("io.weir.pool", Map.of("queue.length", 7));
    host.close();
    heard.clear();

    boot();

    soon(() -> assertThat(memory("thermo")).isEqualTo("48"));
    soon(() -> assertThat(settings("io.weir.pool")).containsEntry("queue.length", 7));
    soon(() -> assertThat(settings("io.weir.engine.podman")).containsEntry("socket",
        folder.resolve("no-podman.sock").toString()));
  }

  @Test
  void keepsWhatTheAdminApiDeclaresOverARestartUntilItIsRemovedThere() throws Exception {
    declare("echo");
    soon(() -> assertThat(host.kura().getConfigurableComponentPids()).contains("echo"));
    soon(() -> assertThat(pidsOfLatestSnapshot()).contains("echo"));
    host.close();

    boot();
    soon(() -> assertThat(names()).containsExactly("echo"));
    soon(() -> assertThat(host.kura().getConfigurableComponentPids()).contains("echo"));
    soon(() -> registry().declare("functions:\n  echo:\n    image: localhost/echo:2\n", "weir.yaml", Map.of()));
    soon(() -> assertThat(snapshotOf("echo")).containsEntry("image", "localhost/echo:2"));
    registry().remove(new FunctionName("echo"));
    soon(() -> assertThat(pidsOfLatestSnapshot()).doesNotContain("echo"));
    soon(() -> assertThat(host.kura().getConfigurableComponentPids()).doesNotContain("echo"));
    host.close();

    boot();
    soon(() -> assertThat(names()).isEmpty());
  }

  @Test
  void keepsWhatTheAdminApiDeclaresAgainAfterKuraDeletedIt() throws Exception {
    declare("echo");
    soon(() -> assertThat(pidsOfLatestSnapshot()).contains("echo"));
    host.kura().deleteFactoryConfiguration("echo", false);
    soon(() -> assertThat(names()).isEmpty());
    soon(() -> assertThat(host.property("echo", "service.pid")).as("the name is free").isNull());

    soon(() -> registry().declare("functions:\n  echo:\n    image: localhost/echo:2\n", "weir.yaml", Map.of()));

    soon(() -> assertThat(snapshotOf("echo")).containsEntry("image", "localhost/echo:2"));
    host.close();
    boot();
    soon(() -> assertThat(names()).containsExactly("echo"));
  }

  @Test
  void keepsWhatWasDeclaredJustBeforeItsOwnRestart() throws Exception {
    host.kura().refuseSnapshots(true);
    declare("echo");
    soon(() -> assertThat(host.kura().getConfigurableComponentPids()).contains("echo"));
    host.bundle("io.weir.kura").stop();
    assertThat(pidsOfLatestSnapshot()).doesNotContain("echo");

    host.kura().refuseSnapshots(false);
    host.bundle("io.weir.kura").start();

    soon(() -> assertThat(pidsOfLatestSnapshot()).contains("echo"));
    soon(() -> assertThat(host.kura().getConfigurableComponentPids()).contains("echo"));
  }

  @Test
  void keepsWhatWasDeclaredJustBeforeKuraGoesDown() throws Exception {
    declare("echo");
    soon(() -> assertThat(host.kura().getConfigurableComponentPids()).contains("echo"));

    host.close();

    assertThat(pidsOfLatestSnapshot()).contains("echo");
    boot();
    soon(() -> assertThat(names()).containsExactly("echo"));
  }

  @Test
  void forgetsWhatWasRemovedWhileItWasAway() throws Exception {
    declare("echo", "other");
    soon(() -> assertThat(pidsOfLatestSnapshot()).contains("echo", "other"));
    host.bundle("io.weir.kura").stop();
    registry().remove(new FunctionName("echo"));

    host.bundle("io.weir.kura").start();

    soon(() -> assertThat(pidsOfLatestSnapshot()).contains("other").doesNotContain("echo"));
    assertThat(names()).containsExactly("other");
  }

  private List<String> pidsOfLatestSnapshot() {
    return disk.snapshots().lastEntry().getValue().stream().map(ComponentConfiguration::getPid).toList();
  }

  private Map<String, Object> snapshotOf(String pid) {
    return disk.snapshots().lastEntry().getValue().stream().filter(it -> it.getPid().equals(pid)).findFirst()
        .map(ComponentConfiguration::getConfigurationProperties).orElse(Map.of());
  }

  @Test
  void putsBackAValueThatIsOutOfRangeAndTellsTheRange() throws Exception {
    host.kura().updateConfiguration("io.weir.pool", Map.of("queue.length", 50));
    host.kura().updateConfiguration("io.weir.kernel", Map.of("way", "magic"));
    // What comes later is seen later: by now, 50 is known to have been allowed.
    soon(() -> assertThat(settings("io.weir.kernel")).containsEntry("way", "auto"));
    host.kura().updateConfiguration("io.weir.pool", Map.of("queue.length", 0, "stop.grace.seconds", 9));

    soon(() -> assertThat(settings("io.weir.pool")).containsEntry("queue.length", 50)
        .containsEntry("stop.grace.seconds", 9));
    soon(() -> assertThat(host.property("io.weir.pool", "weir.status")).asString()
        .contains("queue.length: '0' is not allowed; use 1..100000. 50 holds meanwhile."));
    soon(() -> assertThat(part("kura").state()).contains("way: 'magic' is not allowed; use auto, ebpf, nft, proxy"));

    host.kura().updateConfiguration("io.weir.pool", Map.of("queue.length", 60));
    soon(() -> assertThat(host.property("io.weir.pool", "weir.status")).isEqualTo("ok"));
  }

  @Test
  void runsTheFirstOfTwoFunctionsWithOneNameAndTellsTheSecond() throws Exception {
    create("first", Map.of("name", "thermo", "image", "localhost/thermo:1"));
    soon(() -> assertThat(names()).containsExactly("thermo"));
    create("second", Map.of("name", "thermo", "image", "localhost/thermo:2"));

    soon(() -> assertThat(host.property("second", "weir.status")).asString()
        .contains("is declared by configuration", "choose another name"));
    assertThat(host.property("first", "weir.status")).isEqualTo("ok");
    soon(() -> assertThat(registry().find(new FunctionName("thermo")).orElseThrow().source()).hasToString(
        "localhost/thermo:1"));

    host.kura().updateConfiguration("second", Map.of("name", "thermo-2"));
    soon(() -> assertThat(names()).containsExactly("thermo", "thermo-2"));
    soon(() -> assertThat(host.property("second", "weir.status")).isEqualTo("ok"));
  }

  @Test
  void keepsTheFormerFunctionWhileAValueOfItIsNotAllowed() throws Exception {
    create("thermo", Map.of("image", "localhost/thermo:1"));
    soon(() -> assertThat(names()).containsExactly("thermo"));
    host.kura().updateConfiguration("thermo", Map.of("memory", "1KiB"));

    soon(() -> assertThat(host.property("thermo", "weir.status")).asString().contains("memory: "));
    soon(() -> assertThat(memory("thermo")).isEqualTo("128"));
  }

  @Test
  void keepsPasswordsEncryptedEverywhereButWhereTheyAreUsed() throws Exception {
    // Kura writes into what it is given.
    host.kura().updateConfiguration("io.weir.broker", new HashMap<>(Map.of("username", "shed", ".password",
        new Password("s3cret"))));

    assertThat(snapshotOf("io.weir.broker").get(".password")).hasToString("encrypted:czNjcmV0");
    soon(() -> assertThat(stored("io.weir.broker", ".password")).isEqualTo("encrypted:czNjcmV0"));
    assertThat(host.service(Secrets.class).reveal("encrypted:czNjcmV0")).isEqualTo("s3cret");
    soon(() -> assertThat(host.service(io.weir.broker.Broker.class)).isNotNull().satisfies(
        (ThrowingConsumer<io.weir.broker.Broker>) broker -> assertThat(broker.credentials().orElseThrow().password())
            .isEqualTo("s3cret")));
  }

  private Object stored(String pid, String key) throws java.io.IOException, InvalidSyntaxException {
    return host.service(org.osgi.service.cm.ConfigurationAdmin.class).listConfigurations("(service.pid=" + pid + ")")[0]
        .getProperties().get(key);
  }
}
