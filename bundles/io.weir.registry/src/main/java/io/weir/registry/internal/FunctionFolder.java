package io.weir.registry.internal;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches the folder of weir.yaml files on a thread of its own.
 *
 * <p>The kernel's notices only say when to look; what changed is found by comparing, so a lost notice costs a few
 * seconds and nothing else. Half-written files are avoided by waiting until the folder is quiet.
 */
@Component(name = FolderConfig.PID, configurationPid = FolderConfig.PID, immediate = true,
    service = {}, configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = FolderConfig.class)
public final class FunctionFolder {
  private static final Logger log = LoggerFactory.getLogger(FunctionFolder.class);
  private static final Duration RESCAN = Duration.ofSeconds(5);
  private static final Duration QUIET = Duration.ofMillis(150);
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  private final Path folder;
  private final FolderScan scan;
  private final Duration rescan;
  private final Thread thread;
  private @Nullable WatchService watcher;
  private @Nullable WatchKey key;
  private volatile boolean closed;

  @Activate
  public FunctionFolder(@Reference Registry registry, BundleContext context, FolderConfig config) {
    this(registry, folder(config, Optional.ofNullable(context.getProperty("weir.data"))), RESCAN);
  }

  FunctionFolder(Registry registry, Path folder, Duration rescan) {
    this.folder = folder;
    this.rescan = rescan;
    this.scan = new FolderScan(registry, folder, Clock.systemUTC());
    this.thread = new Thread(this::watch, "weir-functions-folder");
    thread.setDaemon(true);
    thread.start();
  }

  static Path folder(FolderConfig config, Optional<String> data) {
    Path folder = config.folder().isBlank() ? Path.of(data.orElse("/var/lib/weir"), "functions.d")
        : Path.of(config.folder().strip());
    if (!folder.isAbsolute()) {
      throw new IllegalArgumentException(FolderConfig.PID + ": folder: '" + config.folder()
          + "' is not allowed; use an absolute path");
    }
    return folder;
  }

  @Deactivate
  void close() {
    closed = true;
    thread.interrupt();
    try {
      thread.join(PATIENCE.toMillis()); // The next watch must not find this one still writing.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void watch() {
    try {
      while (!closed) {
        ensureWatched();
        boolean again = look();
        await(again ? QUIET : rescan);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      unwatch();
    }
  }

  /** A failure must not end the thread: the folder would never be looked at again. */
  private boolean look() {
    try {
      return scan.run();
    } catch (RuntimeException e) {
      if (!closed) {
        log.error("{} could not be applied; trying again in {}", folder, rescan, e);
      }
      return false;
    }
  }

  private void ensureWatched() {
    if (key != null && key.isValid()) {
      return;
    }
    try {
      Files.createDirectories(folder);
      if (watcher == null) {
        watcher = FileSystems.getDefault().newWatchService();
      }
      key = folder.register(watcher, StandardWatchEventKinds.ENTRY_CREATE, StandardWatchEventKinds.ENTRY_MODIFY,
          StandardWatchEventKinds.ENTRY_DELETE);
    } catch (IOException e) {
      log.debug("No notices about {}; looking every {} instead", folder, rescan, e);
      unwatch();
    }
  }

  private void unwatch() {
    WatchService open = watcher;
    watcher = null;
    key = null;
    if (open != null) {
      try {
        open.close();
      } catch (IOException e) {
        log.debug("Closing the watch of {}", folder, e);
      }
    }
  }

  /** Returns when something happened and the folder is quiet again, or when it is time to look anyway. */
  private void await(Duration atMost) throws InterruptedException {
    WatchService open = watcher;
    if (open == null) {
      TimeUnit.NANOSECONDS.sleep(atMost.toNanos());
      return;
    }
    WatchKey signalled = open.poll(atMost.toNanos(), TimeUnit.NANOSECONDS);
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (signalled != null) {
      signalled.pollEvents();
      signalled.reset();
      signalled = System.nanoTime() < deadline ? open.poll(QUIET.toNanos(), TimeUnit.NANOSECONDS) : null;
    }
  }
}
