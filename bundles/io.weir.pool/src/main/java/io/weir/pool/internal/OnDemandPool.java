package io.weir.pool.internal;

import io.weir.engine.Breakdown;
import io.weir.engine.Calibration;
import io.weir.engine.ContainerEngine;
import io.weir.engine.EngineEvent;
import io.weir.engine.FunctionUsage;
import io.weir.engine.Instance;
import io.weir.engine.InstanceEnvironment;
import io.weir.engine.InstancePool;
import io.weir.engine.Ladder;
import io.weir.engine.Lease;
import io.weir.engine.LeaseRefused;
import io.weir.engine.MemoryBudget;
import io.weir.engine.Runners;
import io.weir.event.Events;
import io.weir.event.GatewayIdentity;
import io.weir.forecast.ArrivalForecaster;
import io.weir.forecast.Foresight;
import io.weir.forecast.Outlook;
import io.weir.forecast.Prewarms;
import io.weir.function.FunctionCheck;
import io.weir.function.FunctionListener;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.InvalidFunction;
import io.weir.function.Rung;
import io.weir.kernel.Traffic;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts instances when somebody waits for one, lets them rest where it costs least, and bounds what they
 * hold together.
 *
 * <p>After a restart it adopts what an earlier life left running: its own containers are known by label,
 * those whose function still has the same revision are taken over, the rest is removed. Strangers are never
 * touched.
 */
@Component(name = OnDemandPool.PID, configurationPolicy = ConfigurationPolicy.REQUIRE, immediate = true,
    service = {InstancePool.class, Ladder.class, Foresight.class, FunctionListener.class,
      FunctionCheck.class})
@Designate(ocd = PoolConfig.class)
public final class OnDemandPool implements InstancePool, Ladder, Foresight, FunctionListener, FunctionCheck {
  static final String PID = "io.weir.pool";
  private static final Logger LOG = LoggerFactory.getLogger(OnDemandPool.class);
  private static final Duration TEND = Duration.ofMillis(500);
  private static final Duration METER = Duration.ofSeconds(2);
  private static final Duration SWEEP = Duration.ofSeconds(60);
  /**
   * Functions are declared within seconds of a start; a container that nobody claims by then is a leftover.
   */
  private static final Duration CLAIM = Duration.ofSeconds(15);
  private static final int CALIBRATION_ROUNDS = 3;

  private final ContainerEngine engine;
  private final Runners runners;
  private final Settings settings;
  private final Lifecycle lifecycle;
  private final TrafficLink trafficLink;
  private final Budget budget;
  private final Housekeeping housekeeping;
  private final CostLedger ledger;
  private final Forecasting forecasting;
  private final Home home;
  private final ScheduledThreadPoolExecutor scheduler;
  private final Map<FunctionName, FunctionInstances> functions = new ConcurrentHashMap<>();
  /** Functions that were removed while their instances still had requests. */
  private final Set<FunctionInstances> leaving = ConcurrentHashMap.newKeySet();
  /** Functions that are not declared yet, and show that they can be started. */
  private final Set<FunctionInstances> rehearsals = ConcurrentHashMap.newKeySet();
  private final Reconciler reconciler;
  private final AutoCloseable watch;
  private volatile boolean closed;

  @Activate
  public OnDemandPool(BundleContext context, @Reference GatewayIdentity gateway,
      @Reference ContainerEngine engine, @Reference Runners runners, @Reference Events events,
      PoolConfig config) {
    this(engine, runners, events, Settings.of(config), gateway.id(), dataDirectory(context),
        Path.of("/proc"));
  }

  private static Path dataDirectory(BundleContext context) {
    String configured = context.getProperty("weir.data");
    return Path.of(configured == null || configured.isBlank() ? "/var/lib/weir" : configured);
  }

  OnDemandPool(ContainerEngine engine, Runners runners, Events events, Settings settings, String gateway,
      Path data, Path proc) {
    this(engine, runners, events, settings, gateway, data, proc, System::nanoTime, InstantSource.system());
  }

  /**
   * @param clock by which everything is decided that depends on time
   * @param wall what time it is, for forecasts
   */
  OnDemandPool(ContainerEngine engine, Runners runners, Events events, Settings settings, String gateway,
      Path data, Path proc, LongSupplier clock, InstantSource wall) {
    this.engine = engine;
    this.runners = runners;
    this.settings = settings;
    this.scheduler = new ScheduledThreadPoolExecutor(1, Lifecycle.threads("weir-pool-timer"));
    scheduler.setRemoveOnCancelPolicy(true);
    MemoryPressure pressure = new MemoryPressure(proc, settings.leastAvailablePercent());
    this.budget = new Budget(settings.budgetBytes() > 0 ? settings.budgetBytes() : pressure.total() / 2);
    KernelSide kernel = new KernelSide(engine);
    this.trafficLink = new TrafficLink(kernel, functions, this::all, scheduler, clock);
    this.lifecycle = new Lifecycle(engine, kernel, runners, events, settings, gateway);
    this.ledger = new CostLedger(data.resolve("calibration.properties"));
    Admission admission = new Admission(budget, functions);
    RestPolicy policy = new RestPolicy(settings, budget);
    this.forecasting = new Forecasting(settings, budget, wall, this::announced);
    this.home = new Home(lifecycle, kernel, settings, budget, admission, ledger, policy, forecasting,
        scheduler, clock);
    this.reconciler = new Reconciler(engine, lifecycle, functions);
    this.housekeeping = new Housekeeping(engine, runners, home, functions, pressure);
    this.watch = engine.watch(Lifecycle.GATEWAY, gateway, this::engineEvent);
    lifecycle.run(reconciler::findEarlierInstances);
    scheduler.schedule(() -> lifecycle.run(reconciler::endClaims), CLAIM.toSeconds(), TimeUnit.SECONDS);
    every(TEND, this::tend);
    every(METER, housekeeping::look);
    every(SWEEP, () -> lifecycle.run(reconciler::sweep));
    every(SWEEP, () -> forecasting.retain(Set.copyOf(functions.keySet())));
  }

  private void every(Duration period, Runnable task) {
    scheduler.scheduleWithFixedDelay(() -> {
      try {
        task.run();
      } catch (RuntimeException e) {
        LOG.error("unexpected failure in the pool: {}", e.getMessage(), e);
      }
    }, period.toMillis(), period.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** The framework found somebody who counts in the kernel, or a better one. */
  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  void bindTraffic(Traffic traffic) {
    trafficLink.appeared(traffic);
  }

  void unbindTraffic(Traffic traffic) {
    trafficLink.disappeared(traffic);
  }

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  void bindEnvironment(InstanceEnvironment environment) {
    lifecycle.surroundings().appeared(environment);
  }

  void unbindEnvironment(InstanceEnvironment environment) {
    lifecycle.surroundings().disappeared(environment);
  }

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  void bindForecaster(ArrivalForecaster service) {
    forecasting.appeared(service);
  }

  void unbindForecaster(ArrivalForecaster service) {
    forecasting.disappeared(service);
  }

  /** Their advice is another one; asked for by nobody who waits. */
  void announced(List<FunctionName> names) {
    try {
      scheduler.execute(() -> names.forEach(name -> Optional.ofNullable(functions.get(name))
          .ifPresent(FunctionInstances::announced)));
    } catch (RejectedExecutionException e) {
      LOG.trace("the pool is closed", e);
    }
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
    forecasting.observe(function);
    try {
      return instances.acquire(patience);
    } catch (RejectedExecutionException e) {
      return CompletableFuture.failedFuture(stopping());   // closed between the look and the call
    }
  }

  private static LeaseRefused stopping() {
    return new LeaseRefused(LeaseRefused.Code.STOPPING, "the gateway is going down", Duration.ofSeconds(10),
        null);
  }

  @Override
  public List<Instance> instances() {
    return functions.values().stream().flatMap(f -> f.views().stream())
        .sorted(Comparator.comparing(Instance::name)).toList();
  }

  @Override
  public List<FunctionUsage> usage() {
    return lifecycle.usage().view(functions.keySet());
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
  public CompletionStage<Void> rest(FunctionName function, Rung rung) {
    FunctionInstances instances = functions.get(function);
    return instances == null ? CompletableFuture.failedFuture(unknown(function)) : instances.rest(rung);
  }

  @Override
  public CompletionStage<Void> rehearse(FunctionSpec function, Duration patience) {
    if (closed) {
      return CompletableFuture.failedFuture(stopping());
    }
    FunctionInstances instances = new FunctionInstances(function, home, true);
    rehearsals.add(instances);
    CompletionStage<Lease> lease = instances.acquire(patience);
    instances.settle();   // once somebody waits, so that nothing is merely prepared
    if (closed) {
      instances.abandon();
    }
    return lease.handle((ready, failure) -> {
      leaving.add(instances);   // before it is nowhere else
      rehearsals.remove(instances);
      if (ready != null) {
        ready.release();
      }
      instances.remove();
      return failure;
    }).thenCompose(failure -> failure == null ? CompletableFuture.completedFuture(null)
        : CompletableFuture.failedFuture(why(function, patience, failure)));
  }

  /** Nobody else waits for a rehearsal, so that one which took too long did not come up. */
  private static Throwable why(FunctionSpec function, Duration patience, Throwable failure) {
    Throwable inner = failure.getCause();
    Throwable cause = failure instanceof CompletionException && inner != null ? inner : failure;
    if (cause instanceof LeaseRefused refused && refused.code() == LeaseRefused.Code.WAITED_TOO_LONG) {
      return new LeaseRefused(LeaseRefused.Code.NEVER_LISTENED, "nothing listens on port " + function.port()
          + " after " + patience.toSeconds() + " s; the function must listen on 0.0.0.0 at $PORT",
          Duration.ZERO, refused);
    }
    return cause;
  }

  private static IllegalArgumentException unknown(FunctionName function) {
    return new IllegalArgumentException("there is no function " + function);
  }

  @Override
  public List<Calibration> calibrations() {
    return functions.values().stream().map(instances -> instances.costs().view(instances.spec()))
        .sorted(Comparator.comparing(Calibration::function)).toList();
  }

  @Override
  public CompletionStage<Calibration> calibrate(FunctionName function) {
    FunctionInstances instances = functions.get(function);
    return instances == null ? CompletableFuture.failedFuture(unknown(function))
        : housekeeping.calibrate(instances, CALIBRATION_ROUNDS);
  }

  @Override
  public Optional<Outlook> outlook(FunctionName function) {
    return Optional.ofNullable(functions.get(function)).map(FunctionInstances::outlook);
  }

  @Override
  public Map<FunctionName, Prewarms> prewarms() {
    return functions.entrySet().stream()
        .collect(Collectors.toMap(Map.Entry::getKey, function -> function.getValue().prewarms()));
  }

  @Override
  public MemoryBudget budget() {
    return budget.view();
  }

  @Override
  public Optional<Breakdown> breakdown(FunctionName function) {
    return Optional.ofNullable(functions.get(function)).flatMap(FunctionInstances::breakdown);
  }

  @Override
  public void check(FunctionSpec function) {
    if (function.limits().memoryBytes() > budget.total()) {
      throw new InvalidFunction("memory", "memory: " + (function.limits().memoryBytes() >> 20)
          + " MiB for one instance is more than the memory budget of all, " + (budget.total() >> 20)
          + " MiB; lower it, or raise memory.budget.mib of " + PID);
    }
  }

  @Override
  public void functionAdded(FunctionSpec function) {
    FunctionInstances instances = new FunctionInstances(function, home);
    FunctionInstances before = functions.putIfAbsent(function.name(), instances);
    if (before != null) {
      before.change(function);
    } else {
      reconciler.claim(function.name(), instances);
    }
    if (closed) {
      instances.abandon();   // whoever went through all functions may not have seen this one
    }
    functionsChanged();
  }

  @Override
  public void functionChanged(FunctionSpec before, FunctionSpec after) {
    FunctionInstances instances = functions.get(after.name());
    if (instances != null) {
      instances.change(after);
      functionsChanged();
    }
  }

  @Override
  public void functionRemoved(FunctionSpec function) {
    FunctionInstances instances = functions.get(function.name());
    if (instances != null) {
      leaving.add(instances);   // before it is nowhere else, lest somebody who goes through all misses it
      functions.remove(function.name());
      instances.remove();
      lifecycle.forget(function.name());
      functionsChanged();
    }
  }

  private void functionsChanged() {
    runners.keepFor(functions.values().stream().map(FunctionInstances::spec).toList());
    housekeeping.imagesMayDiffer();
  }

  private Stream<FunctionInstances> all() {
    return Stream.concat(Stream.concat(functions.values().stream(), rehearsals.stream()), leaving.stream());
  }

  /** Rehearsals are not: whoever is not declared is entitled to nothing. */
  void tend() {
    leaving.removeIf(instances -> instances.slots().isEmpty());
    Stream.concat(functions.values().stream(), leaving.stream()).forEach(FunctionInstances::tend);
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
    } else if (event instanceof EngineEvent.ImagesChanged) {
      housekeeping.imagesMayDiffer();
    } else {
      lifecycle.run(reconciler::sweep);
    }
  }

  @Deactivate
  void close() {
    closed = true;
    scheduler.shutdownNow();
    trafficLink.close();
    reconciler.close();
    all().forEach(FunctionInstances::abandon);
    ledger.save(functions.values().stream().map(FunctionInstances::spec).collect(Collectors.toSet()));
    try {
      Duration patience = settings.stopGrace().plusSeconds(10);
      housekeeping.close(patience);
      lifecycle.close(patience);
      reconciler.removeAll(patience);
      watch.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (Exception e) {
      LOG.warn("the engine's event stream did not close: {}", e.getMessage(), e);
    }
  }
}
