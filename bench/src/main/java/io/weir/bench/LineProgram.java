package io.weir.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A program one speaks with by lines; it ends with its standard input. */
final class LineProgram implements AutoCloseable {
  private final String name;
  private final Process process;
  private final BufferedReader out;

  LineProgram(int processor, Path file, String... arguments) throws IOException {
    name = file.getFileName().toString();
    List<String> command = new ArrayList<>(List.of("taskset", "-c", Integer.toString(processor), file.toString()));
    command.addAll(List.of(arguments));
    process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    out = process.inputReader(StandardCharsets.US_ASCII);
  }

  /** Its own: taskset becomes it. */
  long pid() {
    return process.pid();
  }

  void say(String line) throws IOException {
    process.getOutputStream().write((line + "\n").getBytes(StandardCharsets.US_ASCII));
    process.getOutputStream().flush();
  }

  String hear() throws IOException {
    String line = out.readLine();
    if (line == null) {
      throw new IOException(name + " has ended");
    }
    return line;
  }

  void expect(String line) throws IOException {
    if (!hear().equals(line)) {
      throw new IOException(name + " did not say " + line);
    }
  }

  @Override
  public void close() throws Exception {
    process.getOutputStream().close();
    process.waitFor();
  }
}
