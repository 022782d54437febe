package io.weir.broker.internal;

import io.weir.broker.Broker;
import io.weir.event.Events;
import io.weir.event.GatewayEvent;
import io.weir.event.Part;
import io.weir.secret.Secrets;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URL;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;

/** The gateway's broker: a Mosquitto of its own, or a pointer to somebody else's. */
@Component(name = MosquittoBroker.PID, configurationPid = MosquittoBroker.PID, immediate = true,
    configurationPolicy = ConfigurationPolicy.REQUIRE, service = {Broker.class, Part.class})
@Designate(ocd = BrokerConfig.class)
public final class MosquittoBroker implements Broker, Part {
  static final String PID = "io.weir.broker";

  private final Settings settings;
  private final Events events;
  private final Optional<Credentials> credentials;
  private final @Nullable BrokerChild child;
  private volatile String state = "starting";
  private volatile boolean ready;

  @Activate
  public MosquittoBroker(BundleContext context, @Reference Events events, @Reference Secrets secrets,
      BrokerConfig config) {
    this(Settings.of(config, secrets::reveal), data(context), name -> Optional.ofNullable(context.getBundle().getEntry(name)),
        Optional.ofNullable(System.getenv("PATH")).orElse(""), events);
  }

  MosquittoBroker(Settings settings, Path data, java.util.function.Function<String, Optional<URL>> bundle, String path,
      Events events) {
    this.settings = settings;
    this.events = events;
    if (settings.external().isPresent()) {
      this.credentials = settings.username().isEmpty() ? Optional.empty()
          : Optional.of(new Credentials(settings.username(), settings.password()));
      this.child = null;
      changed(true, "external, " + settings.external().get());
      return;
    }
    BrokerFiles files = new BrokerFiles(data);
    String password = password(files);
    this.credentials = Optional.of(new Credentials(Settings.GATEWAY_USER, password));
    this.child = new BrokerChild(settings, files, password, new Executable.Sources(bundle, files.directory(), path),
        this::changed);
  }

  private static Path data(BundleContext context) {
    String data = context.getProperty("weir.data");
    return Path.of(data == null ? "/var/lib/weir" : data).toAbsolutePath();
  }

  private static String password(BrokerFiles files) {
    try {
      return files.gatewayPassword();
    } catch (IOException e) {
      throw new UncheckedIOException("the broker's password cannot be kept in weir.data: " + e.getMessage(), e);
    }
  }

  private void changed(boolean nowReady, String nowState) {
    ready = nowReady;
    state = nowState;
    events.publish(new GatewayEvent.PartChanged(Instant.now(), name(), nowState));
  }

  @Deactivate
  public void close() {
    if (child != null) {
      child.close();
    }
  }

  @Override
  public URI uri() {
    String host = settings.host().isAnyLocalAddress() ? "127.0.0.1" : settings.host().getHostAddress();
    return settings.external().orElseGet(
        () -> URI.create("tcp://" + (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + settings.port()));
  }

  @Override
  public Optional<Credentials> credentials() {
    return credentials;
  }

  @Override
  public boolean bundled() {
    return child != null;
  }

  @Override
  public String name() {
    return "broker";
  }

  @Override
  public boolean ready() {
    return ready;
  }

  @Override
  public String state() {
    return state;
  }
}
