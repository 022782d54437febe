package io.weir.bench;

import io.weir.itest.Gateway;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.jr.ob.JSON;

/** Cold starts with nothing but curl on Podman's socket; the body is what the engine sends for the same function. */
final class CurlStarts implements AutoCloseable {
  private static final String API = "http://d/v4.0.0/libpod/containers/";
  private static final Pattern ADDRESS = Pattern.compile("\"IPAddress\": ?\"([0-9.]+)\"");

  private final String socket;
  private final Path body;
  private int count;

  CurlStarts(Gateway gateway) throws Exception {
    this.socket = String.valueOf(((Map<?, ?>) gateway.json("/api/v1/status").get("engine")).get("socket"));
    this.body = Files.createTempFile("create", ".json");
  }

  double coldStartMillis() throws Exception {
    String name = "bench-curl-" + count++;
    Files.writeString(body, JSON.std.asString(Map.ofEntries(
        Map.entry("name", name), Map.entry("image", "localhost/probe:1"),
        Map.entry("env", Map.of("PORT", "8080")), Map.entry("user", "1000:1000"),
        Map.entry("read_only_filesystem", true), Map.entry("cap_drop", List.of("all")),
        Map.entry("no_new_privileges", true), Map.entry("use_image_hosts", true),
        Map.entry("image_volume_mode", "ignore"), Map.entry("netns", Map.of("nsmode", "bridge")),
        Map.entry("Networks", Map.of("weir", Map.of())),
        Map.entry("mounts", List.of(Map.of("Destination", "/tmp", "Type", "tmpfs", "Source", "tmpfs",
            "Options", List.of("rw", "size=16m", "mode=1777", "nosuid", "nodev")))),
        Map.entry("resource_limits", Map.of("memory", Map.of("limit", 64 << 20, "swap", 64 << 20),
            "cpu", Map.of("quota", 200_000, "period", 100_000), "pids", Map.of("limit", 64))),
        Map.entry("log_configuration", Map.of("driver", "k8s-file", "size", 1 << 20)),
        Map.entry("restart_policy", "no"), Map.entry("stop_timeout", 2))));
    long began = System.nanoTime();
    String out = Gateway.exec("curl", "-s", "--unix-socket", socket, "-H", "Content-Type: application/json",
        "-d", "@" + body, API + "create", "--next", "-s", "--unix-socket", socket, "-X", "POST", API + name + "/start",
        "--next", "-s", "--unix-socket", socket, API + name + "/json");
    Matcher address = ADDRESS.matcher(out);
    if (!address.find()) {
      throw new IllegalStateException("curl started nothing: " + out);
    }
    InetSocketAddress port = new InetSocketAddress(address.group(1), 8080);
    while (!Baseline.accepts(port)) {
      if (Baseline.millisSince(began) > 30_000) {
        throw new IllegalStateException("the container started by curl does not listen");
      }
    }
    Gateway.exec("curl", "-sf", "-d", "", "http://" + address.group(1) + ":8080/");
    double took = Baseline.millisSince(began);
    Gateway.exec("curl", "-s", "--unix-socket", socket, "-X", "DELETE", API + name + "?force=true&timeout=0");
    return took;
  }

  @Override
  public void close() throws Exception {
    Files.delete(body);
  }
}
