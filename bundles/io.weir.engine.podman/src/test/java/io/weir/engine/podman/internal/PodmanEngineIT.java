package io.weir.engine.podman.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.engine.ContainerSpec;
import io.weir.engine.ContainerStats;
import io.weir.engine.ContainerStatus;
import io.weir.engine.ContainerStatus.State;
import io.weir.engine.EngineEvent;
import io.weir.engine.EngineException;
import io.weir.engine.EngineException.Code;
import io.weir.engine.Residence;
import io.weir.function.Limits;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Against a real Podman service in temporary directories. */
class PodmanEngineIT {
  private static PodmanFixture podman;
  private static PodmanEngine engine;

  @BeforeAll
  static void startPodman() throws Exception {
    podman = new PodmanFixture();
    engine = podman.engine;
  }

  @AfterAll
  static void stopPodman() throws Exception {
    podman.close();
    assertThat(PodmanFixture.mountsBelow(podman.work)).isEmpty();
    assertThat(PodmanFixture.mountsBelow(podman.run)).isEmpty();
    assertThat(podman.ownCgroups()).isEmpty();
  }

  @AfterEach
  void removeContainers() {
    podman.removeContainers();
  }

  @Test
  void tellsWhoeverWatchesThatAnImageMayBeAnotherOne() throws Exception {
    BlockingQueue<EngineEvent> seen = new LinkedBlockingQueue<>();
    try (AutoCloseable watch = engine.watch("weir.gateway", "engine-test", seen::add)) {
      Path file = Files.writeString(podman.work.resolve("a"), "1");
      engine.importImage("localhost/weir/changing:1", List.of(), podman.tar(Map.of("a", file)));

      assertThat(seen.poll(20, TimeUnit.SECONDS)).isInstanceOf(EngineEvent.ImagesChanged.class);
    }
  }

  @Test
  void tellsWhatItIs() {
    assertThat(engine.info().version()).matches("\\d+\\.\\d+.*");
    assertThat(engine.info().runtime()).matches("(crun|runc) \\d+\\.\\d+.*");
    assertThat(engine.info().embedded()).isTrue();
    assertThat(engine.state()).isEqualTo("podman " + engine.info().version() + " with " + engine.info().runtime()
        + ", state on tmpfs");
  }

  @Test
  void leadsAContainerThroughItsLife() throws Exception {
    String id = engine.create(podman.spec("life"));
    assertThat(engine.inspect(id).state()).isEqualTo(State.CREATED);
    assertThat(engine.inspect(id).address()).isEmpty();

    engine.init(id);
    assertThat(engine.inspect(id).state()).isEqualTo(State.INITIALIZED);

    engine.start(id);
    engine.start(id);
    ContainerStatus running = engine.inspect(id);
    assertThat(running.state()).isEqualTo(State.RUNNING);
    assertThat(running.name()).isEqualTo("life");
    assertThat(running.image()).isEqualTo(PodmanFixture.IMAGE);
    assertThat(running.labels()).containsAllEntriesOf(PodmanFixture.LABELS);
    assertThat(running.pid()).isPositive();
    assertThat(podman.get(id, "/")).isEqualTo("hello\n");

    engine.freeze(id);
    assertThat(engine.inspect(id).state()).isEqualTo(State.PAUSED);
    engine.thaw(id);
    assertThat(podman.get(id, "/")).isEqualTo("hello\n");

    engine.stop(id, Duration.ZERO);
    engine.stop(id, Duration.ZERO);
    assertThat(engine.inspect(id).state()).isEqualTo(State.EXITED);
    assertThat(engine.inspect(id).address()).isEmpty();

    engine.remove(id);
    engine.remove(id);
    assertThatExceptionOfType(EngineException.class).isThrownBy(() -> engine.inspect(id))
        .satisfies(e -> assertThat(e.code()).isEqualTo(Code.NO_SUCH_CONTAINER));
  }

  @Test
  void hardensWithoutBeingAsked() throws Exception {
    String id = podman.started("hardened");

    Map<String, String> seen = new HashMap<>();
    podman.get(id, "/sandbox").lines().map(line -> line.split("[: \t]+", 2)).filter(pair -> pair.length == 2)
        .forEach(pair -> seen.put(pair[0], pair[1]));

    assertThat(seen).containsEntry("user", "1000:1000").containsEntry("root", "Read-only file system")
        .containsEntry("tmp", "writable").containsEntry("CapEff", "0000000000000000")
        .containsEntry("CapBnd", "0000000000000000").containsEntry("NoNewPrivs", "1").containsEntry("Seccomp", "2")
        .containsEntry("greeting", "hi \"there\"").containsEntry("port", "8080");
    assertThat(Long.parseLong(seen.get("nproc"))).as("shared by all functions").isGreaterThan(1000);
    assertThat(Long.parseLong(seen.get("nofile"))).isGreaterThan(1000);
  }

  @Test
  void setsTheLimits() throws Exception {
    String id = podman.started("limited");
    try (Libpod libpod = new Libpod(podman.socket())) {
      Map<String, Object> host = Json.object(Json.object(libpod.get("inspect", "containers", id, "json").text()),
          "HostConfig");

      assertThat(host).containsEntry("Memory", 16 << 20).containsEntry("MemorySwap", 16 << 20)
          .containsEntry("PidsLimit", 64).containsEntry("CpuQuota", 50_000).containsEntry("CpuPeriod", 100_000)
          .containsEntry("ReadonlyRootfs", true);
      assertThat(Json.object(host, "LogConfig")).containsEntry("Type", "k8s-file");
      assertThat(Json.object(host, "RestartPolicy")).containsEntry("Name", "no");
    }
  }

  @Test
  void aFrozenFunctionTakesConnectionsAndAnswersOnceItIsThawed() throws Exception {
    String id = podman.started("frozen");
    InetSocketAddress address = podman.address(id);

    engine.freeze(id);
    engine.freeze(id);
    try (Socket socket = new Socket(address.getAddress(), address.getPort())) {
      socket.getOutputStream().write("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      socket.setSoTimeout(200);
      assertThatExceptionOfType(SocketTimeoutException.class).isThrownBy(() -> socket.getInputStream().read());
      assertThat(engine.stats(id).memoryBytes()).as("it keeps its memory").isPositive();

      engine.thaw(id);
      engine.thaw(id);

      socket.setSoTimeout(10_000);
      assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII)).endsWith("hello\n");
    }
  }

  @Test
  void freezesWithoutPodman() throws Exception {
    String id = podman.started("quick");

    engine.freeze(id);

    try (Libpod libpod = new Libpod(podman.socket())) {
      assertThat(Json.object(Json.object(libpod.get("inspect", "containers", id, "json").text()), "State"))
          .containsEntry("Status", "running");
    }
  }

  @Test
  void stopsAndRemovesWhatIsFrozen() throws Exception {
    String stopped = podman.started("stopped");
    engine.freeze(stopped);
    engine.stop(stopped, Duration.ofSeconds(5));
    assertThat(engine.inspect(stopped).exitCode()).isIn(137, 143);

    String removed = podman.started("removed");
    engine.freeze(removed);
    engine.remove(removed);
    assertThat(engine.list(PodmanFixture.LABELS)).singleElement()
        .satisfies(left -> assertThat(left.id()).isEqualTo(stopped));
  }

  @Test
  void continuesAndRemovesWhatPodmanPaused() throws Exception {
    String id = podman.started("paused");
    try (Libpod libpod = new Libpod(podman.socket())) {
      libpod.post("pause", "containers", id, "pause").run();
      assertThat(engine.inspect(id).state()).isEqualTo(State.PAUSED);
      engine.freeze(id);
      engine.thaw(id);
      assertThat(engine.inspect(id).state()).isEqualTo(State.RUNNING);
      assertThat(podman.get(id, "/")).isEqualTo("hello\n");

      libpod.post("pause", "containers", id, "pause").run();
      engine.remove(id);
    }
    assertThat(engine.list(PodmanFixture.LABELS)).isEmpty();
  }

  @Test
  void makesItsNetworkAgainIfSomebodyRemovedIt() throws Exception {
    String before = podman.started("before");

    PodmanFixture.exec("ip", "link", "del", podman.bridge());

    assertThat(podman.get(podman.started("networked"), "/")).isEqualTo("hello\n");
    assertThat(podman.get(before, "/")).isEqualTo("hello\n");
  }

  @Test
  void aRefusedContainerTakesNoNetworkAway() throws Exception {
    Set<String> before = podman.namespaces();
    ContainerSpec spec = podman.spec("imageless");

    for (int i = 0; i < 3; i++) {
      assertFails(Code.NO_SUCH_IMAGE, "localhost/weir/none:1", () -> engine.create(new ContainerSpec(spec.name(),
          "localhost/weir/none:1", 8080, spec.labels(), Map.of(), spec.limits())));
    }

    assertThat(podman.namespaces()).containsAll(before);
  }

  @Test
  void tellsTheAddressWithoutAskingPodman() {
    String id = engine.create(podman.spec("addressed"));

    InetSocketAddress address = engine.start(id);

    assertThat(engine.inspect(id).address()).contains(address);
    assertThat(engine.inspect(id).labels()).containsEntry(Containers.ADDRESS_LABEL, address.getHostString());
  }

  @Test
  void tellsWhereAContainerLivesInTheKernelsTerms() throws Exception {
    Path functions = engine.functionsCgroup().orElseThrow();
    assertThat(functions).as("before any container").isDirectory();
    String id = engine.create(podman.spec("resident"));
    Residence created = engine.residence(id).orElseThrow();
    assertThat(created.cgroup()).as("before it has a process").isEmpty();
    assertThat(created.namespace().orElseThrow()).exists();
    assertThat(Path.of("/sys/class/net").resolve(created.port().orElseThrow()).resolve("brport/bridge").toRealPath())
        .endsWith(Path.of(podman.bridge()));

    engine.init(id);
    Path cgroup = engine.residence(id).flatMap(Residence::cgroup).orElseThrow();
    assertThat(cgroup).startsWith(functions);
    engine.start(id);

    assertThat(Files.readAllLines(cgroup.resolve("cgroup.procs"))).contains(Integer.toString(engine.inspect(id).pid()));
    assertThat(engine.residence(id).flatMap(Residence::cgroup)).contains(cgroup);
    engine.remove(id);
    assertThat(engine.residence(id)).isEmpty();
  }

  @Test
  void aFunctionIsReachedByIpv6() throws Exception {
    String id = podman.started("six");
    String address = engine.residence(id).flatMap(Residence::address6).orElseThrow().getHostAddress();

    assertThat(PodmanFixture.exec("curl", "-6", "-s", "-m", "5", "http://[" + address + "]:8080/")).isEqualTo("hello\n");
  }

  @Test
  void functionsAskNameServersThatTheyCanReach() throws Exception {
    String id = podman.started("resolving");
    try (Libpod libpod = new Libpod(podman.socket())) {
      Path written = Path.of(Json.text(Json.object(libpod.get("inspect", "containers", id, "json").text()),
          "ResolvConfPath"));

      assertThat(Files.readString(written)).contains("nameserver ").doesNotContain("nameserver 127.");
    }
  }

  @Test
  void listsByLabel() throws Exception {
    String mine = engine.create(podman.spec("mine"));
    ContainerSpec spec = podman.spec("other");
    engine.remove(engine.create(spec));
    engine.create(new ContainerSpec("other", spec.image(), 8080, Map.of("weir.managed", "true"), Map.of(),
        spec.limits()));
    try {
      assertThat(engine.list(PodmanFixture.LABELS)).singleElement().satisfies(listed -> {
        assertThat(listed.id()).isEqualTo(mine);
        assertThat(listed.name()).isEqualTo("mine");
        assertThat(listed.state()).isEqualTo(State.CREATED);
        assertThat(listed.labels()).containsAllEntriesOf(PodmanFixture.LABELS);
      });
      assertThat(engine.list(Map.of("weir.gateway", "nobody"))).isEmpty();
    } finally {
      engine.remove("other");
    }
  }

  @Test
  void reportsADeathOnceAndKeepsItsLastWords() throws Exception {
    BlockingQueue<EngineEvent> seen = new LinkedBlockingQueue<>();
    try (AutoCloseable watch = engine.watch("weir.gateway", "engine-test", seen::add)) {
      String id = podman.started("dying");

      podman.fatal(id, "/exit");

      assertThat(seen.poll(10, TimeUnit.SECONDS)).isInstanceOfSatisfying(EngineEvent.Died.class, died -> {
        assertThat(died.id()).isEqualTo(id);
        assertThat(died.exitCode()).isEqualTo(7);
        assertThat(died.labels()).containsAllEntriesOf(PodmanFixture.LABELS);
      });
      assertThat(engine.inspect(id).exitCode()).isEqualTo(7);
      assertThat(engine.inspect(id).oomKilled()).isFalse();
      assertThat(engine.logs(id, 10)).containsExactly("listening", "served one", "leaving as asked");
      assertThat(engine.logs(id, 1)).containsExactly("leaving as asked");
      assertThat(seen).isEmpty();
    }
  }

  @Test
  void tellsAnOutOfMemoryKillFromOtherDeaths() throws Exception {
    BlockingQueue<EngineEvent> seen = new LinkedBlockingQueue<>();
    try (AutoCloseable watch = engine.watch("weir.gateway", "engine-test", seen::add)) {
      String greedy = podman.started("greedy");
      podman.fatal(greedy, "/eat");
      assertThat(seen.poll(20, TimeUnit.SECONDS)).isInstanceOf(EngineEvent.Died.class);
      assertThat(engine.inspect(greedy).exitCode()).isEqualTo(137);
      assertThat(engine.inspect(greedy).oomKilled()).isTrue();

      String killed = podman.started("killed");
      ProcessHandle.of(engine.inspect(killed).pid()).orElseThrow().destroyForcibly();
      assertThat(seen.poll(20, TimeUnit.SECONDS)).isInstanceOf(EngineEvent.Died.class);
      assertThat(engine.inspect(killed).exitCode()).isEqualTo(137);
      assertThat(engine.inspect(killed).oomKilled()).isFalse();
    }
  }

  @Test
  void metersARunningContainer() throws Exception {
    String id = podman.started("metered");

    ContainerStats stats = engine.stats(id);

    assertThat(stats.cpuNanos()).isPositive();
    assertThat(stats.memoryBytes()).isBetween(1L, 16L << 20);
    assertThat(stats.memoryLimitBytes()).isEqualTo(16L << 20);
    assertThat(stats.pids()).isEqualTo(1);
  }

  @Test
  void everyContainerIsInTheEnginesOwnCgroup() throws Exception {
    String id = podman.started("grouped");

    assertThat(PodmanFixture.cgroups(id)).isNotEmpty()
        .allSatisfy(group -> assertThat(group.getParent()).isIn(podman.ownCgroups()));

    engine.remove(id);
    assertThat(PodmanFixture.cgroups(id)).isEmpty();
  }

  @Test
  void removesWhatLostItsConmonWithoutATrace() throws Exception {
    String dead = podman.started("dead");
    ProcessHandle function = podman.withoutConmon(dead);
    function.destroyForcibly();
    function.onExit().get(10, TimeUnit.SECONDS);
    engine.remove(dead);
    assertThat(PodmanFixture.traces(dead)).isEmpty();

    String alive = podman.started("alive");
    podman.withoutConmon(alive);
    engine.remove(alive);
    assertThat(PodmanFixture.traces(alive)).isEmpty();

    String frozen = podman.started("frozen");
    engine.freeze(frozen);
    podman.withoutConmon(frozen);
    engine.remove(frozen);
    assertThat(PodmanFixture.traces(frozen)).isEmpty();
    assertThat(engine.list(PodmanFixture.LABELS)).isEmpty();
  }

  @Test
  void sweepsAContainerThatPodmanForgotAndNoOther() throws Exception {
    String kept = podman.started("kept");
    String orphan = podman.started("orphan");
    ProcessHandle function = podman.withoutConmon(orphan);
    engine.freeze(orphan);
    podman.forget(orphan);
    assertThat(engine.list(PodmanFixture.LABELS)).extracting(ContainerStatus::id).containsExactly(kept);

    engine.sweep();

    assertThat(PodmanFixture.traces(orphan)).isEmpty();
    assertThat(function.isAlive()).isFalse();
    assertThat(podman.get(kept, "/")).isEqualTo("hello\n");
  }

  @Test
  void sweepsFrozenProcessesOfNobodysContainer() throws Exception {
    podman.started("kept");
    String id = "0123456789abcdef".repeat(4);
    Process orphan = new ProcessBuilder("sleep", "600").start();
    try {
      for (Path parent : podman.ownCgroups()) {
        Path group = Files.createDirectories(parent.resolve("libpod-" + id));
        for (String file : new String[] {"cpuset.cpus", "cpuset.mems"}) {
          if (Files.exists(parent.resolve(file))) {
            Files.writeString(group.resolve(file), Files.readString(parent.resolve(file)));
          }
        }
        Files.writeString(group.resolve("cgroup.procs"), Long.toString(orphan.pid()));
      }
      assertThat(PodmanFixture.cgroups(id)).isNotEmpty();
      assertThat(Freezer.of(new CgroupTree(CgroupTree.MOUNT), podman.ownCgroupName() + "/libpod-" + id).orElseThrow()
          .freeze(Duration.ofSeconds(10))).isTrue();

      engine.sweep();

      assertThat(orphan.waitFor(10, TimeUnit.SECONDS)).isTrue();
      assertThat(PodmanFixture.cgroups(id)).isEmpty();
      assertThat(engine.list(PodmanFixture.LABELS)).hasSize(1);
    } finally {
      orphan.destroyForcibly();
    }
  }

  @Test
  void refusesAMissingImageByName() {
    ContainerSpec spec = podman.spec("imageless");

    assertFails(Code.NO_SUCH_IMAGE, "localhost/weir/none:1", () -> engine.create(new ContainerSpec(spec.name(),
        "localhost/weir/none:1", 8080, spec.labels(), Map.of(), spec.limits())));
    assertThat(engine.imageId("localhost/weir/none:1")).isEmpty();
    assertThat(engine.imageId(PodmanFixture.IMAGE)).isPresent();
  }

  @Test
  void refusesANameThatIsTakenOrMalformed() {
    engine.create(podman.spec("taken"));

    assertFails(Code.CONFLICT, "taken", () -> engine.create(podman.spec("taken")));
    assertFails(Code.BAD_REQUEST, "names must match", () -> engine.create(podman.spec("not a name")));
  }

  @Test
  void saysWhenNothingCanBeMeteredPausedOrStarted() {
    String id = engine.create(podman.spec("idle"));

    assertFails(Code.CONFLICT, id, () -> engine.freeze(id));
    engine.thaw(id);
    assertFails(Code.NO_SUCH_CONTAINER, "nobody", () -> engine.freeze("nobody"));
    assertFails(Code.NO_SUCH_CONTAINER, "nobody", () -> engine.thaw("nobody"));
    assertFails(Code.NO_SUCH_CONTAINER, "nobody", () -> engine.start("nobody"));
    assertFails(Code.NO_SUCH_CONTAINER, "nobody", () -> engine.stats("nobody"));
    assertFails(Code.NO_SUCH_CONTAINER, "nobody", () -> engine.stop("nobody", Duration.ZERO));
    assertFails(Code.NO_SUCH_CONTAINER, "nobody", () -> engine.logs("nobody", 5));
  }

  @Test
  void refusesAnEntrypointThatCannotRun() throws Exception {
    engine.importImage("localhost/weir/forbidden:1", List.of("ENTRYPOINT [\"/forbidden\"]"),
        podman.tar(Map.of("forbidden", podman.file("no program", "rw-r--r--"))));
    engine.importImage("localhost/weir/absent:1", List.of("ENTRYPOINT [\"/absent\"]"),
        podman.tar(Map.of("other", podman.file("no program", "rw-r--r--"))));

    assertFails(Code.START_FAILED, "executable for user 1000", () -> startFrom("localhost/weir/forbidden:1"));
    assertFails(Code.START_FAILED, "entrypoint exists", () -> startFrom("localhost/weir/absent:1"));
  }

  private static String startFrom(String image) {
    ContainerSpec spec = podman.spec("from-" + image.replaceAll("[^a-z]", "-"));
    String id = engine.create(new ContainerSpec(spec.name(), image, 8080, spec.labels(), Map.of(), spec.limits()));
    engine.start(id);
    return id;
  }

  @Test
  void saysThatMemoryIsTooLowToStart() {
    Map<String, Object> body = new HashMap<>(Containers.create(podman.spec("tiny"), java.util.Optional.empty(),
        true));
    body.remove("portmappings");
    body.put("netns", Map.of("nsmode", "none"));
    body.put("resource_limits", Map.of("memory", Map.of("limit", 600_000, "swap", 600_000)));
    try (Libpod libpod = new Libpod(podman.socket())) {
      libpod.post("create", body, "containers", "create").run();

      assertFails(Code.START_FAILED, "more memory", () -> engine.start("tiny"));
    }
  }

  @Test
  void buildsOnAnImportedBase() throws Exception {
    List<String> said = new ArrayList<>();
    InputStream context = podman.tar(Map.of(
        "Containerfile", podman.file("FROM " + PodmanFixture.IMAGE + "\nCOPY probe /other\nENTRYPOINT [\"/other\"]\n",
            "rw-r--r--"), "probe", podman.compiled()));

    engine.build("localhost/weir/built:1", context, said::add);

    assertThat(said).anyMatch(line -> line.contains("COPY probe /other")).noneMatch(line -> line.contains("\n"));
    ContainerSpec spec = podman.spec("built");
    String id = engine.create(new ContainerSpec("built", "localhost/weir/built:1", 8080, spec.labels(), Map.of(),
        spec.limits()));
    engine.start(id);
    assertThat(podman.get(id, "/")).isEqualTo("hello\n");
  }

  @Test
  void runsCommandsInABuild() throws Exception {
    List<String> said = new ArrayList<>();

    engine.build("localhost/weir/ran:1", podman.tar(Map.of("Dockerfile", podman.file("FROM " + PodmanFixture.IMAGE
        + "\nRUN [\"/probe\", \"--say\", \"ran in a build\"]\n", "rw-r--r--"))), said::add);

    assertThat(said).contains("ran in a build");
  }

  @Test
  void keepsTheLastWordsOfAFunctionThatCannotBeExecuted() throws Exception {
    BlockingQueue<EngineEvent> seen = new LinkedBlockingQueue<>();
    engine.importImage("localhost/weir/broken:1", List.of("ENTRYPOINT [\"/broken\"]"),
        podman.tar(Map.of("broken", podman.file("no program", "rwxr-xr-x"))));
    try (AutoCloseable watch = engine.watch("weir.gateway", "engine-test", seen::add)) {
      String words;
      try {
        String id = startFrom("localhost/weir/broken:1");
        assertThat(seen.poll(20, TimeUnit.SECONDS)).isInstanceOf(EngineEvent.Died.class);
        words = String.join("\n", engine.logs(id, 5));
      } catch (EngineException e) {
        words = e.getMessage();
      }

      assertThat(words).containsIgnoringCase("exec format error");
    }
  }

  @Test
  void anImageIsSeenAtOnceAlsoWhenItIsReplaced() throws Exception {
    String reference = "localhost/weir/changing:1";
    List<String> changes = List.of("ENTRYPOINT [\"/probe\"]");
    engine.importImage(reference, changes, podman.tar(Map.of("probe", podman.compiled())));
    String first = engine.imageId(reference).orElseThrow();

    engine.importImage(reference, changes, podman.tar(Map.of("probe", podman.compiled(),
        "more", podman.file("more", "rw-r--r--"))));

    assertThat(engine.imageId(reference).orElseThrow()).isNotEqualTo(first);
    ContainerSpec spec = podman.spec("changing");
    String id = engine.create(new ContainerSpec("changing", reference, 8080, spec.labels(), Map.of(), spec.limits()));
    engine.start(id);
    assertThat(podman.get(id, "/")).isEqualTo("hello\n");
    assertThat(podman.inspected(id).get("Image"))
        .isEqualTo(engine.imageId(reference).orElseThrow());
  }

  @Test
  void noColdStartWaitsForADisk() throws Exception {
    Path trace = podman.work.resolve("trace");
    Process strace = new ProcessBuilder("strace", "-f", "-y", "-e", "trace=fsync,fdatasync,syncfs,sync", "-o",
        trace.toString(), "-p", Long.toString(engine.servicePid())).redirectErrorStream(true).start();
    try {
      String said = strace.inputReader().readLine();
      assertThat(said).as("strace must be allowed to trace Podman (ptrace, see kernel.yama.ptrace_scope)")
          .contains("attached");

      engine.remove(podman.started("traced"));
    } finally {
      strace.destroy();
      assertThat(strace.waitFor(20, TimeUnit.SECONDS)).isTrue();
    }

    List<String> syncs = Files.readAllLines(trace).stream().filter(line -> line.contains("sync(")).toList();
    assertThat(syncs).as("Podman's database is written").isNotEmpty();
    assertThat(syncs).filteredOn(line -> !PodmanFixture.isOnTmpfs(line.replaceFirst("[^<]*<?([^>]*).*", "$1"))).isEmpty();
  }

  @Test
  void saysWhyABuildFailed() throws Exception {
    assertFails(Code.NO_SUCH_IMAGE, "localhost/weir/none:1", () -> engine.build("localhost/weir/unbuilt:1",
        podman.tar(Map.of("Dockerfile", podman.file("FROM localhost/weir/none:1\n", "rw-r--r--"))), line -> {}));
    assertThat(engine.imageId("localhost/weir/unbuilt:1")).isEmpty();
  }

  @Test
  void loadsWhatWasSaved() throws Exception {
    byte[] archive;
    try (Libpod libpod = new Libpod(podman.socket())) {
      archive = libpod.get("save", "images", PodmanFixture.IMAGE, "get").query("format", "docker-archive").bytes();
    }

    assertThat(engine.load(new ByteArrayInputStream(archive))).containsExactly(PodmanFixture.IMAGE);
    assertFails(Code.BAD_REQUEST, "image formats", () -> engine.load(new ByteArrayInputStream(new byte[2048])));
  }

  @Test
  void anImageIsRemovedOnceThereIsNoContainerOfIt() throws Exception {
    ByteArrayOutputStream archive = new ByteArrayOutputStream();
    engine.save(PodmanFixture.IMAGE, archive);
    engine.build("localhost/weir/passing:1",
        podman.tar(Map.of("Dockerfile", podman.file("FROM " + PodmanFixture.IMAGE + "\nENV PASSING=1\n", "rw-r--r--"))), line -> {});
    String id = engine.create(new ContainerSpec("weir-it-passing", "localhost/weir/passing:1", 8080,
        Map.of("weir.gateway", "engine-test"), Map.of(), new Limits(32 << 20, 1, 32)));

    assertFails(Code.CONFLICT, "there are containers of it", () -> engine.removeImage("localhost/weir/passing:1"));
    engine.build("localhost/weir/alias:1",
        podman.tar(Map.of("Dockerfile", podman.file("FROM localhost/weir/passing:1\n", "rw-r--r--"))), line -> {});
    engine.removeImage("localhost/weir/alias:1");   // only a name
    engine.remove(id);
    engine.removeImage("localhost/weir/passing:1");

    assertThat(engine.imageId("localhost/weir/passing:1")).isEmpty();
    assertThat(engine.imageId(PodmanFixture.IMAGE)).isPresent();
    engine.removeImage("localhost/weir/passing:1");
    assertThat(engine.load(new ByteArrayInputStream(archive.toByteArray()))).containsExactly(PodmanFixture.IMAGE);
    assertFails(Code.NO_SUCH_IMAGE, "none", () -> engine.save("localhost/weir/none:1", archive));
  }

  @Test
  void pullFailsWithTheRegistrysWords() {
    assertFails(Code.FAILED, "connection refused", () -> engine.pull("127.0.0.1:9/weir/none:1", line -> {}));
  }

  @Test
  void functionsLiveThroughTheDeathOfTheService() throws Exception {
    BlockingQueue<EngineEvent> seen = new LinkedBlockingQueue<>();
    try (AutoCloseable watch = engine.watch("weir.gateway", "engine-test", seen::add)) {
      String id = podman.started("survivor");
      String doomed = podman.started("doomed");
      InetSocketAddress address = podman.address(id);
      InetSocketAddress doomedAddress = podman.address(doomed);
      ProcessHandle service = ProcessHandle.of(engine.servicePid()).orElseThrow();

      service.destroyForcibly();
      service.onExit().get(10, TimeUnit.SECONDS);
      assertThat(podman.get(address, "/")).isEqualTo("hello\n");
      try {
        podman.get(doomedAddress, "/exit");
      } catch (java.io.IOException e) {
        // it left as asked
      }

      assertThat(engine.inspect(id).state()).isEqualTo(State.RUNNING);
      assertThat(podman.get(id, "/")).isEqualTo("hello\n");
      List<EngineEvent> events = new ArrayList<>();
      while (events.stream().noneMatch(EngineEvent.Died.class::isInstance)
          || events.stream().noneMatch(EngineEvent.Gap.class::isInstance)) {
        EngineEvent event = seen.poll(20, TimeUnit.SECONDS);
        assertThat(event).as("after " + events).isNotNull();
        events.add(event);
      }
      assertThat(events).anySatisfy(event -> assertThat(event).isInstanceOfSatisfying(EngineEvent.Died.class,
          died -> assertThat(died.id()).isEqualTo(doomed)));
      assertThat(engine.servicePid()).isNotEqualTo(service.pid()).isPositive();
    }
  }

  private interface Attempt {
    void run() throws Exception;
  }

  private static void assertFails(Code code, String said, Attempt attempt) {
    assertThatThrownBy(attempt::run).isInstanceOfSatisfying(EngineException.class, e -> {
      assertThat(e.code()).as(e.getMessage()).isEqualTo(code);
      assertThat(e.getMessage()).contains(said);
    });
  }
}
