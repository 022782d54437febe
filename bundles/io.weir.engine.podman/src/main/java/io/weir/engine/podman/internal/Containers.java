package io.weir.engine.podman.internal;

import io.weir.engine.ContainerSpec;
import io.weir.engine.ContainerStatus;
import io.weir.engine.ContainerStatus.State;
import java.net.InetSocketAddress;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Containers in Podman's JSON. */
final class Containers {
  /** Tells an inspecting gateway, also one that did not create the container, which port is meant. */
  static final String PORT_LABEL = "weir.port";
  /** Name of the network namespace the gateway made for the container, and the address in it. */
  static final String NETNS_LABEL = "weir.netns";
  static final String ADDRESS_LABEL = "weir.address";
  static final String ADDRESS6_LABEL = "weir.address6";
  private static final int SIGKILLED = 128 + 9;
  private static final long CPU_PERIOD_MICROS = 100_000;
  /** The least the kernel takes. */
  private static final long LEAST_QUOTA_MICROS = 1_000;
  private static final long LOG_BYTES = 1L << 20;
  /** A function goes before the gateway and its broker when memory ends. */
  static final int OOM_SCORE = 500;

  private Containers() {}

  /**
   * The body of a create call.
   *
   * @param network network to join; empty publishes the port on 127.0.0.1 instead
   */
  static Map<String, Object> create(ContainerSpec spec, Optional<String> network, boolean mayRaiseOomScore) {
    Map<String, Object> body = body(spec, labels(spec), mayRaiseOomScore);
    if (network.isPresent()) {
      body.put("netns", Map.of("nsmode", "bridge"));
      body.put("Networks", Map.of(network.get(), Map.of()));
    } else {
      body.put("portmappings", List.of(Map.of("container_port", spec.port(), "host_port", 0,
          "host_ip", "127.0.0.1", "protocol", "tcp")));
    }
    return body;
  }

  /** The body of a create call for a container in this network. */
  static Map<String, Object> create(ContainerSpec spec, ReadyNetwork network, boolean mayRaiseOomScore) {
    Map<String, String> labels = labels(spec);
    labels.put(NETNS_LABEL, network.name());
    labels.put(ADDRESS_LABEL, network.address());
    network.address6().ifPresent(address6 -> labels.put(ADDRESS6_LABEL, address6));
    Map<String, Object> body = body(spec, labels, mayRaiseOomScore);
    body.put("netns", Map.of("nsmode", "path", "value", network.path().toString()));
    return body;
  }

  private static Map<String, String> labels(ContainerSpec spec) {
    Map<String, String> labels = new TreeMap<>(spec.labels());
    labels.put(PORT_LABEL, Integer.toString(spec.port()));
    return labels;
  }

  private static Map<String, Object> body(ContainerSpec spec, Map<String, String> labels, boolean mayRaiseOomScore) {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("name", spec.name());
    body.put("image", spec.image());
    body.put("labels", labels);
    body.put("env", spec.environment());
    harden(body);
    limit(body, spec, mayRaiseOomScore);
    body.put("log_configuration", Map.of("driver", "k8s-file", "size", LOG_BYTES));
    body.put("restart_policy", "no");
    body.put("stop_timeout", 2);
    return body;
  }

  private static void harden(Map<String, Object> body) {
    body.put("user", "1000:1000");
    body.put("read_only_filesystem", true);
    body.put("cap_drop", List.of("all"));
    body.put("no_new_privileges", true);
    body.put("use_image_hosts", true);
    body.put("image_volume_mode", "ignore");
    body.put("mounts", List.of(Map.of("Destination", "/tmp", "Type", "tmpfs", "Source", "tmpfs",
        "Options", List.of("rw", "size=16m", "mode=1777", "nosuid", "nodev"))));
  }

  /**
   * Swap equals memory, or the kernel would give as much swap again. No r_limits: Podman 4.3 replaces the limits that
   * are not given by ones this process may not be allowed to set; containers.conf has them.
   */
  private static void limit(Map<String, Object> body, ContainerSpec spec, boolean mayRaiseOomScore) {
    long quota = Math.max(LEAST_QUOTA_MICROS, Math.round(spec.limits().cpus() * CPU_PERIOD_MICROS));
    body.put("resource_limits", Map.of(
        "memory", Map.of("limit", spec.limits().memoryBytes(), "swap", spec.limits().memoryBytes()),
        "cpu", Map.of("quota", quota, "period", CPU_PERIOD_MICROS),
        "pids", Map.of("limit", spec.limits().pids())));
    if (mayRaiseOomScore) {
      body.put("oom_score_adj", OOM_SCORE);
    }
  }

  /** @param sawOomKill whether the kernel was seen killing in this container */
  static ContainerStatus inspected(Map<String, Object> json, boolean sawOomKill) {
    Map<String, Object> state = Json.object(json, "State");
    Map<String, Object> config = Json.object(json, "Config");
    Map<String, String> labels = Json.texts(config, "Labels");
    State now = state(Json.text(state, "Status"));
    boolean ended = now == State.EXITED || now == State.STOPPED;
    int exitCode = ended ? (int) Json.number(state, "ExitCode") : 0;
    return new ContainerStatus(Json.text(json, "Id"), name(Json.text(json, "Name")), Json.text(json, "ImageName"), now,
        now == State.RUNNING || now == State.PAUSED ? address(json, labels) : Optional.empty(), labels,
        (int) Json.number(state, "Pid"), exitCode,
        ended && (Json.flag(state, "OOMKilled") || sawOomKill && exitCode == SIGKILLED), instant(json));
  }

  /** What the gateway froze itself Podman still calls running. */
  static ContainerStatus paused(ContainerStatus running) {
    return new ContainerStatus(running.id(), running.name(), running.image(), State.PAUSED, running.address(),
        running.labels(), running.pid(), running.exitCode(), running.oomKilled(), running.created());
  }

  static ContainerStatus listed(Map<String, Object> json) {
    return new ContainerStatus(Json.text(json, "Id"), name(Json.strings(json, "Names").stream().findFirst().orElse("")),
        Json.text(json, "Image"), state(Json.text(json, "State")), Optional.empty(), Json.texts(json, "Labels"),
        (int) Json.number(json, "Pid"), 0, false, instant(json));
  }

  /** Where the container lives, if in a namespace of the gateway's making. */
  static Optional<Places.Place> place(Map<String, String> labels) {
    String namespace = labels.get(NETNS_LABEL);
    String address = labels.get(ADDRESS_LABEL);
    return namespace == null || address == null ? Optional.empty()
        : Optional.of(new Places.Place(namespace, new InetSocketAddress(address, port(labels)),
            Optional.ofNullable(labels.get(ADDRESS6_LABEL))));
  }

  private static Optional<InetSocketAddress> address(Map<String, Object> json, Map<String, String> labels) {
    Optional<Places.Place> place = place(labels);
    if (place.isPresent()) {
      return place.map(Places.Place::address);
    }
    int port = port(labels);
    Map<String, Object> settings = Json.object(json, "NetworkSettings");
    Optional<InetSocketAddress> published = Json.objects(Json.object(settings, "Ports"), port + "/tcp").stream()
        .findFirst().flatMap(binding -> Json.nonEmpty(binding, "HostPort"))
        .map(host -> new InetSocketAddress("127.0.0.1", Integer.parseInt(host)));
    if (published.isPresent()) {
      return published;
    }
    Map<String, Object> networks = Json.object(settings, "Networks");
    return networks.keySet().stream()
        .flatMap(network -> Json.nonEmpty(Json.object(networks, network), "IPAddress").stream())
        .findFirst().map(ip -> new InetSocketAddress(ip, port));
  }

  private static int port(Map<String, String> labels) {
    try {
      int port = Integer.parseInt(labels.getOrDefault(PORT_LABEL, "8080"));
      return port > 0 && port < 65_536 ? port : 8080;
    } catch (NumberFormatException e) {
      return 8080;
    }
  }

  static State state(String podmans) {
    return switch (podmans.toLowerCase(Locale.ROOT)) {
      case "created", "configured" -> State.CREATED;
      case "initialized" -> State.INITIALIZED;
      case "running" -> State.RUNNING;
      case "paused" -> State.PAUSED;
      case "stopped" -> State.STOPPED;
      case "exited" -> State.EXITED;
      default -> State.OTHER;
    };
  }

  private static String name(String raw) {
    return raw.startsWith("/") ? raw.substring(1) : raw;
  }

  private static Instant instant(Map<String, Object> json) {
    try {
      return OffsetDateTime.parse(Json.text(json, "Created")).toInstant();
    } catch (DateTimeException e) {
      return Instant.EPOCH;
    }
  }
}
