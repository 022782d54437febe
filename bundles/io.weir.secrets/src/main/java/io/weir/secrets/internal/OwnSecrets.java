package io.weir.secrets.internal;

import io.weir.secret.Secrets;
import java.nio.file.Path;
import java.util.Objects;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;

/** Passwords with the key file of the gateway's data folder. */
@Component(name = "io.weir.secrets", configurationPolicy = ConfigurationPolicy.IGNORE, immediate = true)
public final class OwnSecrets implements Secrets {
  private final KeyFile keys;

  @Activate
  public OwnSecrets(BundleContext context) {
    this.keys = new KeyFile(Path.of(Objects.requireNonNullElse(context.getProperty("weir.data"), "/var/lib/weir"),
        "secret.key"));
  }

  @Override
  public String reveal(String stored) {
    return keys.reveal(stored);
  }

  @Override
  public String conceal(String clear) {
    return keys.conceal(clear);
  }
}
