package io.weir.kura.internal;

import io.weir.event.Part;
import io.weir.function.FunctionRegistry;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.eclipse.kura.watchdog.CriticalComponent;
import org.eclipse.kura.watchdog.WatchdogService;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells Kura's watchdog that Weir is alive: that each of its parts answers when it is asked how it is. What it answers does
 * not matter; a gateway that starts again does not get a Podman by that.
 */
@Component(name = "io.weir.kura.watchdog", configurationPid = KuraConfig.PID, immediate = true, service = {},
    configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class Alive implements CriticalComponent {
  private static final Logger log = LoggerFactory.getLogger(Alive.class);
  private static final int CHECKS_PER_TIMEOUT = 4;

  private final WatchdogService watchdog;
  private final FunctionRegistry functions;
  private final List<Part> parts = new CopyOnWriteArrayList<>();
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(Threads.daemon("weir-kura-watchdog"));
  private @Nullable ScheduledFuture<?> checks;
  private volatile int timeoutMillis;

  @Activate
  public Alive(@Reference WatchdogService watchdog, @Reference FunctionRegistry functions, KuraConfig config) {
    this.watchdog = watchdog;
    this.functions = functions;
    changed(config);
  }

  @Modified
  synchronized void changed(KuraConfig config) {
    stop();
    timeoutMillis = Math.max(10, Math.min(3600, config.watchdog_timeout_seconds())) * 1000;
    if (config.watchdog()) {
      watchdog.registerCriticalComponent(this);
      checks = thread.scheduleWithFixedDelay(this::check, 0, timeoutMillis / CHECKS_PER_TIMEOUT, TimeUnit.MILLISECONDS);
    }
  }

  private void stop() {
    if (checks != null) {
      checks.cancel(false);
      checks = null;
      watchdog.unregisterCriticalComponent(this);
    }
  }

  /** Hangs where something of Weir hangs. */
  private void check() {
    try {
      functions.functions();
      parts.forEach(part -> {
        part.ready();
        part.state();
      });
    } catch (RuntimeException e) {
      log.warn("A part of Weir cannot say how it is", e);
    }
    watchdog.checkin(this);
  }

  @Deactivate
  synchronized void close() {
    stop();
    thread.shutdownNow();
  }

  @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void addPart(Part part) {
    parts.add(part);
  }

  public void removePart(Part part) {
    parts.remove(part);
  }

  @Override
  public String getCriticalComponentName() {
    return "Weir";
  }

  /** In milliseconds. */
  @Override
  public int getCriticalComponentTimeout() {
    return timeoutMillis;
  }
}
