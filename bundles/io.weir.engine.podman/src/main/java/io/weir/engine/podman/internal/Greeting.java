package io.weir.engine.podman.internal;

import io.weir.engine.ContainerStatus;
import io.weir.engine.EngineException;
import io.weir.engine.EngineInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** What is done when a service comes up: learn what it is, and see to the functions' network. */
final class Greeting {
  private static final int SUBNETS_TRIED = 16;

  private final Settings settings;
  private final boolean embedded;
  private final Path socket;
  private final OwnCgroup cgroup;
  private final Optional<Places> places;

  /** @param places where containers live, if network namespaces of our own are possible here */
  Greeting(Settings settings, boolean embedded, Path socket, OwnCgroup cgroup, Optional<Places> places) {
    this.settings = settings;
    this.embedded = embedded;
    this.socket = socket;
    this.cgroup = cgroup;
    this.places = places;
  }

  Session greet(Libpod libpod) {
    Map<String, Object> info = Json.object(libpod.get("asking Podman what it is", "info")
        .within(settings.callTimeout()).text());
    Map<String, Object> host = Json.object(info, "host");
    Map<String, Object> runtime = Json.object(host, "ociRuntime");
    boolean rootless = Json.flag(Json.object(host, "security"), "rootless");
    EngineInfo engine = new EngineInfo(Json.text(Json.object(info, "version"), "Version"),
        (Json.text(runtime, "name") + " " + version(Json.text(runtime, "version"))).strip(), socket.toString(),
        embedded, rootless, Json.text(host, "cgroupVersion"));
    Session.Runtime program = new Session.Runtime(Path.of(Json.nonEmpty(runtime, "path").orElse("runc")));
    if (rootless) {
      return new Session(engine, Optional.empty(), Optional.empty(), mayRaiseOomScore(), Optional.empty(), program);
    }
    String manager = Json.text(host, "cgroupManager");
    if (embedded) {
      cgroup.keepFreezing();
      cgroup.open(manager);
    }
    // A Podman that is there already may have reasons for where its containers are.
    Optional<String> parent = Optional.of(cgroup.parent(manager)).filter(own -> embedded);
    if (places.isPresent()) {
      places.get().open(() -> containers(libpod));
      return new Session(engine, Optional.empty(), places, mayRaiseOomScore(), parent, program);
    }
    ensureNetwork(libpod);
    return new Session(engine, Optional.of(settings.network()), Optional.empty(), mayRaiseOomScore(), parent, program);
  }

  /** {@code crun version 1.21} or {@code runc version 1.1.5+ds1}, more lines following. */
  static String version(String text) {
    return text.lines().findFirst().orElse("").replaceFirst("^\\S+ version ", "").replaceFirst("[+~-].*", "");
  }

  private List<ContainerStatus> containers(Libpod libpod) {
    return Json.objects(libpod.get("listing containers", "containers", "json").query("all", "true")
        .within(settings.callTimeout()).text()).stream().map(Containers::listed).toList();
  }

  void ensureNetwork(Libpod libpod) {
    String what = "looking for network " + settings.network();
    try {
      libpod.get(what, "networks", settings.network(), "json").within(settings.callTimeout()).run();
      return;
    } catch (EngineException e) {
      if (!Failures.networkIsMissing(e)) {
        throw e;
      }
    }
    Iterator<Subnet> candidates = settings.subnet().map(Stream::of)
        .orElseGet(() -> Subnet.free(socket.hashCode(), Subnet.routed()).limit(SUBNETS_TRIED)).iterator();
    while (true) {
      Subnet subnet = candidates.next();
      try {
        create(libpod, subnet);
        return;
      } catch (EngineException e) {
        // Networks of this Podman that have no bridge yet show in no route.
        if (!candidates.hasNext() || !e.getMessage().contains("already used")) {
          throw e;
        }
      }
    }
  }

  private void create(Libpod libpod, Subnet subnet) {
    Map<String, Object> network = new LinkedHashMap<>();
    network.put("name", settings.network());
    network.put("driver", "bridge");
    network.put("subnets", List.of(Map.of("subnet", subnet.toString())));
    network.put("dns_enabled", false);
    network.put("labels", Map.of("weir.managed", "true"));
    if (embedded) {
      // Podman numbers its bridges by what it sees, and does not see those that another store has not yet brought up.
      network.put("network_interface", String.format("weir%08x", socket.hashCode()));
    }
    libpod.post("creating network " + settings.network() + " (" + subnet + ")", network, "networks", "create")
        .within(settings.callTimeout()).run();
  }

  /** A process may raise its children's score, but only CAP_SYS_RESOURCE may lower it below its own. */
  private static boolean mayRaiseOomScore() {
    try {
      return Integer.parseInt(Files.readString(Path.of("/proc/self/oom_score_adj")).strip()) <= Containers.OOM_SCORE;
    } catch (IOException | NumberFormatException e) {
      return false;
    }
  }
}
