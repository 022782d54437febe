package io.weir.engine.podman.internal;

import io.weir.child.Root;
import io.weir.engine.ContainerEngine;
import io.weir.engine.ContainerSpec;
import io.weir.engine.ContainerStats;
import io.weir.engine.ContainerStatus;
import io.weir.engine.EngineEvent;
import io.weir.engine.EngineException;
import io.weir.engine.EngineException.Code;
import io.weir.engine.EngineInfo;
import io.weir.engine.Residence;
import io.weir.engine.podman.internal.RunningCgroups.Cgroup;
import io.weir.event.Events;
import io.weir.event.GatewayEvent;
import io.weir.event.Part;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Podman, either a service of our own or one that is there. */
@Component(name = PodmanEngine.PID, configurationPid = PodmanEngine.PID, immediate = true,
    configurationPolicy = ConfigurationPolicy.REQUIRE, service = {ContainerEngine.class, Part.class})
@Designate(ocd = PodmanConfig.class)
public final class PodmanEngine implements ContainerEngine, Part {
  static final String PID = "io.weir.engine.podman";
  private static final Logger LOG = LoggerFactory.getLogger(PodmanEngine.class);
  /** An own service may take this long on a slow card before its absence is news. */
  private static final Duration EMBEDDED_START = Duration.ofSeconds(20);
  static final int STARTS_AT_ONCE = 2 * Runtime.getRuntime().availableProcessors();

  private final Settings settings;
  private final Libpod libpod;
  private final Greeting greeting;
  private final Presence<Session> presence;
  private final Optional<EmbeddedService> embedded;
  private final Calls calls;
  private final Images images;
  private final RunningCgroups cgroups;
  private final Freezing freezing;
  private final Leftovers leftovers;
  private final Optional<Places> places;
  private final OwnCgroup ownCgroup;
  private final Residences residences;
  private final OomLog oomLog = new OomLog(OomLog.KERNEL_LOG);
  private final Semaphore startsAtOnce = new Semaphore(STARTS_AT_ONCE, true);
  private final Set<EventWatch> watches = ConcurrentHashMap.newKeySet();

  @Activate
  public PodmanEngine(BundleContext context, @Reference Events events, PodmanConfig config) {
    this(directory(context, "weir.run", "/run/weir"), directory(context, "weir.data", "/var/lib/weir"),
        Settings.of(config), events);
  }

  PodmanEngine(Path run, Path data, Settings settings, Events events) {
    this.settings = settings;
    Path ownRun = run.toAbsolutePath().resolve("engine");
    Path socket = settings.socket().orElse(EmbeddedService.socket(ownRun));
    boolean own = settings.socket().isEmpty();
    this.libpod = new Libpod(socket);
    CgroupTree tree = new CgroupTree(CgroupTree.MOUNT);
    this.ownCgroup = new OwnCgroup(tree, socket);
    this.cgroups = new RunningCgroups(tree);
    this.leftovers = new Leftovers(ownCgroup);
    this.places = (own ? NetworkNamespaces.possible(socket.hashCode(), settings) : Optional.<NetworkNamespaces>empty())
        .map(Places::new);
    this.residences = new Residences(ownCgroup, places);
    this.greeting = new Greeting(settings, own, socket, ownCgroup, places);
    this.presence = new Presence<>(libpod, greeting::greet, this::described,
        state -> events.publish(new GatewayEvent.PartChanged(Instant.now(), name(), state)),
        own ? EMBEDDED_START : Duration.ZERO);
    this.embedded = own
        ? Optional.of(new EmbeddedService(ownRun, data.toAbsolutePath(), settings, presence::hopeless))
        : Optional.empty();
    this.calls = new Calls(libpod, settings, presence);
    this.images = new Images(calls, embedded, () -> watches.forEach(EventWatch::imagesChanged));
    this.freezing = new Freezing(calls, cgroups);
    presence.start();
  }

  private String described(Session session) {
    return "podman " + session.info().version() + " with " + session.info().runtime()
        + embedded.map(service -> ", " + service.stateIn()).orElse("");
  }

  private static Path directory(BundleContext context, String property, String fallback) {
    String configured = context.getProperty(property);
    return Path.of(configured == null || configured.isBlank() ? fallback : configured);
  }

  @Deactivate
  void close() throws IOException {
    presence.close();
    watches.forEach(EventWatch::close);
    oomLog.close();
    libpod.close();
    embedded.ifPresent(EmbeddedService::close);
    if (embedded.isPresent()) {
      leftovers.close();
    }
    places.ifPresent(Places::close);
  }

  /** Pid of our own service, for tests; 0 if there is none. */
  long servicePid() {
    return embedded.map(EmbeddedService::pid).orElse(0L);
  }

  /** Pid of the service that writes images, for tests; 0 if there is none. */
  long imageServicePid() {
    return embedded.flatMap(EmbeddedService::images).map(ImageService::pid).orElse(0L);
  }

  @Override
  public EngineInfo info() {
    return calls.call("asking whether Podman is there", session -> {
      libpod.ping(settings.callTimeout());
      return session.info();
    });
  }

  @Override
  public String create(ContainerSpec spec) {
    String what = "creating container " + spec.name() + " from " + spec.image();
    return calls.call(what, session -> {
      try {
        return create(what, spec, session);
      } catch (EngineException e) {
        if (!Failures.networkIsMissing(e)) {
          throw e;
        }
        greeting.ensureNetwork(libpod);
        return create(what, spec, session);
      }
    });
  }

  private String create(String what, ContainerSpec spec, Session session) {
    if (session.places().isPresent()) {
      return session.places().get().settle(spec.port(),
          network -> create(what, session, Containers.create(spec, network, session.mayRaiseOomScore())));
    }
    return create(what, session, Containers.create(spec, session.network(), session.mayRaiseOomScore()));
  }

  private String create(String what, Session session, Map<String, Object> body) {
    session.cgroupParent().ifPresent(parent -> body.put("cgroup_parent", parent));
    return Json.text(Json.object(libpod.post(what, body, "containers", "create").within(settings.callTimeout()).text()),
        "Id");
  }

  @Override
  public void init(String id) {
    starting("preparing container " + id, id, "init");
  }

  @Override
  public InetSocketAddress start(String id) {
    starting("starting container " + id, id, "start");
    return places.flatMap(known -> known.of(id)).map(Places.Place::address).orElseGet(() -> addressOf(id));
  }

  private InetSocketAddress addressOf(String id) {
    ContainerStatus started = inspect(id);
    return started.address().orElseThrow(() -> started.state() == ContainerStatus.State.RUNNING
        ? new EngineException(Code.FAILED, id + " runs but has no address; check the engine's network")
        : new EngineException(Code.START_FAILED, "starting container " + id + " failed: it ended at once with exit code "
            + started.exitCode() + "; its last words: " + String.join("\n", logs(id, 5))));
  }

  /** One after the other they are through sooner than all at once, and Podman stays answerable meanwhile. */
  private void starting(String what, String id, String verb) {
    try {
      if (!startsAtOnce.tryAcquire(settings.startTimeout().toNanos(), TimeUnit.NANOSECONDS)) {
        throw new EngineException(Code.TIMEOUT, what + " failed: other starts took longer than "
            + settings.startTimeout().toSeconds() + " s; the machine may be overloaded");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new EngineException(Code.UNAVAILABLE, what + " was interrupted: the gateway is stopping", e);
    }
    try {
      calls.run(what, session -> libpod.post(what, "containers", id, verb).within(settings.startTimeout()).starting());
    } finally {
      startsAtOnce.release();
    }
  }

  @Override
  public void freeze(String id) {
    freezing.freeze(id);
  }

  @Override
  public void thaw(String id) {
    freezing.thaw(id);
  }

  @Override
  public boolean thawAtOnce(String id) {
    return freezing.thawAtOnce(id);
  }

  @Override
  public void stop(String id, Duration grace) {
    freezing.makeMortal(id);
    String what = "stopping container " + id;
    long seconds = grace.plusMillis(999).toSeconds();
    calls.run(what, session -> libpod.post(what, "containers", id, "stop").query("timeout", Long.toString(seconds))
        .within(settings.callTimeout().plusSeconds(seconds)));
  }

  @Override
  public void remove(String id) {
    String what = "removing container " + id;
    String full = places.isPresent() ? idWithPlace(id) : id;
    try {
      makeMortalIfThere(id);
      delete(what, id);
    } catch (EngineException e) {
      if (e.code() != Code.CONFLICT && e.code() != Code.FAILED) {
        throw e;
      }
      LOG.debug("{}: again, without its processes", what, e);
      // With its conmon dead Podman waits for a death that nobody reports, but it deletes what does not run.
      clear(what, id);
      delete(what, id);
    }
    clear(what, id);
    cgroups.forget(id);
    places.ifPresent(known -> known.leave(full));
  }

  private void makeMortalIfThere(String id) {
    try {
      freezing.makeMortal(id);
    } catch (EngineException e) {
      if (e.code() != Code.NO_SUCH_CONTAINER) {
        throw e;
      }
    }
  }

  private void delete(String what, String id) {
    try {
      calls.run(what, session -> libpod.delete(what, "containers", id).query("force", "true").query("v", "true")
          .query("timeout", "0").within(settings.callTimeout()));
    } catch (EngineException e) {
      if (e.code() != Code.NO_SUCH_CONTAINER) {
        throw e;
      }
    }
  }

  /** The container's full id; afterwards its place is known, also if an earlier gateway made it. */
  private String idWithPlace(String id) {
    try {
      return places.flatMap(known -> known.of(id)).isPresent() ? id : inspect(id).id();
    } catch (EngineException e) {
      LOG.debug("if {} had a network, the next sweep removes it", id, e);
      return id;
    }
  }

  private void clear(String what, String id) {
    Session session = calls.session(what);
    if (session.cgroupParent().isPresent()) {
      leftovers.clear(id, session.runtime());
    }
  }

  @Override
  public ContainerStatus inspect(String id) {
    Map<String, Object> json = calls.inspect("looking at container " + id, id);
    ContainerStatus status = Containers.inspected(json, oomLog.killedIn(Json.text(json, "Id")));
    places.ifPresent(known -> known.learn(status));
    return freezing.correct(status, json);
  }

  @Override
  public List<ContainerStatus> list(Map<String, String> labels) {
    String what = "listing containers";
    String filters = Json.write(Map.of("label",
        labels.entrySet().stream().map(label -> label.getKey() + "=" + label.getValue()).toList()));
    return calls.call(what, session -> {
      List<ContainerStatus> found = Json.objects(libpod.get(what, "containers", "json").query("all", "true")
          .query("filters", filters).within(settings.callTimeout()).text()).stream().map(Containers::listed).toList();
      session.places().ifPresent(known -> found.forEach(known::learn));
      return found;
    });
  }

  @Override
  public List<String> logs(String id, int lines) {
    String what = "reading the log of container " + id;
    return calls.call(what, session -> LogFrames.lines(libpod.get(what, "containers", id, "logs").query("stdout", "true")
        .query("stderr", "true").query("tail", Integer.toString(lines)).within(settings.callTimeout()).bytes()));
  }

  @Override
  public Optional<Residence> residence(String id) {
    return residences.of(id);
  }

  @Override
  public Optional<Path> functionsCgroup() {
    return embedded.isPresent() && Root.possible() ? ownCgroup.unified() : Optional.empty();
  }

  /** Podman's own bridges are not there before their first container, so nobody could listen at their addresses. */
  @Override
  public Optional<InetAddress> gatewayAddress() {
    return calls.session("asking for the gateway's address").places().map(Places::gateway);
  }

  @Override
  public ContainerStats stats(String id) {
    String what = "metering container " + id;
    Optional<Cgroup> cgroup = cgroups.of(id).or(() -> cgroups.learn(calls.inspect(what, id)));
    if (cgroup.isPresent()) {
      try {
        return cgroup.get().meter().read();
      } catch (IOException e) {
        LOG.debug("{}: asking Podman instead", what, e);
        cgroups.forget(id);
      }
    }
    return calls.call(what, session -> {
      List<Map<String, Object>> stats = Json.objects(Json.object(libpod.get(what, "containers", "stats")
          .query("containers", id).query("stream", "false").within(settings.callTimeout()).text()), "Stats");
      if (stats.isEmpty()) {
        throw new EngineException(Code.NO_SUCH_CONTAINER, what + " failed: it does not run");
      }
      Map<String, Object> one = stats.get(0);
      return new ContainerStats(Json.number(one, "CPUNano"), Json.number(one, "MemUsage"),
          Json.number(one, "MemLimit"), (int) Json.number(one, "PIDs"));
    });
  }

  @Override
  public void sweep() {
    String what = "looking for what containers left behind";
    Session session = calls.session(what);
    if (session.cgroupParent().isPresent()) {
      leftovers.sweep(session.runtime(), () -> Set.copyOf(calls.call(what, now -> Json.objects(
          libpod.get(what, "containers", "json").query("all", "true").within(settings.callTimeout()).text())).stream()
          .map(container -> Json.text(container, "Id")).toList()));
    }
    session.places().ifPresent(known -> {
      known.sweep(() -> list(Map.of()));
      known.mend();
    });
  }

  @Override
  public AutoCloseable watch(String label, String value, Consumer<EngineEvent> listener) {
    EventWatch watch = new EventWatch(libpod, presence::ready, label, value, listener);
    watches.add(watch);
    return () -> {
      watches.remove(watch);
      watch.close();
    };
  }

  @Override
  public Optional<String> imageId(String reference) {
    return images.id(reference);
  }

  @Override
  public List<String> load(InputStream archive) {
    return images.load(archive);
  }

  @Override
  public void save(String reference, OutputStream to) {
    images.save(reference, to);
  }

  @Override
  public void removeImage(String reference) {
    images.remove(reference);
  }

  @Override
  public void importImage(String reference, List<String> changes, InputStream rootfs) {
    images.importImage(reference, changes, rootfs);
  }

  @Override
  public void build(String reference, InputStream context, Consumer<String> progress) {
    images.build(reference, context, progress);
  }

  @Override
  public void pull(String reference, Consumer<String> progress) {
    images.pull(reference, progress);
  }

  @Override
  public String name() {
    return "engine";
  }

  @Override
  public boolean ready() {
    return presence.ready();
  }

  @Override
  public String state() {
    return presence.state();
  }
}
