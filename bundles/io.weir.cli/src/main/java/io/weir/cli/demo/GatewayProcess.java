package io.weir.cli.demo;

import io.weir.cli.gateway.Gateway;
import io.weir.cli.gateway.Json;
import io.weir.cli.ui.ExitCode;
import io.weir.cli.ui.Failure;
import io.weir.cli.ui.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** The gateway as a child of this process: started, watched until it is ready, and stopped before this process ends. */
public final class GatewayProcess implements AutoCloseable {
  private static final Duration READY_WITHIN = Duration.ofSeconds(90);
  private static final Duration STOPPED_WITHIN = Duration.ofSeconds(30);

  private final Process process;
  private final Path words;

  private GatewayProcess(Process process, Path words) {
    this.process = process;
    this.words = words;
  }

  /** @param env what the launcher reads, for example {@code WEIR_DATA} */
  public static GatewayProcess start(Path launcher, Path data, Map<String, String> env) {
    if (!Files.isExecutable(launcher)) {
      throw new Failure(ExitCode.MISSING, "there is no gateway at " + launcher + "; build it with 'mvn package', or name the folder "
          + "of the distribution with -Dweir.dist=DIR");
    }
    try {
      Path log = Files.createDirectories(data.resolve("log"));
      Path words = log.resolve("launcher.log");
      ProcessBuilder builder = new ProcessBuilder(launcher.toString()).redirectErrorStream(true).redirectOutput(words.toFile());
      builder.environment().putAll(env);
      Process process = builder.start();
      process.getOutputStream().close();
      return new GatewayProcess(process, words);
    } catch (IOException e) {
      throw new Failure(ExitCode.FAILED, "cannot start " + launcher + " with its data in " + data + ": " + e.getMessage(), e);
    }
  }

  /** Waits until the gateway calls itself ready, telling what it waits for. */
  public Map<String, Object> awaitReady(Gateway gateway, Progress progress) throws InterruptedException {
    long deadline = System.nanoTime() + READY_WITHIN.toNanos();
    String waiting = "it does not answer yet";
    while (System.nanoTime() < deadline) {
      if (!process.isAlive()) {
        throw new Failure(ExitCode.FAILED, "the gateway ended with " + process.exitValue() + " before it was ready" + lastWords());
      }
      Map<String, Object> status = Map.of();
      try {
        status = gateway.get("/status");
        if (Json.flag(status, "ready")) {
          return status;
        }
        waiting = Json.maps(status, "parts").stream().filter(part -> !Json.flag(part, "ready"))
            .map(part -> Json.text(part, "name") + " (" + Json.text(part, "state") + ")")
            .collect(Collectors.joining(", ", "waiting for ", ""));
      } catch (Failure e) {
        if (e.exitCode() != ExitCode.UNREACHABLE) {
          waiting = e.text();
        }
      }
      refuseTakenPort(status);
      progress.say(waiting);
      process.waitFor(50, TimeUnit.MILLISECONDS);
    }
    throw new Failure(ExitCode.FAILED, "the gateway was not ready after " + READY_WITHIN.toSeconds() + " s: " + waiting + lastWords());
  }

  /** The gateway itself waits until its broker's port is free; somebody who has just typed a command would not. */
  private static void refuseTakenPort(Map<String, Object> status) {
    Json.maps(status, "parts").stream().map(part -> Json.text(part, "state")).filter(state -> state.contains(" is taken by "))
        .findFirst().ifPresent(state -> {
          throw new Failure(ExitCode.FAILED, state + "; stop that program, or choose another port with --mqtt-port");
        });
  }

  public boolean endsWithin(long millis) throws InterruptedException {
    return process.waitFor(millis, TimeUnit.MILLISECONDS);
  }

  /** What the gateway said last, for a message about its end. */
  public String lastWords() {
    Path log = words.resolveSibling("weir.log");
    for (Path file : List.of(words, log)) {
      try {
        List<String> lines = Files.readAllLines(file).stream().filter(line -> !line.isBlank()).toList();
        if (!lines.isEmpty()) {
          return "; the end of " + file + ":\n  "
              + String.join("\n  ", lines.subList(Math.max(0, lines.size() - 10), lines.size()));
        }
      } catch (IOException e) {
        // Then the other file may help.
      }
    }
    return "; see " + log;
  }

  /** Asks the gateway to end, and waits for it: what it started itself must be gone when we are. */
  @Override
  public void close() {
    process.destroy();
    boolean interrupted = false;
    long deadline = System.nanoTime() + STOPPED_WITHIN.toNanos();
    while (process.isAlive()) {
      long left = deadline - System.nanoTime();
      try {
        if (left <= 0) {
          process.destroyForcibly().waitFor();
        } else {
          process.waitFor(left, TimeUnit.NANOSECONDS);
        }
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
