package io.weir.kura.internal;

import io.weir.event.Part;
import io.weir.function.FunctionRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.eclipse.kura.configuration.ConfigurationService;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.cm.ConfigurationEvent;
import org.osgi.service.cm.ConfigurationListener;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shows Weir's services and functions in Kura's web admin, REST API and snapshots. Everything happens on one thread, so that
 * nobody who changes a configuration waits for Kura's locks.
 */
@Component(name = "io.weir.kura.webadmin", configurationPolicy = ConfigurationPolicy.IGNORE, immediate = true, service = {})
public final class WebAdmin implements ConfigurationListener, Part {
  private static final Logger log = LoggerFactory.getLogger(WebAdmin.class);
  private static final long STATUS_SECONDS = 2;

  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(Threads.daemon("weir-kura"));
  private final List<Part> parts = new CopyOnWriteArrayList<>();
  private final Settings settings;
  private final List<ServiceRegistration<?>> registrations;

  @Activate
  public WebAdmin(BundleContext context, @Reference ConfigurationAdmin configurations,
      @Reference ConfigurationService kura, @Reference FunctionRegistry functions) {
    String missing = Capabilities.missing(Path.of(Objects.requireNonNullElse(context.getProperty("weir.proc"), "/proc"),
        "self", "status"));
    if (!missing.isEmpty()) {
      log.warn("{}", missing);
    }
    this.settings = new Settings(context, configurations, kura, functions, parts, missing, this::later);
    // By hand: as services of this component they would depend on the parts of which one is this, and on the registry that
    // whoever asks for them may just be starting.
    this.registrations = List.of(context.registerService(ConfigurationListener.class, this, null),
        context.registerService(Part.class, this, null));
    thread.execute(() -> run(settings::begin));
    thread.scheduleWithFixedDelay(() -> run(settings::refresh), STATUS_SECONDS, STATUS_SECONDS, TimeUnit.SECONDS);
  }

  private void later(Runnable task, Duration delay) {
    try {
      thread.schedule(() -> run(task), delay.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      log.debug("Nothing comes later any more");
    }
  }

  @Deactivate
  void close() throws InterruptedException {
    registrations.forEach(ServiceRegistration::unregister);
    thread.shutdownNow();
    thread.awaitTermination(10, TimeUnit.SECONDS);
    settings.close();
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
  public void configurationEvent(ConfigurationEvent event) {
    try {
      if (event.getType() == ConfigurationEvent.CM_UPDATED) {
        thread.execute(() -> run(() -> settings.changed(event.getPid())));
      } else if (event.getType() == ConfigurationEvent.CM_DELETED) {
        thread.execute(() -> run(() -> settings.deleted(event.getPid())));
      }
    } catch (RejectedExecutionException e) {
      log.debug("Too late for {}", event.getPid());
    }
  }

  /** One that fails must not end those that come after it. */
  private static void run(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException e) {
      log.error("Kura's web admin may not show all of Weir now", e);
    }
  }

  @Override
  public String name() {
    return "kura";
  }

  /** What is shown has no bearing on whether the gateway does its work. */
  @Override
  public boolean ready() {
    return true;
  }

  @Override
  public String state() {
    List<String> problems = settings.problems();
    return settings.count() + " services and functions in Kura's web admin"
        + (problems.isEmpty() ? "" : "; " + String.join("; ", problems));
  }
}
