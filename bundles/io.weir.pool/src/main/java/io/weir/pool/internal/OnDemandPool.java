package io.weir.pool.internal;

import io.weir.engine.ContainerEngine;
import io.weir.engine.EngineEvent;
import io.weir.engine.Instance;
import io.weir.engine.InstancePool;
import io.weir.engine.Lease;
import io.weir.engine.LeaseRefused;
import io.weir.event.Events;
import io.weir.event.GatewayIdentity;
import io.weir.function.FunctionListener;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts instances when somebody waits for one, and stops them when they have been idle.
 *
 * <p>After a restart it adopts what an earlier life left running: its own containers are known by label, those whose
 * function still has the same revision are taken over, the rest is removed. Strangers are never touched.
 */
@Component(name = OnDemandPool.PID, configurationPolicy = ConfigurationPolicy.REQUIRE, immediate = true,
    service = {InstancePool.class, FunctionListener.class})
@Designate(ocd = PoolConfig.class)
public final class OnDemandPool implements InstancePool, FunctionListener {
  static final String PID = "io.weir.pool";
  private static final Logger LOG = LoggerFactory.getLogger(OnDemandPool.class);
  private static final Duration TEND = Duration.ofMillis(500);
  private static final Duration SWEEP = Duration.ofSeconds(60);
  /** Functions are declared within seconds of a start; a container that nobody claims by then is a leftover. */
  private static final Duration CLAIM = Duration.ofSeconds(15);

  private final ContainerEngine engine;
  private final Lifecycle lifecycle;
  private final Settings settings;
  private final ExecutorService executor;
  private final ScheduledThreadPoolExecutor scheduler;
  private final Map<FunctionName, FunctionInstances> functions = new ConcurrentHashMap<>();
  private final Reconciler reconciler;
  private final AutoCloseable watch;
  private volatile boolean closed;

  @Activate
  public OnDemandPool(@Reference GatewayIdentity gateway, @Reference ContainerEngine engine, @Reference Events events,
      PoolConfig config) {
    this(engine, events, Settings.of(config), gateway.id());
  }

  OnDemandPool(ContainerEngine engine, Events events, Settings settings, String gateway) {
    this.engine = engine;
    this.settings = settings;
    this.executor = Executors.newFixedThreadPool(settings.parallelStarts(), threads("weir-pool-lifecycle"));
    this.scheduler = new ScheduledThreadPoolExecutor(1, threads("weir-pool-timer"));
    scheduler.setRemoveOnCancelPolicy(true);
    this.lifecycle = new Lifecycle(engine, events, settings, gateway, executor);
    this.reconciler = new Reconciler(engine, lifecycle, functions);
    this.watch = engine.watch(Lifecycle.GATEWAY, gateway, this::engineEvent);
    lifecycle.run(reconciler::findEarlierInstances);
    scheduler.schedule(() -> lifecycle.run(reconciler::endClaims), CLAIM.toSeconds(), TimeUnit.SECONDS);
    scheduler.scheduleWithFixedDelay(this::tend, TEND.toMillis(), TEND.toMillis(), TimeUnit.MILLISECONDS);
    scheduler.scheduleWithFixedDelay(() -> lifecycle.run(reconciler::sweep), SWEEP.toSeconds(), SWEEP.toSeconds(),
        TimeUnit.SECONDS);
  }

  private static ThreadFactory threads(String name) {
    return task -> {
      Thread thread = new Thread(task, name);
      thread.setDaemon(true);
      return thread;
    };
  }

  @Override
  public CompletionStage<Lease> acquire(FunctionName function, Duration patience) {
    FunctionInstances instances = functions.get(function);
    if (closed) {
      return CompletableFuture.failedFuture(stopping());
    }
    if (instances == null) {
      return CompletableFuture.failedFuture(new LeaseRefused(LeaseRefused.Code.UNKNOWN_FUNCTION,
          "there is no function " + function, Duration.ZERO, null));
    }
    try {
      return instances.acquire(patience);
    } catch (RejectedExecutionException e) {
      return CompletableFuture.failedFuture(stopping());   // closed between the look and the call
    }
  }

  private static LeaseRefused stopping() {
    return new LeaseRefused(LeaseRefused.Code.STOPPING, "the gateway is going down", Duration.ofSeconds(10), null);
  }

  @Override
  public List<Instance> instances() {
    return functions.values().stream().flatMap(f -> f.views().stream())
        .sorted(Comparator.comparing(Instance::name)).toList();
  }

  @Override
  public List<String> logs(FunctionName function, int lines) {
    FunctionInstances instances = functions.get(function);
    List<String> all = new ArrayList<>();
    if (instances != null) {
      for (Slot slot : instances.slots()) {
        if (!slot.id.isEmpty()) {
          all.addAll(engine.logs(slot.id, lines));
        }
      }
    }
    if (all.isEmpty()) {
      all.addAll(lifecycle.lastWords(function));
    }
    return List.copyOf(all.subList(Math.max(0, all.size() - lines), all.size()));
  }

  @Override
  public void functionAdded(FunctionSpec function) {
    FunctionInstances instances =
        new FunctionInstances(function, lifecycle, scheduler, settings.queueLength());
    FunctionInstances before = functions.putIfAbsent(function.name(), instances);
    if (before != null) {
      before.change(function);
      return;
    }
    reconciler.claim(function.name(), instances);
  }

  @Override
  public void functionChanged(FunctionSpec before, FunctionSpec after) {
    FunctionInstances instances = functions.get(after.name());
    if (instances != null) {
      instances.change(after);
    }
  }

  @Override
  public void functionRemoved(FunctionSpec function) {
    FunctionInstances instances = functions.remove(function.name());
    if (instances != null) {
      instances.remove();
      lifecycle.forget(function.name());
    }
  }

  private void tend() {
    for (FunctionInstances instances : functions.values()) {
      try {
        instances.tend();
      } catch (RuntimeException e) {
        LOG.error("unexpected failure while tending instances: {}", e.getMessage(), e);
      }
    }
  }

  private void engineEvent(EngineEvent event) {
    if (event instanceof EngineEvent.Died died) {
      for (FunctionInstances instances : functions.values()) {
        Optional<Slot> slot = instances.byId(died.id());
        if (slot.isPresent()) {
          lifecycle.confirmDeath(slot.get(), instances);
          return;
        }
      }
    } else {
      lifecycle.run(reconciler::sweep);
    }
  }

  @Deactivate
  void close() {
    closed = true;
    scheduler.shutdownNow();
    for (FunctionInstances instances : functions.values()) {
      for (Slot slot : instances.abandon()) {
        if (!slot.id.isEmpty()) {
          lifecycle.stop(slot, "the gateway is going down");
        }
      }
    }
    executor.shutdown();
    try {
      if (!executor.awaitTermination(settings.stopGrace().toSeconds() + 10, TimeUnit.SECONDS)) {
        LOG.warn("some instances did not stop in time; the next start removes them");
        executor.shutdownNow();
      }
      watch.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (Exception e) {
      LOG.warn("the engine's event stream did not close: {}", e.getMessage(), e);
    }
  }
}
