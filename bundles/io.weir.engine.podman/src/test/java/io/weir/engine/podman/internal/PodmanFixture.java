package io.weir.engine.podman.internal;

import io.weir.engine.ContainerSpec;
import io.weir.engine.ContainerStatus;
import io.weir.engine.EngineException;
import io.weir.event.GatewayEvent;
import io.weir.function.Limits;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * An engine with a Podman service of its own in temporary directories, and the image of a small function. Closing it
 * leaves nothing behind.
 */
final class PodmanFixture implements AutoCloseable {
  static final String IMAGE = "localhost/weir/probe:1";
  static final Map<String, String> LABELS = Map.of("weir.managed", "true", "weir.gateway", "engine-test");
  private static final Limits LIMITS = new Limits(16L << 20, 0.5, 64);

  final RecordingEvents events = new RecordingEvents();
  final Path work;
  final Path run;
  PodmanEngine engine;
  private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)
      .connectTimeout(Duration.ofSeconds(5)).build();

  PodmanFixture() throws Exception {
    work = Files.createTempDirectory("weir-engine");
    Path tmpfs = Path.of("/dev/shm");
    run = Files.isWritable(tmpfs) ? Files.createTempDirectory(tmpfs, "weir") : work.resolve("run");
    engine = newEngine(Optional.empty());
    try {
      awaitReady();
      engine.importImage(IMAGE, List.of("ENTRYPOINT [\"/probe\"]"), tar(Map.of("probe", compiled())));
    } catch (Exception | Error e) {
      close();
      throw e;
    }
  }

  PodmanEngine newEngine(Optional<Path> socket) {
    return new PodmanEngine(run, work.resolve("data"), settings(socket), events);
  }

  Path socket() {
    return EmbeddedService.socket(run.resolve("engine"));
  }

  static Settings settings(Optional<Path> socket) {
    return new Settings(socket, "podman", "", "weir", Optional.empty(), "", Duration.ofSeconds(30), Duration.ofSeconds(30),
        Duration.ofSeconds(120), Duration.ofSeconds(20), 4);
  }

  String bridge() {
    return Bridge.name(socket().hashCode());
  }

  void awaitReady() throws InterruptedException {
    while (!engine.ready()) {
      if (events.published.poll(30, TimeUnit.SECONDS) == null) {
        throw new AssertionError("not ready: " + engine.state());
      }
    }
  }

  void awaitState(String part) throws InterruptedException {
    while (true) {
      GatewayEvent event = events.published.poll(30, TimeUnit.SECONDS);
      if (event == null) {
        throw new AssertionError("no state with '" + part + "'");
      }
      if (event instanceof GatewayEvent.PartChanged changed && changed.state().contains(part)) {
        return;
      }
    }
  }

  ContainerSpec spec(String name) {
    return new ContainerSpec(name, IMAGE, 8080, LABELS, Map.of("PORT", "8080", "GREETING", "hi \"there\""), LIMITS);
  }

  /** A running function that listens. */
  String started(String name) throws Exception {
    String id = engine.create(spec(name));
    engine.start(id);
    get(id, "/");
    return id;
  }

  InetSocketAddress address(String id) {
    ContainerStatus now = engine.inspect(id);
    return now.address().orElseThrow(() -> new AssertionError(now + " said " + engine.logs(id, 20)));
  }

  String get(String id, String path) throws Exception {
    return get(address(id), path);
  }

  /** Asks again as long as nothing listens yet. */
  String get(InetSocketAddress address, String path) throws Exception {
    URI uri = URI.create("http://" + address.getAddress().getHostAddress() + ":" + address.getPort() + path);
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (true) {
      try {
        return http.send(HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(10)).build(),
            HttpResponse.BodyHandlers.ofString()).body();
      } catch (java.net.ConnectException e) {
        if (System.nanoTime() > deadline) {
          throw e;
        }
        TimeUnit.MILLISECONDS.sleep(1);
      }
    }
  }

  /** Sends a request that the function does not survive. */
  void fatal(String id, String path) throws Exception {
    try {
      get(id, path);
    } catch (IOException e) {
      // the point
    }
  }

  /** The cgroups of a container in the kernel's hierarchies. */
  static List<Path> cgroups(String id) {
    return CgroupTree.directories(CgroupTree.MOUNT, 4).stream()
        .filter(path -> path.getFileName().toString().contains(id)).toList();
  }

  /** The cgroup that the engine keeps its containers in, in each hierarchy. */
  List<Path> ownCgroups() {
    return new CgroupTree(CgroupTree.MOUNT).everywhere(ownCgroupName());
  }

  String ownCgroupName() {
    CgroupTree tree = new CgroupTree(CgroupTree.MOUNT);
    OwnCgroup own = new OwnCgroup(tree, socket());
    return Stream.of("systemd", "cgroupfs").map(own::parent).filter(name -> !tree.everywhere(name).isEmpty())
        .findFirst().orElse(own.parent("cgroupfs"));
  }

  /** Whatever there is of a container on this machine. */
  static List<String> traces(String id) {
    List<String> traces = new ArrayList<>(cgroups(id).stream().map(Path::toString).toList());
    for (String runtime : List.of("runc", "crun")) {
      Path state = Path.of("/run", runtime, id);
      if (Files.exists(state)) {
        traces.add(state.toString());
      }
    }
    ProcessHandle.allProcesses().filter(process -> process.info().commandLine().orElse("").contains(id))
        .forEach(process -> traces.add(process.info().commandLine().orElse("")));
    return traces;
  }

  /** Kills what watches over a running container, and returns the container's process. */
  ProcessHandle withoutConmon(String id) throws Exception {
    Map<String, Object> state = Json.object(inspected(id), "State");
    ProcessHandle conmon = ProcessHandle.of(Json.number(state, "ConmonPid")).orElseThrow();
    conmon.destroyForcibly();
    conmon.onExit().get(10, TimeUnit.SECONDS);
    return ProcessHandle.of(Json.number(state, "Pid")).orElseThrow();
  }

  Map<String, Object> inspected(String id) {
    try (Libpod libpod = new Libpod(socket())) {
      return Json.object(libpod.get("inspecting", "containers", id, "json").text());
    }
  }

  /** Also of a file that is gone. */
  static boolean isOnTmpfs(String path) {
    try {
      Path there = Path.of(path);
      while (there != null && !Files.exists(there)) {
        there = there.getParent();
      }
      return there != null && Files.getFileStore(there).type().equals("tmpfs");
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** Has Podman remove the container although it cannot end it. */
  void forget(String id) {
    try (Libpod libpod = new Libpod(socket())) {
      for (int left = 5; libpod.get("looking", "containers", id, "exists").found(); left--) {
        try {
          libpod.delete("removing", "containers", id).query("force", "true").query("timeout", "0").run();
        } catch (EngineException e) {
          if (left == 0) {
            throw e;
          }
        }
      }
    }
  }

  Path compiled() throws Exception {
    return compile(work);
  }

  /** The function's program. */
  static Path compile(Path folder) throws Exception {
    Path binary = folder.resolve("probe");
    if (!Files.exists(binary)) {
      Path source = folder.resolve("probe.c");
      try (InputStream in = PodmanFixture.class.getResourceAsStream("probe.c")) {
        Files.copy(in, source);
      }
      exec("musl-gcc", "-static", "-Os", "-o", binary.toString(), source.toString());
    }
    return binary;
  }

  /** A tar of these files; a value is the file to take the content from. */
  InputStream tar(Map<String, Path> files) throws Exception {
    Path root = Files.createTempDirectory(work, "tar");
    for (Map.Entry<String, Path> file : files.entrySet()) {
      Files.copy(file.getValue(), root.resolve(file.getKey()));
    }
    Process tar = new ProcessBuilder("tar", "-C", root.toString(), "--owner=0", "--group=0", "-c", ".").start();
    byte[] bytes = tar.getInputStream().readAllBytes();
    return new ByteArrayInputStream(bytes);
  }

  Path file(String content, String permissions) throws IOException {
    Path file = Files.writeString(Files.createTempFile(work, "file", ""), content);
    return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
  }

  static String exec(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new AssertionError(String.join(" ", command) + ": " + said);
    }
    return said;
  }

  void removeContainers() {
    engine.list(LABELS).forEach(container -> engine.remove(container.id()));
  }

  /** Containers first, then their network, then the service, then its files. */
  @Override
  public void close() throws Exception {
    try (Libpod libpod = new Libpod(socket())) {
      removeContainers();
      libpod.delete("removing the network", "networks", "weir").query("force", "true").found();
    } catch (EngineException e) {
      System.err.println("the test leaves something behind: " + e.getMessage());
    }
    engine.close();
    assertNoNetworkLeft();
    for (String mount : mountsBelow(work)) {
      exec("umount", mount);
    }
    delete(work);
    delete(run);
  }

  private void assertNoNetworkLeft() throws Exception {
    String ours = bridge();
    String seen = exec("ip", "netns") + exec("ip", "-o", "link") + exec("nft", "list", "tables");
    if (seen.contains(ours) || seen.contains("w" + ours.substring(ours.indexOf('-') + 1) + "-")) {
      throw new AssertionError("left behind of " + ours + ": " + seen);
    }
  }

  /** Names of the network namespaces that exist for this engine. */
  Set<String> namespaces() throws IOException {
    if (!Files.isDirectory(ReadyNetwork.FOLDER)) {
      return Set.of();
    }
    try (Stream<Path> all = Files.list(ReadyNetwork.FOLDER)) {
      return all.map(path -> path.getFileName().toString()).filter(name -> name.startsWith(bridge() + "-"))
          .collect(Collectors.toSet());
    }
  }

  static List<String> mountsBelow(Path directory) throws IOException {
    try (Stream<String> mounts = Files.lines(Path.of("/proc/self/mounts"))) {
      return mounts.map(line -> line.split(" ")[1]).filter(mount -> mount.startsWith(directory.toString() + "/"))
          .sorted(Comparator.reverseOrder()).toList();
    }
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (java.nio.file.NoSuchFileException e) {
      // was never made
    }
  }
}
