package io.weir.engine.podman.internal;

import io.weir.child.Root;
import io.weir.child.SupervisedProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
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
 * One {@code podman system service}, restarted whenever it ends. Its configuration, log and pid are files in a directory
 * of its own.
 */
final class ServiceProcess implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ServiceProcess.class);
  static final String NOT_FOUND = "podman not found: apt-get install podman";
  /** Exit code of a podman that complains about its configuration or storage. */
  private static final int PODMAN_ERROR = 125;
  /** Exit code of a podman that cannot make itself a world without root. */
  private static final int ROOTLESS_ERROR = 1;
  private static final Duration GRACE = Duration.ofSeconds(5);
  private static final long LONGEST_LOG = 1L << 20;

  /**
   * Where a service has its files.
   *
   * @param directory where they are
   * @param socket where it listens
   */
  record Home(Path directory, Path socket) {
    Path containersConf() {
      return directory.resolve("containers.conf");
    }

    Path storageConf() {
      return directory.resolve("storage.conf");
    }

    private Path log() {
      return directory.resolve("podman.log");
    }

    private Path pid() {
      return directory.resolve("podman.pid");
    }
  }

  /** Makes the configuration for each start, and whatever must be there before. */
  interface Configuring {
    ServiceConf.Texts prepare(Path podman) throws IOException;
  }

  private final Home home;
  private final Settings settings;
  private final Configuring configuring;
  private final Consumer<String> problem;
  private final SupervisedProcess process;

  /**
   * Starts it.
   *
   * @param name for logs and threads
   * @param problem hears why the service cannot be started
   */
  ServiceProcess(String name, Home home, Settings settings, Configuring configuring, Consumer<String> problem) {
    this.home = home;
    this.settings = settings;
    this.configuring = configuring;
    this.problem = problem;
    this.process = new SupervisedProcess(name, this::prepare, new SupervisedProcess.Listener() {
      @Override
      public void started(long pid, boolean again) {
        remember(pid);
      }

      @Override
      public void died(int exitCode, Duration delay) {
        if (exitCode == PODMAN_ERROR || exitCode == ROOTLESS_ERROR && !Root.possible()) {
          problem.accept(Root.possible() ? "podman refused to serve: " + lastWords()
              : "podman refused to serve without root. The gateway's user has not " + String.join(" ", Root.lacking())
                  + ": give it these (AmbientCapabilities= of the service), or run the gateway as root. Podman says: "
                  + lastWords());
          endPause();
        }
      }
    }, GRACE);
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
    Files.createDirectories(home.directory());
    endStale(home);
    Files.deleteIfExists(home.socket());
    ServiceConf.Texts texts = configuring.prepare(podman);
    for (Path directory : texts.directories()) {
      Files.createDirectories(directory);
    }
    Files.writeString(home.containersConf(), texts.containersConf());
    Files.writeString(home.storageConf(), texts.storageConf());
    if (Files.exists(home.log()) && Files.size(home.log()) > LONGEST_LOG) {
      Files.delete(home.log());
    }
    ProcessBuilder builder = new ProcessBuilder(Root.command(List.of(podman.toString(), "system", "service",
        "--time", "0", "unix://" + home.socket()), Optional.of(texts.workDirectory())));
    builder.environment().put("CONTAINERS_CONF", home.containersConf().toString());
    builder.environment().put("CONTAINERS_STORAGE_CONF", home.storageConf().toString());
    builder.environment().merge("PATH", "/usr/sbin:/sbin", (path, system) -> path + ":" + system);
    // Would make this podman the client of another one.
    builder.environment().remove("CONTAINER_HOST");
    // conmon drops files named "oom" where its service was started.
    return HostFacts.atHome(builder, home.directory()).directory(texts.workDirectory().toFile())
        .redirectInput(Path.of("/dev/null").toFile())
        .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.appendTo(home.log().toFile()));
  }

  private String lastWords() {
    try (Stream<String> lines = Files.lines(home.log())) {
      return lines.reduce((first, second) -> second).orElse("it did not say why");
    } catch (IOException | UncheckedIOException e) {
      return "see " + home.log();
    }
  }


  private void remember(long pid) {
    try {
      Files.writeString(home.pid(), Long.toString(pid));
    } catch (IOException e) {
      LOG.warn("cannot write {}; a service left by a killed gateway would not be ended", home.pid(), e);
    }
  }

  /** A service whose gateway was killed would hold the locks of our storage, and answer on a socket that is gone. */
  static void endStale(Home home) throws IOException {
    if (!Files.exists(home.pid())) {
      return;
    }
    Optional<ProcessHandle> left = Optional.of(Files.readString(home.pid()).strip())
        .filter(text -> text.matches("\\d{1,18}")).flatMap(pid -> ProcessHandle.of(Long.parseLong(pid)))
        .filter(process -> isServing(process, home));
    Files.deleteIfExists(home.pid());
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

  private static boolean isServing(ProcessHandle process, Home home) {
    try {
      String command = Files.readString(Path.of("/proc", Long.toString(process.pid()), "cmdline"),
          StandardCharsets.ISO_8859_1);
      return command.contains("\0system\0service\0") && command.contains("unix://" + home.socket());
    } catch (IOException e) {
      return false;
    }
  }

  /** A Podman that failed without root leaves what was to hold its user namespace. */
  private void endPause() {
    try {
      Path note = home.directory().resolve("tmp").resolve("pause.pid");
      if (Files.exists(note)) {
        Optional.of(Files.readString(note).strip()).filter(text -> text.matches("\\d{1,18}")).map(Long::parseLong)
            .filter(pid -> isPause(Path.of("/proc", Long.toString(pid), "comm"))).flatMap(ProcessHandle::of)
            .ifPresent(ProcessHandle::destroyForcibly);
        Files.deleteIfExists(note);
      }
    } catch (IOException e) {
      LOG.debug("cannot end what the Podman service left", e);
    }
  }

  private static boolean isPause(Path comm) {
    try {
      return Files.readString(comm).startsWith("podman pause");
    } catch (IOException e) {
      return false;
    }
  }

  /** Ends the service, not its containers. */
  @Override
  public void close() {
    process.close();
    try {
      Files.deleteIfExists(home.pid());
    } catch (IOException e) {
      LOG.debug("left {} behind", home.pid(), e);
    }
  }
}
