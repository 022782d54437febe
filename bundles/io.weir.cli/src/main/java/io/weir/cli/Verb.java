package io.weir.cli;

import io.weir.cli.gateway.Gateway;
import io.weir.cli.ui.Durations;
import io.weir.cli.ui.ExitCode;
import io.weir.cli.ui.Failure;
import io.weir.cli.ui.Terminal;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What every verb can reach. */
abstract class Verb implements Callable<Integer> {
  @Spec
  private @Nullable CommandSpec spec;

  final Main main() {
    return (Main) Objects.requireNonNull(spec).root().userObject();
  }

  final Terminal terminal() {
    return main().terminal();
  }

  final Gateway gateway() {
    return main().gateway();
  }

  final Map<String, String> env() {
    return main().env();
  }

  /** A mistake in the command line itself. */
  final ParameterException misuse(String message) {
    return new ParameterException(Objects.requireNonNull(spec).commandLine(), message);
  }

  final Duration duration(String option, String text) {
    try {
      return Durations.parse(text);
    } catch (IllegalArgumentException e) {
      throw misuse(option + ": " + e.getMessage());
    }
  }

  /** What an option of the form {@code TEXT|@FILE|@-} names. */
  static byte[] data(String option) {
    if (option.equals("@-")) {
      try {
        return System.in.readAllBytes();
      } catch (IOException e) {
        throw new Failure(ExitCode.FAILED, "cannot read standard input: " + e.getMessage(), e);
      }
    }
    return option.startsWith("@") ? read(Path.of(option.substring(1))) : option.getBytes(StandardCharsets.UTF_8);
  }

  static byte[] read(Path file) {
    return read(file, Integer.MAX_VALUE);
  }

  static byte[] read(Path file, int most) {
    try {
      if (Files.size(file) > most) {
        throw new Failure(ExitCode.FAILED, file + " is longer than " + most + " bytes");
      }
      return Files.readAllBytes(file);
    } catch (java.nio.file.NoSuchFileException e) {
      throw new Failure(ExitCode.FAILED, "there is no file " + file, e);
    } catch (IOException e) {
      throw new Failure(ExitCode.FAILED, "cannot read " + file + ": " + e.getMessage(), e);
    }
  }
}
