package io.weir.secrets.internal;

import io.weir.secret.Secrets;
import java.io.IOException;
import java.util.Dictionary;
import java.util.Set;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.cm.ConfigurationEvent;
import org.osgi.service.cm.ConfigurationListener;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Reference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Conceals passwords that came into ConfigurationAdmin in clear, so that its store on disk holds none. */
@Component(name = "io.weir.secrets.concealer", configurationPolicy = ConfigurationPolicy.IGNORE, immediate = true)
public final class Concealer implements ConfigurationListener {
  private static final Logger log = LoggerFactory.getLogger(Concealer.class);
  /** The settings that are passwords; a test compares them with the metatypes. */
  static final Set<String> KEYS = Set.of(".password", ".users");

  private final ConfigurationAdmin configurations;
  private final Secrets secrets;

  @Activate
  public Concealer(@Reference ConfigurationAdmin configurations, @Reference Secrets secrets) {
    this.configurations = configurations;
    this.secrets = secrets;
    look("(service.pid=io.weir.*)");
  }

  @Override
  public void configurationEvent(ConfigurationEvent event) {
    if (event.getType() == ConfigurationEvent.CM_UPDATED && event.getPid().matches("io\\.weir\\.[A-Za-z0-9._~-]+")) {
      look("(service.pid=" + event.getPid() + ")");
    }
  }

  private void look(String filter) {
    try {
      Configuration[] found = configurations.listConfigurations(filter);
      for (Configuration configuration : found == null ? new Configuration[0] : found) {
        conceal(configuration);
      }
    } catch (IOException | InvalidSyntaxException | RuntimeException e) {
      log.error("Passwords of {} may be stored in clear: {}", filter, e.getMessage(), e);
    }
  }

  private void conceal(Configuration configuration) throws IOException {
    Dictionary<String, Object> properties = configuration.getProperties();
    boolean changed = false;
    for (String key : KEYS) {
      if (properties != null && properties.get(key) instanceof String value && !value.isBlank()
          && !value.startsWith(KeyFile.PREFIX)) {
        String concealed = secrets.conceal(value);
        log.info("{}: {} was given in clear and is kept concealed; if it came from a file, write there: {}",
            configuration.getPid(), key, concealed);
        properties.put(key, concealed);
        changed = true;
      }
    }
    if (changed) {
      configuration.update(properties);
    }
  }
}
