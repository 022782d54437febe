package io.weir.kernel.internal;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A program of the system that reads its orders from standard input, does them and ends. */
final class Program {
  private static final Duration LIMIT = Duration.ofSeconds(20);

  private final Path path;

  private Program(Path path) {
    this.path = path;
  }

  /** In PATH, or where Debian keeps system programs. */
  static Optional<Program> find(String name) {
    return Stream.concat(Stream.of(System.getenv().getOrDefault("PATH", "").split(":")),
        Stream.of("/usr/sbin", "/sbin", "/usr/bin")).filter(directory -> !directory.isEmpty())
        .map(directory -> Path.of(directory, name)).filter(Files::isExecutable).findFirst().map(Program::new);
  }

  /**
   * Runs it to its end.
   *
   * @throws IOException if it does not end well, with its words
   */
  void run(String orders, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(path.toString()));
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try {
      try (OutputStream in = process.getOutputStream()) {
        in.write(orders.getBytes(StandardCharsets.UTF_8));
      } catch (IOException e) {
        // It ended before it had read them all; its exit code and its words say why.
        process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS);
      }
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
        throw new IOException(path + " took longer than " + LIMIT.toSeconds() + " s");
      }
      if (process.exitValue() != 0) {
        throw new IOException(path.getFileName() + " said: " + (said.isEmpty() ? "exit code " + process.exitValue() : said));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(path.getFileName() + " was interrupted: the gateway is stopping", e);
    } finally {
      process.destroyForcibly();
    }
  }
}
