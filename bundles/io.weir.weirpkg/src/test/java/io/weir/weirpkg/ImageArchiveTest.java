package io.weir.weirpkg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageArchiveTest {
  private static final String MANIFEST = "[{\"Config\":\"c.json\",\"RepoTags\":[\"localhost/other:1\"],\"Layers\":[\"l.tar\"]}]";
  private static final String CONFIG = "{\"architecture\":\"arm64\"}";
  private static final String INDEX = "{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"sha256:aa\",\"size\":2,"
      + "\"annotations\":{\"org.opencontainers.image.ref.name\":\"localhost/other:1\",\"io.containerd.image.name\":\"x\"}}]}";

  @TempDir
  Path folder;

  private Path archive(Object... namesAndContents) throws IOException {
    return Files.write(folder.resolve("image.tar"), Packages.tar(namesAndContents));
  }

  private ImageArchive renamed(Path archive) throws IOException {
    Path to = folder.resolve("renamed.tar");
    try (InputStream in = new ImageArchive(archive).named("localhost/mine:2")) {
      Files.write(to, in.readAllBytes());
    }
    return new ImageArchive(to);
  }

  @Test
  void aDockerArchiveGetsAnotherNameAndNoOther() throws IOException {
    Path archive = archive("l.tar", new byte[700], "c.json", CONFIG, "repositories", "{\"localhost/other\":{}}", "manifest.json", MANIFEST);

    ImageArchive renamed = renamed(archive);

    assertThat(renamed.architecture()).contains("arm64");
    String text = Files.readString(folder.resolve("renamed.tar"), java.nio.charset.StandardCharsets.ISO_8859_1);
    assertThat(text).contains("\"RepoTags\":[\"localhost/mine:2\"]").doesNotContain("localhost/other", "repositories");
  }

  @Test
  void anOciArchiveGetsAnotherNameAndNoOther() throws IOException {
    Path archive = archive("oci-layout", "{}", "blobs/sha256/aa", "{\"config\":{\"digest\":\"sha256:bb\"}}", "blobs/sha256/bb", CONFIG,
        "index.json", INDEX);

    ImageArchive renamed = renamed(archive);

    assertThat(renamed.architecture()).contains("arm64");
    String text = Files.readString(folder.resolve("renamed.tar"), java.nio.charset.StandardCharsets.ISO_8859_1);
    assertThat(text).contains("\"org.opencontainers.image.ref.name\":\"localhost/mine:2\"").doesNotContain("localhost/other", "containerd");
  }

  @Test
  void anArchiveThatHidesItsNamesIsRefused() throws IOException {
    String link = "";
    assertRefused(archive("manifest.json", MANIFEST, "./manifest.json", MANIFEST), "disguise");
    assertRefused(archive("manifest.json", MANIFEST, "manifest.json", MANIFEST), "twice");
    assertRefused(archive("manifest.json", MANIFEST, "a/../index.json", INDEX), "leads out");
    assertRefused(archive(new TarHeader("manifest.json", 0, '2'), link), "disguise");
    assertRefused(archive(new TarHeader("x", 3, 'x'), "abc", "manifest.json", MANIFEST), "extensions");
    assertRefused(archive(new TarHeader("x", 3, 'L'), "abc", "manifest.json", MANIFEST), "extensions");
  }

  @Test
  void anArchiveOfSeveralImagesIsRefused() throws IOException {
    assertRefused(archive("manifest.json", "[{},{}]"), "one image");
    assertRefused(archive("index.json", "{\"manifests\":[]}"), "one image");
  }

  @Test
  void whatIsNoImageArchiveIsRefused() throws IOException {
    assertRefused(archive("a.txt", "hello"), "neither");
    assertRefused(archive("manifest.json", "hello"), "no JSON");
    assertRefused(archive("manifest.json", "{}"), "damaged");
    assertRefused(Files.write(folder.resolve("noise.tar"), new byte[] {1, 2, 3}), "neither");
    assertRefused(Files.write(folder.resolve("noise.tar"), new byte[2000]), "neither");
    byte[] torn = java.util.Arrays.copyOf(Packages.tar("manifest.json", MANIFEST, "l.tar", new byte[5000]), 3000);
    assertRefused(Files.write(folder.resolve("torn.tar"), torn), "too early");
  }

  private static void assertRefused(Path archive, String why) {
    assertThatThrownBy(() -> new ImageArchive(archive)).isInstanceOf(PackageFault.class).hasMessageContaining(why);
  }
}
