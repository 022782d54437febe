package io.weir.registry.internal;

import java.io.IOException;
import java.util.Collections;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/** ConfigurationAdmin in memory, which counts writes and can have a full disk. */
final class FakeConfigurationAdmin implements ConfigurationAdmin {
  final Map<String, Entry> entries = new LinkedHashMap<>();
  int writes;
  int writesUntilFull = Integer.MAX_VALUE;

  Entry make(String pid, Object... keysAndValues) {
    Entry entry = new Entry(pid);
    entry.set(keysAndValues);
    entries.put(pid, entry);
    return entry;
  }

  @Override
  public Configuration getFactoryConfiguration(String factoryPid, String name, String location) {
    return entries.computeIfAbsent(factoryPid + "~" + name, Entry::new);
  }

  @Override
  public Configuration[] listConfigurations(String filter) throws InvalidSyntaxException {
    var matcher = FrameworkUtil.createFilter(filter);
    List<Configuration> found = entries.values().stream().filter(entry -> entry.properties != null)
        .filter(entry -> matcher.match(entry.getProperties())).map(Configuration.class::cast).toList();
    return found.isEmpty() ? null : found.toArray(Configuration[]::new);
  }

  final class Entry implements Configuration {
    private final String pid;
    Dictionary<String, Object> properties;

    private Entry(String pid) {
      this.pid = pid;
    }

    void set(Object... keysAndValues) {
      properties = new Hashtable<>();
      for (int i = 0; i < keysAndValues.length; i += 2) {
        properties.put((String) keysAndValues[i], keysAndValues[i + 1]);
      }
    }

    @Override
    public String getPid() {
      return pid;
    }

    @Override
    public Dictionary<String, Object> getProperties() {
      if (properties == null) {
        return null;
      }
      Dictionary<String, Object> copy = copy(properties);
      copy.put("service.pid", pid);
      copy.put("service.factoryPid", FunctionConfig.PID);
      return copy;
    }

    private static Dictionary<String, Object> copy(Dictionary<String, ?> from) {
      Dictionary<String, Object> copy = new Hashtable<>();
      Collections.list(from.keys()).forEach(key -> copy.put(key, from.get(key)));
      return copy;
    }

    @Override
    public void update(Dictionary<String, ?> given) throws IOException {
      if (writes >= writesUntilFull) {
        writesUntilFull = Integer.MAX_VALUE;
        throw new IOException("No space left on device");
      }
      writes++;
      properties = copy(given);
      properties.remove("service.pid");
      properties.remove("service.factoryPid");
    }

    @Override
    public boolean updateIfDifferent(Dictionary<String, ?> given) throws IOException {
      if (given.equals(properties)) {
        return false;
      }
      update(given);
      return true;
    }

    @Override
    public void delete() {
      writes++;
      entries.remove(pid);
    }

    @Override
    public Dictionary<String, Object> getProcessedProperties(ServiceReference<?> reference) {
      return getProperties();
    }

    @Override
    public String getFactoryPid() {
      return FunctionConfig.PID;
    }

    @Override
    public void update() {
      throw new UnsupportedOperationException();
    }

    @Override
    public void setBundleLocation(String location) {
      throw new UnsupportedOperationException();
    }

    @Override
    public String getBundleLocation() {
      return "?";
    }

    @Override
    public long getChangeCount() {
      return 0;
    }

    @Override
    public void addAttributes(ConfigurationAttribute... attributes) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Set<ConfigurationAttribute> getAttributes() {
      return Set.of();
    }

    @Override
    public void removeAttributes(ConfigurationAttribute... attributes) {
      throw new UnsupportedOperationException();
    }
  }

  @Override
  public Configuration createFactoryConfiguration(String factoryPid) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Configuration createFactoryConfiguration(String factoryPid, String location) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Configuration getConfiguration(String pid, String location) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Configuration getConfiguration(String pid) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Configuration getFactoryConfiguration(String factoryPid, String name) {
    throw new UnsupportedOperationException();
  }
}
