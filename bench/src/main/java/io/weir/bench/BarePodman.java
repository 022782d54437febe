package io.weir.bench;

import io.weir.itest.Gateway;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.jr.ob.JSON;

/**
 * What Weir is compared with: its own Podman service, asked by hand. So it is the same Podman, OCI runtime, storage and
 * settings, the containers have the same limits, hardening and cgroup parent as Weir's, and live in network namespaces
 * that were made before as Weir's are ({@link Namespaces}; no bridge in between, which is in Podman's favour).
 *
 * <p>Starts are made by curl, with all calls of a start in one curl. Counted is the time that curl measured for its calls,
 * without what it costs to start curl, and the time from its last answer until the first byte of the function's answer.
 * That begins when curl says how long its call took, which it does before it ends: a container that just begins to run
 * does not wait for that end.
 */
final class BarePodman implements AutoCloseable {
  private static final String API = "/v4.0.0/libpod/containers/";
  private static final int OOM_SCORE = 500;
  /** What curl says of each call, at once: what it writes to standard output it keeps until it ends. */
  private static final String TIMES = "%{stderr}%{http_code} %{time_total}\n";
  private static final Pattern ID = Pattern.compile("\"Id\": ?\"([0-9a-f]{64})\"");

  private final Path socket;
  private final Path body;
  private final Namespaces namespaces = new Namespaces();
  private final Map<String, Container> containers = new ConcurrentHashMap<>();
  private final AtomicInteger count = new AtomicInteger();

  /** One of ours; its container may not exist yet. */
  record Container(String name, String image, Namespaces.Namespace namespace) {}

  BarePodman(Gateway gateway) throws IOException {
    this.socket = Path.of(String.valueOf(((Map<?, ?>) gateway.json("/api/v1/status").get("engine")).get("socket")));
    this.body = Files.createTempFile("create", ".json");
  }

  /** Below it are the containers of this Podman, Weir's and ours; Weir sees to it that it does not stay. */
  String cgroup() {
    return String.format("weir-%08x", socket.hashCode());
  }

  /** A name and a network for a container. */
  Container plan(String image) throws Exception {
    Container container = new Container("bench-" + count.incrementAndGet(), image, namespaces.take());
    containers.put(container.name(), container);
    return container;
  }

  Container created(String image) throws Exception {
    Container container = plan(image);
    call("POST", "create", create(container));
    return container;
  }

  void post(Container container, String verb) throws IOException {
    call("POST", container.name() + "/" + verb, "");
  }

  /** Milliseconds until a container that was created, or init'ed, has answered. */
  double start(Container container) throws Exception {
    return curl(1, "-X", "POST", url(container.name() + "/start")) + Wire.await(container.namespace().function());
  }

  /** Milliseconds until a container that does not exist yet has answered. */
  double createAndStart(Container container) throws Exception {
    Files.writeString(body, create(container));
    return curl(2, "-H", "Content-Type: application/json", "-d", "@" + body, url("create"), "--next", "-sS",
        "--unix-socket", socket.toString(), "-o", "/dev/null", "-w", TIMES,
        "-X", "POST", url(container.name() + "/start")) + Wire.await(container.namespace().function());
  }

  /** Milliseconds until a paused container has answered; this client speaks to Podman by itself. */
  double unpause(Container container) throws IOException {
    try (Wire wire = new Wire(container.namespace().function())) {   // the kernel takes it in also while it is paused
      long began = System.nanoTime();
      post(container, "unpause");
      return Baseline.millisSince(began) + wire.get("/");
    }
  }

  /** Milliseconds until a container that {@code podman run} started has answered. */
  double run(Container container) throws Exception {
    long began = System.nanoTime();
    ProcessBuilder podman = new ProcessBuilder("podman", "run", "-d", "--pull=never", "--name", container.name(),
        "--network", "ns:" + container.namespace().path(), "--no-hosts", "--user", "1000:1000", "--read-only",
        "--read-only-tmpfs=false", "--tmpfs", "/tmp:rw,size=16m,mode=1777,nosuid,nodev", "--cap-drop", "all",
        "--security-opt", "no-new-privileges", "--memory", "64m", "--memory-swap", "64m", "--cpus", "2", "--pids-limit",
        "64", "--log-driver", "k8s-file", "--cgroup-parent", "/" + cgroup(), "--env", "PORT=8080", container.image());
    Path service = socket.getParent();
    podman.environment().put("CONTAINERS_CONF", service.resolve("containers.conf").toString());
    podman.environment().put("CONTAINERS_STORAGE_CONF", service.resolve("storage.conf").toString());
    Gateway.Result result = Gateway.run(podman);
    if (result.exitCode() != 0) {
      throw new IOException("podman run failed: " + result.err());
    }
    Wire.await(container.namespace().function());
    return Baseline.millisSince(began);
  }

  void remove(Container container) throws IOException {
    call("DELETE", container.name() + "?force=true&v=true&timeout=0", "");
    containers.remove(container.name());
    namespaces.giveBack(container.namespace());
  }

  /** Milliseconds of so many calls; returns as soon as the last one is answered. */
  private double curl(int calls, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("curl", "-sS", "--unix-socket", socket.toString(), "-o", "/dev/null",
        "-w", TIMES));
    command.addAll(List.of(arguments));
    BufferedReader said = new ProcessBuilder(command).redirectErrorStream(true).start().inputReader();
    double seconds = 0;
    for (int i = 0; i < calls; i++) {
      String line = String.valueOf(said.readLine());
      if (!line.startsWith("20")) {
        throw new IOException("Podman answered curl: " + line);
      }
      seconds += Double.parseDouble(line.substring(line.indexOf(' ') + 1));
    }
    return seconds * 1e3;
  }

  private static String url(String path) {
    return "http://podman" + API + path;
  }

  /** What the engine sends for the same function. */
  private String create(Container container) throws IOException {
    Map<String, Object> all = new TreeMap<>(Map.ofEntries(
        Map.entry("name", container.name()), Map.entry("image", container.image()),
        Map.entry("env", Map.of("PORT", "8080")), Map.entry("user", "1000:1000"),
        Map.entry("read_only_filesystem", true), Map.entry("cap_drop", List.of("all")),
        Map.entry("no_new_privileges", true), Map.entry("use_image_hosts", true),
        Map.entry("image_volume_mode", "ignore"),
        Map.entry("netns", Map.of("nsmode", "path", "value", container.namespace().path())),
        Map.entry("mounts", List.of(Map.of("Destination", "/tmp", "Type", "tmpfs", "Source", "tmpfs",
            "Options", List.of("rw", "size=16m", "mode=1777", "nosuid", "nodev")))),
        Map.entry("resource_limits", Map.of("memory", Map.of("limit", 64 << 20, "swap", 64 << 20),
            "cpu", Map.of("quota", 200_000, "period", 100_000), "pids", Map.of("limit", 64))),
        Map.entry("log_configuration", Map.of("driver", "k8s-file", "size", 1 << 20)),
        Map.entry("restart_policy", "no"), Map.entry("stop_timeout", 2), Map.entry("cgroup_parent", "/" + cgroup())));
    if (Integer.parseInt(Files.readString(Path.of("/proc/self/oom_score_adj")).strip()) <= OOM_SCORE) {
      all.put("oom_score_adj", OOM_SCORE);
    }
    return JSON.std.asString(all);
  }

  private void call(String method, String path, String json) throws IOException {
    String answer = answer(method, path, json);
    if (!answer.startsWith("HTTP/1.1 2")) {
      throw new IOException(method + " " + path + " was answered: " + answer);
    }
  }

  private String answer(String method, String path, String json) throws IOException {
    byte[] content = json.getBytes(StandardCharsets.UTF_8);
    String head = method + " " + API + path + " HTTP/1.1\r\nHost: podman\r\nConnection: close\r\n"
        + "Content-Type: application/json\r\nContent-Length: " + content.length + "\r\n\r\n";
    ByteArrayOutputStream answer = new ByteArrayOutputStream();
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(socket));
      channel.write(ByteBuffer.wrap((head + json).getBytes(StandardCharsets.UTF_8)));
      ByteBuffer buffer = ByteBuffer.allocate(8192);
      while (channel.read(buffer) >= 0) {
        answer.write(buffer.array(), 0, buffer.position());
        buffer.clear();
      }
    }
    return answer.toString(StandardCharsets.UTF_8);
  }

  /** A running container that Podman itself publishes at a port of this address, by its own network. */
  Container published(String image, String host) throws Exception {
    int port;
    try (java.net.ServerSocket free = new java.net.ServerSocket(0)) {
      port = free.getLocalPort();
    }
    Container container = new Container("bench-" + count.incrementAndGet(), image,
        new Namespaces.Namespace("", new InetSocketAddress(host, port)));
    Map<String, Object> spec = JSON.std.mapFrom(create(container));
    spec.put("netns", Map.of("nsmode", "bridge"));
    spec.put("portmappings", List.of(Map.of("container_port", 8080, "host_port", port, "host_ip", host)));
    containers.put(container.name(), container);
    call("POST", "create", JSON.std.asString(spec));
    start(container);
    return container;
  }

  String id(Container container) throws IOException {
    Matcher id = ID.matcher(answer("GET", container.name() + "/json", ""));
    if (!id.find()) {
      throw new IOException(container.name() + " has no id");
    }
    return id.group(1);
  }

  /** Removes all that is left. */
  @Override
  public void close() throws Exception {
    try {
      for (Container container : List.copyOf(containers.values())) {
        String answer = answer("DELETE", container.name() + "?force=true&v=true&timeout=0", "");
        if (!answer.startsWith("HTTP/1.1 2") && !answer.startsWith("HTTP/1.1 404 ")) {
          throw new IOException(container.name() + " is left: " + answer);
        }
      }
    } finally {
      namespaces.close();
      Files.delete(body);
    }
  }
}
