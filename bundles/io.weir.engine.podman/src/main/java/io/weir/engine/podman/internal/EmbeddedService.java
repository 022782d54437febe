package io.weir.engine.podman.internal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Podman of our own, with storage and configuration apart from the machine's other Podman: a service that runs
 * containers, and where that keeps its state in memory by an own store, another one that writes images. Containers
 * outlive both, and the gateway.
 */
final class EmbeddedService implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EmbeddedService.class);
  /** With a longer one containers start, but Podman's clean-up after them refuses to run, and no death is reported. */
  private static final int LONGEST_RUN_ROOT = 50;
  private static final Set<String> IN_MEMORY = Set.of("tmpfs", "ramfs");

  private final Path run;
  private final Path data;
  private final Settings settings;
  private final AtomicBoolean warned = new AtomicBoolean();
  private final ImageService images;
  private final ServiceProcess process;
  private volatile @Nullable ServiceConf conf;

  /** @param problem hears why the service cannot be started */
  EmbeddedService(Path run, Path data, Settings settings, Consumer<String> problem) {
    this.run = run;
    this.data = data;
    this.settings = settings;
    ServiceProcess.Home imagesHome = new ServiceProcess.Home(run.resolve("images"), run.resolve("images.sock"));
    this.images = new ImageService(imagesHome, settings, podman -> detect(podman).alone());
    this.process = new ServiceProcess("podman", new ServiceProcess.Home(run, socket(run)), settings, podman -> {
      ServiceConf now = prepare(podman);
      if (conf == null) {
        // An earlier gateway's; later it is our own.
        ServiceProcess.endStale(imagesHome);
      }
      conf = now;
      return now.main();
    }, problem);
  }

  static Path socket(Path run) {
    return run.resolve("podman.sock");
  }

  long pid() {
    return process.pid();
  }

  /** Who writes images, if that is another service; known once this one serves. */
  Optional<ImageService> images() {
    ServiceConf now = conf;
    return now != null && now.imagesApart() ? Optional.of(images) : Optional.empty();
  }

  /** Where the state of containers is, in words; known once this one serves. */
  String stateIn() {
    ServiceConf now = conf;
    return now != null && now.stateInMemory() ? "state on tmpfs" : "state on disk";
  }

  private ServiceConf prepare(Path podman) throws IOException {
    int excess = ServiceConf.runRoot(run).toString().length() - LONGEST_RUN_ROOT;
    if (excess > 0) {
      throw new IOException("the directory weir.run is too long for podman: " + run.getParent() + " must be shorter by "
          + excess + " characters");
    }
    // Whoever reaches the socket of a Podman that runs as root is root.
    Files.setPosixFilePermissions(run, PosixFilePermissions.fromString("rwx------"));
    ServiceConf detected = detect(podman);
    if (!detected.stateInMemory() && warned.compareAndSet(false, true)) {
      LOG.warn("Podman keeps the state of containers on disk, which makes cold starts slow and wears out memory cards: "
          + (inMemory(run) ? "without root that takes Podman 4.4" : "put weir.run ({}) on a tmpfs"), run.getParent());
    }
    return detected;
  }

  private ServiceConf detect(Path podman) throws IOException {
    return new ServiceConf(HostFacts.detect(podman), settings.runtime(), run, data, inMemory(run));
  }

  private static boolean inMemory(Path directory) throws IOException {
    return IN_MEMORY.contains(Files.getFileStore(directory).type());
  }

  @Override
  public void close() {
    images.close();
    process.close();
  }
}
