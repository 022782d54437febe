package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import tools.jackson.jr.ob.JSON;

/**
 * The real distribution in a process of its own: Felix, Podman service, Mosquitto and all.
 *
 * <p>Each gateway has folders and ports of its own. {@link #close} stops it and fails if anything of it is left.
 */
public final class Gateway implements AutoCloseable {
  private static final Path WORK = Path.of(System.getProperty("weir.work"));
  private static final Path DIST = Path.of(System.getProperty("weir.dist"));
  public static final Duration LONG = Duration.ofSeconds(60);
  /** Above those that a gateway gives to functions, and below the kernel's ephemeral ones. */
  private static final int FIRST_PORT = 21_000;
  private static final int PORTS = 3_000;
  private static final AtomicInteger NEXT_PORT = new AtomicInteger((int) (ProcessHandle.current().pid() * 61 % PORTS));

  private final HttpClient client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
  private final String name;
  private final Map<String, String> environment;
  private final Path home;
  private final Path data;
  private final Path run;
  public final int httpPort = freePort();
  public final int mqttPort = freePort();
  private final Leftovers leftovers;
  private Process process;

  /** Prepares a copy of the distribution, whose settings a test may change, and starts it. */
  public static Gateway start(String name, Map<String, String> settings) throws Exception {
    return start(name, settings, Map.of());
  }

  /** The same with more in its environment. */
  public static Gateway start(String name, Map<String, String> settings, Map<String, String> environment)
      throws Exception {
    Gateway gateway = new Gateway(name, environment);
    for (var setting : settings.entrySet()) {
      String pid = setting.getKey().substring(0, setting.getKey().indexOf('/'));
      String line = setting.getKey().substring(pid.length() + 1) + "=" + setting.getValue() + "\n";
      Files.writeString(gateway.home.resolve("conf").resolve(pid + ".cfg"), line, java.nio.file.StandardOpenOption.APPEND);
    }
    try {
      gateway.start();
      return gateway;
    } catch (Throwable e) {
      gateway.stop();
      throw e;
    }
  }

  public static Gateway start(String name) throws Exception {
    return start(name, Map.of());
  }

  private Gateway(String name, Map<String, String> environment) throws IOException {
    this.name = name;
    this.environment = environment;
    Path folder = WORK.resolve(name);
    this.home = folder.resolve("dist");
    this.data = folder.resolve("data");
    // Short, because socket paths have at most 107 bytes, and on tmpfs, as it is on a gateway.
    this.run = memory().resolve("weir-it-" + name + "-" + ProcessHandle.current().pid());
    this.leftovers = new Leftovers(data, run);
    leftovers.unmount();   // what a test run that was killed may have left
    deleteTree(folder);
    installTo(home);
    Files.createDirectories(data);
    Files.createDirectories(run);
  }

  private static Path memory() throws IOException {
    Path shm = Path.of("/dev/shm");
    return Files.getFileStore(shm).type().equals("tmpfs") ? shm : Path.of("/run");
  }

  private void start() throws IOException {
    ProcessBuilder builder = new ProcessBuilder(home.resolve("bin/weir-gateway").toString());
    builder.environment().putAll(Map.of("WEIR_DATA", data.toString(), "WEIR_RUN", run.toString(),
        "WEIR_HTTP_PORT", Integer.toString(httpPort), "WEIR_MQTT_PORT", Integer.toString(mqttPort), "WEIR_LOG", "file"));
    builder.environment().putAll(environment);
    Path out = data.resolve("out.txt");
    process = builder.redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.appendTo(out.toFile())).start();
    awaitReady();
  }

  /** Where it keeps what must survive a restart. */
  public Path data() {
    return data;
  }

  public void awaitReady() {
    Awaitility.await("gateway " + name + " is ready; see " + data.resolve("log/weir.log")).atMost(LONG)
        .pollInterval(Duration.ofMillis(50)).until(() -> {
          assertThat(process.isAlive()).as("gateway process").isTrue();
          return healthy();
        });
  }

  private boolean healthy() {
    try {
      return get("/healthz").statusCode() == 200;
    } catch (UncheckedIOException e) {
      return false;
    }
  }

  /** As a power cut would: the gateway gets no chance to say goodbye. */
  public void kill() throws Exception {
    leftovers.remember();
    process.destroyForcibly().waitFor();
  }

  /** Whether its process is there; false once somebody else has killed it. */
  public boolean isAlive() {
    return process.isAlive();
  }

  public void killAndRestart() throws Exception {
    kill();
    start();
  }

  /** After {@link #stop} or {@link #kill}, with the same data. */
  public void startAgain() throws IOException {
    start();
  }

  public long pid() {
    return process.pid();
  }

  /** Where this gateway is installed. */
  public Path home() {
    return home;
  }

  public Path functionsFolder() throws IOException {
    return Files.createDirectories(data.resolve("functions.d"));
  }

  public Path log() {
    return data.resolve("log/weir.log");
  }

  public HttpResponse<String> get(String path) {
    return send(request(path).GET());
  }

  public HttpResponse<String> post(String path, String body, String... headers) {
    HttpRequest.Builder request = request(path).POST(HttpRequest.BodyPublishers.ofString(body));
    for (int i = 0; i < headers.length; i += 2) {
      request.header(headers[i], headers[i + 1]);
    }
    return send(request);
  }

  public HttpResponse<String> put(String path, String json) {
    return send(request(path).PUT(HttpRequest.BodyPublishers.ofString(json)).header("Content-Type", "application/json"));
  }

  public HttpResponse<String> delete(String path) {
    return send(request(path).DELETE());
  }

  public HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + httpPort + path)).timeout(LONG);
  }

  public HttpResponse<String> send(HttpRequest.Builder request) {
    try {
      return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  public HttpClient client() {
    return client;
  }

  public Map<String, Object> json(String path) {
    try {
      return JSON.std.mapFrom(get(path).body());
    } catch (RuntimeException e) {
      throw new AssertionError("no JSON at " + path, e);
    }
  }

  @SuppressWarnings("unchecked")
  public List<Map<String, Object>> list(String path, String key) {
    return (List<Map<String, Object>>) json(path).get(key);
  }

  public List<Map<String, Object>> instancesOf(String function) {
    return list("/api/v1/instances", "instances").stream().filter(i -> i.get("function").equals(function)).toList();
  }

  /** How its last invocation ended. */
  public Map<String, Object> lastInvocation(String function) {
    return list("/api/v1/invocations?function=" + function + "&limit=1", "invocations").get(0);
  }

  /** Brings a function to a rung of the ladder, and returns when it is there. */
  public void rest(String function, String rung) {
    HttpResponse<String> response = put("/api/v1/functions/" + function + "/rung", "{\"rung\":\"" + rung + "\"}");
    assertThat(response.statusCode()).as(response.body()).isEqualTo(204);
  }

  public long counter(String counter) {
    Object value = ((Map<?, ?>) json("/api/v1/status").get("counters")).get(counter);
    return value == null ? 0 : ((Number) value).longValue();
  }

  /** Whether every request and message that it took has ended; a client may have its answer a moment before. */
  public boolean carriesNothing() {
    Map<?, ?> counters = (Map<?, ?>) json("/api/v1/status").get("counters");
    long ended = Stream.of("replied", "no-content", "rejected", "failed", "refused")
        .mapToLong(result -> ((Number) counters.get("invocations." + result)).longValue()).sum();
    return ended == ((Number) counters.get("invocations.accepted")).longValue();
  }

  public void deploy(String yaml) {
    HttpResponse<String> response = post("/api/v1/functions", yaml, "Content-Type", "application/yaml");
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
  }

  /** Makes {@code localhost/probe:1} of probe.c. */
  public void importProbe() throws Exception {
    importProbe("localhost/probe:1", "1");
  }

  /** @param version what it answers as X-Version */
  public void importProbe(String reference, String version) throws Exception {
    importProgram(reference, Programs.compileStatic("probe"), version);
  }

  /** Makes an image that holds a program and nothing else. */
  public void importProgram(String reference, Path program, String version) throws Exception {
    String name = program.getFileName().toString();
    Path tar = program.resolveSibling(name + ".tar");
    exec("tar", "-C", program.getParent().toString(), "-cf", tar.toString(), name);
    HttpResponse<String> response = send(request("/api/v1/images/import?reference=" + reference
        + "&change=" + encode("ENTRYPOINT [\"/" + name + "\"]") + "&change=" + encode("ENV VERSION=" + version))
        .header("Content-Type", "application/x-tar").POST(HttpRequest.BodyPublishers.ofFile(tar)));
    assertThat(response.statusCode()).as(response.body()).isEqualTo(201);
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  /** Runs the command line against this gateway. */
  public Result weir(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(home.resolve("bin/weir").toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("WEIR_URL", "http://127.0.0.1:" + httpPort);
    return run(builder);
  }

  /** What a program printed, and how it ended. */
  public record Result(int exitCode, String out, String err) {
    /** The one JSON document on standard output. */
    public Map<String, Object> json() {
      try {
        return JSON.std.mapFrom(out);
      } catch (RuntimeException e) {
        throw new AssertionError("no JSON: " + out + err, e);
      }
    }
  }

  public static Result run(ProcessBuilder builder) throws Exception {
    Path err = Files.createTempFile("weir-it", ".err");
    try {
      Process process = builder.redirectError(err.toFile()).start();
      process.getOutputStream().close();
      String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Result(process.waitFor(), out, Files.readString(err));
    } finally {
      Files.delete(err);
    }
  }

  public static String exec(String... command) throws Exception {
    Result result = run(new ProcessBuilder(command));
    assertThat(result.exitCode()).as(String.join(" ", command) + ": " + result.out() + result.err()).isZero();
    return result.out();
  }

  /** Its containers as the kernel sees them. */
  public Containers containers() {
    return new Containers(run);
  }

  /** Processes that name this gateway's folders in their command line or work in them: conmon, podman, the broker. */
  public List<String> processes() {
    return leftovers.processes();
  }

  /** Stops the gateway as an operator does, and looks for what it left behind. */
  public void stop() throws Exception {
    if (process.isAlive()) {
      leftovers.remember();
      process.destroy();
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("gateway ended after SIGTERM").isTrue();
    }
  }

  /** Neither processes nor mounts, networks, cgroups or programs in the kernel; once it was stopped. */
  public void assertNothingIsLeft() {
    leftovers.assertNone();
  }

  @Override
  public void close() throws Exception {
    stop();
    try {
      leftovers.assertNone();
    } finally {
      leftovers.unmount();
      deleteTree(run);
      deleteTree(data.resolve("storage"));
    }
  }

  /**
   * A port of loopback that nobody has, and that nobody gets by chance before it is used, nor while a gateway is dead: the
   * kernel gives none of these to whoever asks for any, functions have others, and no port is answered twice.
   */
  public static int freePort() {
    for (int tried = 0; tried < PORTS; tried++) {
      int port = FIRST_PORT + Math.floorMod(NEXT_PORT.getAndIncrement(), PORTS);
      try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        return socket.getLocalPort();
      } catch (BindException e) {
        continue;   // another test run's
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    throw new IllegalStateException("no port from " + FIRST_PORT + " on is free");
  }

  /** Makes a copy of the distribution whose settings a test may change. */
  public static void installTo(Path folder) throws IOException {
    copyTree(DIST, folder);
  }

  private static void copyTree(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Files.createDirectories(to.resolve(from.relativize(file)).getParent());
        if (Files.isRegularFile(file)) {
          Files.copy(file, to.resolve(from.relativize(file)), java.nio.file.StandardCopyOption.COPY_ATTRIBUTES);
        }
      }
    }
  }

  public static void deleteTree(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
