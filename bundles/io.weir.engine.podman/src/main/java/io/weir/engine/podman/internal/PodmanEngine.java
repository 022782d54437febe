package io.weir.engine.podman.internal;

import io.weir.engine.ContainerEngine;
import io.weir.engine.ContainerSpec;
import io.weir.engine.ContainerStats;
import io.weir.engine.ContainerStatus;
import io.weir.engine.EngineEvent;
import io.weir.engine.EngineException;
import io.weir.engine.EngineException.Code;
import io.weir.engine.EngineInfo;
import io.weir.engine.podman.internal.RunningCgroups.Cgroup;
import io.weir.event.Events;
import io.weir.event.GatewayEvent;
import io.weir.event.Part;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.ConnectException;
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
import java.util.function.Function;
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
  /** Whatever cannot be stopped in this time waits for a device; the caller should not wait with it. */
  private static final Duration FREEZES_WITHIN = Duration.ofSeconds(1);
  static final int STARTS_AT_ONCE = 2 * Runtime.getRuntime().availableProcessors();

  private final Settings settings;
  private final Libpod libpod;
  private final Greeting greeting;
  private final Presence<Session> presence;
  private final Optional<EmbeddedService> embedded;
  private final RunningCgroups cgroups;
  private final Leftovers leftovers;
  private final Optional<Places> places;
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
    OwnCgroup ownCgroup = new OwnCgroup(tree, socket);
    this.cgroups = new RunningCgroups(tree);
    this.leftovers = new Leftovers(ownCgroup);
    this.places = (own ? NetworkNamespaces.possible(socket.hashCode(), settings) : Optional.<NetworkNamespaces>empty())
        .map(Places::new);
    this.greeting = new Greeting(settings, own, socket, ownCgroup, places);
    this.presence = new Presence<>(libpod, greeting::greet, this::described,
        state -> events.publish(new GatewayEvent.PartChanged(Instant.now(), name(), state)),
        own ? EMBEDDED_START : Duration.ZERO);
    this.embedded = own
        ? Optional.of(new EmbeddedService(ownRun, data.toAbsolutePath(), settings, presence::hopeless))
        : Optional.empty();
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

  /**
   * Makes a call once the service is there. One that found nobody listening was never heard, so it is made again when
   * the service is back.
   */
  private <T> T call(String what, Function<Session, T> call) {
    Session session = presence.await(what, settings.serviceWait());
    try {
      return call.apply(session);
    } catch (EngineException e) {
      if (e.code() != Code.UNAVAILABLE || e.getCause() instanceof InterruptedIOException) {
        throw e;
      }
      presence.suspect(session);
      if (!(e.getCause() instanceof ConnectException)) {
        throw e;
      }
      LOG.debug("{}: again, nobody listened", what);
      return call.apply(presence.await(what, settings.serviceWait()));
    }
  }

  private void run(String what, Function<Session, Libpod.Req> request) {
    call(what, session -> request.apply(session).text());
  }

  @Override
  public EngineInfo info() {
    return call("asking whether Podman is there", session -> {
      libpod.ping(settings.callTimeout());
      return session.info();
    });
  }

  @Override
  public String create(ContainerSpec spec) {
    String what = "creating container " + spec.name() + " from " + spec.image();
    return call(what, session -> {
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
      run(what, session -> libpod.post(what, "containers", id, verb).within(settings.startTimeout()).starting());
    } finally {
      startsAtOnce.release();
    }
  }

  @Override
  public void freeze(String id) {
    String what = "freezing container " + id;
    Optional<Freezer> known = cgroups.of(id).flatMap(Cgroup::freezer);
    if (known.isPresent() && frozen(what, id, known.get())) {
      return;
    }
    Map<String, Object> json = json(what, id);
    if (paused(json)) {
      return;
    }
    Optional<Freezer> freezer = cgroups.learn(json).flatMap(Cgroup::freezer);
    if (freezer.isEmpty() || !frozen(what, id, freezer.get())) {
      run(what, session -> libpod.post(what, "containers", id, "pause").within(settings.callTimeout()));
    }
  }

  /** False if its freezer cannot be used any more. */
  private boolean frozen(String what, String id, Freezer freezer) {
    try {
      if (freezer.freeze(FREEZES_WITHIN)) {
        return true;
      }
    } catch (IOException e) {
      LOG.debug("{}: asking Podman instead", what, e);
      cgroups.forget(id);
      return false;
    }
    throw new EngineException(Code.TIMEOUT, what + " failed: some of its processes still ran after "
        + FREEZES_WITHIN.toSeconds() + " s, probably they wait for a disk or a network file system; it runs on");
  }

  @Override
  public void thaw(String id) {
    if (thawed(id, cgroups.of(id))) {
      return;
    }
    String what = "thawing container " + id;
    Map<String, Object> json = json(what, id);
    if (paused(json)) {
      run(what, session -> libpod.post(what, "containers", id, "unpause").within(settings.callTimeout()));
    } else {
      thawed(id, cgroups.learn(json));
    }
  }

  /** False if Podman must be asked. */
  private boolean thawed(String id, Optional<Cgroup> cgroup) {
    Optional<Freezer> freezer = cgroup.flatMap(Cgroup::freezer);
    try {
      if (freezer.isPresent()) {
        freezer.get().thaw();
      }
      return freezer.isPresent();
    } catch (IOException e) {
      LOG.debug("container {} is not thawed, it seems to be gone", id, e);
      cgroups.forget(id);
      return false;
    }
  }

  private static boolean paused(Map<String, Object> json) {
    return Containers.state(Json.text(Json.object(json, "State"), "Status")) == ContainerStatus.State.PAUSED;
  }

  /** A signal reaches a frozen process only when it runs again, and Podman does not know what we froze. */
  private void mortal(String id) {
    cgroups.forget(id);
    thaw(id);
  }

  private void mortalIfThere(String id) {
    try {
      mortal(id);
    } catch (EngineException e) {
      if (e.code() != Code.NO_SUCH_CONTAINER) {
        throw e;
      }
    }
  }

  @Override
  public void stop(String id, Duration grace) {
    mortal(id);
    String what = "stopping container " + id;
    long seconds = grace.plusMillis(999).toSeconds();
    run(what, session -> libpod.post(what, "containers", id, "stop").query("timeout", Long.toString(seconds))
        .within(settings.callTimeout().plusSeconds(seconds)));
  }

  @Override
  public void remove(String id) {
    String what = "removing container " + id;
    String full = places.isPresent() ? idWithPlace(id) : id;
    try {
      mortalIfThere(id);
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

  private void delete(String what, String id) {
    try {
      run(what, session -> libpod.delete(what, "containers", id).query("force", "true").query("v", "true")
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
    Session session = presence.await(what, settings.serviceWait());
    if (session.cgroupParent().isPresent()) {
      leftovers.clear(id, session.runtime());
    }
  }

  @Override
  public ContainerStatus inspect(String id) {
    Map<String, Object> json = json("looking at container " + id, id);
    ContainerStatus status = Containers.inspected(json, oomLog.killedIn(Json.text(json, "Id")));
    places.ifPresent(known -> known.learn(status));
    return cgroups.learn(json).flatMap(Cgroup::freezer).filter(PodmanEngine::isFrozen).isPresent()
        ? Containers.paused(status) : status;
  }

  private static boolean isFrozen(Freezer freezer) {
    try {
      return freezer.frozen();
    } catch (IOException e) {
      LOG.debug("it ended meanwhile", e);
      return false;
    }
  }

  private Map<String, Object> json(String what, String id) {
    return call(what, session -> Json.object(libpod.get(what, "containers", id, "json")
        .within(settings.callTimeout()).text()));
  }

  @Override
  public List<ContainerStatus> list(Map<String, String> labels) {
    String what = "listing containers";
    String filters = Json.write(Map.of("label",
        labels.entrySet().stream().map(label -> label.getKey() + "=" + label.getValue()).toList()));
    return call(what, session -> {
      List<ContainerStatus> found = Json.objects(libpod.get(what, "containers", "json").query("all", "true")
          .query("filters", filters).within(settings.callTimeout()).text()).stream().map(Containers::listed).toList();
      session.places().ifPresent(known -> found.forEach(known::learn));
      return found;
    });
  }

  @Override
  public List<String> logs(String id, int lines) {
    String what = "reading the log of container " + id;
    return call(what, session -> LogFrames.lines(libpod.get(what, "containers", id, "logs").query("stdout", "true")
        .query("stderr", "true").query("tail", Integer.toString(lines)).within(settings.callTimeout()).bytes()));
  }

  @Override
  public ContainerStats stats(String id) {
    String what = "metering container " + id;
    Optional<Cgroup> cgroup = cgroups.of(id).or(() -> cgroups.learn(json(what, id)));
    if (cgroup.isPresent()) {
      try {
        return cgroup.get().meter().read();
      } catch (IOException e) {
        LOG.debug("{}: asking Podman instead", what, e);
        cgroups.forget(id);
      }
    }
    return call(what, session -> {
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
    Session session = presence.await(what, settings.serviceWait());
    if (session.cgroupParent().isPresent()) {
      leftovers.sweep(session.runtime(), () -> Set.copyOf(call(what, now -> Json.objects(
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
    String what = "looking for image " + reference;
    return call(what, session -> libpod.get(what, "images", reference, "exists").within(settings.callTimeout()).found()
        ? Optional.of(Json.text(Json.object(libpod.get(what, "images", reference, "json")
            .within(settings.callTimeout()).text()), "Id"))
        : Optional.empty());
  }

  /** Work on images goes to whoever may write them. */
  private <T> T onImages(String what, Function<Libpod, T> work) {
    // Only the service that runs knows whether another one writes.
    presence.await(what, settings.serviceWait());
    T result = embedded.flatMap(EmbeddedService::images).map(images -> images.use(what, work))
        .orElseGet(() -> call(what, here -> work.apply(libpod)));
    watches.forEach(EventWatch::imagesChanged);
    return result;
  }

  @Override
  public List<String> load(InputStream archive) {
    String what = "loading an image archive";
    return onImages(what, podman -> Json.strings(Json.object(podman.upload(what, archive, "images", "load")
        .within(settings.imageTimeout()).text()), "Names"));
  }

  @Override
  public void importImage(String reference, List<String> changes, InputStream rootfs) {
    String what = "importing image " + reference;
    onImages(what, podman -> {
      Libpod.Req request = podman.upload(what, rootfs, "images", "import").query("reference", reference)
          .within(settings.imageTimeout());
      changes.forEach(change -> request.query("changes", change));
      return request.text();
    });
  }

  /** Without a {@code dockerfile} parameter Podman looks for Containerfile, then for Dockerfile. */
  @Override
  public void build(String reference, InputStream context, Consumer<String> progress) {
    String what = "building image " + reference;
    onImages(what, podman -> {
      Progress told = new Progress(what, progress);
      podman.upload(what, context, "build").query("t", reference).query("pullpolicy", "never")
          // Or what a failed build, or one with nothing to do, worked on stays mounted.
          .query("forcerm", "true").query("isolation", "chroot").within(settings.imageTimeout()).lines(told);
      return told.done();
    });
  }

  @Override
  public void pull(String reference, Consumer<String> progress) {
    String what = "pulling image " + reference;
    onImages(what, podman -> {
      Progress told = new Progress(what, progress);
      podman.post(what, "images", "pull").query("reference", reference).query("policy", "missing").stream()
          .within(settings.imageTimeout()).lines(told);
      return told.done();
    });
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
