package io.weir.kura.internal;

import io.weir.event.Part;
import io.weir.function.FunctionRegistry;
import io.weir.function.Problem;
import java.io.IOException;
import java.time.Duration;
import java.util.Collections;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.eclipse.kura.KuraException;
import org.eclipse.kura.configuration.ComponentConfiguration;
import org.eclipse.kura.configuration.ConfigurableComponent;
import org.eclipse.kura.configuration.ConfigurationService;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Beside each configuration of Weir a service that makes Kura keep it: an empty ConfigurableComponent with its PIDs. The
 * services themselves know nothing of Kura; it reads their metatypes and writes their configurations, they read these.
 *
 * <p>Of one thread, but for what {@link #problems} and {@link #count} tell.
 */
final class Settings {
  private static final Logger log = LoggerFactory.getLogger(Settings.class);
  static final String PREFIX = "io.weir.";
  /** Those of this bundle and of the wire component are ConfigurableComponents themselves. */
  static final String OWN = "io.weir.kura";
  static final String FUNCTION = "io.weir.function";
  static final String STATUS = "weir.status";
  /** What there is to know of the part of the gateway that a service is. */
  static final String STATE = "weir.state";
  private static final Map<String, String> PARTS = Map.of("io.weir.activator", "services", "io.weir.broker", "broker",
      "io.weir.delivery", "delivery", "io.weir.engine.podman", "engine", "io.weir.gateway.http", "http",
      "io.weir.gateway.mqtt", "mqtt", "io.weir.journal", "journal", "io.weir.kernel", "kernel",
      "io.weir.telemetry", "gateway");
  private static final String KERNEL = "io.weir.kernel";
  /** Who declared a function; the registry writes it. */
  private static final String ORIGIN = "weir.origin";
  /** Marks a configuration that is there only so that Kura deletes it; the registry knows it. */
  private static final String LEAVING = "weir.leaving";
  private static final String KURA_PID = ConfigurationService.KURA_SERVICE_PID;
  /** A deletion and what replaces it are two events, and Kura hears of its own deletions a little later than we do. */
  private static final Duration SETTLING = Duration.ofMillis(500);
  private static final Duration SNAPSHOT_DELAY = Duration.ofSeconds(1);
  private static final Duration SNAPSHOT_AGAIN = Duration.ofMinutes(1);
  /** What is not there when this begins may be on its way. */
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  /** Runs something later, on the same thread. */
  interface Later {
    void run(Runnable task, Duration delay);
  }

  private static final class Shown implements ConfigurableComponent {
    final String kuraPid;
    final Hashtable<String, Object> properties = new Hashtable<>();
    @Nullable ServiceRegistration<ConfigurableComponent> registration;

    Shown(String kuraPid) {
      this.kuraPid = kuraPid;
    }
  }

  private final BundleContext context;
  private final ConfigurationAdmin configurations;
  private final ConfigurationService kura;
  private final FunctionRegistry functions;
  private final Iterable<Part> parts;
  private final String missing;
  private final Later later;
  private final Mending mending = new Mending();
  private final Map<String, Shown> shown = new TreeMap<>();
  private final Map<String, List<String>> mended = new TreeMap<>();
  /** What was written here, to know it when ConfigurationAdmin tells of it. */
  private final Map<String, Map<String, Object>> written = new TreeMap<>();
  /** Functions that have to get into a snapshot. */
  private final Set<String> due = new TreeSet<>();
  private volatile List<String> problems = List.of();
  private volatile int count;

  Settings(BundleContext context, ConfigurationAdmin configurations, ConfigurationService kura,
      FunctionRegistry functions, Iterable<Part> parts, String missing, Later later) {
    this.context = context;
    this.configurations = configurations;
    this.kura = kura;
    this.functions = functions;
    this.parts = parts;
    this.missing = missing;
    this.later = later;
  }

  List<String> problems() {
    return problems;
  }

  int count() {
    return count;
  }

  /** Shows what is there, and mends what the latest snapshot has missed while nobody looked. */
  void begin() {
    List<Configuration> all = stored("(service.pid=" + PREFIX + "*)").toList();
    all.forEach(this::look);
    Map<String, Map<String, Object>> kept = latestSnapshot();
    all.forEach(it -> keepIfNew(it, kept));
    kept.forEach((kuraPid, properties) -> {
      if (declared(properties.get("service.factoryPid"), properties.get(ORIGIN))) {
        later.run(() -> forgetIfGone(kuraPid), PATIENCE);
      }
    });
  }

  /** Of what the admin API declares there is no trace but the configuration. */
  private static boolean declared(@Nullable Object factory, @Nullable Object origin) {
    return FUNCTION.equals(factory) && "api".equals(origin);
  }

  private void forgetIfGone(String kuraPid) {
    if (stored("(" + KURA_PID + "=" + escape(kuraPid) + ")").findAny().isEmpty()) {
      makeKuraForget(kuraPid);
    }
  }

  private void keepIfNew(Configuration configuration, Map<String, Map<String, Object>> kept) {
    Dictionary<String, Object> properties = configuration.getProperties();
    if (properties != null && declared(configuration.getFactoryPid(), properties.get(ORIGIN))) {
      Map<String, Object> now = copy(properties);
      // What is empty may be missing from what was written as XML and read again.
      now.entrySet().removeIf(each -> each.getKey().startsWith("service.") || each.getValue().equals(""));
      Map<String, Object> then = kept.getOrDefault(String.valueOf(properties.get(KURA_PID)), Map.of());
      if (!then.entrySet().containsAll(now.entrySet())) {
        snapshot(configuration.getPid());
      }
    }
  }

  private Map<String, Map<String, Object>> latestSnapshot() {
    Map<String, Map<String, Object>> kept = new HashMap<>();
    try {
      Set<Long> ids = kura.getSnapshots();
      if (!ids.isEmpty()) {
        kura.getSnapshot(Collections.max(ids)).forEach(it -> kept.put(it.getPid(),
            Objects.requireNonNullElse(it.getConfigurationProperties(), Map.of())));
      }
    } catch (KuraException e) {
      log.debug("Kura's latest snapshot cannot be read", e);
    }
    return kept;
  }

  void changed(String pid) {
    if (pid.startsWith(PREFIX)) {
      find(pid).ifPresent(this::look);
    }
  }

  void deleted(String pid) {
    if (shown.containsKey(pid)) {
      later.run(() -> settle(pid), SETTLING);
    }
  }

  private void look(Configuration configuration) {
    Dictionary<String, Object> properties = configuration.getProperties();
    String factory = configuration.getFactoryPid();
    String pid = configuration.getPid();
    boolean known = factory == null ? !pid.startsWith(OWN) : factory.equals(FUNCTION);
    if (!known || properties == null || properties.get(LEAVING) != null) {
      return;
    }
    if (!(properties.get(KURA_PID) instanceof String kuraPid)) {
      adopt(configuration, properties);
      return;
    }
    if (factory == null && mend(configuration, properties)) {
      return;   // It is looked at again.
    }
    show(pid, factory, kuraPid);
  }

  /** Kura did not write it, so it knows nothing of it. */
  private void adopt(Configuration configuration, Dictionary<String, Object> properties) {
    boolean function = FUNCTION.equals(configuration.getFactoryPid());
    Shown before = shown.get(configuration.getPid());
    String kuraPid = before != null ? before.kuraPid : function ? free(name(configuration, properties))
        : configuration.getPid();
    properties.put(KURA_PID, kuraPid);
    if (write(configuration, properties)) {
      // ConfigurationAdmin may tell of it only after the snapshot, and Kura takes into it what is shown.
      show(configuration.getPid(), configuration.getFactoryPid(), kuraPid);
      if (declared(configuration.getFactoryPid(), properties.get(ORIGIN))) {
        snapshot(configuration.getPid());
      }
    }
  }

  private static String name(Configuration configuration, Dictionary<String, Object> properties) {
    return properties.get("name") instanceof String name && !name.isBlank() ? name.strip()
        : configuration.getPid().substring(configuration.getPid().indexOf('~') + 1);
  }

  /** The name, unless another component of this Kura has it. */
  private String free(String name) {
    Set<String> taken = shown.values().stream().map(it -> it.kuraPid).collect(Collectors.toSet());
    return Stream.concat(Stream.of(name, "function-" + name), IntStream.iterate(2, i -> i + 1).mapToObj(i -> name + "-" + i))
        .filter(pid -> !taken.contains(pid) && !kura.getConfigurableComponentPids().contains(pid)).findFirst().orElseThrow();
  }

  /** @return whether the configuration was changed */
  private boolean mend(Configuration configuration, Dictionary<String, Object> properties) {
    String pid = configuration.getPid();
    Optional<ComponentConfiguration> defaults = defaults(pid);
    if (defaults.isEmpty()) {
      return false;
    }
    boolean ours = copy(properties).equals(written.remove(pid));
    Mending.Result result = mending.mend(pid, properties, defaults.get());
    if (result.changed()) {
      result.problems().forEach(log::warn);
      mended.put(pid, result.problems());
      write(configuration, properties);
    } else if (!ours) {
      mended.remove(pid);
    }
    return result.changed();
  }

  private Optional<ComponentConfiguration> defaults(String pid) {
    try {
      return Optional.ofNullable(kura.getDefaultComponentConfiguration(pid)).filter(it -> it.getDefinition() != null);
    } catch (KuraException | RuntimeException e) {
      log.debug("Kura knows no metatype of {}", pid, e);
      return Optional.empty();
    }
  }

  /** @return whether it could be stored */
  private boolean write(Configuration configuration, Dictionary<String, Object> properties) {
    try {
      configuration.update(properties);
      written.put(configuration.getPid(), copy(properties));
      return true;
    } catch (IOException e) {
      log.error("The configuration {} could not be stored; look at the disk of Kura's configuration area",
          configuration.getPid(), e);
      return false;
    }
  }

  /** Not every ConfigurationAdmin's dictionaries can be compared. */
  private static Map<String, Object> copy(Dictionary<String, Object> dictionary) {
    Map<String, Object> copy = new TreeMap<>();
    Collections.list(dictionary.keys()).forEach(key -> copy.put(key, dictionary.get(key)));
    return copy;
  }

  private void show(String pid, @Nullable String factory, String kuraPid) {
    Shown before = shown.get(pid);
    if (before != null && before.kuraPid.equals(kuraPid)) {
      refresh();
      return;
    }
    hide(pid);
    // A rollback makes every function's configuration anew, with another PID; Kura knows them apart by its own only.
    shown.entrySet().stream().filter(entry -> entry.getValue().kuraPid.equals(kuraPid)).map(Map.Entry::getKey).toList()
        .forEach(this::hide);
    Shown now = new Shown(kuraPid);
    now.properties.put("service.pid", pid);
    now.properties.put(KURA_PID, kuraPid);
    if (factory != null) {
      now.properties.put("service.factoryPid", factory);
    }
    now.properties.put(STATUS, status(pid));
    shown.put(pid, now);
    now.registration = context.registerService(ConfigurableComponent.class, now, now.properties);
    refresh();
  }

  private void hide(String pid) {
    Shown gone = shown.remove(pid);
    if (gone != null && gone.registration != null) {
      gone.registration.unregister();
    }
  }

  private void settle(String pid) {
    Shown gone = shown.get(pid);
    if (gone == null || find(pid).isPresent()) {
      return;
    }
    boolean replaced = stored("(" + KURA_PID + "=" + escape(gone.kuraPid) + ")").findAny().isPresent();
    if (!replaced && kura.getConfigurableComponentPids().contains(gone.kuraPid)
        && FUNCTION.equals(gone.properties.get("service.factoryPid"))) {
      makeKuraForget(gone.kuraPid);
    }
    hide(pid);
    mended.remove(pid);
    mending.forget(pid);
    written.remove(pid);
    refresh();
  }

  /**
   * A function was removed through the admin API. Kura would take it over from its latest snapshot into every later one, and
   * bring it back at the next start, unless it deletes it itself; and it deletes only what there is.
   */
  private void makeKuraForget(String kuraPid) {
    try {
      Configuration leaving = configurations.createFactoryConfiguration(FUNCTION, "?");
      leaving.update(new Hashtable<>(Map.of(KURA_PID, kuraPid, LEAVING, true)));
      kura.deleteFactoryConfiguration(kuraPid, true);
    } catch (IOException | KuraException e) {
      log.error("Function {} was removed, but Kura may bring it back when it starts; delete it in the web admin then",
          kuraPid, e);
    }
  }

  private void snapshot(String pid) {
    if (due.isEmpty()) {
      later.run(this::takeSnapshot, SNAPSHOT_DELAY);
    }
    due.add(pid);
  }

  private void takeSnapshot() {
    try {
      long id = kura.snapshot();
      Set<String> kept = kura.getSnapshot(id).stream().map(ComponentConfiguration::getPid).collect(Collectors.toSet());
      if (due.stream().map(shown::get).anyMatch(it -> it != null && !kept.contains(it.kuraPid))) {
        kura.snapshot();   // Kura leaves out once what somebody had deleted under the same name.
      }
      due.clear();
    } catch (KuraException | RuntimeException e) {   // Kura's own sets may change while it reads them.
      log.error("Kura could not take a snapshot; functions declared since the last one would be lost if it restarted now. "
          + "It is asked again in a minute", e);
      later.run(this::takeSnapshot, SNAPSHOT_AGAIN);
    }
  }

  /** Tells beside each service what is wrong with it. */
  void refresh() {
    count = shown.size();
    problems = Stream.of(mended.values().stream().flatMap(List::stream),
        functions.problems().stream().map(Problem::message), Stream.of(missing).filter(it -> !it.isEmpty()))
        .flatMap(it -> it).toList();
    shown.forEach((pid, it) -> {
      String status = status(pid);
      String state = part(pid).map(Part::state).orElse("");
      boolean changed = !status.equals(it.properties.put(STATUS, status));
      changed |= !state.equals(it.properties.put(STATE, state));
      if (changed && it.registration != null) {
        it.registration.setProperties(it.properties);
      }
    });
  }

  private Optional<Part> part(String pid) {
    return StreamSupport.stream(parts.spliterator(), false).filter(part -> part.name().equals(PARTS.get(pid))).findFirst();
  }

  private String status(String pid) {
    List<String> all = Stream.of(mended.getOrDefault(pid, List.of()).stream(),
        functions.problems().stream().filter(problem -> problem.source().equals(pid)).map(Problem::message),
        part(pid).filter(part -> !part.ready()).map(part -> "not ready: " + part.state()).stream(),
        Stream.of(missing).filter(it -> pid.equals(KERNEL) && !it.isEmpty())).flatMap(it -> it).toList();
    return all.isEmpty() ? "ok" : String.join("; ", all);
  }

  /** Takes the snapshots that are due, then shows nothing any more. */
  void close() {
    if (!due.isEmpty()) {
      takeSnapshot();
    }
    List.copyOf(shown.keySet()).forEach(this::hide);
  }

  private Optional<Configuration> find(String pid) {
    return stored("(service.pid=" + escape(pid) + ")").findFirst();
  }

  /** As OSGi's filters want it. */
  private static String escape(String value) {
    return value.replace("\\", "\\\\").replace("*", "\\*").replace("(", "\\(").replace(")", "\\)");
  }

  private Stream<Configuration> stored(String filter) {
    try {
      Configuration[] found = configurations.listConfigurations(filter);
      return found == null ? Stream.empty() : Stream.of(found);
    } catch (IOException e) {
      throw new IllegalStateException("ConfigurationAdmin cannot read " + filter, e);
    } catch (InvalidSyntaxException e) {
      throw new IllegalArgumentException(filter, e);
    }
  }
}
