package io.weir.registry.internal;

import java.util.Map;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;

/** One factory configuration: tells the registry to look at it when it comes, changes and goes. */
@Component(name = FunctionConfig.PID, configurationPid = FunctionConfig.PID, immediate = true,
    service = {}, configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = FunctionConfig.class, factory = true)
public final class ConfiguredFunction {
  private final Registry registry;
  private final String pid;

  @Activate
  public ConfiguredFunction(@Reference Registry registry, Map<String, Object> properties) {
    this.registry = registry;
    this.pid = (String) properties.get("service.pid");
    registry.look(pid);
  }

  /** Running containers know nothing of it, as long as what they were made from stays the same. */
  @Modified
  void changed() {
    registry.look(pid);
  }

  @Deactivate
  void close() {
    registry.look(pid);
  }
}
