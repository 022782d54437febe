package io.weir.cli.image;

import io.weir.cli.ui.ExitCode;
import io.weir.cli.ui.Failure;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Programs of the machine, run to their end. */
final class Shell {
  private static final int LAST_WORDS = 12;

  private Shell() {}

  /**
   * Runs a program and hands on each line it writes.
   *
   * @throws Failure if it does not end well, with its last words
   */
  static void run(List<String> command, Map<String, String> env, Path folder, Consumer<String> heard) {
    Deque<String> last = new ArrayDeque<>();
    try {
      ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true).directory(folder.toFile());
      builder.environment().putAll(env);
      Process process = builder.start();
      // A signal ends this process without running what comes after; the child must not outlive it.
      Thread onExit = new Thread(() -> end(process), "weir-child-end");
      java.lang.Runtime.getRuntime().addShutdownHook(onExit);
      try {
        process.getOutputStream().close();
        try (var reader = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
          for (String line = reader.readLine(); line != null; line = reader.readLine()) {
            heard.accept(line);
            last.add(line);
            if (last.size() > LAST_WORDS) {
              last.remove();
            }
          }
        }
        int code = process.waitFor();
        if (code != 0) {
          throw new Failure(ExitCode.FAILED, command.get(0) + " ended with " + code + ":\n  " + String.join("\n  ", last));
        }
      } finally {
        if (process.isAlive()) {
          end(process);
        }
        forget(onExit);
      }
    } catch (IOException e) {
      throw new Failure(ExitCode.MISSING, "cannot run " + command.get(0) + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Failure(ExitCode.FAILED, command.get(0) + " was interrupted", e);
    }
  }

  private static void end(Process process) {
    process.descendants().forEach(ProcessHandle::destroy);
    process.destroy();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void forget(Thread hook) {
    try {
      java.lang.Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The process is ending; the hook runs.
    }
  }

  /** The path of a program, or a failure that says which package brings it. */
  static String require(String program, String debianPackage, String purpose) {
    return Host.program(program).map(Path::toString).orElseThrow(() -> new Failure(ExitCode.MISSING,
        program + " is missing, " + purpose + " needs it; install it with: apt install " + debianPackage));
  }

  /** Removes a folder and what is in it; never follows a link out of it. */
  static void removeTree(Path folder) throws IOException {
    if (Files.notExists(folder, java.nio.file.LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try (Stream<Path> tree = Files.walk(folder)) {
      for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    }
  }
}
