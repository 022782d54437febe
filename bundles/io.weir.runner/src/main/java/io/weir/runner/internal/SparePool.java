package io.weir.runner.internal;

import io.weir.engine.ContainerEngine;
import io.weir.engine.EngineException;
import io.weir.engine.InstanceEnvironment;
import io.weir.engine.LeaseRefused;
import io.weir.engine.Runners;
import io.weir.event.GatewayIdentity;
import io.weir.function.FunctionCheck;
import io.weir.function.FunctionSpec;
import io.weir.function.Language;
import io.weir.function.Source;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
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
 * Keeps spare runners frozen and hands them out with a handler in them. One that was given any code, to run or to check,
 * is never given other code.
 *
 * <p>Spares are made on one background thread, one after the other and not while somebody claims one.
 */
@Component(name = SparePool.PID, configurationPolicy = ConfigurationPolicy.REQUIRE, immediate = true,
    service = {Runners.class, FunctionCheck.class})
@Designate(ocd = RunnerConfig.class)
public final class SparePool implements Runners, FunctionCheck {
  static final String PID = "io.weir.runner";
  private static final Logger LOG = LoggerFactory.getLogger(SparePool.class);
  private static final Duration SWEEP = Duration.ofSeconds(60);
  private static final Duration AGAIN = Duration.ofSeconds(1);
  /** Claims and checks that take longer are not waited for. */
  private static final Duration CLAIMS_END = Duration.ofSeconds(15);

  private final ContainerEngine engine;
  private final Settings settings;
  private final RunnerImages images;
  private final Containers containers;
  private final Spares spares;
  private final Background background;
  private final HandlerChecks checks;
  /** Claims and checks in work. */
  private final InFlight claims = new InFlight();
  /** Set by the framework as it comes and goes. */
  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  private volatile @Nullable InstanceEnvironment surroundings;
  private volatile boolean engineSeen;
  private volatile boolean closed;

  @Activate
  public SparePool(@Reference GatewayIdentity gateway, @Reference ContainerEngine engine, RunnerConfig config) {
    this(engine, Settings.of(config), gateway.id(), Background.onThread("weir-runner", Duration.ofSeconds(15)));
  }

  SparePool(ContainerEngine engine, Settings settings, String gateway, Background background) {
    this.engine = engine;
    this.settings = settings;
    this.images = new RunnerImages(engine);
    this.containers = new Containers(engine, images, settings.startTimeout(), gateway);
    this.spares = new Spares(settings.spares());
    this.background = background;
    this.checks = new HandlerChecks(this::problemOf);
    background.run(this::begin);
    background.every(SWEEP, this::sweep);
  }

  /** Nothing can be started before the engine is there, and what an earlier life left goes first. */
  private void begin() {
    try {
      engine.info();
      engineSeen = true;
      sweep();
    } catch (EngineException e) {
      LOG.debug("no engine yet", e);
      background.later(AGAIN, this::begin);
    }
  }

  @Override
  public void keepFor(Collection<FunctionSpec> functions) {
    spares.want(functions);
    background.run(this::tend);
  }

  @Override
  public List<Spare> spares() {
    return spares.list();
  }

  @Override
  public Runner claim(FunctionSpec function, Consumer<Runner> chosen) {
    if (!(function.source() instanceof Source.Handler handler)) {
      throw new IllegalArgumentException(function.name() + " has an image of its own");
    }
    return busy(() -> claim(function, handler, chosen));
  }

  /** Keeps the background from starting containers while somebody waits. */
  private <T> T busy(Supplier<T> work) {
    claims.begin();
    try {
      if (closed) {
        throw new LeaseRefused(LeaseRefused.Code.STOPPING, "the gateway is going down", Duration.ofSeconds(10), null);
      }
      return work.get();
    } finally {
      if (claims.end()) {
        background.run(this::tend);
      }
    }
  }

  private Runner claim(FunctionSpec function, Source.Handler handler, Consumer<Runner> chosen) {
    Shape shape = Shape.of(function, handler);
    Optional<RunnerContainer> spare = spares.take(shape);
    while (spare.isPresent()) {
      RunnerContainer runner = spare.get();
      try {
        engine.thaw(runner.id());
        return load(runner.claimed(true), runner, function, handler, chosen);
      } catch (EngineException | IOException e) {
        LOG.info("{} died while it waited: {}", runner.name(), e.getMessage());
        discard(runner);
        // One that broke off while it loaded may have met its handler's fault: that is told from a fresh one.
        spare = e instanceof IOException && !(e instanceof ConnectException) ? Optional.empty() : spares.take(shape);
      }
    }
    RunnerContainer runner = containers.start(shape);
    try {
      return load(runner.claimed(false), runner, function, handler, chosen);
    } catch (IOException e) {
      String how = containers.epitaph(runner);
      discard(runner);
      throw new LeaseRefused(LeaseRefused.Code.START_FAILED, "while " + handler.file() + " was being loaded, its runner "
          + how, Duration.ZERO, e);
    }
  }

  private Runner load(Runner claimed, RunnerContainer runner, FunctionSpec function, Source.Handler handler,
      Consumer<Runner> chosen) throws IOException {
    chosen.accept(claimed);
    Optional<String> problem;
    try {
      problem = RunnerClient.load(runner.address(), handler, environment(function), settings.loadTimeout());
    } catch (SocketTimeoutException e) {
      discard(runner);
      throw new LeaseRefused(LeaseRefused.Code.START_FAILED, handler.file() + " has not finished loading after "
          + settings.loadTimeout().toSeconds() + " s; do what takes long in handle, or raise load.timeout.seconds of " + PID,
          Duration.ZERO, e);
    }
    if (problem.isPresent()) {
      discard(runner);
      throw new LeaseRefused(LeaseRefused.Code.START_FAILED, handler.file() + " does not load: " + problem.get(),
          Duration.ZERO, null);
    }
    containers.handOut(runner);
    return claimed;
  }

  private Map<String, String> environment(FunctionSpec function) {
    InstanceEnvironment more = surroundings;
    Map<String, String> environment = new HashMap<>(function.environment());
    if (more != null) {
      environment.putAll(more.of(function.name(), engine.gatewayAddress()));
    }
    return environment;
  }

  private void discard(RunnerContainer runner) {
    background.run(() -> containers.remove(runner));
  }

  @Override
  public void check(FunctionSpec function) {
    if (engineSeen && !closed && function.source() instanceof Source.Handler handler) {
      checks.check(handler);
    }
  }

  /** What the language says against a handler; asked of a runner that is used for nothing else. */
  private Optional<String> problemOf(Source.Handler handler) throws IOException {
    Language language = handler.language();
    try {
      return busy(() -> {
        RunnerContainer runner = spares.takeAny(language).map(spare -> {
          engine.thaw(spare.id());
          return spare;
        }).orElseGet(() -> containers.start(HandlerChecks.shape(language)));
        try {
          return RunnerClient.check(runner.address(), handler, settings.loadTimeout());
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        } finally {
          discard(runner);
        }
      });
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /** Makes one spare, or removes one, and comes back if there may be more to do. */
  private void tend() {
    spares.takeUnwanted().forEach(containers::remove);
    Optional<Shape> missing = spares.missing();
    if (missing.isEmpty() || closed || !engineSeen || claims.any()) {
      return;
    }
    Shape shape = missing.get();
    try {
      add(containers.start(shape));
    } catch (LeaseRefused | EngineException e) {
      spares.failed(shape, String.valueOf(e.getMessage())).ifPresent(delay -> background.later(delay, () -> {
        spares.mayTryAgain(shape);
        tend();
      }));
    }
    background.run(this::tend);
  }

  private void add(RunnerContainer runner) {
    boolean kept = false;
    try {
      engine.freeze(runner.id());
      long memory = engine.stats(runner.id()).memoryBytes();
      kept = !closed && spares.add(runner, memory);
    } finally {
      if (!kept) {
        containers.remove(runner);
      }
    }
  }

  /** Removes what is left of earlier lives, and spares that died or whose image is no longer today's. */
  private void sweep() {
    if (!engineSeen || closed) {
      return;
    }
    try {
      List<RunnerContainer> before = spares.all();
      Set<String> alive = containers.sweep();
      before.stream().filter(spare -> !alive.contains(spare.name())).filter(spares::drop).forEach(containers::remove);
      images.refresh();
      before.stream().filter(spare -> !images.isCurrent(spare.shape().language(), spare.image())).filter(spares::drop)
          .forEach(containers::remove);
    } catch (EngineException | LeaseRefused e) {
      LOG.debug("cannot compare runners with the engine", e);
    }
    tend();
  }

  @Deactivate
  void close() {
    closed = true;
    background.close();
    claims.awaitNone(CLAIMS_END);
    containers.removeOurs();
    if (engineSeen) {
      removeRest();
    }
  }

  /** One whose making was broken off, or whose removal failed; and what an earlier life left, if nobody looked yet. */
  private void removeRest() {
    try {
      containers.sweep();
    } catch (EngineException e) {
      LOG.warn("cannot look for runners that are left, the next start removes them: {}", e.getMessage());
    }
  }
}
