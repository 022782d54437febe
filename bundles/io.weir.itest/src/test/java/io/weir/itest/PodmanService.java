package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/** A {@code podman system service} as an administrator might run it, with storage of its own. Closing it removes all of it. */
final class PodmanService implements AutoCloseable {
  private final Path data;
  private final Path run;
  private final Leftovers leftovers;
  private final Process process;

  /** @param run on tmpfs, and short: Podman refuses to clean up after containers when its paths get long */
  PodmanService(Path data, Path run) throws Exception {
    this.data = data;
    this.run = run;
    this.leftovers = new Leftovers(data, run);
    leftovers.unmount();
    Gateway.deleteTree(data);
    Gateway.deleteTree(run);
    Files.createDirectories(data);
    Files.createDirectories(run.resolve("tmp"));
    Files.writeString(run.resolve("containers.conf"), String.join("\n",
        "[containers]",
        // Podman's own defaults exceed the hard limits of some build machines. Podman 4.3 swaps soft and hard.
        "default_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]",
        "log_driver = \"k8s-file\"",
        "[engine]",
        "runtime = \"" + (Files.isExecutable(Path.of("/usr/sbin/runc")) ? "runc" : "crun") + "\"",
        "cgroup_manager = \"cgroupfs\"",
        "events_logger = \"file\"",
        "lock_type = \"file\"",
        "tmp_dir = \"" + run.resolve("tmp") + "\"",
        "[network]",
        "network_backend = \"netavark\"",
        "network_config_dir = \"" + run.resolve("networks") + "\"", ""));
    Files.writeString(run.resolve("storage.conf"), String.join("\n",
        "[storage]",
        "driver = \"overlay\"",
        "graphroot = \"" + data.resolve("storage") + "\"",
        "runroot = \"" + run.resolve("run") + "\"",
        "[storage.options.overlay]",
        "skip_mount_home = \"true\"", ""));
    this.process = command("system", "service", "--time", "0", "unix://" + socket()).redirectErrorStream(true)
        .redirectOutput(data.resolve("podman.log").toFile()).start();
    Awaitility.await("podman listens; see " + data.resolve("podman.log")).atMost(Gateway.LONG)
        .until(() -> Files.exists(socket()) || !process.isAlive());
    assertThat(process.isAlive()).as(Files.readString(data.resolve("podman.log"))).isTrue();
  }

  Path socket() {
    return run.resolve("podman.sock");
  }

  /** Runs podman on the same storage. */
  String podman(String... arguments) throws Exception {
    Gateway.Result result = Gateway.run(command(arguments));
    assertThat(result.exitCode()).as(String.join(" ", arguments) + ": " + result.out() + result.err()).isZero();
    return result.out();
  }

  private ProcessBuilder command(String... arguments) {
    List<String> command = new ArrayList<>(List.of("podman"));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).directory(run.resolve("tmp").toFile());
    builder.environment().put("CONTAINERS_CONF", run.resolve("containers.conf").toString());
    builder.environment().put("CONTAINERS_STORAGE_CONF", run.resolve("storage.conf").toString());
    builder.environment().remove("CONTAINER_HOST");
    return builder;
  }

  @Override
  public void close() throws Exception {
    try {
      podman("rm", "--all", "--force", "--time", "0");
      podman("network", "rm", "--force", "weir");
    } finally {
      process.destroy();
      assertThat(process.waitFor(30, TimeUnit.SECONDS)).as("podman ended").isTrue();
      try {
        leftovers.assertNone();
      } finally {
        leftovers.unmount();
        Gateway.deleteTree(run);
        Gateway.deleteTree(data);
      }
    }
  }
}
