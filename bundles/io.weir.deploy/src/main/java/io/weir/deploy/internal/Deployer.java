package io.weir.deploy.internal;

import io.weir.deployment.Deployment;
import io.weir.deployment.Deployments;
import io.weir.deployment.InstalledPackage;
import io.weir.deployment.Refused;
import io.weir.engine.ContainerEngine;
import io.weir.engine.EngineException;
import io.weir.engine.InstancePool;
import io.weir.engine.Ladder;
import io.weir.event.Events;
import io.weir.function.FunctionRegistry;
import io.weir.function.FunctionSpec;
import io.weir.function.InvalidDeclaration;
import io.weir.function.PackagedFunctions;
import io.weir.weirpkg.Manifest;
import io.weir.weirpkg.PackageFault;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;

/** Takes packages from wherever they come, one deployment at a time, and looks after their images. */
@Component(name = DeployConfig.PID, configurationPid = DeployConfig.PID, immediate = true, service = Deployments.class,
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = DeployConfig.class)
public final class Deployer implements Deployments {
  /** Packages that arrive at the same time; one that arrives slowly is not to keep all others out. */
  private static final int ARRIVING = 2;
  private static final Duration SWEEP_AGAIN = Duration.ofSeconds(10);
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final FunctionRegistry registry;
  private final PackagedFunctions packaged;
  private final Clock clock;
  private final Intake intake;
  private final Books books;
  private final Images images;
  private final Progress progress;
  private final Rehearsal rehearsal;
  private final Semaphore arriving = new Semaphore(ARRIVING);
  private final Semaphore installing = new Semaphore(1);
  private final CountDownLatch closing = new CountDownLatch(1);
  private final ScheduledThreadPoolExecutor worker;
  private final Optional<DropFolder> dropFolder;
  private final java.security.SecureRandom random = new java.security.SecureRandom();

  @Activate
  public Deployer(BundleContext context, @Reference FunctionRegistry registry, @Reference PackagedFunctions packaged,
      @Reference ContainerEngine engine, @Reference InstancePool pool, @Reference Ladder ladder, @Reference Events events,
      DeployConfig config) {
    this(registry, packaged, engine, pool, ladder, events, Settings.of(config, data(context)), Intake.thisMachine(),
        Clock.systemUTC());
  }

  private static Path data(BundleContext context) {
    return Path.of(Optional.ofNullable(context.getProperty("weir.data")).filter(text -> !text.isBlank()).orElse("/var/lib/weir"));
  }

  Deployer(FunctionRegistry registry, PackagedFunctions packaged, ContainerEngine engine, InstancePool pool, Ladder ladder,
      Events events, Settings settings, String architecture, Clock clock) {
    this.registry = registry;
    this.packaged = packaged;
    this.clock = clock;
    this.intake = new Intake(settings, architecture);
    this.books = new Books(settings.books(), registry);
    this.images = new Images(engine, registry, books);
    this.progress = new Progress(events, clock);
    this.rehearsal = new Rehearsal(pool, ladder, settings.readyTimeout(), closing);
    this.worker = new ScheduledThreadPoolExecutor(1, task -> {
      Thread thread = new Thread(task, "weir-deploy");
      thread.setDaemon(true);
      return thread;
    });
    worker.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    intake.clear();   // here, not in the worker: it would take away a package that arrives now
    this.dropFolder = settings.drop().map(folder -> new DropFolder(folder, this, clock, worker::execute));
    worker.schedule(this::sweep, SWEEP_AGAIN.toSeconds(), TimeUnit.SECONDS);
  }

  @Deactivate
  void close() {
    closing.countDown();
    dropFolder.ifPresent(DropFolder::close);
    worker.shutdown();
    try {
      if (!worker.awaitTermination(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
        worker.shutdownNow();
        worker.awaitTermination(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** {@code package thermo 1.2.0}. */
  static String called(Manifest manifest) {
    return "package " + manifest.name() + " " + manifest.version();
  }

  @Override
  public Deployment install(InputStream from, String source) throws IOException {
    if (installing.availablePermits() == 0 || !arriving.tryAcquire()) {
      throw busy();
    }
    Staged staged;
    String id = newId();
    try {
      staged = intake.take(from, id);
    } finally {
      arriving.release();
    }
    boolean begun = false;
    try {
      List<FunctionSpec> functions = functions(staged);
      if (!installing.tryAcquire()) {
        throw busy();
      }
      Deployment deployment = begin(id, staged, source, functions);
      begun = true;
      return deployment;
    } finally {
      if (!begun) {
        staged.close();
      }
    }
  }

  private static Refused busy() {
    return new Refused(Refused.Code.BUSY, "another package is being installed; try again when it is", null);
  }

  private String newId() {
    byte[] id = new byte[6];
    random.nextBytes(id);
    return HexFormat.of().formatHex(id);
  }

  /** The package's functions with their images, once it is clear that there are or will be such images. */
  private List<FunctionSpec> functions(Staged staged) throws IOException {
    String called = called(staged.manifest());
    try {
      staged.archives();   // that they are image archives
      List<FunctionSpec> functions = staged.resolve(packaged.read(staged.yaml(), called, staged.handlers()));
      for (FunctionSpec function : functions) {
        Optional<String> missing = Images.of(function.source()).filter(image -> !image.startsWith(Staged.REPOSITORY))
            .filter(image -> !images.isHere(image));
        if (missing.isPresent()) {
          throw new Refused(Refused.Code.INVALID_DECLARATION, called + ": function " + function.name() + ": its image "
              + missing.get() + " is neither in the package nor on this gateway; build the package with --image", null);
        }
      }
      return functions;
    } catch (PackageFault e) {
      throw new Refused(Intake.code(e), called + ": " + e.getMessage(), e);
    } catch (InvalidDeclaration e) {
      throw new Refused(Refused.Code.INVALID_DECLARATION, String.valueOf(e.getMessage()), e);
    } catch (EngineException e) {
      throw new Refused(Refused.Code.BUSY, "no container engine answers now, try again: " + e.getMessage(), e);
    }
  }

  private Deployment begin(String id, Staged staged, String source, List<FunctionSpec> functions) {
    Deployment begun = progress.begin(id, staged, source,
        books.find(staged.manifest().name()).map(InstalledPackage::version));
    Installation installation = new Installation(registry, packaged, images, rehearsal, books, progress, clock, staged,
        functions, begun);
    try {
      worker.execute(() -> {
        Runnable end = installation.run();
        staged.close();
        installing.release();
        end.run();
        sweep();
      });
    } catch (RejectedExecutionException e) {
      installing.release();
      throw new Refused(Refused.Code.BUSY, "the gateway is going down", e);
    }
    return begun;
  }

  /** What still has a container gets another try. */
  private void sweep() {
    if (!images.sweep() && closing.getCount() > 0) {
      try {
        worker.schedule(this::sweep, SWEEP_AGAIN.toSeconds(), TimeUnit.SECONDS);
      } catch (RejectedExecutionException e) {
        return;   // the next start sweeps
      }
    }
  }

  @Override
  public boolean remove(String name) {
    Optional<InstalledPackage> installed = books.find(name);
    if (installed.isEmpty()) {
      return false;
    }
    if (!installing.tryAcquire()) {
      throw busy();
    }
    try {
      packaged.replace(name, List.of(), "package " + name);
      books.removed(name);
    } catch (InvalidDeclaration e) {
      throw new Refused(Refused.Code.INVALID_DECLARATION, String.valueOf(e.getMessage()), e);
    } finally {
      installing.release();
    }
    try {
      worker.execute(this::sweep);
    } catch (RejectedExecutionException e) {
      return true;   // the next start sweeps
    }
    return true;
  }

  @Override
  public Optional<Deployment> find(String id) {
    return progress.find(id);
  }

  @Override
  public List<Deployment> recent() {
    return progress.recent();
  }

  @Override
  public List<InstalledPackage> packages() {
    return books.packages();
  }
}
