package io.weir.deploy.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DropFolderTest {
  @TempDir
  Path folder;
  private Path drop;
  private World world;

  @BeforeEach
  void open() throws IOException {
    drop = Files.createDirectory(folder.resolve("drop"));
    world = new World(new Settings(folder.resolve("books"), folder.resolve("trust.d"), true, Optional.of(drop), 1 << 20,
        Duration.ofSeconds(5)));
  }

  @AfterEach
  void close() {
    world.deployer().close();
  }

  private void drop(String name, byte[] bytes) throws IOException {
    Path next = Files.write(folder.resolve("next"), bytes);
    Files.move(next, drop.resolve(name), StandardCopyOption.ATOMIC_MOVE);
  }

  private String note(String name) {
    World.await(() -> Files.exists(drop.resolve(name)));
    try {
      return Files.readString(drop.resolve(name));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void whatIsDroppedIsInstalledAndANoteTellsSo() throws Exception {
    drop("thermo.weirpkg", World.thermo("1.0.0", "one"));

    assertThat(note("thermo.weirpkg.result")).startsWith("installed thermo 1.0.0\nat 2026-11-21T12:00:00Z\n");
    assertThat(world.functions()).hasSize(1);
    assertThat(drop.resolve("thermo.weirpkg")).exists();
  }

  @Test
  void whatIsWrongIsLeftWithANoteThatSaysWhy() throws Exception {
    drop("a.weirpkg", new byte[] {1, 2, 3});
    world.stubborn = spec -> "exit code 3";
    drop("thermo.weirpkg", World.thermo("1.0.0", "one"));

    assertThat(note("a.weirpkg.rejected")).startsWith("rejected (bad-package): ");
    assertThat(note("thermo.weirpkg.rejected")).startsWith("rolled back thermo 1.0.0: function thermo did not start: exit code 3");
    assertThat(world.functions()).isEmpty();
  }

  @Test
  void aChangedFileIsLookedAtAgain() throws Exception {
    drop("thermo.weirpkg", World.thermo("1.0.0", "one").clone());
    note("thermo.weirpkg.result");

    drop("thermo.weirpkg", World.thermo("1.1.0", "a longer program"));

    World.await(() -> note("thermo.weirpkg.result").startsWith("installed thermo 1.1.0"));
  }

  @Test
  void afterARestartNothingIsInstalledTwiceUnlessItsNoteIsDeleted() throws Exception {
    drop("a.weirpkg", World.thermo("1.0.0", "one"));
    note("a.weirpkg.result");
    Deployer next = world.again();
    drop("b.weirpkg", World.thermo("1.1.0", "two"));
    note("b.weirpkg.result");
    assertThat(next.recent()).extracting(it -> it.source()).containsExactly("b.weirpkg");

    Files.delete(drop.resolve("a.weirpkg.result"));

    assertThat(note("a.weirpkg.result")).startsWith("installed thermo 1.0.0");
    next.close();
  }

  @Test
  void linksAndHiddenFilesAreLeftAlone() throws Exception {
    Files.write(folder.resolve("elsewhere"), World.thermo("1.0.0", "one"));
    Files.createSymbolicLink(drop.resolve("a-link.weirpkg"), folder.resolve("elsewhere"));
    Files.write(drop.resolve(".hidden.weirpkg"), World.thermo("1.0.0", "one"));
    drop("z.weirpkg", World.thermo("2.0.0", "two"));

    note("z.weirpkg.result");

    assertThat(world.deployer().recent()).extracting(it -> it.source()).containsExactly("z.weirpkg");
  }
}
