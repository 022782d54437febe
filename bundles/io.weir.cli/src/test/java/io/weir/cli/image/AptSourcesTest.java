package io.weir.cli.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AptSourcesTest {
  @TempDir
  private Path apt;

  @Test
  void keepsTheReleasesOwnSourcesAndNobodyElses() throws IOException {
    Files.writeString(apt.resolve("sources.list"), """
        # deb http://old.example/debian bookworm main
        deb [arch=amd64 signed-by=/k.gpg] http://packages.example/debian bookworm main contrib
        deb-src http://packages.example/debian bookworm main
        deb http://packages.example/debian bookworm-backports main
        """);
    Files.createDirectories(apt.resolve("sources.list.d"));
    Files.writeString(apt.resolve("sources.list.d/debian.sources"), """
        Types: deb deb-src
        # a comment
        URIs: http://packages.example/debian
        Suites: bookworm bookworm-updates bookworm-backports
        Components: main
        Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

        Types: deb
        Enabled: no
        URIs: http://off.example/debian
        Suites: bookworm
        Components: main

        Types: deb
        URIs: http://node.example
        Suites: nodistro
        Components: main
        """);
    Files.writeString(apt.resolve("sources.list.d/third.list"), "deb http://third.example/apt cloud-bookworm main\n");
    Files.writeString(apt.resolve("sources.list.d/ignored.bak"), "deb http://bak.example/debian bookworm main\n");

    AptSources sources = AptSources.of(apt, "bookworm");

    assertThat(sources.lines()).containsExactly(
        "deb [arch=amd64 signed-by=/k.gpg] http://packages.example/debian bookworm main contrib");
    assertThat(sources.stanzas()).containsExactly("""
        Types: deb
        URIs: http://packages.example/debian
        Suites: bookworm bookworm-updates
        Components: main
        Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
        """);
    assertThat(sources.writeTo(apt)).extracting(path -> path.getFileName().toString()).containsExactly("weir.list", "weir.sources");
  }

  @Test
  void isEmptyWhereNothingBelongsToTheRelease() throws IOException {
    assertThat(AptSources.of(apt, "trixie").isEmpty()).isTrue();
  }

  @Test
  void readsWhatTheMachineIs() {
    assertThat(Host.osRelease("NAME=\"Debian\"\nVERSION_CODENAME=trixie\n")).containsEntry("VERSION_CODENAME", "trixie");
    assertThat(Host.debianArch("aarch64")).isEqualTo("arm64");
    assertThat(Host.debianArch("arm")).isEqualTo("armhf");
  }
}
