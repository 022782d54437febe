package io.weir.engine.podman.internal;

import io.weir.child.Root;
import io.weir.engine.EngineException;
import io.weir.engine.EngineException.Code;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A program of the system that reads its orders from standard input, does them and ends. */
final class Program {
  private static final Duration LIMIT = Duration.ofSeconds(20);

  private final Path path;

  private Program(Path path) {
    this.path = path;
  }

  static Optional<Program> find(String name) {
    return HostFacts.find(name).map(Program::new);
  }

  /**
   * Runs it to its end.
   *
   * @param what the purpose in words, for example {@code making network namespace weir-1a2b3c4d-7}
   * @param orders its standard input, line by line
   * @throws EngineException if it does not end well, with its words
   */
  void run(String what, List<String> orders, String... arguments) {
    List<String> command = new ArrayList<>(List.of(path.toString()));
    command.addAll(List.of(arguments));
    try {
      Process process = new ProcessBuilder(Root.command(command)).redirectErrorStream(true).start();
      try {
        give(process, orders);
        if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
          throw new EngineException(Code.TIMEOUT, what + " failed: " + path + " took longer than " + LIMIT.toSeconds()
              + " s; the machine may be overloaded");
        }
        if (process.exitValue() != 0) {
          throw new EngineException(Code.FAILED, what + " failed: " + words(process));
        }
      } finally {
        process.destroyForcibly();
      }
    } catch (IOException e) {
      throw new EngineException(Code.FAILED, what + " failed: cannot run " + path + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new EngineException(Code.UNAVAILABLE, what + " was interrupted: the gateway is stopping", e);
    }
  }

  private static void give(Process process, List<String> orders) throws InterruptedException {
    try (OutputStream in = process.getOutputStream()) {
      in.write((String.join("\n", orders) + "\n").getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      // It ended before it had read them all; its exit code and its words say why.
      process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS);
    }
  }

  private String words(Process process) throws IOException {
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    return path.getFileName() + " said: " + (said.isEmpty() ? "nothing, exit code " + process.exitValue()
        : said.lines().map(String::strip).reduce((first, second) -> first + "; " + second).orElse(""));
  }
}
