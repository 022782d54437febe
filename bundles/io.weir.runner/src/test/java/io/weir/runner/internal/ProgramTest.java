package io.weir.runner.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.function.Language;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProgramTest {
  @TempDir
  private Path folder;

  @Test
  void itsContextIsATarThatTarUnderstands() throws Exception {
    Path tar = Files.write(folder.resolve("context.tar"), Program.of(Language.PYTHON).context());

    Process process = new ProcessBuilder("tar", "-C", folder.toString(), "-xvf", tar.toString()).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(process.waitFor()).as(said).isZero();
    assertThat(said).isEqualTo("Containerfile\nrunner/runner.py\n");
    assertThat(Files.readString(folder.resolve("Containerfile"))).startsWith("FROM localhost/weir/rt-python:current\n");
    assertThat(Files.readString(folder.resolve("runner/runner.py"))).startsWith("\"\"\"").endsWith("main()\n");
  }

  @Test
  void itsNameChangesWithTheRuntimeBelow() {
    Program program = Program.of(Language.NODE);

    assertThat(program.reference("a")).matches("localhost/weir/runner-node:[0-9a-f]{12}").isEqualTo(program.reference("a"))
        .isNotEqualTo(program.reference("b"));
  }
}
