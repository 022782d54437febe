package io.weir.engine.podman.internal;

import io.weir.child.SupervisedProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A {@code podman system service} of our own, with storage and configuration apart from the machine's other Podman. Its
 * containers outlive it and the gateway.
 */
final class EmbeddedService implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EmbeddedService.class);
  static final String NOT_FOUND = "podman not found: apt-get install podman";
  /** Exit code of a podman that complains about its configuration or storage. */
  private static final int PODMAN_ERROR = 125;
  private static final Duration GRACE = Duration.ofSeconds(5);
  /** With a longer one containers start, but Podman's clean-up after them refuses to run, and no death is reported. */
  private static final int LONGEST_RUN_ROOT = 50;
  private static final long LONGEST_LOG = 1L << 20;

  private final Path run;
  private final Path data;
  private final Settings settings;
  private final Consumer<String> problem;
  private final SupervisedProcess process;

  /** @param problem hears why the service cannot be started */
  EmbeddedService(Path run, Path data, Settings settings, Consumer<String> problem) {
    this.run = run;
    this.data = data;
    this.settings = settings;
    this.problem = problem;
    this.process = new SupervisedProcess("podman", this::prepare, new SupervisedProcess.Listener() {
      @Override
      public void started(long pid, boolean again) {
        remember(pid);
      }

      @Override
      public void died(int exitCode, Duration delay) {
        if (exitCode == PODMAN_ERROR) {
          problem.accept("podman refused to serve: " + lastWords());
        }
      }
    }, GRACE);
  }

  static Path socket(Path run) {
    return run.resolve("podman.sock");
  }

  long pid() {
    return process.pid();
  }

  private ProcessBuilder prepare() throws IOException {
    try {
      return command();
    } catch (IOException e) {
      problem.accept(String.valueOf(e.getMessage()));
      throw e;
    }
  }

  private ProcessBuilder command() throws IOException {
    Path podman = HostFacts.find(settings.podman()).orElseThrow(() -> new IOException(NOT_FOUND));
    int excess = ServiceConf.runRoot(run).toString().length() - LONGEST_RUN_ROOT;
    if (excess > 0) {
      throw new IOException("the directory weir.run is too long for podman: " + run.getParent() + " must be shorter by "
          + excess + " characters");
    }
    for (Path directory : List.of(run, run.resolve("tmp"), run.resolve("networks"), data)) {
      Files.createDirectories(directory);
    }
    // Whoever reaches the socket of a Podman that runs as root is root.
    Files.setPosixFilePermissions(run, PosixFilePermissions.fromString("rwx------"));
    endStale();
    Files.deleteIfExists(socket(run));
    ServiceConf conf = new ServiceConf(HostFacts.detect(podman), settings.runtime(), run, data);
    Path containersConf = Files.writeString(run.resolve("containers.conf"), conf.containersConf());
    Path storageConf = Files.writeString(run.resolve("storage.conf"), conf.storageConf());
    if (Files.exists(log()) && Files.size(log()) > LONGEST_LOG) {
      Files.delete(log());
    }
    ProcessBuilder builder = new ProcessBuilder(podman.toString(), "system", "service", "--time", "0",
        "unix://" + socket(run));
    builder.environment().put("CONTAINERS_CONF", containersConf.toString());
    builder.environment().put("CONTAINERS_STORAGE_CONF", storageConf.toString());
    builder.environment().merge("PATH", "/usr/sbin:/sbin", (path, system) -> path + ":" + system);
    // Would make this podman the client of another one.
    builder.environment().remove("CONTAINER_HOST");
    // conmon drops files named "oom" where its service was started.
    return builder.directory(run.resolve("tmp").toFile())
        .redirectInput(Path.of("/dev/null").toFile())
        .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()));
  }

  private String lastWords() {
    try (Stream<String> lines = Files.lines(log())) {
      return lines.reduce((first, second) -> second).orElse("it did not say why");
    } catch (IOException | UncheckedIOException e) {
      return "see " + log();
    }
  }

  private Path log() {
    return run.resolve("podman.log");
  }

  private void remember(long pid) {
    try {
      Files.writeString(run.resolve("podman.pid"), Long.toString(pid));
    } catch (IOException e) {
      LOG.warn("cannot write {}; a service left by a killed gateway would not be ended", run.resolve("podman.pid"), e);
    }
  }

  /** A service whose gateway was killed would hold the locks of our storage, and answer on a socket that is gone. */
  private void endStale() throws IOException {
    Path file = run.resolve("podman.pid");
    if (!Files.exists(file)) {
      return;
    }
    Optional<ProcessHandle> left = Optional.of(Files.readString(file).strip()).filter(text -> text.matches("\\d{1,18}"))
        .flatMap(pid -> ProcessHandle.of(Long.parseLong(pid))).filter(this::isOurs);
    Files.deleteIfExists(file);
    if (left.isPresent()) {
      LOG.info("ending the Podman service that an earlier gateway left, pid {}", left.get().pid());
      left.get().destroy();
      try {
        left.get().onExit().orTimeout(GRACE.toMillis(), TimeUnit.MILLISECONDS).join();
      } catch (CompletionException e) {
        left.get().destroyForcibly();
      }
    }
  }

  private boolean isOurs(ProcessHandle process) {
    try {
      String command = Files.readString(Path.of("/proc", Long.toString(process.pid()), "cmdline"),
          StandardCharsets.ISO_8859_1);
      return command.contains("\0system\0service\0") && command.contains("unix://" + socket(run));
    } catch (IOException e) {
      return false;
    }
  }

  /** Ends the service, not its containers. */
  @Override
  public void close() {
    process.close();
    try {
      Files.deleteIfExists(run.resolve("podman.pid"));
    } catch (IOException e) {
      LOG.debug("left {} behind", run.resolve("podman.pid"), e);
    }
  }
}
