package io.weir.cli;

import io.weir.cli.demo.Demo;
import io.weir.cli.demo.GatewayProcess;
import io.weir.cli.demo.Sensors;
import io.weir.cli.doctor.Ports;
import io.weir.cli.gateway.Gateway;
import io.weir.cli.gateway.Json;
import io.weir.cli.image.Host;
import io.weir.cli.image.Images;
import io.weir.cli.image.Runtime;
import io.weir.cli.ui.Colour;
import io.weir.cli.ui.ExitCode;
import io.weir.cli.ui.Failure;
import io.weir.cli.ui.Progress;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(name = "run", description = "Start the gateway, feed it this machine's own sensors and show what happens, until Ctrl-C.")
final class RunCommand extends Verb {
  private static final int SIGNALLED = 130;
  private static final String DEMO_IMAGE = "localhost/weir/thermo-alert:1";

  @Option(names = "--for", paramLabel = "TIME", description = "end by itself after this long; exit code 0 only if a container "
      + "answered a real reading")
  private @Nullable String length;

  @Option(names = "--no-demo", description = "just the gateway")
  private boolean noDemo;

  @Option(names = "--data", paramLabel = "DIR", description = "what must survive (default: $WEIR_DATA, else /var/lib/weir)")
  private @Nullable Path data;

  @Option(names = "--port", paramLabel = "N", defaultValue = "8480", description = "HTTP port (default: 8480)")
  private int port = 8480;

  @Option(names = "--mqtt-port", paramLabel = "N", defaultValue = "1883", description = "MQTT port (default: 1883)")
  private int mqttPort = 1883;

  /** What has been started, latest first, and is stopped exactly once: by the end of the verb or by a signal. */
  private final Deque<AutoCloseable> started = new ArrayDeque<>();
  private boolean stopping;
  private volatile boolean signalled;

  @Override
  public Integer call() throws InterruptedException {
    Duration limit = length == null ? null : duration("--for", length);
    if (port < 1 || port > 65_535 || mqttPort < 1 || mqttPort > 65_535 || port == mqttPort) {
      throw misuse("--port and --mqtt-port must be two different ports from 1 to 65535");
    }
    if (main().urlChosen()) {
      throw misuse("run starts a gateway here, at 127.0.0.1:" + port + "; leave --url and WEIR_URL out, or choose --port");
    }
    Gateway gateway = new Gateway("http://127.0.0.1:" + port);
    if (gateway.answers()) {
      String owner = Ports.owner(port);
      throw new Failure(ExitCode.FAILED, (owner.equals("?") ? "something" : owner) + " answers at " + gateway.address()
          + " already: if it is a gateway (see 'weir status'), use it, or stop it first; if not, choose another port with --port");
    }
    Thread onSignal = new Thread(this::onSignal, "weir-run-signal");
    java.lang.Runtime.getRuntime().addShutdownHook(onSignal);
    try {
      return run(gateway, limit);
    } catch (Failure e) {
      // What fails because we are stopping needs no explanation.
      if (signalled) {
        return SIGNALLED;
      }
      throw e;
    } finally {
      stop();
    }
  }

  private int run(Gateway gateway, @Nullable Duration limit) throws InterruptedException {
    long began = System.nanoTime();
    GatewayProcess process = GatewayProcess.start(distribution().resolve("bin/weir-gateway"), dataFolder(), environment());
    if (!began(process)) {
      return SIGNALLED;
    }
    try (Progress progress = terminal().progress("starting the gateway", 0, "")) {
      Map<String, Object> status = process.awaitReady(gateway, progress);
      progress.done("ready");
      note("gateway at " + gateway.address() + ", broker at " + Json.text(Json.map(status.get("broker")), "uri") + ", data in "
          + dataFolder());
      note("console at " + gateway.address() + "/console/");
    }
    Demo demo = noDemo ? null : demo(gateway);
    long deadline = limit == null ? Long.MAX_VALUE : System.nanoTime() + limit.toNanos();
    note(limit == null ? "Ctrl-C stops it" : "it ends by itself after " + length);
    String reason = watch(process, demo, deadline);
    if (signalled) {
      return SIGNALLED;
    }
    return conclude(demo, reason, began);
  }

  private Demo demo(Gateway gateway) {
    Path folder = example();
    Images images = new Images(gateway, terminal(), Host.ofThisMachine(), Images.cacheFolder(env()));
    if (!images.exists(DEMO_IMAGE)) {
      images.build(Runtime.PYTHON, folder, DEMO_IMAGE, false);
    }
    DeployCommand.deploy(gateway, folder.resolve("weir.yaml"));
    Demo demo = new Demo(gateway, terminal(), hostName());
    if (began(demo)) {
      demo.start(new Sensors(Path.of("/")));
    }
    return demo;
  }

  /** In a distribution beside the gateway, in a repository two folders above {@code distrib/target/weir}. */
  private static Path example() {
    Path distribution = distribution();
    for (Path folder : List.of(distribution.resolve("examples/thermo-alert"),
        distribution.resolve("../../examples/thermo-alert").normalize())) {
      if (Files.isDirectory(folder)) {
        return folder;
      }
    }
    throw new Failure(ExitCode.MISSING,
        distribution + " lacks examples/thermo-alert; start just the gateway with --no-demo");
  }

  /** Null when the time is over or we are told to stop, else what ended the run early. */
  private @Nullable String watch(GatewayProcess process, @Nullable Demo demo, long deadline) throws InterruptedException {
    while (System.nanoTime() < deadline && !signalled) {
      if (process.endsWithin(100) && !signalled) {
        return "the gateway ended by itself" + process.lastWords();
      }
      if (demo != null && demo.trouble() != null && !signalled) {
        return demo.trouble();
      }
    }
    return null;
  }

  private int conclude(@Nullable Demo demo, @Nullable String reason, long began) {
    stop();
    if (reason != null) {
      throw new Failure(ExitCode.FAILED, reason);
    }
    if (demo != null && !demo.answered()) {
      throw new Failure(ExitCode.FAILED, "no container answered a reading: " + String.join("; ", demo.summary().lines())
          + "; see " + dataFolder().resolve("log/weir.log"));
    }
    note(String.format(java.util.Locale.ROOT, "done after %.0f s", (System.nanoTime() - began) / 1e9));
    return ExitCode.OK;
  }

  private synchronized boolean began(AutoCloseable something) {
    if (stopping) {
      close(something);
      return false;
    }
    started.push(something);
    return true;
  }

  private void onSignal() {
    signalled = true;
    stop();
  }

  /** Stops what was started, latest first, each once: whoever comes second finds nothing left to stop. */
  private void stop() {
    Deque<AutoCloseable> mine;
    synchronized (this) {
      stopping = true;
      mine = new ArrayDeque<>(started);
      started.clear();
    }
    for (AutoCloseable each : mine) {
      if (each instanceof GatewayProcess) {
        note("stopping the gateway …");
      }
      close(each);
      if (each instanceof Demo demo) {
        summarise(demo.summary());
      }
    }
  }

  private void summarise(Demo.Summary summary) {
    if (terminal().json()) {
      Map<String, Object> record = new LinkedHashMap<>();
      record.put("event", "summary");
      record.put("messages", summary.messages());
      record.put("answers", summary.answers());
      record.put("published", summary.published());
      record.put("results", summary.results());
      record.put("coldStarts", summary.coldStarts());
      record.put("coldStartMs", summary.coldStartMillis());
      record.put("medianMs", summary.medianMillis());
      terminal().record(record);
    } else {
      summary.lines().forEach(line -> terminal().line(terminal().paint(Colour.BOLD, line)));
    }
  }

  private static void close(AutoCloseable each) {
    try {
      each.close();
    } catch (Exception e) {
      // The others must be stopped too.
    }
  }

  private void note(String text) {
    terminal().note(text);
  }

  private Path dataFolder() {
    if (data != null) {
      return data.toAbsolutePath();
    }
    String chosen = env().get("WEIR_DATA");
    return chosen != null ? Path.of(chosen) : Host.isRoot() ? Path.of("/var/lib/weir")
        : Path.of(env().getOrDefault("HOME", "/tmp"), ".local/share/weir");
  }

  private Map<String, String> environment() {
    Map<String, String> environment = new HashMap<>();
    environment.put("WEIR_DATA", dataFolder().toString());
    environment.put("WEIR_HTTP_PORT", Integer.toString(port));
    environment.put("WEIR_MQTT_PORT", Integer.toString(mqttPort));
    environment.put("WEIR_RUN", runFolder());
    return environment;
  }

  /** Two gateways on one machine must not share what is on tmpfs; the port tells them apart. */
  private String runFolder() {
    String chosen = env().get("WEIR_RUN");
    if (chosen != null) {
      return chosen;
    }
    String base = Host.isRoot() ? Host.memoryFolder() : env().getOrDefault("XDG_RUNTIME_DIR", "/tmp");
    return base + (port == 8480 ? "/weir" : "/weir-" + port);
  }

  /** The folder of the gateway: named by a system property, or beside this jar where a build leaves it. */
  static Path distribution() {
    String named = System.getProperty("weir.dist");
    if (named != null) {
      return Path.of(named).toAbsolutePath();
    }
    try {
      Path jar = Path.of(RunCommand.class.getProtectionDomain().getCodeSource().getLocation().toURI());
      Path beside = jar.getParent();
      Path packaged = beside == null || beside.getParent() == null ? jar : beside.getParent();
      if (Files.isExecutable(packaged.resolve("bin/weir-gateway"))) {
        return packaged;
      }
      // bundles/io.weir.cli/target/weir-cli.jar → distrib/target/weir
      Path repository = packaged.resolve("../..").normalize();
      return repository.resolve("distrib/target/weir");
    } catch (java.net.URISyntaxException e) {
      throw new Failure(ExitCode.MISSING, "cannot tell where this jar lies; name the distribution with -Dweir.dist=DIR", e);
    }
  }

  private static String hostName() {
    try {
      String name = Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
      if (!name.isEmpty()) {
        return name;
      }
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "gateway";
    } catch (java.io.IOException e) {
      return "gateway";
    }
  }
}
