package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Packages on a real gateway: installed, replaced and given up while sensors and clients go on. */
class PackageIT {
  private static final Duration SOON = Duration.ofSeconds(30);

  @TempDir
  private static Path work;
  private static Gateway gateway;
  private static Path data;

  @BeforeAll
  static void start() throws Exception {
    gateway = Gateway.start("package", Map.of("io.weir.pool/calibrate", "false"));
    data = gateway.functionsFolder().getParent();
    for (String version : List.of("1", "2")) {
      gateway.importProbe("localhost/probe:" + version, version);
      weir("image", "save", "localhost/probe:" + version, work.resolve("probe-" + version + ".tar").toString());
    }
  }

  @AfterAll
  static void stop() throws Exception {
    gateway.close();
  }

  private static Gateway.Result weir(String... arguments) throws Exception {
    Gateway.Result result = gateway.weir(arguments);
    assertThat(result.exitCode()).as(String.join(" ", arguments) + ": " + result.out() + result.err()).isZero();
    return result;
  }

  /** A package of one function, whose weir.yaml calls its image localhost/probe:1, whichever it is. */
  private static Path pack(String name, String version, Path archive, String... lines) throws Exception {
    Path folder = Files.createDirectories(work.resolve(name + "-" + version));
    Files.writeString(folder.resolve("weir.yaml"), "functions:\n  " + name + ":\n    image: localhost/probe:1\n"
        + String.join("", List.of(lines).stream().map(line -> "    " + line + "\n").toList()));
    Path file = work.resolve(name + "-" + version + ".weirpkg");
    weir("package", "build", folder.toString(), "--name", name, "--version", version, "--image",
        "localhost/probe:1=" + archive, "-o", file.toString());
    return file;
  }

  private static Path probe(String version) {
    return work.resolve("probe-" + version + ".tar");
  }

  private static String version(String function) {
    HttpResponse<String> response = gateway.get("/function/" + function + "/");
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return response.headers().firstValue("X-Version").orElse("");
  }

  /** Clients and sensors that never stop, each of whom is owed an answer. */
  private static final class Load implements AutoCloseable {
    private final String function;
    private final Mqtt mqtt;
    private final List<Thread> threads = new ArrayList<>();
    private final List<String> failures = new java.util.concurrent.CopyOnWriteArrayList<>();
    private final Set<String> sent = ConcurrentHashMap.newKeySet();
    final AtomicInteger calls = new AtomicInteger();
    private volatile boolean over;

    Load(String function) throws Exception {
      this.function = function;
      this.mqtt = new Mqtt(gateway, function + "/out");
      threads.add(new Thread(() -> until(this::call)));
      threads.add(new Thread(() -> until(this::call)));
      threads.add(new Thread(() -> until(this::publish)));
      threads.forEach(Thread::start);
      await().atMost(SOON).until(() -> calls.get() > 20 && sent.size() > 20);
    }

    private interface Step {
      void run() throws Exception;
    }

    private void until(Step step) {
      try {
        while (!over) {
          step.run();
        }
      } catch (Exception | AssertionError e) {
        failures.add(String.valueOf(e));
      }
    }

    private void call() {
      HttpResponse<String> response = gateway.post("/function/" + function + "/", "x");
      if (response.statusCode() != 200) {
        failures.add(response.statusCode() + " " + response.body());
      }
      calls.incrementAndGet();
    }

    private void publish() throws Exception {
      String text = "m" + sent.size();
      mqtt.publish(function + "/in", text);
      sent.add(text);
    }

    /** Each call was answered with 200, each message that the broker took was answered. */
    void assertNothingWasLost() throws Exception {
      over = true;
      for (Thread thread : threads) {
        thread.join();
      }
      assertThat(failures).isEmpty();
      while (!sent.isEmpty()) {
        sent.remove(mqtt.next(SOON).text());
      }
    }

    @Override
    public void close() throws Exception {
      over = true;
      mqtt.close();
    }
  }

  private static final String[] TRIGGERS = {"triggers: [{mqtt: busy/in}]", "output: busy/out", "rest: running"};

  private static String[] with(String... more) {
    List<String> lines = new ArrayList<>(List.of(TRIGGERS));
    lines.addAll(List.of(more));
    return lines.toArray(String[]::new);
  }

  @Test
  void versionsReplaceEachOtherUnderTrafficAndABrokenOneIsGivenUp() throws Exception {
    assertThat(weir("package", "install", pack("busy", "1.0.0", probe("1"), with()).toString()).out())
        .isEqualTo("installed busy 1.0.0\n");
    assertThat(version("busy")).isEqualTo("1");

    try (Load load = new Load("busy")) {
      assertThat(weir("package", "install", pack("busy", "2.0.0", probe("2"), with()).toString()).out())
          .isEqualTo("installed busy 2.0.0, in place of 1.0.0\n");
      assertThat(version("busy")).isEqualTo("2");
      int before = load.calls.get();

      Gateway.Result crash = gateway.weir("package", "install",
          pack("busy", "3.0.0", probe("1"), with("env: {BEHAVE: crash}")).toString());
      Gateway.Result unloadable = gateway.weir("package", "install", pack("busy", "4.0.0", hollow(), with()).toString());

      assertThat(crash.exitCode()).isEqualTo(1);
      assertThat(crash.out()).startsWith("rolled back busy 3.0.0: function busy did not start: ")
          .contains("exit code 3", "cannot find my database", "2.0.0 runs on");
      assertThat(unloadable.exitCode()).isEqualTo(1);
      assertThat(unloadable.out()).startsWith("rolled back busy 4.0.0: ").contains("2.0.0 runs on");
      await().atMost(SOON).until(() -> load.calls.get() > before + 50);
      assertThat(version("busy")).isEqualTo("2");
      load.assertNothingWasLost();
    }

    assertThat(gateway.instancesOf("busy")).hasSize(1);
    assertThat(packages()).contains("busy 2.0.0");
    assertOnlyImageIs("busy");
    assertThat(weir("list").out()).contains("weir.pkg/busy:");
  }

  /** What says that it has a layer which is not there. */
  private static Path hollow() throws Exception {
    Path folder = Files.createDirectories(work.resolve("hollow"));
    Files.writeString(folder.resolve("c.json"), "{\"architecture\":\"" + (System.getProperty("os.arch").equals("aarch64") ? "arm64" : "amd64")
        + "\",\"os\":\"linux\",\"config\":{},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:" + "0".repeat(64) + "\"]}}");
    Files.writeString(folder.resolve("manifest.json"),
        "[{\"Config\":\"c.json\",\"RepoTags\":[\"localhost/probe:1\"],\"Layers\":[\"l.tar\"]}]");
    Path tar = work.resolve("hollow.tar");
    Gateway.exec("tar", "-C", folder.toString(), "--format=ustar", "-cf", tar.toString(), "c.json", "manifest.json");
    return tar;
  }

  private static List<String> packages() {
    return gateway.list("/api/v1/packages", "packages").stream().map(each -> each.get("name") + " " + each.get("version")).toList();
  }

  /** Images of versions that are gone, or never came to run, are gone as well once their containers are. */
  private static void assertOnlyImageIs(String name) {
    Object image = gateway.json("/api/v1/functions/" + name).get("image");
    await().atMost(Duration.ofSeconds(90)).untilAsserted(() -> assertThat(Files.readAllLines(data.resolve("packages/images")).stream()
        .filter(line -> line.contains("/" + name + ":"))).containsExactly(String.valueOf(image)));
  }

  @Test
  void aSleepingFunctionIsReplacedAndABrokenVersionNeverCounts() throws Exception {
    weir("package", "install", pack("asleep", "1.0.0", probe("1"), "rest: image").toString());
    assertThat(gateway.instancesOf("asleep")).isEmpty();

    Gateway.Result deaf = gateway.weir("package", "install",
        pack("asleep", "2.0.0", probe("2"), "rest: image", "env: {BEHAVE: crash}").toString());

    assertThat(deaf.exitCode()).isEqualTo(1);
    assertThat(version("asleep")).isEqualTo("1");
    weir("package", "install", pack("asleep", "3.0.0", probe("2"), "rest: image").toString());
    assertThat(version("asleep")).isEqualTo("2");
  }

  @Test
  void aPackageOutlivesTheGatewayAndIsRemovedWithAllThatCameWithIt() throws Exception {
    weir("package", "install", pack("lasting", "1.0.0", probe("1")).toString());

    gateway.killAndRestart();

    assertThat(version("lasting")).isEqualTo("1");
    assertThat(packages()).contains("lasting 1.0.0");
    assertThat(gateway.weir("remove", "lasting").err()).contains("weir package remove lasting");
    weir("package", "remove", "lasting");
    assertThat(gateway.get("/function/lasting/").statusCode()).isEqualTo(404);
    await().atMost(Duration.ofSeconds(90)).untilAsserted(() ->
        assertThat(Files.readString(data.resolve("packages/images"))).doesNotContain("lasting"));
  }

  @Test
  void aGatewayThatIsKilledInTheMidstGoesOnWithWhatRan() throws Exception {
    weir("package", "install", pack("halfway", "1.0.0", probe("1"), "rest: running").toString());
    Path deaf = pack("halfway", "2.0.0", probe("2"), "rest: running", "env: {BEHAVE: deaf}");

    HttpResponse<String> taken = gateway.send(gateway.request("/api/v1/packages?source=halfway")
        .POST(HttpRequest.BodyPublishers.ofFile(deaf)));
    assertThat(taken.statusCode()).as(taken.body()).isEqualTo(202);
    String deployment = taken.headers().firstValue("Location").orElseThrow();
    await().atMost(SOON).until(() -> gateway.json(deployment).get("state").equals("rehearsing"));
    assertThat(version("halfway")).as("meanwhile").isEqualTo("1");
    gateway.killAndRestart();

    assertThat(version("halfway")).isEqualTo("1");
    assertThat(packages()).contains("halfway 1.0.0");
    assertThat(data.resolve("packages/incoming")).satisfiesAnyOf(incoming -> assertThat(incoming).doesNotExist(),
        incoming -> assertThat(incoming).isEmptyDirectory());
    assertOnlyImageIs("halfway");
    assertThat(gateway.instancesOf("halfway")).hasSize(1);
  }

  @Test
  void withATrustedKeyOnlyWhatItSignedIsTaken() throws Exception {
    Path file = pack("trusted", "1.0.0", probe("1"));
    weir("package", "keygen", work.resolve("us").toString());
    weir("package", "keygen", work.resolve("them").toString());
    Path trust = Files.createDirectories(data.resolve("trust.d"));
    Files.copy(work.resolve("us.pub"), trust.resolve("us.pub"));
    try {
      Gateway.Result unsigned = gateway.weir("package", "install", file.toString());
      assertThat(unsigned.exitCode()).as(unsigned.out()).isEqualTo(4);
      assertThat(unsigned.err()).contains("is not signed", "us.pub");

      weir("package", "sign", file.toString(), "--key", work.resolve("them.pem").toString());
      assertThat(gateway.weir("package", "install", file.toString()).err()).contains("bears no signature by one of [us.pub]");

      weir("package", "sign", file.toString(), "--key", work.resolve("us.pem").toString());
      assertThat(weir("package", "install", file.toString()).out()).isEqualTo("installed trusted 1.0.0, signed by us.pub\n");
    } finally {
      Files.delete(trust.resolve("us.pub"));
    }
  }

  @Test
  void whatIsDroppedInTheFolderIsInstalledAndWhatIsWrongSaysWhy() throws Exception {
    Path folder = data.resolve("packages.d");
    Path whole = pack("dropped", "1.0.0", probe("1"));
    byte[] bytes = Files.readAllBytes(whole);
    drop(folder, "torn.weirpkg", java.util.Arrays.copyOf(bytes, bytes.length / 2));
    drop(folder, "whole.weirpkg", bytes);

    await().atMost(SOON).until(() -> Files.exists(folder.resolve("whole.weirpkg.result")));

    assertThat(Files.readString(folder.resolve("whole.weirpkg.result"))).startsWith("installed dropped 1.0.0\n");
    assertThat(Files.readString(folder.resolve("torn.weirpkg.rejected"))).startsWith("rejected (bad-package): ");
    assertThat(version("dropped")).isEqualTo("1");
  }

  private static void drop(Path folder, String name, byte[] bytes) throws IOException {
    Path next = Files.write(work.resolve("next"), bytes);
    Files.copy(next, folder.resolve("." + name), StandardCopyOption.REPLACE_EXISTING);
    Files.move(folder.resolve("." + name), folder.resolve(name), StandardCopyOption.ATOMIC_MOVE);
  }
}
