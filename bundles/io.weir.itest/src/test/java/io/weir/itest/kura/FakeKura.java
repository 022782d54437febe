package io.weir.itest.kura;

import java.io.IOException;
import java.net.URL;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Hashtable;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.eclipse.kura.KuraErrorCode;
import org.eclipse.kura.KuraException;
import org.eclipse.kura.configuration.ComponentConfiguration;
import org.eclipse.kura.configuration.ConfigurableComponent;
import org.eclipse.kura.configuration.ConfigurationService;
import org.eclipse.kura.configuration.Password;
import org.eclipse.kura.configuration.metatype.AD;
import org.eclipse.kura.configuration.metatype.OCD;
import org.eclipse.kura.configuration.metatype.Scalar;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleEvent;
import org.osgi.framework.Filter;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceEvent;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.SynchronousBundleListener;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/**
 * Does what Kura's configuration service is known to do: seeds ConfigurationAdmin from the metatypes of active bundles,
 * lists services that are ConfigurableComponents, writes ConfigurationAdmin and nothing else, keeps snapshots with encrypted
 * passwords, and makes factory configurations anew, with another PID, when it rolls back or starts.
 */
final class FakeKura implements ConfigurationService {
  private static final String FACTORY = "service.factoryPid";

  record Component(String pid, OCD definition, Map<String, Object> properties) implements ComponentConfiguration {
    @Override
    public String getPid() {
      return pid;
    }

    @Override
    public OCD getDefinition() {
      return definition;
    }

    @Override
    public Map<String, Object> getConfigurationProperties() {
      return properties;
    }
  }

  /** What outlives a restart: the files of the snapshots. */
  record Disk(TreeMap<Long, List<ComponentConfiguration>> snapshots) {
    Disk() {
      this(new TreeMap<>());
    }
  }

  private final ConfigurationAdmin configurations;
  private final FakeCrypto crypto;
  private final Disk disk;
  private final Map<String, OCD> definitions = new HashMap<>();
  private final Set<String> factories = new HashSet<>();
  private final Set<String> active = new HashSet<>();
  private final Map<String, String> factoryOf = new HashMap<>();
  private final Map<String, String> servicePidOf = new HashMap<>();
  private final Set<String> pendingDeletes = new HashSet<>();
  private boolean refusing;

  FakeKura(BundleContext context, ConfigurationAdmin configurations, FakeCrypto crypto, Disk disk)
      throws InvalidSyntaxException, KuraException {
    this.configurations = configurations;
    this.crypto = crypto;
    this.disk = disk;
    loadLatestSnapshot();
    context.addBundleListener((SynchronousBundleListener) event -> {
      if (event.getType() == BundleEvent.STARTED) {
        seed(event.getBundle());
      }
    });
    Arrays.stream(context.getBundles()).filter(bundle -> bundle.getState() == Bundle.ACTIVE).forEach(this::seed);
    String filter = "(objectClass=" + ConfigurableComponent.class.getName() + ")";
    context.addServiceListener(this::serviceChanged, filter);
    ServiceReference<?>[] there = context.getServiceReferences((String) null, filter);
    for (ServiceReference<?> each : there == null ? new ServiceReference<?>[0] : there) {
      register(text(each, KURA_SERVICE_PID), text(each, "service.pid"), text(each, FACTORY));
    }
  }

  // --- what it tracks --------------------------------------------------------------------------------------------------

  private synchronized void seed(Bundle bundle) {
    for (String path : Collections.list(paths(bundle))) {
      String pid = path.substring(path.lastIndexOf('/') + 1).replaceFirst("\\.xml$", "");
      URL file = bundle.getEntry(path);
      Metatype metatype = Metatype.read(file, pid);
      if (metatype == null) {
        continue;
      }
      definitions.put(pid, metatype.definition());
      if (metatype.factory()) {
        factories.add(pid);
        factoryOf.forEach((kuraPid, factory) -> {
          if (factory.equals(pid)) {
            merge(kuraPid, metatype.definition());
          }
        });
      } else {
        merge(pid, metatype.definition());
      }
    }
  }

  private static java.util.Enumeration<String> paths(Bundle bundle) {
    java.util.Enumeration<String> paths = bundle.getEntryPaths("OSGI-INF/metatype");
    return paths == null ? Collections.emptyEnumeration() : paths;
  }

  private void serviceChanged(ServiceEvent event) {
    ServiceReference<?> reference = event.getServiceReference();
    if (event.getType() == ServiceEvent.REGISTERED) {
      register(text(reference, KURA_SERVICE_PID), text(reference, "service.pid"), text(reference, FACTORY));
    } else if (event.getType() == ServiceEvent.UNREGISTERING) {
      unregister(text(reference, KURA_SERVICE_PID));
    }
  }

  private static String text(ServiceReference<?> reference, String key) {
    return reference.getProperty(key) instanceof String text ? text : null;
  }

  private synchronized void register(String kuraPid, String servicePid, String factory) {
    if (kuraPid == null || servicePid == null || active.contains(kuraPid)) {
      return;
    }
    servicePidOf.put(kuraPid, servicePid);
    if (factory != null) {
      factoryOf.put(kuraPid, factory);
      if (definitions.containsKey(factory)) {
        merge(kuraPid, definitions.get(factory));
      }
    }
    active.add(kuraPid);
  }

  private synchronized void unregister(String kuraPid) {
    servicePidOf.remove(kuraPid);
    factoryOf.remove(kuraPid);
    active.remove(kuraPid);
  }

  // --- configurations --------------------------------------------------------------------------------------------------

  private Configuration configuration(String kuraPid) {
    try {
      return configurations.getConfiguration(servicePidOf.getOrDefault(kuraPid, kuraPid), "?");
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Adds the defaults of what is not there. */
  private void merge(String kuraPid, OCD definition) {
    Configuration configuration = configuration(kuraPid);
    Map<String, Object> properties = map(configuration.getProperties(), definition);
    properties.putIfAbsent(KURA_SERVICE_PID, kuraPid);
    addDefaults(properties, definition);
    update(configuration, properties);
  }

  private void addDefaults(Map<String, Object> properties, OCD definition) {
    for (AD each : definition.getAD()) {
      String text = each.getDefault();
      if (text != null && !text.isEmpty()) {
        properties.putIfAbsent(each.getId(), value(each.getType(), text));
      }
    }
  }

  private Object value(Scalar type, String text) {
    return switch (type) {
      case STRING -> text.replace("\\,", ",").replace("\\\\", "\\");
      case PASSWORD -> new Password(crypto.encryptAes(text.toCharArray()));
      case INTEGER -> Integer.valueOf(text);
      case LONG -> Long.valueOf(text);
      case SHORT -> Short.valueOf(text);
      case BYTE -> Byte.valueOf(text);
      case DOUBLE -> Double.valueOf(text);
      case FLOAT -> Float.valueOf(text);
      case BOOLEAN -> Boolean.valueOf(text);
      case CHAR -> text.charAt(0);
    };
  }

  private static Map<String, Object> map(Dictionary<String, Object> dictionary, OCD definition) {
    Map<String, Object> map = new HashMap<>();
    if (dictionary != null) {
      Collections.list(dictionary.keys()).forEach(key -> map.put(key, dictionary.get(key)));
    }
    if (definition != null) {
      definition.getAD().stream().filter(each -> each.getType() == Scalar.PASSWORD).map(AD::getId)
          .forEach(key -> map.computeIfPresent(key, (it, value) -> new Password(value.toString())));
    }
    return map;
  }

  private static void update(Configuration configuration, Map<String, Object> properties) {
    Hashtable<String, Object> dictionary = new Hashtable<>();
    properties.forEach((key, value) -> {
      if (value != null) {
        dictionary.put(key, value instanceof Password ? value.toString() : value);
      }
    });
    try {
      configuration.update(dictionary);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private OCD definition(String kuraPid) {
    OCD ofFactory = definitions.get(factoryOf.get(kuraPid));
    return ofFactory != null ? ofFactory : definitions.get(kuraPid);
  }

  private ComponentConfiguration stored(String kuraPid) {
    String servicePid = servicePidOf.get(kuraPid);
    return servicePid == null ? null
        : new Component(kuraPid, definition(kuraPid), map(configuration(kuraPid).getProperties(), definition(kuraPid)));
  }

  @Override
  public synchronized Set<String> getConfigurableComponentPids() {
    return Set.copyOf(active);
  }

  @Override
  public synchronized Set<String> getFactoryComponentPids() {
    return Set.copyOf(factories);
  }

  @Override
  public synchronized List<ComponentConfiguration> getComponentConfigurations() {
    return List.copyOf(active).stream().map(this::stored).filter(java.util.Objects::nonNull).toList();
  }

  @Override
  public List<ComponentConfiguration> getComponentConfigurations(Filter filter) {
    throw new UnsupportedOperationException();
  }

  @Override
  public synchronized ComponentConfiguration getComponentConfiguration(String pid) {
    ComponentConfiguration stored = stored(pid);
    if (stored != null) {
      stored.getConfigurationProperties().replaceAll((key, value) -> value instanceof Password password
          ? new Password(crypto.decrypt(password.getPassword())) : value);
    }
    return stored;
  }

  @Override
  public synchronized ComponentConfiguration getDefaultComponentConfiguration(String pid) {
    Map<String, Object> properties = new HashMap<>();
    OCD definition = definition(pid);
    if (definition != null) {
      addDefaults(properties, definition);
    }
    return new Component(pid, definition, properties);
  }

  @Override
  public void updateConfiguration(String pid, Map<String, Object> properties) throws KuraException {
    updateConfiguration(pid, properties, true);
  }

  @Override
  public synchronized void updateConfiguration(String pid, Map<String, Object> properties, boolean takeSnapshot)
      throws KuraException {
    Map<String, Object> encrypted = new HashMap<>(properties);
    encrypted.replaceAll((key, value) -> value instanceof Password password
        ? new Password(crypto.encryptAes(password.getPassword())) : value);
    if (!active.contains(pid) || definition(pid) == null) {
      return;   // Ignored, with a line in the log.
    }
    Map<String, Object> merged = new HashMap<>();
    addDefaults(merged, definition(pid));
    merged.putAll(stored(pid).getConfigurationProperties());
    merged.putAll(encrypted);
    merged.putIfAbsent(KURA_SERVICE_PID, pid);
    update(configuration(pid), merged);
    if (takeSnapshot) {
      snapshot();
    }
  }

  @Override
  public void updateConfigurations(List<ComponentConfiguration> configs) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void updateConfigurations(List<ComponentConfiguration> configs, boolean takeSnapshot) {
    throw new UnsupportedOperationException();
  }

  @Override
  public synchronized void createFactoryConfiguration(String factoryPid, String pid, Map<String, Object> properties,
      boolean takeSnapshot) throws KuraException {
    if (servicePidOf.containsKey(pid)) {
      throw new KuraException(KuraErrorCode.INVALID_PARAMETER, "pid " + pid + " already exists");
    }
    try {
      // Bound to nobody, as Kura does it.
      String servicePid = configurations.createFactoryConfiguration(factoryPid, null).getPid();
      Map<String, Object> merged = new HashMap<>(properties == null ? Map.of() : properties);
      if (definitions.containsKey(factoryPid)) {
        addDefaults(merged, definitions.get(factoryPid));
      }
      merged.put(KURA_SERVICE_PID, pid);
      update(configurations.getConfiguration(servicePid, "?"), merged);
      register(pid, servicePid, factoryPid);
      pendingDeletes.remove(pid);
      if (takeSnapshot) {
        snapshot();
      }
    } catch (IOException e) {
      throw new KuraException(KuraErrorCode.CONFIGURATION_ERROR, e);
    }
  }

  @Override
  public synchronized void deleteFactoryConfiguration(String pid, boolean takeSnapshot) throws KuraException {
    try {
      Configuration[] all = configurations.listConfigurations("(&(" + KURA_SERVICE_PID + "=" + pid + ")(" + FACTORY
          + "=*))");
      if (all == null) {
        return;   // A line in the log, and nothing else.
      }
      all[0].delete();
      unregister(pid);
      pendingDeletes.add(pid);
      if (takeSnapshot) {
        snapshot();
      }
    } catch (IOException | InvalidSyntaxException e) {
      throw new KuraException(KuraErrorCode.CONFIGURATION_ERROR, e);
    }
  }

  // --- snapshots -------------------------------------------------------------------------------------------------------

  private List<ComponentConfiguration> current() {
    Map<String, ComponentConfiguration> all = new LinkedHashMap<>();
    getComponentConfigurations().forEach(each -> all.put(each.getPid(), each));
    // Whatever the latest one had and is not tracked now is taken along.
    if (!disk.snapshots.isEmpty()) {
      disk.snapshots.lastEntry().getValue().forEach(each -> all.putIfAbsent(each.getPid(), each));
    }
    pendingDeletes.forEach(all::remove);
    return new ArrayList<>(all.values());
  }

  private long save(List<ComponentConfiguration> configs) {
    long id = disk.snapshots.isEmpty() ? 1 : disk.snapshots.lastKey() + 1;
    List<ComponentConfiguration> copies = new ArrayList<>();
    configs.forEach(each -> copies.add(new Component(each.getPid(), null,
        new HashMap<>(each.getConfigurationProperties()))));
    disk.snapshots.put(id, copies);
    pendingDeletes.clear();
    return id;
  }

  /** As if the disk were full. */
  synchronized void refuseSnapshots(boolean refuse) {
    refusing = refuse;
  }

  @Override
  public synchronized long snapshot() throws KuraException {
    if (refusing) {
      throw new KuraException(KuraErrorCode.CONFIGURATION_SNAPSHOT_TAKING);
    }
    return save(current());
  }

  @Override
  public synchronized Set<Long> getSnapshots() {
    return new TreeSet<>(disk.snapshots.keySet());
  }

  /** Passwords as they are on disk, encrypted; the real one decrypts here. */
  @Override
  public synchronized List<ComponentConfiguration> getSnapshot(long sid) {
    return List.copyOf(disk.snapshots.get(sid));
  }

  @Override
  public synchronized long rollback() throws KuraException {
    Long[] ids = disk.snapshots.keySet().toArray(Long[]::new);
    rollback(ids[ids.length - 2]);
    return ids[ids.length - 2];
  }

  @Override
  public synchronized void rollback(long id) throws KuraException {
    List<ComponentConfiguration> configs = disk.snapshots.get(id);
    for (String pid : List.copyOf(factoryOf.keySet())) {
      deleteFactoryConfiguration(pid, false);
    }
    for (ComponentConfiguration config : configs) {
      if (config.getConfigurationProperties().get(FACTORY) instanceof String factory) {
        createFactoryConfiguration(factory, config.getPid(), config.getConfigurationProperties(), false);
      }
    }
    Set<String> others = new HashSet<>(active);
    for (ComponentConfiguration config : configs) {
      restore(config.getPid(), config.getConfigurationProperties());
      others.remove(config.getPid());
    }
    others.forEach(pid -> restore(pid, Map.of()));
    save(configs);
  }

  private void restore(String pid, Map<String, Object> properties) {
    if (active.contains(pid) && definition(pid) != null) {
      Map<String, Object> merged = new HashMap<>();
      addDefaults(merged, definition(pid));
      merged.putAll(properties);
      merged.putIfAbsent(KURA_SERVICE_PID, pid);
      update(configuration(pid), merged);
    }
  }

  private void loadLatestSnapshot() throws KuraException {
    if (disk.snapshots.isEmpty()) {
      return;
    }
    for (ComponentConfiguration config : disk.snapshots.lastEntry().getValue()) {
      Map<String, Object> properties = new HashMap<>(config.getConfigurationProperties());
      if (properties.get(FACTORY) instanceof String factory) {
        createFactoryConfiguration(factory, config.getPid(), properties, false);
      } else {
        properties.putIfAbsent(KURA_SERVICE_PID, config.getPid());
        update(configuration(config.getPid()), properties);
      }
    }
  }
}
