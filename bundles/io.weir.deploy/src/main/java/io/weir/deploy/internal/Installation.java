package io.weir.deploy.internal;

import io.weir.deploy.internal.Rehearsal.Failed;
import io.weir.deployment.Deployment;
import io.weir.deployment.Deployment.State;
import io.weir.engine.EngineException;
import io.weir.function.FunctionRegistry;
import io.weir.function.FunctionSpec;
import io.weir.function.InvalidDeclaration;
import io.weir.function.PackagedFunctions;
import io.weir.weirpkg.ImageArchive;
import java.io.IOException;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One deployment from a checked package to its end. What runs is not touched before every function that changes has been
 * started once beside it; if the change fails even so, all of it is put back. Runs once, on one thread, and blocks.
 */
final class Installation {
  private static final Logger log = LoggerFactory.getLogger(Installation.class);
  private static final int LOADED = 50;
  private static final int REHEARSED = 80;

  private final FunctionRegistry registry;
  private final PackagedFunctions packaged;
  private final Images images;
  private final Rehearsal rehearsal;
  private final Books books;
  private final Progress progress;
  private final Clock clock;
  private final Staged staged;
  private final List<FunctionSpec> functions;
  private Deployment now;

  Installation(FunctionRegistry registry, PackagedFunctions packaged, Images images, Rehearsal rehearsal, Books books,
      Progress progress, Clock clock, Staged staged, List<FunctionSpec> functions, Deployment begun) {
    this.registry = registry;
    this.packaged = packaged;
    this.images = images;
    this.rehearsal = rehearsal;
    this.books = books;
    this.progress = progress;
    this.clock = clock;
    this.staged = staged;
    this.functions = functions;
    this.now = begun;
  }

  /** Returns what tells how it ended; whoever hears of it may begin the next one. */
  Runnable run() {
    try {
      load();
      List<FunctionSpec> changed = functions.stream().filter(this::isChanged).toList();
      rehearse(changed);
      switchOver(changed);
      books.installed(now.name(), now.version(), now.signer(), clock.instant());
      log.info("Package {} {} installed", now.name(), now.version());
      return () -> progress.end(now, State.INSTALLED, "");
    } catch (Failed | InvalidDeclaration | EngineException e) {
      return rolledBack(String.valueOf(e.getMessage()));
    } catch (IOException e) {
      return rolledBack(e.toString());   // the message of NoSuchFileException is but a path
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return rolledBack("the gateway went down meanwhile");
    } catch (RuntimeException e) {
      log.error("Package {} {} failed unexpectedly", now.name(), now.version(), e);
      return rolledBack("unexpected failure: " + e);
    }
  }

  private Runnable rolledBack(String why) {
    String runsOn = now.replaces().map(version -> "; " + (version.isEmpty() ? "the earlier version" : version) + " runs on")
        .orElse("; nothing was changed");
    log.warn("Package {} {} rolled back: {}{}", now.name(), now.version(), why, runsOn);
    return () -> progress.end(now, State.ROLLED_BACK, why + runsOn);
  }

  private void load() throws IOException {
    Map<String, ImageArchive> archives = staged.archives();
    long all = Math.max(1, archives.keySet().stream().mapToLong(staged::bytes).sum());
    long done = 0;
    for (Map.Entry<String, ImageArchive> archive : archives.entrySet()) {
      now = progress.step(now, State.LOADING, "loading " + archive.getKey(), (int) (LOADED * done / all));
      images.load(archive.getKey(), archive.getValue());
      done += staged.bytes(archive.getKey());
    }
  }

  /** Whether its containers have to be replaced. */
  private boolean isChanged(FunctionSpec spec) {
    return registry.find(spec.name()).map(running -> !running.revision().equals(spec.revision())).orElse(true);
  }

  private void rehearse(List<FunctionSpec> changed) throws Failed, InterruptedException {
    for (int i = 0; i < changed.size(); i++) {
      now = progress.step(now, State.REHEARSING, "starting " + changed.get(i).name() + " on trial",
          LOADED + (REHEARSED - LOADED) * i / changed.size());
      rehearsal.before(changed.get(i));
    }
  }

  private void switchOver(List<FunctionSpec> changed) throws Failed, InterruptedException {
    now = progress.step(now, State.SWITCHING, "switching over", REHEARSED);
    Runnable undo = packaged.replace(now.name(), functions, Deployer.called(staged.manifest()));
    try {
      for (FunctionSpec spec : changed) {
        rehearsal.after(spec);
      }
    } catch (Failed e) {
      undo.run();
      throw e;
    }
  }
}
