package io.weir.cli;

import io.weir.cli.ui.ExitCode;
import io.weir.cli.ui.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;

/** A payload in a file of its own, in the editor of the user's choice. The file goes when it is closed. */
final class Editor implements AutoCloseable {
  private static final String USUAL = "vi";

  private final String program;
  private final byte[] before;
  private final Path file;
  private boolean keep;

  Editor(Map<String, String> env, byte[] payload) {
    program = env.getOrDefault("VISUAL", env.getOrDefault("EDITOR", USUAL));
    before = payload;
    try {
      file = Files.createTempFile("weir-dead-letter-", ".txt");
      Files.write(file, payload);
    } catch (IOException e) {
      throw new Failure(ExitCode.FAILED, "cannot write a file to edit: " + e.getMessage(), e);
    }
  }

  /** What the user made of it; empty if nothing. */
  Optional<byte[]> edit() throws InterruptedException {
    try {
      // As git does it: the variable may hold options too.
      Process editor = new ProcessBuilder("sh", "-c", program + " \"$1\"", "weir", file.toString()).inheritIO().start();
      int code = editor.waitFor();
      if (code == 127) {
        throw new Failure(ExitCode.MISSING, "there is no editor '" + program + "'; set EDITOR, or use -d @FILE");
      } else if (code != 0) {
        throw new Failure(ExitCode.FAILED, "the editor ended with " + code + ", so nothing was sent");
      }
      byte[] after = DlqCommand.withoutEditorsNewline(before, Files.readAllBytes(file));
      return Arrays.equals(before, after) ? Optional.empty() : Optional.of(after);
    } catch (IOException e) {
      throw new Failure(ExitCode.FAILED, "cannot edit " + file + ": " + e.getMessage(), e);
    }
  }

  /** What was typed must not be lost because the gateway refuses it. */
  void keepIfThisFails(Runnable sending) {
    try {
      sending.run();
    } catch (Failure e) {
      keep = true;
      throw new Failure(e.exitCode(), e.text() + " (what you wrote is in " + file + ")", e);
    }
  }

  @Override
  public void close() {
    try {
      if (!keep) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      // It is the user's own, in the folder for such files.
    }
  }
}
